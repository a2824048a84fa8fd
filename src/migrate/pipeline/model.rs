//! What a migration is made from, and what it is: plain data.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::migrate::diagnostic::{Code, Severity};
use crate::migrate::plan::{Plan, PlanOptions, PlannedWebhook};
use crate::routes::Route;

/// What to migrate, and how far to go.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files and folders, as typed.
    pub paths: Vec<PathBuf>,
    /// The route map; the one at the root of the project when there is none.
    pub routes: Option<PathBuf>,
    /// The codes of advice that is left out.
    pub ignored: BTreeSet<Code>,
    /// How far the plan may go.
    pub plan: PlanOptions,
}

/// A plan, and what it was made from.
pub struct Migration {
    /// The plan.
    pub plan: Plan,
    /// What is written, by path: the files of the plan, and the route map.
    pub changes: Vec<Change>,
    /// Whether they have been written.
    pub is_written: bool,
    /// The routes of the map once the plan is carried out: what was migrated before is in it, too.
    pub routes: Vec<Route>,
    /// The root of the repo; outside of one the folder that was asked for.
    pub root: PathBuf,
    /// Whether `root` is the root of a git repo.
    pub is_in_git: bool,
    /// The folder that paths are shown relative to.
    pub base: PathBuf,
    /// Whether that is the current folder.
    pub base_is_current: bool,
    /// How many Python files were looked at.
    pub files_scanned: usize,
    /// Files that were named and are no Python.
    pub not_python: Vec<PathBuf>,
    /// What plugins register that are switched off.
    pub disabled: Disabled,
    /// Whether files that matter were there, but none of them could be read, or nothing of what was
    /// made of them holds.
    pub all_unreadable: bool,
}

/// What is in the files of plugins that are switched off: nothing of it is changed.
#[derive(Default)]
pub struct Disabled {
    /// The files, by path.
    pub files: Vec<PathBuf>,
    /// Their webhooks, as they would be migrated.
    pub webhooks: Vec<PlannedWebhook>,
}

/// A file to write.
pub struct Change {
    /// An absolute path.
    pub path: PathBuf,
    /// The bytes that were read; none for a new file.
    pub before: Option<Arc<[u8]>>,
    /// The bytes to write.
    pub after: Arc<[u8]>,
}

impl Migration {
    /// A path as it is shown: relative to the base where it is below it.
    pub fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.base).unwrap_or(path)
    }

    /// Whether something is left to do by hand once the plan is carried out.
    pub fn has_manual_work(&self) -> bool {
        self.plan.counts.by_hand > 0
            || self
                .plan
                .diagnostics
                .iter()
                .any(|diagnostic| diagnostic.code().severity() != Severity::Advice)
    }
}
