//! An old URL, and the new routes behind it.

use std::borrow::Cow;
use std::sync::Arc;

use super::pattern::Pattern;
use crate::routes::Route;
use crate::shim::auth::AuthRule;
use crate::shim::config::RouteLimits;
use crate::shim::observe::metrics::UrlStats;
use crate::shim::observe::targets::TargetStats;
use crate::shim::upstream::agent::Upstream;

/// A new route, as one of those behind an old URL.
#[derive(Debug)]
pub struct Destination {
    /// The plugin.
    pub(crate) plugin: String,
    /// What the map says.
    pub(crate) route: Route,
    /// Where it is.
    pub(crate) agent: Arc<Upstream>,
    /// The path that is sent.
    pub(super) path: TargetPath,
    /// What a sender has to prove.
    pub(crate) auth: Vec<AuthRule>,
    /// What bounds it.
    pub(crate) limits: RouteLimits,
    /// Counts; they outlive the table.
    pub(crate) stats: Arc<TargetStats>,
}

/// The path of a new route.
#[derive(Debug)]
pub(super) enum TargetPath {
    /// In percent-encoding.
    Fixed(Vec<u8>),
    /// With parameters, which have the names that the old path gives them.
    Pattern(Pattern),
}

impl Destination {
    /// Whether the new route answers `method`.
    pub(crate) fn takes(&self, method: &[u8]) -> bool {
        self.route
            .methods
            .iter()
            .any(|other| other.as_bytes() == method)
    }

    /// Whether one of its auth rules is about the body.
    pub(crate) fn checks_body(&self) -> bool {
        self.auth.iter().any(AuthRule::is_about_the_body)
    }

    /// The path to send, with the values of the parameters of `url`.
    pub(crate) fn path<'d>(&'d self, url: &OldUrl, values: &[&[u8]]) -> Cow<'d, [u8]> {
        match &self.path {
            TargetPath::Fixed(path) => Cow::Borrowed(path),
            TargetPath::Pattern(pattern) => {
                let names = url.parameters.iter().map(String::as_str);
                let values: Vec<_> = names.zip(values.iter().copied()).collect();
                let mut path = Vec::new();
                pattern.fill(&values, &mut path);
                Cow::Owned(path)
            }
        }
    }

    /// Whether its path depends on the request.
    pub(super) fn has_parameters(&self) -> bool {
        matches!(self.path, TargetPath::Pattern(_))
    }
}

/// An old URL, and all that is behind it.
#[derive(Debug)]
pub struct OldUrl {
    /// The path as the map has it; what the metrics and logs are labelled with.
    pub(crate) path: String,
    /// The names of its parameters, in their order.
    pub(super) parameters: Vec<String>,
    /// The routes that answer, in the order of the map, which is the load order. Never empty.
    pub(crate) destinations: Vec<Arc<Destination>>,
    /// The value of `Allow`.
    pub(crate) allow: String,
    /// The headers of deprecation, as lines.
    pub(crate) deprecation: Vec<u8>,
    /// The largest body that any of the routes takes.
    pub(crate) body: u64,
    /// Whether the agent's own old URL is called as well.
    pub(crate) with_legacy: bool,
    /// Counts; they outlive the table.
    pub(crate) stats: Arc<UrlStats>,
}

/// Whether this is a path at which releases of the agent take webhooks of their own.
pub(super) fn is_legacy(path: &[u8]) -> bool {
    path.strip_prefix(b"/api/webhook/")
        .is_some_and(|endpoint| !endpoint.is_empty() && !endpoint.contains(&b'/'))
}
