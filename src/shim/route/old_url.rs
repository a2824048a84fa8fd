//! An old URL, and the new routes behind it.

use std::borrow::Cow;
use std::sync::Arc;

use super::pattern::Pattern;
use crate::routes::Route;
use crate::shim::auth::AuthRule;
use crate::shim::config::RouteLimits;
use crate::shim::observe::metrics::UrlStats;
use crate::shim::upstream::agent::Upstream;

/// A new route, as one of those behind an old URL.
#[derive(Debug)]
pub struct Destination {
    /// The plugin.
    pub plugin: String,
    /// What the map says.
    pub route: Route,
    /// Where it is.
    pub agent: Arc<Upstream>,
    /// The path that is sent.
    pub(super) path: TargetPath,
    /// What a sender has to prove.
    pub auth: Vec<AuthRule>,
    /// What bounds it.
    pub limits: RouteLimits,
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
    pub fn takes(&self, method: &[u8]) -> bool {
        self.route
            .methods
            .iter()
            .any(|other| other.as_bytes() == method)
    }

    /// The path to send, with the values of the parameters of `url`.
    pub fn path<'d>(&'d self, url: &OldUrl, values: &[&[u8]]) -> Cow<'d, [u8]> {
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
    pub fn has_parameters(&self) -> bool {
        matches!(self.path, TargetPath::Pattern(_))
    }
}

/// An old URL, and all that is behind it.
#[derive(Debug)]
pub struct OldUrl {
    /// The path as the map has it; what the metrics and logs are labelled with.
    pub path: String,
    /// The names of its parameters, in their order.
    pub(super) parameters: Vec<String>,
    /// The routes that answer, in the order of the map, which is the load order. Never empty.
    pub destinations: Vec<Arc<Destination>>,
    /// The value of `Allow`.
    pub allow: String,
    /// The headers of deprecation, as lines.
    pub deprecation: Vec<u8>,
    /// The largest body that any of the routes takes.
    pub body: u64,
    /// Whether the agent's own old URL is called as well.
    pub with_legacy: bool,
    /// Counts; they outlive the table.
    pub stats: Arc<UrlStats>,
}

#[cfg(test)]
impl OldUrl {
    /// One with nothing behind it.
    pub fn for_test(path: &str, stats: Arc<UrlStats>) -> Self {
        Self {
            path: path.to_owned(),
            parameters: Vec::new(),
            destinations: Vec::new(),
            allow: String::new(),
            deprecation: Vec::new(),
            body: 0,
            with_legacy: false,
            stats,
        }
    }
}

/// Whether this is a path at which releases of the agent take webhooks of their own.
pub fn is_legacy(path: &[u8]) -> bool {
    path.strip_prefix(b"/api/webhook/")
        .is_some_and(|endpoint| !endpoint.is_empty() && !endpoint.contains(&b'/'))
}
