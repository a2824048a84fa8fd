//! What all batches of a pass know of the repo alike, so that it is asked for once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::overlay::OverlayFs;
use super::project::{Modules, PerDirCache, style_of};
use super::word_index::WordIndex;
use crate::migrate::project::discover;
use crate::migrate::python::names::Workspace;
use crate::migrate::python::style::Style;

pub(super) struct Repo {
    /// The files; no module is read here, only in [`Workspace::without_modules`].
    workspace: Workspace,
    styles: PerDirCache<Arc<Style>>,
    modules: Modules,
    package_roots: PerDirCache<Option<PathBuf>>,
    word_index: OnceLock<WordIndex>,
}

impl Repo {
    pub(super) fn new(root: &Path, files: OverlayFs) -> Self {
        Self {
            workspace: Workspace::new(root.to_owned(), Box::new(files)),
            styles: PerDirCache::default(),
            modules: Modules::default(),
            package_roots: PerDirCache::default(),
            word_index: OnceLock::new(),
        }
    }

    /// Looks through all files for what batches ask of all of them; with more than one at work, whoever
    /// asks first would let the others wait.
    pub(super) fn survey(&self, has_many_batches: bool) {
        self.workspace.survey();
        if has_many_batches {
            self.word_index();
        }
    }

    /// The repo as a batch works on it.
    pub(super) fn workspace(&self) -> Workspace {
        self.workspace.without_modules()
    }

    pub(super) fn word_index(&self) -> &WordIndex {
        self.word_index.get_or_init(|| {
            let package_root = |path: &Path| self.package_root(path);
            WordIndex::of(&self.workspace, &package_root)
        })
    }

    pub(super) fn style(&self, path: &Path) -> Arc<Style> {
        let style = || Arc::new(style_of(path, self.workspace.root()));
        self.styles.of(path, style)
    }

    pub(super) fn is_module(&self, path: &Path) -> bool {
        self.modules.is_there(path)
    }

    /// The topmost package that a file is in.
    pub(super) fn package_root(&self, path: &Path) -> Option<PathBuf> {
        self.package_roots.of(path, || discover::package_root(path))
    }
}
