//! What is already migrated: it is compared with its original in a commit.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::baseline::{Baseline, gone, no_original};
use super::copy::CopyBudget;
use super::grouping;
use super::layout::Layout;
use super::model::{Group, Subject};
use super::plugin_source::Kind;
use crate::migrate::pipeline::{Migration, plan_of, with_parser_stack};
use crate::migrate::plan::{Plan, PlanOptions};
use crate::migrate::project::git;
use crate::migrate::report;
use crate::regular_file;
use crate::routes::{self, FILE_NAME, Route};
use crate::user_error::UserError;
use crate::verify::error::{self, NotRun, VerifyError};
use crate::verify::options::Options;

/// Routes that cannot be verified, and why.
pub(crate) type Unverified = Vec<(Vec<Route>, NotRun)>;

/// Adds the routes of the map whose webhooks the source does not show. Where several repos were
/// asked for, each has a map and originals of its own. `is_all_else_empty` says that there is nothing
/// but what is laid out; what is returned cannot be verified.
///
/// # Errors
/// When git does not give the commit, or its tree cannot be laid out.
pub(crate) fn add(
    options: &Options,
    migration: &Migration,
    folder: &Path,
    layout: &mut Layout<'_>,
    is_all_else_empty: bool,
) -> Result<Unverified, VerifyError> {
    let real = |path: &PathBuf| fs::canonicalize(path).map_err(error::io(path));
    let asked: Result<Vec<PathBuf>, UserError> = options.paths.iter().map(real).collect();
    let asked = asked?;
    let mut unverified = Unverified::new();
    let mut known = HashSet::new();
    let mut unknown: Vec<(Route, NotRun)> = Vec::new();
    for (number, repo) in repos(options, migration, &asked)?.into_iter().enumerate() {
        let routes: Vec<&Route> = report::migrated_before(&migration.plan, &repo.routes).collect();
        if routes.is_empty() {
            continue;
        }
        // Of a route whose original is not there it is not known whether it was asked for, unless
        // everything was, or there is nothing else that can have been.
        let is_all = asked.iter().any(|path| repo.root.starts_with(path));
        let tree = folder.join("original").join(number.to_string());
        let (found, not_run) = match open(&repo, &options.base)? {
            Ok(original) => {
                let found = lay_out(options, &repo, &original, &asked, &tree, routes, layout)?;
                (found, no_original(Some(&options.base)))
            }
            Err(not_run) => (LaidOut::nothing(routes), not_run),
        };
        known.extend(found.known);
        unverified.extend(found.left);
        let is_only = is_all_else_empty && layout.is_empty() && unverified.is_empty();
        if is_all || is_only {
            let missing = found.missing.into_iter();
            unknown.extend(missing.map(|route| (route, not_run.clone())));
        }
    }
    // What is in the map of several repos is in one of them.
    unknown.retain(|(route, _)| known.insert(key(route)));
    for same in unknown.chunk_by(|one, next| one.1 == next.1) {
        if let Some((_, not_run)) = same.first() {
            let routes = same.iter().map(|(route, _)| route.clone()).collect();
            unverified.push((routes, not_run.clone()));
        }
    }
    Ok(unverified)
}

/// A repo, or a folder outside of one, and the routes that its plugins may have.
struct Repo {
    root: PathBuf,
    is_git: bool,
    routes: Vec<Route>,
}

/// The repos that were asked for: the one that holds everything, or else each that a path is in or
/// that is in a folder that was asked for.
fn repos(
    options: &Options,
    migration: &Migration,
    asked: &[PathBuf],
) -> Result<Vec<Repo>, UserError> {
    let of_all = &migration.routes;
    let mut roots = Vec::new();
    if !migration.is_in_git {
        for path in asked {
            roots.extend(git::repo_root(path));
            if path.is_dir() && git::repo_root(path).is_none() {
                let entries = fs::read_dir(path).and_then(Iterator::collect);
                let entries: Vec<fs::DirEntry> =
                    entries.map_err(|error| UserError::path(path, &error))?;
                let mut inside: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
                inside.sort();
                roots.extend(inside.iter().filter_map(|path| git::repo_root(path)));
            }
        }
    }
    let mut known = HashSet::new();
    roots.retain(|root| known.insert(root.clone()));
    if roots.is_empty() {
        return Ok(vec![Repo {
            root: migration.root.clone(),
            is_git: migration.is_in_git,
            routes: of_all.to_vec(),
        }]);
    }
    let with_routes = |root: PathBuf| {
        let mut routes = of_all.to_vec();
        if options.has_own_maps {
            let known: HashSet<_> = of_all.iter().map(key).collect();
            let own = routes::read_if_present(&root.join(FILE_NAME))?;
            let own = own.iter().flat_map(|(map, _)| map.routes());
            routes.extend(own.filter(|route| !known.contains(&key(route))).cloned());
        }
        Ok(Repo {
            root,
            is_git: true,
            routes,
        })
    };
    roots.into_iter().map(with_routes).collect()
}

