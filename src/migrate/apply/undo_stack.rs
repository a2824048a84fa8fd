//! The undo records: the runs that can be taken back, one file each.
//!
//! A record is the journal of a run that has ended, under the name `undo-NUMBER`. The numbers grow, so
//! the highest is the newest, which is the one that is taken back next. A file `undo` without a
//! number was written by a release that kept one run only: it is older than all others.
//!
//! Invariants:
//! - A run gets its record by one renaming, and its number is higher than all that are there.
//! - There are at most [`MOST_RUNS`] records, of [`MOST_BYTES`] in all; beyond that the oldest go. The
//!   newest always stays, whatever its size.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::{Action, ApplyError};
use super::limits::MOST_RUNS;

/// How many bytes all records may have together.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

const NAME: &str = "undo";

/// Beyond this nobody has counted: a run a second for thirty years.
const HIGHEST: u64 = 999_999_999;

/// The records in the state folder, the newest first.
pub(super) fn records(folder: &Path) -> Result<Vec<PathBuf>, ApplyError> {
    Ok(numbered(folder)?
        .into_iter()
        .map(|(_, path)| path)
        .collect())
}

/// Where the record of a run goes that ends now.
///
/// # Errors
/// When the folder cannot be read, or a record is there whose number no count comes to: nothing
/// could be newer, so it would hide or replace what is.
pub(super) fn next(folder: &Path) -> Result<PathBuf, ApplyError> {
    let newest = numbered(folder)?.into_iter().next();
    let number = match newest {
        None => 0,
        Some((number, path)) if number >= HIGHEST => {
            return Err(ApplyError::Foreign { journal: path });
        }
        Some((number, _)) => number,
    };
    Ok(folder.join(format!("{NAME}-{}", number + 1)))
}

/// Takes the oldest records away, as far as there are too many. One that stays does no harm: no
/// error.
pub(super) fn prune(disk: &mut Disk<'_>, folder: &Path) {
    let mut bytes = 0u64;
    let mut is_full = false;
    for (index, path) in records(folder).unwrap_or_default().iter().enumerate() {
        bytes += fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
        is_full |= index >= MOST_RUNS || (index > 0 && bytes > MOST_BYTES);
        if is_full {
            let _ = disk.remove(path);
        }
    }
}

/// The records with their numbers, the newest first.
fn numbered(folder: &Path) -> Result<Vec<(u64, PathBuf)>, ApplyError> {
    let read = |error| ApplyError::io(Action::Read, folder, error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        result => result.map_err(read)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(read)?.file_name();
        if let Some(number) = name.to_str().and_then(number) {
            found.push((number, folder.join(name)));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// The number in the name of a record; 0 for one without. None for another file.
fn number(name: &str) -> Option<u64> {
    let rest = name.strip_prefix(NAME)?;
    if rest.is_empty() {
        return Some(0);
    }
    let digits = rest.strip_prefix('-')?;
    let number: u64 = digits.parse().ok()?;
    // As it is written, and in no other way.
    (number > 0 && number.to_string() == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_as_they_are_written_are_records() {
        for (name, expected) in [
            ("undo", Some(0)),
            ("undo-1", Some(1)),
            ("undo-20", Some(20)),
            ("undoing", None),
            ("undo-", None),
            ("undo-0", None),
            ("undo-01", None),
            ("undo-+1", None),
            ("undo-1.bak", None),
            ("undo-18446744073709551614", Some(u64::MAX - 1)),
            ("undo-99999999999999999999", None),
        ] {
            assert_eq!(number(name), expected, "{name}");
        }
    }

    #[test]
    fn the_newest_comes_first_and_the_next_is_newer_still() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(next(folder).unwrap(), folder.join("undo-1"));
        for name in ["undo-9", "undo", "undo-10", "undoing", "lock"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let newest_first = ["undo-10", "undo-9", "undo"].map(|name| folder.join(name));
        assert_eq!(records(folder).unwrap(), newest_first);
        assert_eq!(next(folder).unwrap(), folder.join("undo-11"));
        assert_eq!(
            records(&folder.join("missing")).unwrap(),
            Vec::<PathBuf>::new()
        );
        let planted = folder.join("undo-18446744073709551614");
        fs::write(&planted, "").unwrap();
        let error = next(folder).unwrap_err();
        assert!(
            matches!(&error, ApplyError::Foreign { journal } if *journal == planted),
            "{error}"
        );
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for number in 1..=MOST_RUNS + 3 {
            fs::write(folder.join(format!("undo-{number}")), "").unwrap();
        }
        prune(&mut Disk::new(), folder);
        let left = records(folder).unwrap();
        assert_eq!(left.len(), MOST_RUNS);
        assert_eq!(left.last(), Some(&folder.join("undo-4")));
    }

    #[test]
    fn the_oldest_go_when_they_are_too_large_but_never_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let sized = |name: &str, bytes| {
            let file = fs::File::create(folder.join(name)).unwrap();
            file.set_len(bytes).unwrap();
        };
        sized("undo-1", 1);
        sized("undo-2", MOST_BYTES);
        sized("undo-3", 1);
        prune(&mut Disk::new(), folder);
        assert_eq!(records(folder).unwrap(), [folder.join("undo-3")]);
        sized("undo-4", 2 * MOST_BYTES);
        prune(&mut Disk::new(), folder);
        assert_eq!(records(folder).unwrap(), [folder.join("undo-4")]);
    }
}
