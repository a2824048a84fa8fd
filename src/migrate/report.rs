//! Reports: text, JSON and Markdown from the same plan. Nothing is computed here that the plan
//! does not say.

mod edits;
pub mod findings;
pub mod json;
pub mod markdown;
pub mod text;

use std::path::{Path, PathBuf};

use crate::migrate::diff::Change;
use crate::migrate::plan::{Plan, PlannedWebhook};
use crate::routes::Route;

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

    /// A path as it is shown.
    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.base).unwrap_or(path);
        path.to_string_lossy()
            .replace(std::path::MAIN_SEPARATOR, "/")
    }
}
