//! What the files of a repo set in modules, classes and libraries that are not their own.
//!
//! `module.name = value` and `setattr(module, "name", value)` name what they set. `module.__dict__`,
//! `vars(module)`, `exec(text)` and their like may set anything, in whatever their file can have got
//! hold of. Invariant: looking at the text alone says "may be set" too often rather than too seldom,
//! and what is not in a list of harmless forms counts as setting.

mod attributes;
mod imports;
mod items;
mod reach;
mod text;
mod unnamed;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::migrate::python::names::setters::attributes::{add_set_attributes, sets_attribute};
use crate::migrate::python::names::setters::imports::add_changed_libraries;
use crate::migrate::python::names::setters::reach::{FileFacts, Reach, outer_name, unit};
use crate::migrate::python::names::setters::text::contains;
use crate::migrate::python::names::setters::unnamed::sets_anything;

pub(super) use text::is_written;

/// The names that are set somewhere, and what may be set without a name.
#[derive(Debug, Default)]
pub(super) struct Setters {
    /// Names that are set as an attribute of something.
    names: FxHashSet<String>,
    /// Names of lists, dicts and sets that are changed in place.
    changed_items: FxHashSet<String>,
    /// Whether built-in names may be set.
    builtins: bool,
    /// Libraries in which something is set, which others of their functions may use.
    changed: FxHashSet<String>,
    /// Modules in which anything may be set: see [`Reach`].
    reach: Reach,
}

impl Setters {
    /// Looks through the files at `paths`, in parallel; `read` gives their bytes.
    pub(super) fn of(paths: &[PathBuf], read: impl Fn(&Path) -> Option<Arc<[u8]>> + Sync) -> Self {
        let packages: FxHashSet<&Path> = paths
            .iter()
            .filter(|path| path.file_name().is_some_and(|name| name == "__init__.py"))
            .filter_map(|path| path.parent())
            .collect();
        let of_files: Vec<(Self, FileFacts<'_>)> = paths
            .par_iter()
            .filter_map(|path| {
                // What cannot be read, or is not text, cannot be imported either.
                let bytes = read(path)?;
                let text = String::from_utf8_lossy(&bytes);
                let mut setters = Self::default();
                add_set_attributes(&text, &mut setters.names);
                items::add_changed(&text, &mut setters.changed_items);
                let sets_any = sets_anything(&text, &mut setters.names);
                let names_builtins = contains(&text, "builtins");
                setters.builtins = names_builtins && (sets_any || sets_attribute(&text));
                let (imports, imports_any) = imports::imports(&text);
                add_changed_libraries(&text, &imports, &mut setters.changed);
                let facts = FileFacts {
                    path,
                    unit: unit(path, &packages),
                    imports,
                    imports_any,
                    sets_any,
                };
                Some((setters, facts))
            })
            .collect();
        let mut setters = Self::default();
        let mut facts = Vec::new();
        for (of_file, facts_of_file) in of_files {
            setters.names.extend(of_file.names);
            setters.changed_items.extend(of_file.changed_items);
            setters.builtins |= of_file.builtins;
            setters.changed.extend(of_file.changed);
            facts.push(facts_of_file);
        }
        if facts.iter().any(|file| file.sets_any) {
            setters.reach = Reach::of(&facts, read);
        }
        setters
    }

    /// Whether `name` may be set as an attribute of something.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a list, dict or set called `name` may be changed in place.
    pub(super) fn changes_items(&self, name: &str) -> bool {
        self.changed_items.contains(name)
    }

    /// Whether built-in names may be set again.
    pub(super) fn sets_builtins(&self) -> bool {
        self.builtins
    }

    /// Whether anything may be set in the module at `path`.
    pub(super) fn reach_module(&self, path: &Path) -> bool {
        let reach = &self.reach;
        if reach.is_everything {
            return true;
        }
        if reach.units.is_empty() {
            return false;
        }
        reach.unit_of.get(path).is_none_or(|unit| {
            reach.units.contains(unit)
                || outer_name(unit).is_none_or(|name| reach.imported.contains(name))
        })
    }

    /// Whether something may be set in the library `name`, which is its top-level name.
    pub(super) fn reach_library(&self, name: &str) -> bool {
        self.changed.contains(name)
            || self.reach.is_every_library
            || self.reach.libraries.contains(name)
    }
}

#[cfg(test)]
mod tests;
