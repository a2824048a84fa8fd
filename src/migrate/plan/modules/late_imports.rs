//! Modules with webhooks that are imported after the routes have been mounted.
//!
//! A webhook counted from the moment on that its module was imported; a route has to be there when the
//! router is mounted. Asked is only what imports that can be seen lead to: a module that none leads to is
//! imported in a way that is not known, as it was before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::migrate::find::references::timing::imported::Imported;
use crate::migrate::plan::modules::cross_module::Members;
use crate::migrate::python::names::Workspace;

/// The modules to which imports in functions lead, and none that runs while the plugin in the module
/// `plugin` is imported.
pub(crate) fn late_modules(
    workspace: &Workspace,
    members: &Members<'_>,
    plugin: &Path,
) -> BTreeSet<PathBuf> {
    let late: Vec<PathBuf> = members
        .modules()
        .iter()
        .flat_map(|facts| Imported::of(workspace, &facts.parts.loaded).late)
        .collect();
    if late.is_empty() {
        return BTreeSet::new();
    }
    let at_once = reached(workspace, vec![plugin.to_owned()]);
    &reached(workspace, late) - &at_once
}

/// The modules that are imported when those in `waiting` are.
fn reached(workspace: &Workspace, mut waiting: Vec<PathBuf>) -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if reached.contains(&path) {
            continue;
        }
        // Those of the packages around it come first.
        let packages = path
            .ancestors()
            .skip(1)
            .map(|folder| folder.join("__init__.py"));
        waiting.extend(packages.take_while(|init| workspace.is_file(init)));
        if let Ok(loaded) = workspace.load(&path) {
            waiting.extend(Imported::of(workspace, &loaded).at_once);
        }
        reached.insert(path);
    }
    reached
}
