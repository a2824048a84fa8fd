//! What is migrated already: it is compared with its original in a commit.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::VerifyArgs;
use crate::migrate::git;
use crate::migrate::pipeline::{Migration, plan_of, with_parser_stack};
use crate::migrate::plan::{Plan, PlanOptions};
use crate::regular_file;
use crate::routes::{self, FILE_NAME, Route};
use crate::user_error::UserError;
use crate::verify::baseline::Baseline;
use crate::verify::cases::{self, Group, Layout, Subject};
use crate::verify::copy::CopyBudget;
use crate::verify::error::VerifyError;
use crate::verify::plugin_source::Kind;
use crate::verify::results::{Cause, Failure as CannotRun, Status, VerifyReport, Webhook};

/// Adds the routes of the map whose webhooks the source does not show. Where several repos were
/// asked for, each has a map and originals of its own.
///
/// # Errors
/// When git does not give the commit, or its tree cannot be laid out.
pub fn add(
    args: &VerifyArgs,
    migration: &Migration,
    folder: &Path,
    layout: &mut Layout<'_>,
    results: &mut VerifyReport,
) -> anyhow::Result<()> {
    let asked: Result<Vec<PathBuf>, _> = args.plan.paths.iter().map(fs::canonicalize).collect();
    let asked = asked?;
    let mut known = HashSet::new();
    let mut unknown: Vec<(Route, Cause)> = Vec::new();
    for (number, repo) in repos(args, migration, &asked)?.into_iter().enumerate() {
        let routes = cases::migrated_before(&migration.plan, &repo.routes);
        if routes.is_empty() {
            continue;
        }
        // Of a route whose original is not there it is not known whether it was asked for, unless
        // everything was, or there is nothing else that can have been.
        let is_all = asked.iter().any(|path| repo.root.starts_with(path));
        let tree = folder.join("original").join(number.to_string());
        let (found, cause) = match open(&repo, &args.base)? {
            Ok(original) => {
                let found = lay_out(args, &repo, &original, &asked, &tree, routes, layout)?;
                let base = Some(args.base.clone());
                (found, Cause::NoOriginal { base })
            }
            Err(cause) => (LaidOut::nothing(routes), cause),
        };
        known.extend(found.known);
        for (routes, cause) in found.left {
            cannot_run(results, &routes, &cause);
        }
        if is_all || is_only(layout, results) {
            let missing = found.missing.into_iter();
            unknown.extend(missing.map(|route| (route, cause.clone())));
        }
    }
    // What is in the map of several repos is in one of them.
    unknown.retain(|(route, _)| known.insert(key(route)));
    for same in unknown.chunk_by(|one, next| one.1 == next.1) {
        if let Some((_, cause)) = same.first() {
            cannot_run(results, same.iter().map(|(route, _)| route), cause);
        }
    }
    Ok(())
}

/// A repo, or a folder outside of one, and the routes that its plugins may have.
struct Repo {
    root: PathBuf,
    is_git: bool,
    routes: Vec<Route>,
}

/// The repos that were asked for: the one that holds everything, or else each that a path is in or
/// that is in a folder that was asked for.
fn repos(args: &VerifyArgs, migration: &Migration, asked: &[PathBuf]) -> anyhow::Result<Vec<Repo>> {
    let of_all = migration.route_map.routes();
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
        if args.plan.routes.is_none() {
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
fn open(repo: &Repo, base: &str) -> Result<Result<Baseline, Cause>, UserError> {
    if !repo.is_git {
        return Ok(Err(Cause::NoOriginal { base: None }));
    }
    match Baseline::open(&repo.root, base) {
        Ok(original) => Ok(Ok(original)),
        Err(VerifyError::NoRevision { revision, root }) => Ok(Err(Cause::NoRevision {
            base: revision,
            root,
        })),
        Err(VerifyError::NoGit) => Ok(Err(Cause::NoGit)),
        Err(VerifyError::Distrusted { root }) => Ok(Err(Cause::Distrusted { root })),
        Err(other) => Err(UserError::from(other)),
    }
}

/// What came of the routes of a repo.
struct LaidOut {
    /// Those whose original was found.
    known: Vec<(String, String)>,
    /// Those whose plugin cannot be laid out.
    left: Vec<(Vec<Route>, Cause)>,
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
    args: &VerifyArgs,
    repo: &Repo,
    original: &Baseline,
    asked: &[PathBuf],
    tree: &Path,
    routes: Vec<&Route>,
    layout: &mut Layout<'_>,
) -> anyhow::Result<LaidOut> {
    fs::create_dir_all(tree)
        .map_err(VerifyError::io(tree))
        .map_err(UserError::from)?;
    let mut budget = CopyBudget::default();
    let is_python = |path: &Path| path.extension().is_some_and(|extension| extension == "py");
    original
        .write(tree, is_python, &mut budget)
        .map_err(UserError::from)?;
    // With `native`, so that it is known which handlers may take the request by now.
    let options = PlanOptions {
        allow_unsafe: args.plan.allow_unsafe,
        native: true,
    };
    let found = with_parser_stack(|| -> anyhow::Result<Found<'_>> {
        let plan = plan_of(tree, options)?;
        Ok(find(&repo.root, tree, &plan, routes, asked))
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
        let cause = match is_there {
            Ok(true) => continue,
            Ok(false) => Cause::Gone {
                base: args.base.clone(),
                place: place.to_owned(),
            },
            Err(error) => Cause::of(error, tree, &repo.root).map_err(UserError::from)?,
        };
        laid_out
            .left
            .push((group.routes().cloned().collect(), cause));
    }
    Ok(laid_out)
}

/// Whether there is nothing else to verify.
fn is_only(layout: &Layout<'_>, results: &VerifyReport) -> bool {
    layout.is_empty() && results.webhooks.is_empty()
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
        let Some(webhook) = cases::webhook_of(plan, route) else {
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
        let is_native = cases::became_native(plan, webhook, &text);
        let subject = Subject::new(route.clone(), is_native);
        found.push((webhook, subject));
    }
    Found {
        groups: cases::group(tree, found),
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

/// Notes that nothing is known of these routes.
pub fn cannot_run<'r>(
    results: &mut VerifyReport,
    routes: impl IntoIterator<Item = &'r Route>,
    cause: &Cause,
) {
    let mut plugins: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for route in routes {
        let endpoints = plugins.entry(&route.plugin).or_default();
        endpoints.push(route.endpoint.clone());
        results.webhooks.push(Webhook {
            plugin: Some(route.plugin.clone()),
            route: Some(route.clone()),
            endpoint: Some(route.endpoint.clone()),
            base: None,
            status: Status::Failed,
        });
    }
    for (plugin, endpoints) in plugins {
        results.failures.push(CannotRun {
            plugin: plugin.to_owned(),
            endpoints,
            cause: cause.clone(),
        });
    }
}
