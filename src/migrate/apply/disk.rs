//! The operations on the file system that writing a migration is made of.
//!
//! Invariants:
//! - Everything that changes the disk goes through [`Disk`], one operation a step; a hook is asked
//!   before each, so that a test can make any of them fail, or stop the program there.
//! - Nothing is cleaned up behind the caller's back: a program that is killed at a step leaves
//!   exactly what the steps before it made.
//! - A file is never written in place: its new contents are complete and on the disk under
//!   another name before they take its name.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::error::{Action, ApplyError};

type Hook<'h> = dyn FnMut(Action, &Path) -> io::Result<()> + 'h;

/// The file system, as far as it is written.
pub(super) struct Disk<'h> {
    before_step: Box<Hook<'h>>,
}

impl Disk<'static> {
    /// The file system as it is.
    pub(super) fn new() -> Self {
        Self::with_hook(|_, _| Ok(()))
    }
}

impl<'h> Disk<'h> {
    /// A file system on which `before_step` is called before every step; its error is the step's.
    pub(super) fn with_hook(before_step: impl FnMut(Action, &Path) -> io::Result<()> + 'h) -> Self {
        Self {
            before_step: Box::new(before_step),
        }
    }

    fn step<T>(
        &mut self,
        action: Action,
        path: &Path,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, ApplyError> {
        (self.before_step)(action, path)
            .and_then(|()| operation())
            .map_err(|reason| ApplyError::io(action, path, reason))
    }

    /// Makes a folder; one that is there already is fine.
    pub(super) fn create_folder(&mut self, path: &Path) -> Result<(), ApplyError> {
        self.step(Action::Create, path, || {
            fs::create_dir(path).or_else(|error| unless(ErrorKind::AlreadyExists, error))
        })
    }

    /// Makes a file that must not be there; only its owner may read it if it is `private`.
    pub(super) fn create(&mut self, path: &Path, private: bool) -> Result<File, ApplyError> {
        self.step(Action::Create, path, || {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            if private {
                use std::os::unix::fs::OpenOptionsExt;
                options.mode(0o600);
            }
            #[cfg(not(unix))]
            let _ = private;
            options.open(path)
        })
    }

    /// Writes `contents` into a file that [`Disk::create`] made.
    pub(super) fn write(
        &mut self,
        file: &mut File,
        path: &Path,
        contents: &[u8],
    ) -> Result<(), ApplyError> {
        // In two steps, so that stopping in the middle can be tried.
        let (head, tail) = contents.split_at(contents.len() / 2);
        self.step(Action::Write, path, || file.write_all(head))?;
        self.step(Action::Write, path, || file.write_all(tail))
    }

    /// Gives an open file the owner of `original` where that is possible, and `permissions`.
    pub(super) fn set_mode(
        &mut self,
        file: &File,
        path: &Path,
        original: &fs::Metadata,
        permissions: Permissions,
    ) -> Result<(), ApplyError> {
        self.step(Action::SetMode, path, || {
            keep_owner(file, original);
            file.set_permissions(permissions)
        })
    }

    /// Returns when the contents of a file are on the disk.
    pub(super) fn sync(&mut self, file: &File, path: &Path) -> Result<(), ApplyError> {
        self.step(Action::Sync, path, || file.sync_all())
    }

    /// Returns when the names in a folder are on the disk.
    pub(super) fn sync_folder(&mut self, path: &Path) -> Result<(), ApplyError> {
        self.step(Action::Sync, path, || sync_folder(path))
    }

    /// Gives a file the name of another, which it replaces.
    pub(super) fn replace(&mut self, from: &Path, to: &Path) -> Result<(), ApplyError> {
        self.step(Action::Rename, to, || fs::rename(from, to))
    }

    /// Gives a file a name that must not be taken.
    pub(super) fn place_new(&mut self, from: &Path, to: &Path) -> Result<(), ApplyError> {
        self.step(Action::Rename, to, || {
            let from = tempfile::TempPath::try_from_path(from)?;
            Ok(from.persist_noclobber(to)?)
        })
    }

    /// Takes a file away; one that is not there is fine.
    pub(super) fn remove(&mut self, path: &Path) -> Result<(), ApplyError> {
        // Looked at first, so that what is not there is no step.
        if fs::symlink_metadata(path).is_err() {
            return Ok(());
        }
        self.step(Action::Remove, path, || {
            fs::remove_file(path).or_else(|error| unless(ErrorKind::NotFound, error))
        })
    }

    /// Takes a folder away if nothing is in it.
    pub(super) fn remove_empty_folder(&mut self, path: &Path) -> Result<(), ApplyError> {
        self.step(Action::Remove, path, || {
            fs::remove_dir(path).or_else(|error| unless(ErrorKind::DirectoryNotEmpty, error))
        })
    }
}

fn unless(kind: ErrorKind, error: io::Error) -> io::Result<()> {
    if error.kind() == kind {
        Ok(())
    } else {
        Err(error)
    }
}

/// Only root may give a file to somebody else, and only members may give it to a group: then the
/// file stays with whoever runs this, as with an editor that writes aside.
#[cfg(unix)]
fn keep_owner(file: &File, original: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Ok(current) = file.metadata() else { return };
    if current.uid() != original.uid() {
        let _ = fchown(file, Some(original.uid()), None);
    }
    if current.gid() != original.gid() {
        let _ = fchown(file, None, Some(original.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

/// Some file systems cannot sync a folder and say so; there is nothing more to be done on them.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
