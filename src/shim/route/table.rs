//! The table in which requests are looked up: old paths, and the routes that answer them.
//!
//! Invariants: a table is whole and never changes; a reload swaps it for another. Looking a
//! path up takes one hash of it, however many routes there are; paths with parameters are in a
//! tree and are looked at only when the hash finds nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::guard::{Guarded, Guards};
use super::old_url::{Destination, OldUrl};
use super::pattern::Tree;
use crate::shim::config::Config;
use crate::shim::config::file_stamp::FileStamp;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target;
use crate::shim::http::via::Via;
use crate::shim::upstream::agent::Upstream;

/// What a lookup gives.
pub(super) type Lookup<'t, 'p> = Option<(&'t Arc<OldUrl>, Vec<&'p [u8]>)>;

/// All old URLs.
#[derive(Debug)]
pub struct Table {
    pub(super) fixed: HashMap<Vec<u8>, Arc<OldUrl>>,
    pub(super) patterns: Tree<Arc<OldUrl>>,
    /// The paths of routes with auth rules.
    pub(super) guards: Guards,
    /// All of them, in the order of the map.
    pub(super) urls: Vec<Arc<OldUrl>>,
    /// The agent of everything that has no other.
    pub agent: Arc<Upstream>,
    /// What this process calls itself on the way of a request.
    pub via: Via,
    /// What the shim was told.
    pub config: Config,
    /// The route maps.
    pub(crate) maps: Vec<PathBuf>,
    /// The files that all this was read from.
    pub read_from: Vec<FileStamp>,
}

impl Table {
    /// The old URLs, in the order of the map.
    pub(crate) fn urls(&self) -> &[Arc<OldUrl>] {
        &self.urls
    }

    /// All agents, each once.
    pub(crate) fn agents(&self) -> Vec<Arc<Upstream>> {
        let mut agents = vec![Arc::clone(&self.agent)];
        for destination in self.urls.iter().flat_map(|url| &url.destinations) {
            let agent = &destination.agent;
            if agents.iter().all(|other| other.number != agent.number) {
                agents.push(Arc::clone(agent));
            }
        }
        agents
    }

    /// The routes with auth rules that a request to `destination` would reach by this path of its: its
    /// parameters may have made it that of another route.
    ///
    /// # Errors
    /// When that depends on who reads the path.
    pub(crate) fn reached(
        &self,
        destination: &Destination,
        path: &[u8],
    ) -> Result<&[Arc<Destination>], Rejection> {
        if !destination.has_parameters() {
            return Ok(&[]);
        }
        match self.guards.find(path) {
            Guarded::No => Ok(&[]),
            Guarded::By(routes) => Ok(routes),
            Guarded::Unclear => Err(Rejection::UnclearPath),
        }
    }

    /// Looks up a path as it came.
    pub(super) fn find<'t, 'p>(&'t self, path: &'p [u8]) -> Result<Lookup<'t, 'p>, Rejection> {
        if let Some(url) = self.fixed.get(target::decode(path).as_ref()) {
            return Ok(Some((url, Vec::new())));
        }
        self.patterns.find(path)
    }
}
