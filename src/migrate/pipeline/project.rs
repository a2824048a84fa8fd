//! What a project is: its root, the folder that paths are shown relative to, and the settings that hold in
//! its folders.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use super::model::Change;
use crate::migrate::project::git;
use crate::migrate::python::style::{self, ConfigFile, Style};
use crate::regular_file;

/// The repo that the paths are in; outside of one, or across several, the folder that holds them all.
pub(super) fn root_of(paths: &[PathBuf]) -> (PathBuf, bool) {
    let folder_of = |path: &PathBuf| {
        if path.is_dir() {
            path.clone()
        } else {
            path.parent().map_or_else(|| path.clone(), Path::to_owned)
        }
    };
    let mut common = paths.first().map(folder_of).unwrap_or_default();
    while !paths.iter().all(|path| path.starts_with(&common)) && common.pop() {}
    match git::repo_root(&common) {
        Some(root) if paths.iter().all(|path| path.starts_with(&root)) => (root, true),
        _ => (common, false),
    }
}

/// The folder that paths are shown relative to: the current one, when all that is looked at and
/// written is in it; else what was asked for; else the root.
pub(super) fn base_of(
    paths: &[PathBuf],
    root: &Path,
    current: &Path,
    changes: &[Change],
) -> PathBuf {
    let holds_all = |folder: &Path| changes.iter().all(|change| change.path.starts_with(folder));
    if paths.iter().all(|path| path.starts_with(current)) && holds_all(current) {
        return current.to_owned();
    }
    match paths {
        [only] if only.is_dir() && holds_all(only) => only.clone(),
        _ => root.to_owned(),
    }
}

/// What holds for all files of a folder, each folder asked once.
pub(super) struct PerDirCache<T> {
    known: Mutex<HashMap<PathBuf, T>>,
}

impl<T> Default for PerDirCache<T> {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
        }
    }
}

impl<T: Clone> PerDirCache<T> {
    /// What holds for the file at `path`; `ask` finds it out.
    pub(super) fn of(&self, path: &Path, ask: impl FnOnce() -> T) -> T {
        let Some(folder) = path.parent() else {
            return ask();
        };
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(folder).cloned();
        known.unwrap_or_else(|| {
            let asked = ask();
            lock().insert(folder.to_owned(), asked.clone());
            asked
        })
    }
}

/// The style that holds for a file, as `ruff` finds it: that of the nearest folder with a file that
/// tells, with what it extends.
pub(super) fn style_of(path: &Path, root: &Path) -> Style {
    let mut black: Option<ConfigFile> = None;
    let mut files: Vec<ConfigFile> = Vec::new();
    let here = path.ancestors().skip(1);
    let candidates =
        here.flat_map(|folder| style::CONFIG_FILES.iter().map(|name| folder.join(name)));
    for file in candidates.filter_map(|path| config_file(&path)) {
        if black.is_none() {
            black = Some(file.clone());
        }
        if file.is_of_ruff() {
            files.push(file);
            break;
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(path) = files.last().and_then(ConfigFile::extends)
        && let Ok(real) = dunce::canonicalize(path)
        && seen.insert(real.clone())
        && let Some(file) = config_file(&real)
    {
        files.push(file);
    }
    style::style(&files, black.as_ref(), root)
}

/// The configuration file at `path`: a regular file of a size that somebody might have written.
fn config_file(path: &Path) -> Option<ConfigFile> {
    let bytes = regular_file::read_up_to(path, 1 << 20).ok()?;
    ConfigFile::parse(path, std::str::from_utf8(&bytes).ok()?)
}

/// Which paths without an ending are those of a module or a package. All files of a repo import
/// mostly the same, so the disk is asked once.
#[derive(Default)]
pub(super) struct Modules(RwLock<HashMap<PathBuf, bool>>);

impl Modules {
    pub(super) fn is_there(&self, path: &Path) -> bool {
        let known = self
            .0
            .read()
            .ok()
            .and_then(|known| known.get(path).copied());
        if let Some(known) = known {
            return known;
        }
        let is_file = |ending| path.with_extension(ending).is_file();
        let is_there = path.is_dir() || is_file("py") || is_file("pyi");
        if let Ok(mut known) = self.0.write() {
            known.insert(path.to_owned(), is_there);
        }
        is_there
    }
}
