//! What a check is shown: a place in a function, and everything about it that a check asks for.
//!
//! Invariants: a context borrows and decides nothing; a check that is given the same context and
//! the same node says the same.

use std::path::Path;

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::lint::facts::evaluate::Evaluator;
use crate::migrate::lint::model::{Finding, Mode, NodeContext};
use crate::migrate::lint::naming_heuristics;
use crate::migrate::python::names::Loaded;
use crate::routes::Dialect;
use crate::text::Text;

/// What a check sees of the place that it looks at.
pub(super) struct CheckContext<'a> {
    /// Answers what is known about expressions.
    pub evaluator: Evaluator<'a>,
    /// The file.
    pub loaded: &'a Loaded,
    /// The name of the function.
    pub function: &'a str,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// When it runs.
    pub mode: Mode,
    /// The dialect of the webhook that reaches it.
    pub dialect: Dialect,
    /// What is around the place.
    pub around: NodeContext,
}

impl CheckContext<'_> {
    /// A finding in this file.
    pub(super) fn finding(&self, code: Code, range: ByteRange, detail: Text) -> Finding {
        let path = self.loaded.module.source().path().to_owned();
        Finding::new(path, code, range, detail)
    }

    /// Whether the literal at a place looks like a secret.
    pub(super) fn literal_can_be_secret(&self, path: &Path, range: ByteRange) -> bool {
        let looks = |loaded: &Loaded| {
            let written = loaded.module.source().slice(range);
            let inside = written.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            naming_heuristics::can_be_secret(inside.trim_matches(['"', '\'']))
        };
        if path == self.loaded.module.source().path() {
            return looks(self.loaded);
        }
        let loaded = self.evaluator.resolver.workspace.load(path);
        loaded.is_ok_and(|loaded| looks(&loaded))
    }
}
