//! Writing a migration to the disk: all files or none.
//!
//! The way of a migration: its journal, with the bytes of every file before and after, is written
//! to `.rehook` at the root and is on the disk first. Then every file is written to a temporary file in its own
//! folder, and renamed into place. Then the journal is renamed: it is an undo record now, the newest
//! of a stack. Taking back goes the same way in the other direction, one run at a time.
//!
//! Invariants:
//! - Nothing is written unless every file still has the bytes that the change was planned for.
//! - At any moment every file is old or new, and whole. A run that fails takes back what it did; a
//!   run that is killed leaves its journal, with which [`recover`] makes all files old or all new.
//! - What somebody has edited meanwhile is never overwritten.
//! - Only a journal that this user's `rehook` wrote for this root is carried out ([`seal`]): one that
//!   came with an archive or a clone is refused and named.
//! - Only one run is at work in a root at a time.
//!
//! Not kept are extended attributes and hard links: a file that is replaced by renaming is a new
//! file.

mod disk;
mod error;
mod journal;
mod limits;
mod model;
mod paths;
mod seal;
mod state;
mod target;
#[cfg(all(test, unix))]
mod tests;
mod transition;
mod undo_stack;
mod validate;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

pub use error::{Action, ApplyError};
pub use model::{FileChange, Pending, Recovered, Undone};

use disk::Disk;
use journal::{Entry, Journal, Side};
use seal::Key;
use state::State;
use target::{Target, targets};
use transition::{commit_all, complete};

/// Writes `changes`: all of them, or none.
///
/// `root` is where the state is kept: the root of the repo, or what was asked for outside of one.
/// Changes that change nothing are left out; if none is left, nothing at all is written. The
/// migrations before can still be undone, up to a limit.
///
/// # Errors
/// Every file is as it was then, but for [`ApplyError::Halfway`], after which [`recover`] goes on.
pub fn apply(root: &Path, changes: &[FileChange]) -> Result<(), ApplyError> {
    apply_on(&mut Disk::new(), root, changes)
}

/// What an interrupted run, or somebody else, has left in `root` that the next run will see to or
/// refuse; nothing is written.
pub fn pending(root: &Path) -> Option<Pending> {
    let root = real(root).ok()?;
    State::pending(&root)
}

/// Looks for what an interrupted run has left, and finishes it or takes it back: afterwards all
/// files of that run are old, or all are new. Every command that writes calls it first.
///
/// # Errors
/// Nothing was changed, but where the disk refused it: then another call goes on.
pub fn recover(root: &Path) -> Result<Option<Recovered>, ApplyError> {
    recover_on(&mut Disk::new(), root)
}

/// Takes the last migration back, to the byte, if nobody has edited its files since. It is
/// forgotten then: the next undo takes back the one before.
///
/// # Errors
/// Every file is as it was then, but for [`ApplyError::Halfway`], after which [`recover`] goes on.
pub fn undo(root: &Path) -> Result<Undone, ApplyError> {
    undo_on(&mut Disk::new(), root)
}

/// Which of `files`, each with the bytes that it has, have the bytes that the last migration of
/// that file has written: no work of somebody else's is in them. What the records do not say for
/// certain is not such a file.
pub fn written_last<'f>(root: &Path, files: &[(&'f Path, &[u8])]) -> Vec<&'f Path> {
    let Ok(root) = real(root) else {
        return Vec::new();
    };
    let mut open: Vec<(&Path, &[u8], PathBuf)> = files
        .iter()
        .filter_map(|&(path, bytes)| Some((path, bytes, dunce::canonicalize(path).ok()?)))
        .collect();
    let mut ours = Vec::new();
    for record in State::undo_records(&root).unwrap_or_default() {
        if open.is_empty() {
            break;
        }
        let Ok(Some(targets)) = State::load(&root, &record) else {
            // What it would have said of a file is not known: no older one speaks for it.
            break;
        };
        for target in targets {
            open.retain(|(path, bytes, real)| {
                let is_it = *real == target.path;
                if is_it && target.entry.after == *bytes {
                    ours.push(*path);
                }
                !is_it
            });
        }
    }
    ours
}

fn apply_on(disk: &mut Disk<'_>, root: &Path, changes: &[FileChange]) -> Result<(), ApplyError> {
    let changes: Vec<&FileChange> = changes
        .iter()
        .filter(|change| change.before.as_ref() != Some(&change.after))
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let root = real(root)?;
    // Before anything is made in the repo: without a key nothing could be taken back.
    let key = Key::get_or_make(&root)?;
    let state = State::lock(disk, &root)?;
    let result = state
        .refuse_unfinished()
        .and_then(|()| validate::entries(state.root(), &changes))
        .and_then(|entries| write_all(disk, &state, entries, &key));
    state.close(disk);
    result
}

fn write_all(
    disk: &mut Disk<'_>,
    state: &State,
    entries: Vec<Entry>,
    key: &Key,
) -> Result<(), ApplyError> {
    let mut journal = Journal {
        tag: RandomState::new().build_hasher().finish(),
        mark: String::new(),
        entries,
    };
    let begun = state.begin(disk, &mut journal, key);
    let targets = targets(state.root(), journal);
    let result = begun
        .and_then(|()| commit_all(disk, &targets, Side::After))
        .and_then(|()| keep_record(disk, state));
    if let Err(cause) = result {
        let back = complete(disk, &targets, Side::Before)
            .and_then(|_| disk.remove(&state.journal()))
            .and_then(|()| disk.remove(&state.writing()));
        return Err(cause_of_failure(cause, back));
    }
    // Should the renaming not reach the disk, the next run finds a journal all of whose files are
    // new, and ends what this one began.
    let _ = state.sync(disk);
    undo_stack::prune(disk, state.folder());
    Ok(())
}

