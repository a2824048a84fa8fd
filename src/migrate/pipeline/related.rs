//! Modules that do not mention the old API and matter all the same: they belong to the package of a plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::migrate::find::{self, Found, ReferenceKind};
use crate::migrate::project::discover;
use crate::migrate::python::names::{Loaded, Workspace};

/// What may be in a module that belongs to a plugin and has no webhook itself.
const RELATED: &[&str] = &[
    "mount_router",
    "_router_func",
    "._router",
    "mount_config",
    "create_temp_ctx",
    "api.context",
    "context",
    ".config",
    "get_plugin_path",
    "APIRouter",
];

/// The modules of the packages of plugins that do not name the old API, and may use it by a name that they
/// put together.
pub(super) fn lookups(
    workspace: &Workspace,
    found: &[Found],
    package_root: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Vec<Found> {
    let known: BTreeSet<&Path> = found
        .iter()
        .map(|one| one.loaded.module.source().path())
        .collect();
    let roots: BTreeSet<PathBuf> = found
        .iter()
        .flat_map(Found::webhooks)
        .filter_map(|webhook| package_root(&webhook.plugin.module))
        .collect();
    let files: BTreeSet<PathBuf> = roots
        .iter()
        .flat_map(|root| discover::python_files(root))
        .collect();
    files
        .into_par_iter()
        .filter(|path| !known.contains(path.as_path()))
        .filter(|path| {
            workspace.read(path).is_ok_and(|bytes| {
                let has = |word: &&str| memchr::memmem::find(&bytes, word.as_bytes()).is_some();
                find::references::LOOKUPS.iter().any(has)
            })
        })
        .filter_map(|path| workspace.load(&path).ok())
        .map(|loaded| find::references::find(workspace, loaded))
        .filter(|found| !found.unclear.is_empty())
        .collect()
}

/// The modules of the packages of plugins that may have to change, or that tell how.
pub(super) fn related(
    workspace: &Workspace,
    found: &[Found],
    package_root: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Vec<Arc<Loaded>> {
    let known: BTreeSet<&Path> = found
        .iter()
        .map(|one| one.loaded.module.source().path())
        .collect();
    let mut plugin_modules = BTreeSet::new();
    // Whoever names a handler may call it.
    let mut handlers: BTreeMap<PathBuf, BTreeSet<&str>> = BTreeMap::new();
    for webhook in found.iter().flat_map(Found::webhooks) {
        plugin_modules.insert(webhook.plugin.module.clone());
        if let Some(root) = discover::package_root(&webhook.plugin.module) {
            let names = handlers.entry(root).or_default();
            names.insert(&webhook.handler.name);
        }
    }
    // So may whoever names the method as the plugin does.
    for reference in found.iter().flat_map(|one| &one.references) {
        if let (ReferenceKind::Alias(alias), Some(plugin)) =
            (&reference.kind, &reference.known.plugin)
            && let Some(root) = discover::package_root(&plugin.module)
        {
            handlers.entry(root).or_default().insert(&alias.name);
        }
    }
    let roots: BTreeSet<PathBuf> = plugin_modules
        .iter()
        .filter_map(|module| package_root(module))
        .collect();
    let names_handler = |path: &Path, bytes: &[u8]| {
        let of_roots = handlers.iter().filter(|(root, _)| path.starts_with(root));
        of_roots
            .flat_map(|(_, names)| names)
            .any(|name| memchr::memmem::find(bytes, name.as_bytes()).is_some())
    };
    let mut files: BTreeSet<PathBuf> = roots
        .iter()
        .flat_map(|root| discover::python_files(root))
        .collect();
    let of_plugins = plugin_modules.clone();
    files.extend(plugin_modules);
    files
        .into_par_iter()
        .filter(|path| !known.contains(path.as_path()))
        .filter(|path| {
            of_plugins.contains(path)
                || workspace.read(path).is_ok_and(|bytes| {
                    RELATED
                        .iter()
                        .any(|word| memchr::memmem::find(&bytes, word.as_bytes()).is_some())
                        || names_handler(path, &bytes)
                })
        })
        .filter_map(|path| workspace.load(&path).ok())
        .collect()
}
