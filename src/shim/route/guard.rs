//! Auth rules on every way in: which of the requests that are let through to the agent as they are
//! would reach a route that has auth rules, however its path is spelled.
//!
//! Invariants: a path that the agent would read as that of a guarded route is found as one (it decodes
//! a path once, and matches without regard to the method); a path that another server on the way could
//! turn into one is unclear, and is rejected. Looking a path up costs by its own length.

use std::collections::HashMap;
use std::sync::Arc;

use super::old_url::Destination;
use super::pattern::{Pattern, Tree};
use crate::shim::http::target;

/// Routes at one path.
type Routes = Vec<Arc<Destination>>;

/// The paths, old and new, of all routes that have auth rules.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    fixed: HashMap<String, Routes>,
    patterns: Tree<Routes>,
    are_there: bool,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guarded<'t> {
    /// To no route that has auth rules.
    No,
    /// To these.
    By(&'t [Arc<Destination>]),
    /// That depends on who reads it.
    Unclear,
}

impl Guards {
    /// Adds a path of a route, if the route has auth rules.
    pub(super) fn add(&mut self, path: &str, pattern: Option<&Pattern>, route: &Arc<Destination>) {
        if route.auth.is_empty() {
            return;
        }
        self.are_there = true;
        let routes = match pattern {
            Some(pattern) => self.patterns.place(pattern).get_or_insert_default(),
            None => self.fixed.entry(path.to_owned()).or_default(),
        };
        if !routes.iter().any(|other| Arc::ptr_eq(other, route)) {
            routes.push(Arc::clone(route));
        }
    }

    /// Looks up a path as it came.
    pub(super) fn find(&self, path: &[u8]) -> Guarded<'_> {
        if !self.are_there {
            return Guarded::No;
        }
        let decoded = target::decode(path);
        // The agent reads bytes that are not UTF-8 in this way, too.
        let read = String::from_utf8_lossy(&decoded);
        // With a `/` at its end, or without, the agent sends the caller to the other.
        let bare = read.strip_suffix('/').unwrap_or(&read);
        // Where Python's `$` stands at the end of a pattern, a line end may follow.
        let line = read.strip_suffix('\n').unwrap_or(&read);
        for path in [&*read, bare, &format!("{read}/"), line] {
            match self.at(path) {
                Guarded::No => {}
                found => return found,
            }
        }
        let Some(normal) = target::normal(path) else {
            return Guarded::Unclear;
        };
        match self.at(&normal) {
            Guarded::No => Guarded::No,
            Guarded::By(_) | Guarded::Unclear => Guarded::Unclear,
        }
    }

    /// Looks up a decoded path.
    fn at(&self, path: &str) -> Guarded<'_> {
        if let Some(routes) = self.fixed.get(path) {
            return Guarded::By(routes);
        }
        // Encoded in the one way in which patterns are.
        match self.patterns.find(target::encode(path).as_bytes()) {
            Ok(Some((routes, _))) => Guarded::By(routes),
            Ok(None) => Guarded::No,
            Err(_) => Guarded::Unclear,
        }
    }
}