/// What a route is known by.
fn key(route: &Route) -> (String, String) {
    (route.plugin.clone(), route.endpoint.clone())
}

/// The commit with the originals; why there is none, as long as others need none.
fn open(repo: &Repo, base: &str) -> Result<Result<Baseline, NotRun>, VerifyError> {
    if !repo.is_git {
        return Ok(Err(no_original(None)));
    }
    match Baseline::open(&repo.root, base) {
        Ok(original) => Ok(Ok(original)),
        Err(VerifyError::NotRun(not_run)) => Ok(Err(not_run)),
        Err(other) => Err(other),
    }
}

/// The routes of a repo, by what could be done with them.
struct LaidOut {
    /// Those whose original was found.
    known: Vec<(String, String)>,
    /// Those whose plugin cannot be laid out.
    left: Unverified,
    /// Those of which the commit shows no webhook.
    missing: Vec<Route>,
}

impl LaidOut {
    fn nothing(routes: Vec<&Route>) -> Self {
        Self {
            known: Vec::new(),
            left: Vec::new(),
            missing: routes.into_iter().cloned().collect(),
        }
    }
}

/// Lays out both sides of what the commit shows, which is written into `tree`.
fn lay_out(
    options: &Options,
    repo: &Repo,
    original: &Baseline,
    asked: &[PathBuf],
    tree: &Path,
    routes: Vec<&Route>,
    layout: &mut Layout<'_>,
) -> Result<LaidOut, VerifyError> {
    fs::create_dir_all(tree).map_err(error::io(tree))?;
    let mut budget = CopyBudget::default();
    let is_python = |path: &Path| path.extension().is_some_and(|extension| extension == "py");
    original.write(tree, is_python, &mut budget)?;
    // With `native`, so that it is known which handlers may take the request by now.
    let plan_options = PlanOptions {
        allow_unsafe: options.allow_unsafe,
        native: true,
    };
    let found = with_parser_stack(|| {
        let plan = plan_of(tree, plan_options)?;
        Ok::<_, UserError>(find(&repo.root, tree, &plan, routes, asked))
    })??;
    let mut laid_out = LaidOut::nothing(found.missing);
    for group in &found.groups {
        // What another group has is there already.
        let rest = |path: &Path| {
            !is_python(path)
                && belongs(original, group, tree, path)
                && tree.join(path).symlink_metadata().is_err()
        };
        let is_there = original
            .write(tree, rest, &mut budget)
            .and_then(|()| layout.add_original(group, original, tree, &repo.root));
        laid_out.known.extend(group.routes().map(key));
        let place = group.plugin.source.strip_prefix(tree);
        let place = place.unwrap_or(&group.plugin.source);
        let not_run = match is_there {
            Ok(true) => continue,
            Ok(false) => gone(&options.base, place),
            Err(error) => error.of_plugin(tree, &repo.root)?,
        };
        let routes = group.routes().cloned().collect();
        laid_out.left.push((routes, not_run));
    }
    Ok(laid_out)
}

/// What the commit shows.
struct Found<'r> {
    groups: Vec<Group>,
    missing: Vec<&'r Route>,
}

/// The routes in groups of what the agent loads in `tree`, as far as they were asked for.
fn find<'r>(
    root: &Path,
    tree: &Path,
    plan: &Plan,
    routes: Vec<&'r Route>,
    asked: &[PathBuf],
) -> Found<'r> {
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for route in routes {
        let Some(webhook) = grouping::webhook_of(plan, route) else {
            missing.push(route);
            continue;
        };
        let inside = webhook.path.strip_prefix(tree).unwrap_or(&webhook.path);
        let place = root.join(inside);
        if !asked.iter().any(|path| place.starts_with(path)) {
            continue;
        }
        // Where it cannot be read there is no handler that takes anything.
        let text = regular_file::read_to_string(&place).unwrap_or_default();
        let is_native = grouping::became_native(plan, webhook, &text);
        let subject = Subject::new(route.clone(), is_native);
        found.push((webhook, subject));
    }
    Found {
        groups: grouping::group(tree, found),
        missing,
    }
}

/// Whether a file of the commit, by its path in the repo, is laid out with a group.
fn belongs(original: &Baseline, group: &Group, tree: &Path, path: &Path) -> bool {
    let Ok(folder) = group.plugin.layout().0.strip_prefix(tree) else {
        return false;
    };
    let Ok(inside) = path.strip_prefix(folder) else {
        return false;
    };
    let mut parts = inside.components();
    match (group.plugin.kind, parts.next(), parts.next()) {
        (Kind::File, Some(first), Some(_)) => original.is_package(&folder.join(first)),
        _ => true,
    }
}
