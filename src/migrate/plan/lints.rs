//! What readers of the handlers should be told, and what comments switch off.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::groups::inside;
use super::model::{Input, Plan};
use super::modules::facts::ModuleFacts;
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::find::Found;
use crate::migrate::find::suppression::Suppressions;
use crate::migrate::python::names::{Loaded, PluginId};

/// What readers of the handlers should be told.
pub(super) fn lints(input: &Input<'_>, facts: &BTreeMap<PathBuf, ModuleFacts>) -> Vec<Diagnostic> {
    let with_webhooks: Vec<(&Found, Option<PathBuf>)> = input
        .found
        .iter()
        .filter(|found| found.webhooks().next().is_some())
        .map(|found| {
            let path = found.loaded.module.source().path();
            (found, (input.package_root)(path))
        })
        .collect();
    let mut packages: HashMap<&Path, Vec<Arc<Loaded>>> = HashMap::new();
    for root in with_webhooks.iter().filter_map(|(_, root)| root.as_deref()) {
        packages.entry(root).or_insert_with(|| {
            let loaded = inside(facts, root).map(|facts| facts.parts.loaded.clone());
            loaded.collect()
        });
    }
    let mut settings: HashMap<&PluginId, Vec<&Arc<Loaded>>> = HashMap::new();
    for facts in facts.values() {
        for plugin in &facts.parts.configured {
            settings
                .entry(plugin)
                .or_default()
                .push(&facts.parts.loaded);
        }
    }
    with_webhooks
        .par_iter()
        .flat_map_iter(|(found, root)| {
            let root = root.as_deref();
            let package = root.and_then(|root| packages.get(root));
            let plugins: BTreeSet<&PluginId> =
                found.webhooks().map(|webhook| &webhook.plugin).collect();
            let settings: Vec<&Loaded> = plugins
                .into_iter()
                .filter_map(|plugin| settings.get(plugin))
                .flatten()
                .map(|loaded| &***loaded)
                .collect();
            let package = package.map_or(&[][..], Vec::as_slice);
            crate::migrate::lint::advise(input.workspace, found, package, &settings)
        })
        .collect()
}

/// Takes out what comments switch off, and gives what is wrong with those comments, by module.
pub(super) fn suppress(
    input: &Input<'_>,
    facts: &BTreeMap<PathBuf, ModuleFacts>,
    plan: &mut Plan,
) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
    let mut by_module: BTreeMap<PathBuf, (Arc<Loaded>, Suppressions)> = BTreeMap::new();
    let mentioned = plan.diagnostics.iter().map(Diagnostic::path);
    let paths: BTreeSet<&Path> = facts
        .keys()
        .map(PathBuf::as_path)
        .chain(mentioned)
        .collect();
    for path in paths {
        if let Ok(loaded) = input.workspace.load(path) {
            let suppressions = Suppressions::of(&loaded);
            by_module.insert(path.to_owned(), (loaded, suppressions));
        }
    }
    let all = plan.diagnostics.len();
    plan.diagnostics.retain(|diagnostic| {
        by_module
            .get(diagnostic.path())
            .is_none_or(|(loaded, suppressions)| !suppressions.cover(loaded, diagnostic))
    });
    plan.suppressed += all - plan.diagnostics.len();
    let wrong = by_module
        .into_iter()
        .map(|(path, (_, one))| (path, one.wrong));
    wrong.filter(|(_, wrong)| !wrong.is_empty()).collect()
}
