//! One pass over sources: found, related, planned. Nothing is written.
//!
//! A pass reads and parses what it asks for once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::callers::Callers;
use super::overlay::OverlayFs;
use super::project::{Modules, PerDirCache, style_of};
use super::related::{lookups, related};
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::find::{self, Found};
use crate::migrate::plan::{self, Input, Plan, PlanOptions};
use crate::migrate::project::discover;
use crate::migrate::python::names::{LoadError, Loaded, Workspace};
use crate::migrate::python::style::Style;

/// One pass over the sources: found, related, planned.
pub(super) struct Pass {
    pub(super) plan: Plan,
    pub(super) broken: Vec<Diagnostic>,
    pub(super) found_nothing: bool,
    pub(super) trees: Trees,
}

/// All that was read for a pass.
pub(super) struct Trees {
    _related: Vec<Arc<Loaded>>,
    _found: Vec<Found>,
    _workspace: Workspace,
}

impl Pass {
    pub(super) fn run(
        root: &Path,
        files: OverlayFs,
        paths: Vec<PathBuf>,
        options: PlanOptions,
    ) -> Self {
        let workspace = Workspace::new(root.to_owned(), Box::new(files));
        let results: Vec<Result<Found, LoadError>> = paths
            .par_iter()
            .map(|path| {
                workspace
                    .load(path)
                    .map(|loaded| find::references::find(&workspace, loaded))
            })
            .collect();
        let mut found = Vec::new();
        let mut broken = Vec::new();
        for result in results {
            match result {
                Ok(one) => found.push(one),
                Err(LoadError::Broken(diagnostic)) => broken.push(*diagnostic),
                // It vanished after it was listed.
                Err(LoadError::Missing) => {}
            }
        }
        let package_roots = PerDirCache::<Option<PathBuf>>::default();
        let package_root = |path: &Path| package_roots.of(path, || discover::package_root(path));
        found.extend(lookups(&workspace, &found, &package_root));
        let related = related(&workspace, &found, &package_root);
        let callers = Callers::of(&workspace, root, &found, &package_root);
        let styles = PerDirCache::<Arc<Style>>::default();
        let modules = Modules::default();
        let input = Input {
            workspace: &workspace,
            found: &found,
            related: &related,
            options,
            style: &|path| styles.of(path, || Arc::new(style_of(path, root))),
            is_module: &|path: &Path| modules.is_there(path),
            package_root: &package_root,
            is_called_outside: &|path, name| callers.call(path, name),
        };
        let plan = plan::plan(&input);
        let found_nothing = found.is_empty();
        Self {
            plan,
            broken,
            found_nothing,
            trees: Trees {
                _related: related,
                _found: found,
                _workspace: workspace,
            },
        }
    }
}
