//! Reports: text, JSON, Markdown, SARIF and GitHub's commands from the same plan. Nothing is computed here that the plan
//! does not say.

mod annotations;
mod edits;
pub(crate) mod findings;
pub(crate) mod github;
pub(crate) mod json;
pub(crate) mod markdown;
mod position_map;
pub(crate) mod sarif;
pub(crate) mod statistics;
pub(crate) mod text;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::diff::Change;
use crate::migrate::plan::{Action, Plan, PlannedWebhook};
use crate::routes::Route;
use crate::term;
use position_map::Position;
pub(crate) use position_map::PositionMap;

/// A plan as a report shows it.
pub(crate) struct View<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The folder that paths are shown relative to.
    pub base: &'a Path,
    /// How many Python files were looked at.
    pub files_scanned: usize,
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

/// Those of the routes that were migrated before: no webhook of the source is behind them.
pub(crate) fn migrated_before<'r>(
    plan: &Plan,
    routes: &'r [Route],
) -> impl Iterator<Item = &'r Route> {
    let webhooks = plan.webhooks.iter();
    let in_source: HashSet<(&str, &str)> = webhooks
        .filter_map(|webhook| webhook.route.as_ref())
        .map(|route| (route.plugin.as_str(), route.endpoint.as_str()))
        .collect();
    let is_known = move |route: &&Route| {
        !in_source.contains(&(route.plugin.as_str(), route.endpoint.as_str()))
    };
    routes.iter().filter(is_known)
}

impl View<'_> {
    /// The routes of the map that were migrated before.
    fn migrated_before(&self) -> impl Iterator<Item = &Route> {
        migrated_before(self.plan, self.routes)
    }

    /// What is reported, in no order: why webhooks need a manual change, each reason once, and whatever
    /// else was noticed.
    fn reported(&self) -> impl Iterator<Item = &Diagnostic> {
        let webhooks = self.plan.webhooks.iter();
        let by_hand = webhooks
            .filter(|webhook| !webhook.is_further)
            .filter_map(|webhook| match &webhook.action {
                Action::ByHand(diagnostic) => Some(&**diagnostic),
                Action::Migrate | Action::Drop => None,
            });
        by_hand.chain(&self.plan.diagnostics)
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
        term::relative(path, self.base)
    }
}
