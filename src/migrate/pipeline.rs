//! From paths to a [`Migration`] that is checked: what `scan`, `diff`, `migrate` and `verify` begin with.
//!
//! Invariants:
//! - Nothing is written.
//! - A migration that is returned holds: its files parse, and a second run has nothing to do
//!   ([`self_check`]).
//! - Paths are looked at in a stable order, and parallel work never shows.

mod batches;
mod callers;
mod model;
mod overlay;
mod pass;
mod project;
mod related;
mod repo;
mod route_map;
mod self_check;
mod stack;
mod word_index;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::plan::{Plan, PlanOptions};
use crate::migrate::project::discover::{self, Discovery};
use crate::user_error::UserError;
pub use model::{Change, Disabled, Migration, Options};
pub(crate) use overlay::OverlayFs;
use pass::Pass;
use project::{base_of, root_of};
pub use stack::with_parser_stack;

/// What plugins that are switched off register.
fn disabled_of(
    root: &Path,
    others: &Arc<BTreeMap<PathBuf, Arc<[u8]>>>,
    files: BTreeMap<PathBuf, Arc<[u8]>>,
    options: PlanOptions,
) -> Disabled {
    if files.is_empty() {
        return Disabled::default();
    }
    let paths: Vec<PathBuf> = files.keys().cloned().collect();
    let layers = vec![Arc::new(files), others.clone()];
    let pass = Pass::run(root, OverlayFs { layers }, paths.clone(), options);
    Disabled {
        files: paths,
        webhooks: pass.plan.webhooks,
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

/// The plan of the tree at `root`, which is looked at and never written. Has to run on deep stacks.
///
/// # Errors
/// As for [`migration`].
pub fn plan_of(root: &Path, options: PlanOptions) -> Result<Plan, UserError> {
    let discovery = discover::discover(&[root.to_owned()])
        .map_err(|(path, error)| UserError::path(&path, &error))?;
    Ok(given_plan(root, discovery.files, options).0)
}

/// The plan of `files`, which need not be on the disk, and why some of them cannot be read. Has to run
/// on deep stacks.
pub fn plan_of_files(
    root: &Path,
    files: BTreeMap<PathBuf, Vec<u8>>,
    options: PlanOptions,
) -> (Plan, Vec<Diagnostic>) {
    let files = files.into_iter().map(|(path, bytes)| (path, bytes.into()));
    given_plan(root, files.collect(), options)
}

fn given_plan(
    root: &Path,
    files: BTreeMap<PathBuf, Arc<[u8]>>,
    options: PlanOptions,
) -> (Plan, Vec<Diagnostic>) {
    let paths = files.keys().cloned().collect();
    let layers = vec![Arc::new(files)];
    let pass = Pass::run(root, OverlayFs { layers }, paths, options);
    (pass.plan, pass.broken)
}

fn real_paths(asked: &[PathBuf]) -> Result<Vec<PathBuf>, UserError> {
    let mut paths = Vec::new();
    for path in asked {
        paths.push(dunce::canonicalize(path).map_err(|error| UserError::path(path, &error))?);
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
    let disabled = disabled_of(&root, &files, disabled, options.plan);
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
    let (routes, route_map_change) = route_map::merged(options, &root, &plan)?;
    changes.extend(route_map_change);
    let current = env::current_dir()
        .and_then(fs::canonicalize)
        .map_err(|error| UserError::path(Path::new("."), &error))?;
    let base = base_of(&paths, &root, &current, &changes);
    Ok(Migration {
        plan,
        changes,
        is_written: false,
        routes,
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
