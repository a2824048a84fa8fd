//! Routes of a plugin's own routers, and the places that may hide some.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::migrate::diagnostic::Related;
use crate::migrate::edit::ByteRange;

/// The call that makes a router, which is what tells one from another.
pub(crate) type RouterId = (PathBuf, ByteRange);

/// The routes that a module adds to routers, and the prefixes that it gives to routers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnRoutes {
    /// The routes.
    pub routes: Vec<OwnRoute>,
    /// The prefixes, of `APIRouter(prefix=...)` and `include_router(..., prefix=...)`; one that
    /// cannot be known is [`UNKNOWN`].
    pub prefixes: Vec<String>,
    /// Which routers are included in which; none stands for one that is not known.
    pub(super) includes: Vec<(Option<RouterId>, RouterId)>,
    /// Where routes may be added that cannot be read.
    pub(super) hidden: Vec<Hidden>,
    /// The modules of functions that a router is handed to: what they add is read there.
    pub(super) handed_to: BTreeSet<PathBuf>,
    /// The functions that add routes for their callers in the module, which are all read, and where: what
    /// they add for another module is not.
    pub(super) registrars: Vec<(String, Related)>,
}

/// A place that may add routes which cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hidden {
    /// The router; none when it is not known which.
    pub(super) router: Option<RouterId>,
    /// The route that stands for all of them.
    pub(super) route: OwnRoute,
}

/// Stands for a piece of a path that cannot be known: it may be anything.
pub(crate) const UNKNOWN: &str = "{unknown:path}";

/// A route that a plugin's own router has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnRoute {
    /// The path, with the prefix of its router.
    pub path: String,
    /// The methods; empty stands for all.
    pub methods: Vec<String>,
    /// What adds it, as it is written, and where.
    pub added: Related,
}

impl OwnRoute {
    /// Whether its whole path could be seen.
    pub(crate) fn is_known(&self) -> bool {
        !self.path.contains(UNKNOWN)
    }

    /// Whether it would answer a request for `route`.
    pub(crate) fn takes(&self, path: &str, methods: &[String]) -> bool {
        let shared =
            self.methods.is_empty() || methods.iter().any(|method| self.methods.contains(method));
        shared && path_matches(&self.path, path)
    }
}

/// Whether a path with parameters, as in `/a/{b}`, matches another path.
fn path_matches(pattern: &str, path: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else {
        return pattern == path;
    };
    let Some((parameter, after)) = rest.split_once('}') else {
        return pattern == path;
    };
    let Some(rest) = path.strip_prefix(before) else {
        return false;
    };
    // Which may be nothing, as what cannot be known may be.
    let whole_path = parameter.ends_with(":path");
    let first = usize::from(!whole_path);
    let ends = (first..=rest.len()).filter(|&end| rest.is_char_boundary(end));
    let mut candidates = ends.take_while(|&end| whole_path || !rest[..end].contains('/'));
    candidates.any(|end| path_matches(after, &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_path_match_as_starlette_has_them() {
        assert!(path_matches("/a", "/a"));
        assert!(!path_matches("/a", "/a/b"));
        assert!(path_matches("/{x}", "/a"));
        assert!(!path_matches("/{x}", "/a/b"));
        assert!(path_matches("/{x:path}", "/a/b"));
        assert!(path_matches("/{x:path}", "/"));
        assert!(path_matches("{unknown:path}/a", "/a"));
        assert!(path_matches("/a/{x}/c", "/a/é/c"));
        assert!(!path_matches("/{x}", "/"));
    }
}
