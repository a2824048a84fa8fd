//! What is migrated already: it is compared with its original in a commit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::prepare::{Prepared, on_deep_stacks, plan_of};
use crate::cli::VerifyArgs;
use crate::plan::{Plan, PlanOptions};
use crate::routes::Route;
use crate::verify::cases::{self, Group, Layout, Subject};
use crate::verify::error::VerifyError;
use crate::verify::judged::{Cause, Failure as CannotRun, Judged, Status, Webhook};
use crate::verify::original::Original;
use crate::verify::trees::Allowance;
use crate::verify::units::Kind;

/// Adds the routes of the map whose webhooks the source does not show.
///
/// # Errors
/// When git does not give the commit, or its tree cannot be laid out.
pub fn add(
    args: &VerifyArgs,
    prepared: &Prepared,
    folder: &Path,
    layout: &mut Layout<'_>,
    judged: &mut Judged,
) -> anyhow::Result<()> {
    let routes = cases::migrated_before(&prepared.plan, prepared.route_map.routes());
    if routes.is_empty() {
        return Ok(());
    }
    if !prepared.is_in_git {
        cannot_run(judged, routes, &Cause::NoOriginal { base: None });
        return Ok(());
    }
    let asked: Result<Vec<PathBuf>, _> = args.plan.paths.iter().map(fs::canonicalize).collect();
    let asked = asked?;
    // Of a route whose original is not there it is not known whether it was asked for, unless
    // everything was, or there is nothing else that can have been.
    let is_all = asked.iter().any(|path| prepared.root.starts_with(path));
    let original = match Original::open(&prepared.root, &args.base) {
        // Others need no original.
        Err(VerifyError::NoRevision { revision, root }) => {
            if is_all || is_only(layout, judged) {
                let base = revision;
                cannot_run(judged, routes, &Cause::NoRevision { base, root });
            }
            return Ok(());
        }
        original => original.map_err(Failure::from)?,
    };
    let tree = folder.join("original");
    fs::create_dir(&tree)
        .map_err(VerifyError::io(&tree))
        .map_err(Failure::from)?;
    let mut allowance = Allowance::default();
    let is_python = |path: &Path| path.extension().is_some_and(|extension| extension == "py");
    original
        .write(&tree, is_python, &mut allowance)
        .map_err(Failure::from)?;
    // With `native`, so that it is known which handlers may take the request by now.
    let options = PlanOptions {
        allow_unsafe: args.plan.allow_unsafe,
        native: true,
    };
    let found = on_deep_stacks(|| -> anyhow::Result<Found<'_>> {
        let plan = plan_of(&tree, options)?;
        Ok(find(prepared, &tree, &plan, routes, &asked))
    })??;
    for group in &found.groups {
        // What another group has is there already.
        let rest = |path: &Path| {
            !is_python(path)
                && belongs(&original, group, &tree, path)
                && tree.join(path).symlink_metadata().is_err()
        };
        let is_there = original
            .write(&tree, rest, &mut allowance)
            .and_then(|()| layout.add_original(group, &original, &tree, &prepared.root));
        let place = group.unit.source.strip_prefix(&tree);
        let place = place.unwrap_or(&group.unit.source);
        let cause = match is_there {
            Ok(true) => continue,
            Ok(false) => Cause::Gone {
                base: args.base.clone(),
                place: place.to_owned(),
            },
            Err(error) => Cause::of(error, &tree, &prepared.root).map_err(Failure::from)?,
        };
        cannot_run(judged, group.routes(), &cause);
    }
    if is_all || is_only(layout, judged) {
        let base = Some(args.base.clone());
        cannot_run(judged, found.missing, &Cause::NoOriginal { base });
    }
    Ok(())
}

/// Whether there is nothing else to verify.
fn is_only(layout: &Layout<'_>, judged: &Judged) -> bool {
    layout.is_empty() && judged.webhooks.is_empty()
}

/// What the commit shows.
struct Found<'r> {
    groups: Vec<Group>,
    missing: Vec<&'r Route>,
}

/// The routes in groups of what the agent loads in `tree`, as far as they were asked for.
fn find<'r>(
    prepared: &Prepared,
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
        let place = prepared.root.join(inside);
        if !asked.iter().any(|path| place.starts_with(path)) {
            continue;
        }
        // Where it cannot be read there is no handler that takes anything.
        let text = fs::read_to_string(&place).unwrap_or_default();
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
fn belongs(original: &Original, group: &Group, tree: &Path, path: &Path) -> bool {
    let Ok(folder) = group.unit.layout().0.strip_prefix(tree) else {
        return false;
    };
    let Ok(inside) = path.strip_prefix(folder) else {
        return false;
    };
    let mut parts = inside.components();
    match (group.unit.kind, parts.next(), parts.next()) {
        (Kind::File, Some(first), Some(_)) => original.is_package(&folder.join(first)),
        _ => true,
    }
}

/// Notes that nothing is known of these routes.
pub fn cannot_run<'r>(
    judged: &mut Judged,
    routes: impl IntoIterator<Item = &'r Route>,
    cause: &Cause,
) {
    let mut plugins: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for route in routes {
        let endpoints = plugins.entry(&route.plugin).or_default();
        endpoints.push(route.endpoint.clone());
        judged.webhooks.push(Webhook {
            route: Some(route.clone()),
            endpoint: Some(route.endpoint.clone()),
            base: None,
            status: Status::Failed,
        });
    }
    for (plugin, endpoints) in plugins {
        judged.failures.push(CannotRun {
            plugin: plugin.to_owned(),
            endpoints,
            cause: cause.clone(),
        });
    }
}
