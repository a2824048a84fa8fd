//! Which plugins change together, and which modules belong to each.
//!
//! Invariant: no two groups share a file, so groups are planned, checked and withdrawn on their own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::model::{Input, PluginWebhooks, Registered};
use super::modules::cross_module::Members;
use super::modules::facts::ModuleFacts;
use crate::migrate::python::names::PluginId;

/// The plugins with their webhooks, in groups that share no file.
pub(super) fn groups<'a>(
    input: &Input<'a>,
    facts: &BTreeMap<PathBuf, ModuleFacts>,
) -> Vec<Vec<PluginWebhooks<'a>>> {
    let mut plugins: BTreeMap<&PluginId, Vec<Registered<'a>>> = BTreeMap::new();
    for found in input.found {
        for webhook in found.webhooks() {
            plugins
                .entry(&webhook.plugin)
                .or_default()
                .push(Registered { found, webhook });
        }
    }
    let mut mounting: HashMap<&PluginId, Vec<&Path>> = HashMap::new();
    for facts in facts.values() {
        for (plugin, _) in &facts.parts.mounts {
            mounting.entry(plugin).or_default().push(facts.path());
        }
    }
    // Each plugin's files, by the first plugin that has one of them.
    let mut owner: HashMap<PathBuf, usize> = HashMap::new();
    let mut groups: Vec<Vec<PluginWebhooks<'a>>> = Vec::new();
    for (id, webhooks) in plugins {
        let mut files: BTreeSet<PathBuf> =
            webhooks.iter().map(|one| one.path().to_owned()).collect();
        files.insert(id.module.clone());
        files.extend((input.package_root)(&id.module));
        let mounting = mounting.get(id).into_iter().flatten();
        files.extend(mounting.map(|path| (*path).to_owned()));
        let mut others: BTreeSet<usize> = files
            .iter()
            .filter_map(|file| owner.get(file))
            .copied()
            .collect();
        let index = match others.pop_first() {
            Some(index) => index,
            None => {
                groups.push(Vec::new());
                groups.len() - 1
            }
        };
        for other in others {
            let moved = std::mem::take(&mut groups[other]);
            groups[index].extend(moved);
            owner
                .values_mut()
                .filter(|group| **group == other)
                .for_each(|group| *group = index);
        }
        groups[index].push((id.clone(), webhooks));
        for file in files {
            owner.insert(file, index);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// The packages of plugins, by folder.
pub(super) type Packages<'f> = BTreeMap<PathBuf, Arc<Members<'f>>>;

pub(super) fn packages<'f>(
    input: &Input<'f>,
    facts: &'f BTreeMap<PathBuf, ModuleFacts>,
    groups: &[Vec<PluginWebhooks<'_>>],
) -> Packages<'f> {
    let roots: BTreeSet<PathBuf> = groups
        .iter()
        .flatten()
        .filter_map(|(id, _)| (input.package_root)(&id.module))
        .collect();
    let packages: Packages<'_> = roots
        .into_iter()
        .map(|root| {
            let members = Members::new(input.workspace, inside(facts, &root).collect());
            (root, Arc::new(members))
        })
        .collect();
    // Each plugin of a package asks for the names in all its modules.
    packages
        .values()
        .flat_map(|members| members.modules())
        .collect::<Vec<_>>()
        .into_par_iter()
        .for_each(|facts| {
            facts.imports();
        });
    packages
}

/// The modules below a folder.
pub(super) fn inside<'f>(
    facts: &'f BTreeMap<PathBuf, ModuleFacts>,
    root: &Path,
) -> impl Iterator<Item = &'f ModuleFacts> {
    facts
        .range(root.to_owned()..)
        .take_while(move |(path, _)| path.starts_with(root))
        .map(|(_, facts)| facts)
}

/// The modules that belong to a plugin: those of its package, and those that register its webhooks.
pub(super) fn members_of<'f>(
    input: &Input<'f>,
    facts: &'f BTreeMap<PathBuf, ModuleFacts>,
    packages: &Packages<'f>,
    id: &PluginId,
    webhooks: &[Registered<'_>],
) -> Arc<Members<'f>> {
    let root = (input.package_root)(&id.module);
    let package = root.as_deref().and_then(|root| packages.get(root));
    let is_outside = |path: &Path| !root.as_deref().is_some_and(|root| path.starts_with(root));
    let outside: BTreeSet<&Path> = webhooks
        .iter()
        .map(Registered::path)
        .chain([id.module.as_path()])
        .filter(|path| is_outside(path))
        .collect();
    match package {
        Some(package) if outside.is_empty() => package.clone(),
        _ => {
            let mut modules: Vec<&ModuleFacts> =
                package.map_or_else(Vec::new, |package| package.modules().to_vec());
            modules.extend(outside.into_iter().filter_map(|path| facts.get(path)));
            modules.sort_by(|a, b| a.path().cmp(b.path()));
            Arc::new(Members::new(input.workspace, modules))
        }
    }
}
