//! Reports: text, JSON and Markdown from the same plan. Nothing is computed here that the plan
//! does not say.

mod edits;
pub mod findings;
pub mod json;
pub mod markdown;
mod position_map;
pub mod text;

use std::path::{Path, PathBuf};

use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::diff::Change;
use crate::migrate::plan::{Plan, PlannedWebhook};
use crate::routes::Route;
use position_map::Position;
pub use position_map::PositionMap;

/// A plan as a report shows it.
pub struct View<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The folder that paths are shown relative to.
    pub base: &'a Path,
    /// How many Python files were looked at.
    pub looked_at: usize,
    /// Files that were named and are no Python: nobody looked into them.
    pub not_python: &'a [PathBuf],
    /// The webhooks of plugins that are switched off: nothing of them is changed.
    pub disabled: &'a [PlannedWebhook],
    /// The files of these plugins.
    pub disabled_files: &'a [PathBuf],
    /// The route map, with the routes of the plan in it.
    pub routes: &'a [Route],
    /// The files that change, with the paths that are shown.
    pub files: Vec<Change<'a>>,
    /// Whether they have been written.
    pub is_written: bool,
    /// Where places of the plan are in the files as they are on the disk.
    pub positions: PositionMap<'a>,
}

impl View<'_> {
    /// The routes of the map that were migrated before: no webhook of the source is behind them.
    fn migrated_before(&self) -> impl Iterator<Item = &Route> {
        let in_source = |route: &Route| {
            let webhooks = self
                .plan
                .webhooks
                .iter()
                .filter_map(|webhook| webhook.route.as_ref());
            webhooks
                .into_iter()
                .any(|other| other.plugin == route.plugin && other.endpoint == route.endpoint)
        };
        self.routes.iter().filter(move |route| !in_source(route))
    }

    /// Where a webhook is.
    fn position_of(&self, webhook: &PlannedWebhook) -> Position {
        let position = (webhook.line, webhook.column);
        self.positions.map_position(&webhook.path, position)
    }

    /// Where a diagnostic is, if it is about a place.
    fn place_of(&self, diagnostic: &Diagnostic) -> Option<Position> {
        let position = diagnostic.position()?;
        Some(self.positions.map_position(diagnostic.path(), position))
    }

    /// The line of source that a diagnostic is about, and how many characters of it are meant.
    fn snippet_of<'d>(&'d self, diagnostic: &'d Diagnostic) -> Option<(&'d str, usize)> {
        let (line, length) = diagnostic.snippet()?;
        let (number, column) = self.place_of(diagnostic)?;
        match self.positions.line(diagnostic.path(), number) {
            Some(line) => {
                let left = line.chars().count().saturating_sub(column - 1);
                Some((line, length.min(left).max(1)))
            }
            None => Some((line, length)),
        }
    }

    /// A path as it is shown.
    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.base).unwrap_or(path);
        path.to_string_lossy()
            .replace(std::path::MAIN_SEPARATOR, "/")
    }
}
