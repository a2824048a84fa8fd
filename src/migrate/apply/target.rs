//! The files of a journal as they are on the disk now.
//!
//! Invariants:
//! - A [`Target`] is a place that the journal may write to: it was written in this place, or the
//!   file lies inside the root and not in a folder of git.
//! - Only regular files are read: never through a link, never a device or a pipe.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{Action, ApplyError};
use super::journal::{Entry, Journal, Side};
use crate::regular_file;

/// A file of a journal, with its place.
pub(super) struct Target {
    pub(super) entry: Entry,
    /// Where the file is.
    pub(super) path: PathBuf,
    /// The folder that it is in.
    pub(super) folder: PathBuf,
    /// The name of the temporary file that it is written to, in its own folder.
    pub(super) aside: PathBuf,
}

impl Target {
    /// On which side the file is now; none if it is something else than the migration knows.
    pub(super) fn side(&self) -> Result<Option<Side>, ApplyError> {
        let read = |error| ApplyError::io(Action::Read, &self.path, error);
        let now = match fs::symlink_metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => return Ok(None),
            Ok(_) => Some(regular_file::read(&self.path).map_err(read)?),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                None
            }
            Err(error) => return Err(read(error)),
        };
        Ok([Side::Before, Side::After]
            .into_iter()
            .find(|&side| self.entry.contents(side) == now.as_deref()))
    }
}

/// The targets of a journal that this place is known to have written.
pub(super) fn targets(root: &Path, journal: Journal) -> Vec<Target> {
    let tag = journal.tag;
    let target = |(index, entry): (usize, Entry)| {
        let path = root.join(&entry.path);
        let folder = path.parent().unwrap_or(root).to_owned();
        Target {
            aside: folder.join(format!(".rehook-{tag:016x}-{index}")),
            folder,
            path,
            entry,
        }
    };
    journal
        .entries
        .into_iter()
        .enumerate()
        .map(target)
        .collect()
}

/// The first file of a journal that somebody else may have written to which it must not write.
pub(super) fn first_harmful<'j>(root: &Path, journal: &'j Journal) -> Option<&'j Path> {
    let mut paths = journal.entries.iter().map(|entry| entry.path.as_path());
    paths.find(|path| !is_harmless(root, path))
}

/// Whether `path` lies inside the root, and is nothing that git would run.
fn is_harmless(root: &Path, path: &Path) -> bool {
    let is_git = |part: &std::ffi::OsStr| {
        part.to_string_lossy()
            .trim_end_matches(['.', ' '])
            .eq_ignore_ascii_case(".git")
    };
    if path.is_absolute() || path.iter().any(is_git) {
        return false;
    }
    let folder = root.join(path);
    let folder = folder.parent().unwrap_or(root);
    match dunce::canonicalize(folder) {
        Ok(real) => real == folder,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}
