//! What is known about a value: where it comes from and what it was made of.
//!
//! A fact is what the checks speak about: "a value that the sender sent under this name", "the
//! parsed body, serialised again". It says nothing about which value it is at run time.
//!
//! Invariants: a value about which two different things could be said is
//! [`Fact::Unknown`]; no check speaks about that.

pub(super) mod evaluate;
pub(super) mod names;

use std::path::PathBuf;

use crate::migrate::edit::ByteRange;
use crate::migrate::lint::naming_heuristics;

/// What is known about a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) enum Fact {
    /// Nothing is known.
    #[default]
    Unknown,
    /// `None`, an empty string or an empty display, a number: what stands where a value is missing.
    Nothing,
    /// The `AgentCtx`.
    Context,
    /// `_ctx.webhook_request`.
    WebhookRequest,
    /// The `Request`.
    Request,
    /// `request.client`.
    Client,
    /// The address of the sender.
    Address,
    /// Headers in a plain dict whose keys are in lower case.
    LowerHeaders,
    /// Headers that are found in any case.
    Headers,
    /// Query parameters, cookies, path parameters.
    Fields,
    /// The body as it was received.
    Raw,
    /// The parsed body.
    Parsed,
    /// The parsed body, serialised again.
    Dumped,
    /// A value that the sender sent, under this name; the name is empty when it is not known.
    Sent(String),
    /// An object of `hmac` or `hashlib`.
    Hash(Made),
    /// What it gives.
    Digest(Made),
    /// The configuration of the plugin.
    Config,
    /// A setting of the plugin, by its name.
    Setting(String),
    /// A variable of the environment.
    Environment,
    /// A literal, by its file and place.
    Literal(PathBuf, ByteRange),
    /// A client that blocks while it waits, by the name of what made it.
    BlockingClient(String),
    /// An asynchronous HTTP client.
    AsyncClient,
    /// A client of a language model.
    ModelClient,
    /// An event loop.
    EventLoop,
}

/// What a digest was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Made {
    /// With a key: it is an HMAC.
    pub keyed: bool,
    /// Over JSON that was serialised again.
    pub reserialized: bool,
}

impl Fact {
    /// What is known about a value that is either of the two.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Nothing, known) | (known, Self::Nothing) => known,
            (Self::Sent(one), Self::Sent(other)) => {
                Self::Sent(if naming_heuristics::is_secret(&other) {
                    other
                } else {
                    one
                })
            }
            _ => Self::Unknown,
        }
    }

    /// Whether it is a signature, a token or a secret that the sender sent.
    pub(super) fn is_sent_secret(&self) -> bool {
        matches!(self, Self::Sent(name) if naming_heuristics::is_secret(name))
    }

    /// Whether it is a setting that holds a secret.
    pub(super) fn is_secret_setting(&self) -> bool {
        matches!(self, Self::Setting(name) if naming_heuristics::is_secret(name))
    }

    /// Whether it tells from where the request came.
    pub(super) fn is_address(&self) -> bool {
        match self {
            Self::Address => true,
            Self::Sent(name) => matches!(
                name.to_ascii_lowercase().as_str(),
                "x-forwarded-for" | "x-real-ip" | "cf-connecting-ip" | "forwarded"
            ),
            _ => false,
        }
    }

    /// Whether a function that is given it can find out who is calling.
    pub(super) fn is_whole_request(&self) -> bool {
        matches!(
            self,
            Self::Context
                | Self::WebhookRequest
                | Self::Request
                | Self::LowerHeaders
                | Self::Headers
        )
    }
}
