//! How far a file reaches that may set anything without naming it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::migrate::python::names::setters::imports::add_handed;

/// How far those files reach that may set anything.
///
/// A unit is a topmost package, or a module outside of packages, by the name that others import it by.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Those that set anything, and those that import one of these.
    pub(super) units: FxHashSet<PathBuf>,
    pub(super) unit_of: FxHashMap<PathBuf, PathBuf>,
    /// What these units import, or name as a module: modules of the repo.
    pub(super) imported: FxHashSet<String>,
    /// Libraries that the files themselves import, or that are handed to them.
    pub(super) libraries: FxHashSet<String>,
    /// Whether one of them imports modules by names that are made at run time.
    pub(super) is_everything: bool,
    /// The same of the files themselves.
    pub(super) is_every_library: bool,
}

/// What a file does.
pub(super) struct FileFacts<'a> {
    pub(super) path: &'a Path,
    pub(super) unit: PathBuf,
    pub(super) imports: FxHashSet<String>,
    pub(super) imports_any: bool,
    pub(super) sets_any: bool,
}

impl Reach {
    pub(super) fn of(facts: &[FileFacts<'_>], read: impl Fn(&Path) -> Option<Arc<[u8]>>) -> Self {
        let unit_of = |file: &FileFacts<'_>| (file.path.to_owned(), file.unit.clone());
        let mut reach = Self {
            unit_of: facts.iter().map(unit_of).collect(),
            ..Self::default()
        };
        for file in facts.iter().filter(|file| file.sets_any) {
            reach.units.insert(file.unit.clone());
            reach.libraries.extend(file.imports.iter().cloned());
            reach.is_every_library |= file.imports_any;
        }
        // Whoever imports one of these may hand it a module.
        loop {
            let names: FxHashSet<&str> = reach
                .units
                .iter()
                .filter_map(|one| outer_name(one))
                .collect();
            let joining: FxHashSet<PathBuf> = facts
                .iter()
                .filter(|file| !reach.units.contains(&file.unit))
                .filter(|file| {
                    file.imports
                        .iter()
                        .any(|name| names.contains(name.as_str()))
                })
                .map(|file| file.unit.clone())
                .collect();
            if joining.is_empty() {
                break;
            }
            reach.units.extend(joining);
        }
        for file in facts.iter().filter(|file| reach.units.contains(&file.unit)) {
            reach.imported.extend(file.imports.iter().cloned());
            reach.is_everything |= file.imports_any;
            if let Some(bytes) = read(file.path) {
                add_handed(&String::from_utf8_lossy(&bytes), &mut reach.libraries);
            }
        }
        reach
    }
}

/// The topmost package that the file is in, or the file itself.
pub(super) fn unit(path: &Path, packages: &FxHashSet<&Path>) -> PathBuf {
    let folders = path.ancestors().skip(1);
    let top = folders
        .take_while(|folder| packages.contains(folder))
        .last();
    top.unwrap_or(path).to_owned()
}

/// The name that other units import a unit by.
pub(super) fn outer_name(unit: &Path) -> Option<&str> {
    unit.file_stem()?.to_str()
}
