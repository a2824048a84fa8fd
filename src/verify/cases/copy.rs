//! The trees that are run: copies of what belongs to a plugin, before and after.
//!
//! What is copied: everything in the folder of a package; of a file also the files and packages
//! beside it, which it may import. Version control, virtual environments and caches are
//! left out. A link to a file is copied as a file, one to a folder is not followed. Nothing is ever
//! written outside of the folder that a tree goes to.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plugin_source::{Kind, PluginSource};
use crate::migrate::project::discover;
use crate::regular_file;
use crate::verify::error::{self, Limit, TooLarge, VerifyError};
use crate::verify::runner::interrupt;

/// How much is copied in all, so that a folder of recordings beside a plugin does not fill the disk.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// How many files are copied in all.
const MOST_FILES: usize = 50_000;

/// What may still be copied.
#[derive(Debug)]
pub(crate) struct CopyBudget {
    bytes: u64,
    files: usize,
    limits: (u64, usize),
}

impl Default for CopyBudget {
    fn default() -> Self {
        Self::new(MOST_BYTES, MOST_FILES)
    }
}

impl CopyBudget {
    /// So much, and no more.
    pub(crate) fn new(bytes: u64, files: usize) -> Self {
        Self {
            bytes,
            files,
            limits: (bytes, files),
        }
    }

    /// Takes a file of `bytes` off.
    ///
    /// # Errors
    /// [`VerifyError::TooLarge`], which names `folder`; and when this program is to end.
    pub(crate) fn take(&mut self, folder: &Path, bytes: u64) -> Result<(), VerifyError> {
        interrupt::check()?;
        let too_large = |limit| {
            VerifyError::TooLarge(TooLarge {
                place: folder.to_owned(),
                limit,
                largest: Vec::new(),
            })
        };
        let (most_bytes, most_files) = self.limits;
        let bytes = self.bytes.checked_sub(bytes);
        let files = self.files.checked_sub(1);
        self.bytes = bytes.ok_or_else(|| too_large(Limit::Bytes(most_bytes)))?;
        self.files = files.ok_or_else(|| too_large(Limit::Files(most_files)))?;
        Ok(())
    }

    /// Takes all files of a tree off, by their sizes, or none of them.
    fn take_all(
        &mut self,
        plugin: &PluginSource,
        sizes: &[(PathBuf, u64)],
    ) -> Result<(), VerifyError> {
        let mut rest = Self { ..*self };
        for (_, size) in sizes {
            let taken = rest.take(&plugin.source, *size);
            taken.map_err(|error| match error {
                VerifyError::TooLarge(error) => VerifyError::TooLarge(TooLarge {
                    largest: largest(plugin.layout().0, sizes),
                    ..error
                }),
                other => other,
            })?;
        }
        *self = rest;
        Ok(())
    }
}

/// How many of the largest things are named.
const MOST_NAMED: usize = 3;

/// What is largest of that which is directly in `folder`, with sizes.
fn largest(folder: &Path, sizes: &[(PathBuf, u64)]) -> Vec<(PathBuf, u64)> {
    let mut of_entries: BTreeMap<PathBuf, u64> = BTreeMap::new();
    for (path, size) in sizes {
        let first = path
            .strip_prefix(folder)
            .ok()
            .and_then(|inside| inside.components().next());
        if let Some(first) = first {
            *of_entries.entry(folder.join(first)).or_default() += size;
        }
    }
    let mut entries: Vec<_> = of_entries.into_iter().collect();
    entries.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    entries.truncate(MOST_NAMED);
    entries
}

/// Copies what belongs to `source` into `target`, which is made; files of `changes`, by their
/// absolute paths, get those bytes.
///
/// # Errors
/// When something cannot be read or written, or there is too much of it.
pub(crate) fn lay_out(
    plugin: &PluginSource,
    changes: &BTreeMap<&Path, &[u8]>,
    target: &Path,
    budget: &mut CopyBudget,
) -> Result<(), VerifyError> {
    let (folder, prefix) = plugin.layout();
    let mut files = Vec::new();
    match plugin.kind {
        Kind::Package | Kind::ClonedRepo => collect(folder, &mut files)?,
        Kind::File => collect_beside(folder, &mut files)?,
    }
    let size_of = |file: &PathBuf| match changes.get(file.as_path()) {
        Some(bytes) => Ok((file.clone(), bytes.len() as u64)),
        None => {
            let about = file.metadata().map_err(error::io(file))?;
            Ok((file.clone(), about.len()))
        }
    };
    let sizes: Result<Vec<_>, VerifyError> = files.iter().map(size_of).collect();
    // Before anything is copied, so that what is too large leaves the room to others.
    budget.take_all(plugin, &sizes?)?;
    let root = target.join(prefix);
    fs::create_dir_all(&root).map_err(error::io(&root))?;
    for file in files {
        interrupt::check()?;
        let Ok(inside) = file.strip_prefix(folder) else {
            continue;
        };
        let to = root.join(inside);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(error::io(parent))?;
        }
        match changes.get(file.as_path()) {
            Some(bytes) => {
                fs::write(&to, bytes).map_err(error::io(&to))?;
            }
            None => {
                fs::copy(&file, &to).map_err(error::io(&file))?;
            }
        }
    }
    Ok(())
}

/// The files below `folder`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), VerifyError> {
    for path in entries(folder)? {
        match Entry::of(&path)? {
            Entry::File => files.push(path),
            Entry::Folder if !discover::is_ignored_dir(&path) => collect(&path, files)?,
            Entry::Folder | Entry::Neither => {}
        }
    }
    Ok(())
}

/// The files in `folder`, and those of the packages in it.
fn collect_beside(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), VerifyError> {
    for path in entries(folder)? {
        match Entry::of(&path)? {
            Entry::File => files.push(path),
            Entry::Folder if path.join("__init__.py").is_file() => collect(&path, files)?,
            Entry::Folder | Entry::Neither => {}
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, VerifyError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        entries.collect()
    };
    let mut entries = read().map_err(error::io(folder))?;
    entries.sort();
    // A worktree and a submodule have a file of that name.
    entries.retain(|path| path.file_name().is_none_or(|name| name != ".git"));
    Ok(entries)
}

enum Entry {
    File,
    Folder,
    /// A link to a folder, to nothing, or to what the system shows of itself; a pipe or a socket.
    Neither,
}

impl Entry {
    fn of(path: &Path) -> Result<Self, VerifyError> {
        let own = path.symlink_metadata().map_err(error::io(path))?;
        Ok(if own.is_dir() {
            Self::Folder
        } else if own.is_symlink() && regular_file::is_of_the_system(path) {
            Self::Neither
        } else if path.metadata().is_ok_and(|behind| behind.is_file()) {
            Self::File
        } else {
            Self::Neither
        })
    }
}

#[cfg(test)]
mod tests;
