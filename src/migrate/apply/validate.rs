//! From the changes that are asked for to the entries of a journal: everything that can be known
//! to be wrong is found here, before a byte is written.

use std::fs::{self, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{Action, ApplyError};
use super::journal::Entry;
use super::model::FileChange;
use crate::regular_file;

/// The entries of `changes`; `root` is without links.
pub(super) fn entries(root: &Path, changes: &[&FileChange]) -> Result<Vec<Entry>, ApplyError> {
    let mut entries: Vec<Entry> = Vec::with_capacity(changes.len());
    let mut changed = Vec::new();
    for change in changes {
        let checked = match &change.before {
            Some(before) => check_existing(&change.path, before)?,
            None => check_new(&change.path)?,
        };
        let Some((real, mode)) = checked else {
            changed.push(change.path.clone());
            continue;
        };
        entries.push(Entry {
            path: real.strip_prefix(root).map_or(real.clone(), Path::to_owned),
            mode,
            before: change.before.clone(),
            after: change.after.clone(),
        });
    }
    if !changed.is_empty() {
        changed.sort();
        return Err(ApplyError::Changed { paths: changed });
    }
    without_repetitions(root, entries)
}

/// A file may be named twice, once through a link, as long as the same is wanted.
fn without_repetitions(root: &Path, entries: Vec<Entry>) -> Result<Vec<Entry>, ApplyError> {
    let mut entries = entries;
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries.dedup();
    match entries.windows(2).find(|pair| pair[0].path == pair[1].path) {
        Some(pair) => Err(ApplyError::Conflict {
            path: root.join(&pair[0].path),
        }),
        None => Ok(entries),
    }
}

/// The real place and the mode of a file that is to be replaced; none if it is not what it was.
fn check_existing(
    path: &Path,
    before: &[u8],
) -> Result<Option<(PathBuf, Option<u32>)>, ApplyError> {
    let read = |error| ApplyError::io(Action::Read, path, error);
    let real = match dunce::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        result => result.map_err(read)?,
    };
    let metadata = fs::symlink_metadata(&real).map_err(read)?;
    if !metadata.is_file() {
        return Err(ApplyError::NotAFile {
            path: path.to_owned(),
        });
    }
    if regular_file::read(&real).map_err(read)? != before {
        return Ok(None);
    }
    // A renaming would not ask for this, but whoever forbade writing meant it.
    if metadata.permissions().readonly() {
        return Err(ApplyError::ReadOnly {
            path: path.to_owned(),
        });
    }
    if let Err(error) = OpenOptions::new().write(true).open(&real) {
        return Err(match error.kind() {
            ErrorKind::PermissionDenied => ApplyError::ReadOnly {
                path: path.to_owned(),
            },
            _ => ApplyError::io(Action::Write, path, error),
        });
    }
    Ok(Some((real, mode(&metadata))))
}

/// The real place of a file that is to be made.
fn check_new(path: &Path) -> Result<Option<(PathBuf, Option<u32>)>, ApplyError> {
    // A link that leads nowhere is something, too.
    if fs::symlink_metadata(path).is_ok() {
        return Err(ApplyError::Exists {
            path: path.to_owned(),
        });
    }
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    let name = path.file_name().ok_or_else(|| ApplyError::NotAFile {
        path: path.to_owned(),
    })?;
    let folder =
        dunce::canonicalize(folder).map_err(|error| ApplyError::io(Action::Create, path, error))?;
    Ok(Some((folder.join(name), None)))
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> Option<u32> {
    None
}
