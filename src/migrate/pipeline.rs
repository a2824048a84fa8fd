//! From paths to a [`Migration`] that is checked: what `scan`, `diff`, `migrate` and `verify` begin with.
//!
//! Invariants:
//! - Nothing is written.
//! - A migration that is returned holds: its files parse, and a second run has nothing to do
//!   ([`self_check`]).
//! - Paths are looked at in a stable order, and parallel work never shows.

mod callers;
mod overlay;
mod pass;
mod project;
mod related;
mod route_map;
mod self_check;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use crate::migrate::diagnostic::{Code, Severity};
use crate::migrate::discover::{self, Discovery};
use crate::migrate::plan::{Plan, PlanOptions, PlannedWebhook};
use crate::migrate::python::parse::STACK_SIZE;
use crate::routes::RouteMap;
use crate::text;
use crate::user_error::UserError;
use overlay::OverlayFs;
use pass::Pass;
use project::{base_of, root_of};

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
    /// The route map once the plan is carried out: what was migrated before is in it, too.
    pub route_map: RouteMap,
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

impl Disabled {
    fn of(
        root: &Path,
        others: &Arc<BTreeMap<PathBuf, Vec<u8>>>,
        files: BTreeMap<PathBuf, Vec<u8>>,
        options: PlanOptions,
    ) -> Self {
        if files.is_empty() {
            return Self::default();
        }
        let paths: Vec<PathBuf> = files.keys().cloned().collect();
        let layers = vec![Arc::new(files), others.clone()];
        let pass = Pass::run(root, OverlayFs { layers }, paths.clone(), options);
        Self {
            files: paths,
            webhooks: pass.plan.webhooks,
        }
    }
}

/// A file to write.
pub struct Change {
    /// An absolute path.
    pub path: PathBuf,
    /// The bytes that were read; none for a new file.
    pub before: Option<Vec<u8>>,
    /// The bytes to write.
    pub after: Vec<u8>,
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

/// Reads, finds and plans on a pool of threads whose stacks are deep enough for any code.
///
/// # Errors
/// When a path does not exist, when the route map cannot be read, or when the plan does not hold and no
/// single plugin is the reason: then this program is at fault.
pub fn migration(options: &Options) -> Result<Migration, UserError> {
    with_parser_stack(|| migration_here(options))?
}

/// Runs what parses on a pool of threads whose stacks are deep enough for any code.
///
/// # Errors
/// When there are no threads to be had.
pub fn with_parser_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, UserError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .stack_size(STACK_SIZE)
        .build()
        .map_err(|error| {
            UserError::new(
                text!("cannot start threads: {error}", "无法启动线程：{error}"),
                text!(
                    "raise the limits on processes and memory (`ulimit -u`, `ulimit -v`), and try again",
                    "请调高进程数和内存限制（`ulimit -u`、`ulimit -v`）后重试"
                ),
            )
        })?;
    Ok(pool.install(work))
}

/// The plan of the tree at `root`, which is looked at and never written. Has to run on deep stacks.
///
/// # Errors
/// As for [`migration`].
pub fn plan_of(root: &Path, options: PlanOptions) -> Result<Plan, UserError> {
    let discovery = discover::discover(&[root.to_owned()])
        .map_err(|(path, error)| UserError::path(&path, &error))?;
    let paths = discovery.files.keys().cloned().collect();
    let layers = vec![Arc::new(discovery.files)];
    Ok(Pass::run(root, OverlayFs { layers }, paths, options).plan)
}

fn real_paths(asked: &[PathBuf]) -> Result<Vec<PathBuf>, UserError> {
    let mut paths = Vec::new();
    for path in asked {
        paths.push(fs::canonicalize(path).map_err(|error| UserError::path(path, &error))?);
    }
    Ok(paths)
}

fn migration_here(options: &Options) -> Result<Migration, UserError> {
    let paths = real_paths(&options.paths)?;
    let discovery =
        discover::discover(&paths).map_err(|(path, error)| UserError::path(&path, &error))?;
    let (root, is_in_git) = root_of(&paths);
    let Discovery {
        files,
        files_scanned,
        diagnostics,
        not_python,
        disabled,
    } = discovery;
    let files = Arc::new(files);
    let pass = Pass::run(
        &root,
        OverlayFs {
            layers: vec![files.clone()],
        },
        files.keys().cloned().collect(),
        options.plan,
    );
    let mut plan = pass.plan;
    self_check::hold(&mut plan, |plan| {
        self_check::faults(&root, &files, plan, options.plan)
    })?;
    let disabled = Disabled::of(&root, &files, disabled, options.plan);
    let all_unreadable = pass.found_nothing && !(pass.broken.is_empty() && diagnostics.is_empty())
        || plan.is_all_withdrawn();
    plan.diagnostics.extend(pass.broken);
    plan.diagnostics.extend(diagnostics);
    let all = plan.diagnostics.len();
    plan.diagnostics
        .retain(|diagnostic| !options.ignored.contains(&diagnostic.code()));
    plan.suppressed += all - plan.diagnostics.len();
    plan.diagnostics
        .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));

    let mut changes: Vec<Change> = plan
        .files
        .iter()
        .map(|file| Change {
            path: file.path.clone(),
            before: Some(file.before.clone()),
            after: file.after.clone(),
        })
        .collect();
    let (route_map, route_map_change) = route_map::merged(options, &root, &plan)?;
    changes.extend(route_map_change);
    let current = env::current_dir()
        .and_then(fs::canonicalize)
        .map_err(|error| UserError::path(Path::new("."), &error))?;
    let base = base_of(&paths, &root, &current, &changes);
    Ok(Migration {
        plan,
        changes,
        is_written: false,
        route_map,
        root,
        is_in_git,
        base_is_current: base == current,
        base,
        files_scanned,
        not_python,
        disabled,
        all_unreadable,
    })
}
