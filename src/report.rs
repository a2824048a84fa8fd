//! Reports: text, JSON and Markdown from the same plan. Nothing is computed here that the plan
//! does not say.

pub mod json;
pub mod markdown;
pub mod text;

use std::path::Path;

use crate::diff::Change;
use crate::plan::Plan;

/// A plan as a report shows it.
pub struct View<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The folder that paths are shown relative to.
    pub base: &'a Path,
    /// How many Python files were looked at.
    pub looked_at: usize,
    /// The files that change, with the paths that are shown.
    pub files: Vec<Change<'a>>,
}

impl View<'_> {
    /// A path as it is shown.
    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.base).unwrap_or(path);
        path.to_string_lossy()
            .replace(std::path::MAIN_SEPARATOR, "/")
    }
}