/// Makes the journal of a run that has written all its files an undo record.
fn keep_record(disk: &mut Disk<'_>, state: &State) -> Result<(), ApplyError> {
    let record = undo_stack::next(state.folder())?;
    disk.replace(&state.journal(), &record)
}

fn recover_on(disk: &mut Disk<'_>, root: &Path) -> Result<Option<Recovered>, ApplyError> {
    let root = real(root)?;
    if !State::is_untidy(&root)? {
        return Ok(None);
    }
    let state = State::lock(disk, &root)?;
    let result = recover_locked(disk, &state);
    state.close(disk);
    result
}

fn recover_locked(disk: &mut Disk<'_>, state: &State) -> Result<Option<Recovered>, ApplyError> {
    if let Some(targets) = interrupted(state, &state.journal())? {
        if not_on(&targets, &[Side::After])?.is_empty() {
            complete(disk, &targets, Side::After)?;
            keep_record(disk, state)?;
            state.sync(disk)?;
            undo_stack::prune(disk, state.folder());
            return Ok(Some(Recovered::MigrationFinished(names(&targets))));
        }
        let files = complete(disk, &targets, Side::Before)?;
        disk.remove(&state.journal())?;
        state.sync(disk)?;
        return Ok(Some(Recovered::MigrationTakenBack(files)));
    }
    if let Some(targets) = interrupted(state, &state.undoing())? {
        let files = complete(disk, &targets, Side::Before)?;
        disk.remove(&state.undoing())?;
        state.sync(disk)?;
        return Ok(Some(Recovered::UndoFinished(files)));
    }
    let was_writing = state.writing().exists();
    disk.remove(&state.writing())?;
    Ok(was_writing.then(|| Recovered::MigrationTakenBack(Vec::new())))
}

/// The targets of the journal that an interrupted run has left at `path`, if there is one; each
/// is on one side or the other.
fn interrupted(state: &State, path: &Path) -> Result<Option<Vec<Target>>, ApplyError> {
    let Some(targets) = State::load(state.root(), path)? else {
        return Ok(None);
    };
    let edited = not_on(&targets, &[Side::Before, Side::After])?;
    if edited.is_empty() {
        Ok(Some(targets))
    } else {
        Err(ApplyError::EditedSinceInterruption {
            paths: edited,
            journal: path.to_owned(),
        })
    }
}

fn undo_on(disk: &mut Disk<'_>, root: &Path) -> Result<Undone, ApplyError> {
    let root = real(root)?;
    if !State::is_untidy(&root)? && State::undo_records(&root)?.is_empty() {
        return Err(ApplyError::NothingToUndo { root });
    }
    let state = State::lock(disk, &root)?;
    let result = state
        .refuse_unfinished()
        .and_then(|()| undo_locked(disk, &state));
    state.close(disk);
    result
}

fn undo_locked(disk: &mut Disk<'_>, state: &State) -> Result<Undone, ApplyError> {
    let nothing = || ApplyError::NothingToUndo {
        root: state.root().to_owned(),
    };
    let records = undo_stack::records(state.folder())?;
    let (record, earlier) = records.split_first().ok_or_else(nothing)?;
    let targets = State::load(state.root(), record)?.ok_or_else(nothing)?;
    let paths = not_on(&targets, &[Side::After])?;
    if !paths.is_empty() {
        return Err(ApplyError::EditedSinceMigration { paths });
    }
    let result = disk
        .replace(record, &state.undoing())
        .and_then(|()| state.sync(disk))
        .and_then(|()| commit_all(disk, &targets, Side::Before))
        .and_then(|()| disk.remove(&state.undoing()));
    if let Err(cause) = result {
        let back = complete(disk, &targets, Side::After).and_then(|_| {
            if state.undoing().exists() {
                disk.replace(&state.undoing(), record)?;
            }
            Ok(())
        });
        return Err(cause_of_failure(cause, back));
    }
    // Should the removal not reach the disk, the next run finds nothing left to restore.
    let _ = state.sync(disk);
    let (restored, removed): (Vec<&Target>, Vec<&Target>) = targets
        .iter()
        .partition(|target| target.entry.before.is_some());
    Ok(Undone {
        restored: names(restored),
        removed: names(removed),
        // One that will be refused hides those below it.
        earlier: earlier
            .iter()
            .take_while(|record| matches!(State::load(state.root(), record), Ok(Some(_))))
            .count(),
    })
}

/// The files that are on none of `sides`.
fn not_on(targets: &[Target], sides: &[Side]) -> Result<Vec<PathBuf>, ApplyError> {
    let mut others = Vec::new();
    for target in targets {
        if !target.side()?.is_some_and(|side| sides.contains(&side)) {
            others.push(target.path.clone());
        }
    }
    Ok(others)
}

/// What a failed run reports, after it has tried to take back what it did.
fn cause_of_failure(cause: ApplyError, back: Result<(), ApplyError>) -> ApplyError {
    match back {
        Ok(()) => cause,
        Err(obstacle) => ApplyError::Halfway {
            cause: Box::new(cause),
            obstacle: Box::new(obstacle),
        },
    }
}

/// `root` without links, so that what is inside it can be told.
fn real(root: &Path) -> Result<PathBuf, ApplyError> {
    dunce::canonicalize(root).map_err(|error| ApplyError::io(Action::Read, root, error))
}

fn names<'t>(targets: impl IntoIterator<Item = &'t Target>) -> Vec<PathBuf> {
    let path = |target: &Target| target.entry.path.clone();
    targets.into_iter().map(path).collect()
}
