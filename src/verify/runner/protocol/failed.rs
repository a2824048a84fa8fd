//! What could not be run, and why: a case, or everything.

use serde::{Deserialize, Serialize};

use super::detail::{Answering, Detail};

/// A case that could not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Failed {
    /// The name of the case.
    pub(crate) case: String,
    /// Which side it was.
    #[serde(default)]
    pub(crate) side: Side,
    /// Why.
    pub(crate) reason: Reason,
    /// What more is known of it.
    #[serde(default)]
    pub(crate) detail: Detail,
    /// The request that was being answered, if one was.
    #[serde(default)]
    pub(crate) answering: Option<Answering>,
    /// The endpoint that it is about; none for the whole case.
    #[serde(default)]
    pub(crate) endpoint: Option<String>,
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// Before the migration.
    Old,
    /// After it.
    New,
    /// Both, or neither in particular.
    #[default]
    #[serde(rename = "")]
    Neither,
}

impl Side {
    /// Its name in the protocol and in results.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Neither => "",
        }
    }
}

/// Why a case could not be run; also in the JSON report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// It cannot be imported.
    Import,
    /// A module that it imports is not installed.
    MissingModule,
    /// The agent finds no plugin in it.
    NoPlugin,
    /// The plugin does not register the webhook.
    NoWebhook,
    /// The plugin has no router.
    NoRouter,
    /// A request is to be sent with a setting that the plugin does not have.
    NoSetting,
    /// A request is to be sent with a setting that cannot have the value.
    BadSetting,
    /// It took too long.
    Hang,
    /// It ended the process.
    Exit,
    /// An error that nothing caught, or the end of the process by a signal.
    Crash,
    /// It needs something of the agent that the stand-in does not have.
    StandInLacks,
    /// The runner has said nothing about it. It never says this itself.
    NoResult,
    /// What the runner has said about it cannot be taken in. It never says this itself.
    Unreadable,
}

/// Nothing can be run at all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Fatal {
    /// Why.
    pub(crate) reason: FatalReason,
    /// What Python or the runner says.
    #[serde(default)]
    pub(crate) detail: String,
}

/// Why nothing can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FatalReason {
    /// FastAPI is not installed.
    NoFastapi,
    /// The agent is not installed, and it was asked for.
    NoAgent,
    /// The Python is older than the agent takes.
    PythonTooOld,
    /// The agent is installed, and cannot be imported.
    BrokenAgent,
    /// FastAPI is installed, and cannot be imported, or what it needs.
    BrokenFastapi,
}
