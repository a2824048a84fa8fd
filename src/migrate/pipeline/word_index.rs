//! Which words are in which Python files of a repo: who may use a name of another module is looked up
//! there, without reading all files for each batch.
//!
//! Words are kept as 32 bits of a hash, so an answer may be "it is there" for another word with the same
//! bits: whoever asks looks into the file then. A word that is there is never missed.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::migrate::project::discover;
use crate::migrate::python::names::Workspace;

/// The words of the Python files of a repo.
pub(super) struct WordIndex {
    files: Vec<FileWords>,
    /// For the name of each module and package of the repo the files, by index, that have it as a word.
    by_module_name: FxHashMap<u32, Vec<usize>>,
    /// The files of each topmost package, and each file outside of packages, by index.
    by_unit: FxHashMap<PathBuf, Vec<usize>>,
}

/// A file with its words.
pub(super) struct FileWords {
    pub(super) path: PathBuf,
    /// The topmost package that it is in.
    pub(super) package: Option<PathBuf>,
    /// Sorted; none where the file cannot be read.
    words: Box<[u32]>,
}

impl FileWords {
    /// Whether the file may have `word`.
    pub(super) fn may_have(&self, word: &str) -> bool {
        self.words.binary_search(&hash(word)).is_ok()
    }
}

impl WordIndex {
    /// Those of the files below the root of `workspace`.
    pub(super) fn of(
        workspace: &Workspace,
        package_root: &(dyn Fn(&Path) -> Option<PathBuf> + Sync),
    ) -> Self {
        let files: Vec<FileWords> = discover::python_files(workspace.root())
            .into_par_iter()
            .map(|path| {
                let bytes = workspace.read(&path).unwrap_or_default();
                let mut words: Vec<u32> = words(&bytes).map(hash).collect();
                words.sort_unstable();
                words.dedup();
                FileWords {
                    package: package_root(&path),
                    words: words.into(),
                    path,
                }
            })
            .collect();
        let mut names = FxHashSet::default();
        let mut by_unit: FxHashMap<PathBuf, Vec<usize>> = FxHashMap::default();
        for (index, file) in files.iter().enumerate() {
            names.extend(module_names(&file.path, file.package.as_deref()).map(hash));
            let unit = file.package.as_ref().unwrap_or(&file.path);
            by_unit.entry(unit.clone()).or_default().push(index);
        }
        let mut by_module_name: FxHashMap<u32, Vec<usize>> =
            names.into_iter().map(|name| (name, Vec::new())).collect();
        for (index, file) in files.iter().enumerate() {
            for word in &file.words {
                if let Some(files) = by_module_name.get_mut(word) {
                    files.push(index);
                }
            }
        }
        Self {
            files,
            by_module_name,
            by_unit,
        }
    }

    /// The files that may have the name of a module, and perhaps others.
    pub(super) fn with_module_name(&self, name: &str) -> Vec<usize> {
        match self.by_module_name.get(&hash(name)) {
            Some(files) => files.clone(),
            // A file that is no module by its name.
            None => (0..self.files.len()).collect(),
        }
    }

    /// The files of a topmost package, or the file itself.
    pub(super) fn of_unit(&self, unit: &Path) -> &[usize] {
        self.by_unit.get(unit).map_or(&[], Vec::as_slice)
    }

    /// The file with this index.
    pub(super) fn file(&self, index: usize) -> &FileWords {
        &self.files[index]
    }
}

/// The names that others import a module by: its own, and that of the topmost package around it.
fn module_names<'p>(path: &'p Path, package: Option<&'p Path>) -> impl Iterator<Item = &'p str> {
    let stem = path.file_stem();
    let package = package.and_then(Path::file_name);
    stem.into_iter()
        .chain(package)
        .filter_map(|name| name.to_str())
}

/// The identifiers in a text, and other words that look like one.
pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes
        .split(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii()))
        .filter_map(|word| std::str::from_utf8(word).ok())
        .filter(|word| !word.is_empty())
}

fn hash(word: &str) -> u32 {
    let mut hasher = FxHasher::default();
    word.hash(&mut hasher);
    // The upper bits depend on all of the word.
    (hasher.finish() >> 32) as u32
}
