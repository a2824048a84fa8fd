//! Carrying files from one side of a journal to the other.
//!
//! Invariants:
//! - A file changes sides by one renaming (or one removal): it is old or new, and whole, at any
//!   moment.
//! - All new contents are on the disk before the first file changes sides: a full disk is noticed
//!   while nothing has happened.
//! - A file that is on neither side belongs to somebody else by now and is not touched.

use std::fs::{self, Permissions};
use std::path::PathBuf;

use super::disk::Disk;
use super::error::{Action, ApplyError};
use super::journal::Side;
use super::target::Target;

/// Carries all targets to the side `to`; stops at the first error, where the caller takes back.
pub(super) fn commit_all(
    disk: &mut Disk<'_>,
    targets: &[Target],
    to: Side,
) -> Result<(), ApplyError> {
    let from = to.other();
    for target in targets {
        write_aside(disk, target, to)?;
    }
    // Removals last: they alone lose the mode that a file has got meanwhile.
    let (replaced, removed): (Vec<&Target>, Vec<&Target>) = targets
        .iter()
        .partition(|target| target.entry.contents(to).is_some());
    for target in replaced.into_iter().chain(removed) {
        if target.side()? != Some(from) {
            return Err(ApplyError::Changed {
                paths: vec![target.path.clone()],
            });
        }
        rename_into_place(disk, target, to)?;
    }
    sync_folders(disk, targets)
}

/// Carries to the side `to` whatever is on the other one, as far as that is possible: an error at
/// one file does not keep the others from being carried. Nothing stays aside.
///
/// # Errors
/// The first that there was; the journal must be kept then.
pub(super) fn complete(
    disk: &mut Disk<'_>,
    targets: &[Target],
    to: Side,
) -> Result<Vec<PathBuf>, ApplyError> {
    let mut carried = Vec::new();
    let mut first_error = None;
    for target in targets.iter().rev() {
        let result = target.side().and_then(|side| {
            let is_due = side == Some(to.other());
            if is_due {
                write_aside(disk, target, to)?;
                rename_into_place(disk, target, to)?;
            }
            disk.remove(&target.aside)?;
            Ok(is_due)
        });
        match result {
            Ok(true) => carried.push(target.entry.path.clone()),
            Ok(false) => {}
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    if let Err(error) = sync_folders(disk, targets) {
        first_error.get_or_insert(error);
    }
    carried.reverse();
    match first_error {
        Some(error) => Err(error),
        None => Ok(carried),
    }
}

/// Writes the contents of the side `to` into the folder of the file, with the owner and the mode
/// that it is to have.
fn write_aside(disk: &mut Disk<'_>, target: &Target, to: Side) -> Result<(), ApplyError> {
    let Some(contents) = target.entry.contents(to) else {
        return Ok(());
    };
    let aside = &target.aside;
    disk.remove(aside)?;
    let original = fs::symlink_metadata(&target.path).ok();
    let mut file = disk.create(aside, original.is_some())?;
    disk.write(&mut file, aside, contents)?;
    if let Some(original) = original {
        let permissions = permissions(&original, target.entry.mode);
        disk.set_mode(&file, aside, &original, permissions)?;
    }
    disk.sync(&file, aside)
}

/// The one step in which a file changes sides.
fn rename_into_place(disk: &mut Disk<'_>, target: &Target, to: Side) -> Result<(), ApplyError> {
    let (aside, path) = (&target.aside, &target.path);
    match (target.entry.contents(to), target.entry.contents(to.other())) {
        (Some(_), Some(_)) => disk.replace(aside, path),
        (Some(_), None) => disk.place_new(aside, path).map_err(|error| match error {
            ApplyError::Io {
                action: Action::Rename,
                reason,
                ..
            } if reason.kind() == std::io::ErrorKind::AlreadyExists => {
                ApplyError::Exists { path: path.clone() }
            }
            error => error,
        }),
        (None, _) => disk.remove(path),
    }
}

fn sync_folders(disk: &mut Disk<'_>, targets: &[Target]) -> Result<(), ApplyError> {
    let mut folders: Vec<_> = targets.iter().map(|target| &target.folder).collect();
    folders.sort();
    folders.dedup();
    for folder in folders {
        // A folder that is gone has nothing to keep.
        if folder.exists() {
            disk.sync_folder(folder)?;
        }
    }
    Ok(())
}

/// The mode that the journal knows, else the one that the file has.
#[cfg(unix)]
fn permissions(original: &fs::Metadata, mode: Option<u32>) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    mode.map_or_else(|| original.permissions(), Permissions::from_mode)
}

#[cfg(not(unix))]
fn permissions(original: &fs::Metadata, _: Option<u32>) -> Permissions {
    original.permissions()
}
