//! The folder `.rehook` at the root: the lock, and the journals.
//!
//! | name | is there |
//! |---|---|
//! | `.gitignore` | always: git does not see the folder |
//! | `lock` | locked while a run is at work; the system unlocks it when that run ends, however it ends |
//! | `writing` | a journal that is being written: no file has been touched yet |
//! | `journal` | a migration is being written: some files are old, some are new |
//! | `undo-1`, `undo-2`, … | the migrations that can be taken back, the highest number first: every file was new when each ended (see [`super::undo_stack`]) |
//! | `undoing` | the newest of them is being taken back: some files are old, some are new |
//!
//! Invariants:
//! - Whoever holds a [`State`] is the only one at work.
//! - A journal is read only when its seal fits and git does not track it.
//! - `journal` and `undoing` are never there together, and never change once they have their name.
//! - The folder goes when nothing is left in it that anybody could want.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use super::disk::Disk;
use super::error::{Action, ApplyError};
use super::journal::{Journal, Unreadable};
use super::model::Pending;
use super::seal::{self, Key};
use super::target::{Target, first_harmful, targets};
use super::undo_stack;
use crate::migrate::project::git;
use crate::regular_file;

const FOLDER: &str = ".rehook";
const GITIGNORE: &str = ".gitignore";
const LOCK: &str = "lock";
const WRITING: &str = "writing";
const JOURNAL: &str = "journal";
const UNDOING: &str = "undoing";

/// The largest journal that is read: far above any migration, and no more than memory has room for.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// What [`GITIGNORE`] says: everything in the folder, itself included.
const IGNORE_ALL: &[u8] = b"*\n";

/// How often a lock is tried, and how long it is waited for each time: a process that was killed
/// just now keeps its lock for a moment, and one that ends takes the file away.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The state folder of a root, locked.
pub(super) struct State {
    /// Without links.
    root: PathBuf,
    folder: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl State {
    /// Whether an interrupted run may have left something in `root`; nothing is written.
    pub(super) fn is_untidy(root: &Path) -> Result<bool, ApplyError> {
        let folder = root.join(FOLDER);
        if !is_there(&folder)? {
            return Ok(false);
        }
        let has = |name| exists(&folder.join(name));
        // Without an undo record the folder should have been taken away.
        Ok(undo_stack::records(&folder)?.is_empty()
            || [WRITING, JOURNAL, UNDOING].into_iter().any(has))
    }

    /// The records of the migrations of `root` that could be taken back, the newest first; nothing
    /// is written.
    pub(super) fn undo_records(root: &Path) -> Result<Vec<PathBuf>, ApplyError> {
        let folder = root.join(FOLDER);
        if is_there(&folder)? {
            undo_stack::records(&folder)
        } else {
            Ok(Vec::new())
        }
    }

    /// What the next run will see to or refuse; nothing is written, and nothing is locked: a run that
    /// is at work right now is not interrupted.
    pub(super) fn pending(root: &Path) -> Option<Pending> {
        let folder = root.join(FOLDER);
        match is_there(&folder) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Pending::Refused(error)),
        }
        if open_plain(&folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err()) {
            return None;
        }
        if let Err(error) = refuse_obstacles(&folder) {
            return Some(Pending::Refused(error));
        }
        for name in [JOURNAL, UNDOING] {
            let journal = folder.join(name);
            match Self::load(root, &journal) {
                Err(error) => return Some(Pending::Refused(error)),
                Ok(Some(_)) => return Some(Pending::Interrupted { journal }),
                Ok(None) => {}
            }
        }
        // Only the newest: it is the one that would be taken back, or is in the way.
        let newest = undo_stack::records(&folder).map(|records| records.into_iter().next());
        newest
            .and_then(|record| record.map_or(Ok(None), |record| Self::load(root, &record)))
            .err()
            .map(Pending::Refused)
    }

    /// Makes the folder if it is not there, and locks it.
    pub(super) fn lock(disk: &mut Disk<'_>, root: &Path) -> Result<Self, ApplyError> {
        let folder = root.join(FOLDER);
        for _ in 0..ATTEMPTS {
            let result = open_lock(disk, &folder);
            match result {
                Ok(Some(lock)) => {
                    let state = Self {
                        root: root.to_owned(),
                        folder,
                        _lock: lock,
                    };
                    return match state.restore_gitignore(disk) {
                        Ok(()) => Ok(state),
                        Err(error) => {
                            state.close(disk);
                            Err(error)
                        }
                    };
                }
                Ok(None) => sleep(PAUSE),
                // Whatever it is, it stays as it was found.
                Err(error @ ApplyError::Obstacle { .. }) => return Err(error),
                Err(error) => {
                    if is_there(&folder)? && !exists(&folder.join(LOCK)) {
                        clear(disk, &folder);
                    }
                    return Err(error);
                }
            }
        }
        Err(ApplyError::Busy {
            root: root.to_owned(),
        })
    }

    /// The run that ended while we waited may have taken the file away; one that was killed may
    /// have left it empty.
    fn restore_gitignore(&self, disk: &mut Disk<'_>) -> Result<(), ApplyError> {
        let path = self.folder.join(GITIGNORE);
        if regular_file::read(&path).is_ok_and(|contents| contents == IGNORE_ALL) {
            return Ok(());
        }
        disk.remove(&path)?;
        match write_gitignore(disk, &self.folder) {
            // A run that waits for the lock has written it meanwhile.
            Err(ApplyError::Io { reason, .. }) if reason.kind() == ErrorKind::AlreadyExists => {
                Ok(())
            }
            result => result,
        }
    }

    /// The root, without links.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn writing(&self) -> PathBuf {
        self.folder.join(WRITING)
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join(JOURNAL)
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn undoing(&self) -> PathBuf {
        self.folder.join(UNDOING)
    }

    /// An error if an interrupted run has left something.
    pub(super) fn refuse_unfinished(&self) -> Result<(), ApplyError> {
        let left = [self.journal(), self.undoing()]
            .into_iter()
            .find(|path| exists(path));
        match left {
            Some(journal) => Err(ApplyError::Unfinished { journal }),
            None => Ok(()),
        }
    }

    /// Writes `journal` and gives it the name of one that is at work; only when that is on the
    /// disk may a file be touched.
    pub(super) fn begin(
        &self,
        disk: &mut Disk<'_>,
        journal: &mut Journal,
        key: &Key,
    ) -> Result<(), ApplyError> {
        let path = self.writing();
        disk.remove(&path)?;
        let mut file = disk.create(&path, true)?;
        let metadata = file
            .metadata()
            .map_err(|error| ApplyError::io(Action::Read, &path, error))?;
        journal.mark = mark(&metadata);
        let sealed = key.seal(&self.root, journal.encode());
        disk.write(&mut file, &path, &sealed)?;
        disk.sync(&file, &path)?;
        disk.replace(&path, &self.journal())?;
        self.sync(disk)?;
        disk.sync_folder(&self.root)
    }

    /// Returns when the names in the folder are on the disk.
    pub(super) fn sync(&self, disk: &mut Disk<'_>) -> Result<(), ApplyError> {
        disk.sync_folder(&self.folder)
    }

    /// The files of the journal at `path`, one of those in the folder of `root`; none if there is
    /// no such journal.
    pub(super) fn load(root: &Path, path: &Path) -> Result<Option<Vec<Target>>, ApplyError> {
        if !exists(path) {
            return Ok(None);
        }
        let read = |error| ApplyError::io(Action::Read, path, error);
        let metadata = fs::symlink_metadata(path).map_err(read)?;
        if !metadata.is_file() || metadata.len() > MOST_BYTES {
            return Err(ApplyError::Obstacle {
                path: path.to_owned(),
            });
        }
        let bytes = regular_file::read_up_to(path, MOST_BYTES).map_err(read)?;
        let (content, seal) = seal::split(&bytes);
        let journal = Journal::decode(content).map_err(|error| match error {
            Unreadable::Damaged => ApplyError::Damaged {
                journal: path.to_owned(),
            },
            Unreadable::Version(version) => ApplyError::UnknownVersion {
                journal: path.to_owned(),
                version,
            },
        })?;
        let is_ours = Key::get(root)?.is_some_and(|key| key.fits(root, content, seal));
        if !is_ours {
            return Err(ApplyError::Foreign {
                journal: path.to_owned(),
            });
        }
        // Whose it is the seal has shown already: where git cannot be asked, that has to do.
        if git::is_tracked(path, root).unwrap_or(false) {
            return Err(ApplyError::Tracked {
                journal: path.to_owned(),
            });
        }
        if journal.mark != mark(&metadata)
            && let Some(harmful) = first_harmful(root, &journal)
        {
            return Err(ApplyError::Outside {
                journal: path.to_owned(),
                path: harmful.to_owned(),
            });
        }
        Ok(Some(targets(root, journal)))
    }

    /// Ends the run: takes the folder away if nothing in it is of use, and unlocks it.
    ///
    /// What cannot be taken away does no harm, and what the run did is done: no error.
    pub(super) fn close(self, disk: &mut Disk<'_>) {
        let at_work = [self.writing(), self.journal(), self.undoing()];
        let is_empty = undo_stack::records(&self.folder).is_ok_and(|records| records.is_empty());
        if !is_empty || at_work.iter().any(|path| exists(path)) {
            return;
        }
        clear(disk, &self.folder);
    }
}

/// Takes away all that makes a folder one of ours; not more, should there be more.
fn clear(disk: &mut Disk<'_>, folder: &Path) {
    // The lock last but one: from then on another run may use the folder.
    let _ = disk
        .remove(&folder.join(GITIGNORE))
        .and_then(|()| disk.remove(&folder.join(LOCK)))
        .and_then(|()| disk.remove_empty_folder(folder));
}

/// An error when the name of a file that is made here is taken by something else.
fn refuse_obstacles(folder: &Path) -> Result<(), ApplyError> {
    for name in [GITIGNORE, LOCK, WRITING] {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|about| !about.is_file()) {
            return Err(ApplyError::Obstacle { path });
        }
    }
    Ok(())
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether the state folder is there; a link in its place would lead who knows where.
fn is_there(folder: &Path) -> Result<bool, ApplyError> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(ApplyError::NoStateFolder {
            path: folder.to_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ApplyError::io(Action::Read, folder, error)),
    }
}

fn write_gitignore(disk: &mut Disk<'_>, folder: &Path) -> Result<(), ApplyError> {
    let path = folder.join(GITIGNORE);
    let mut file = disk.create(&path, false)?;
    disk.write(&mut file, &path, IGNORE_ALL)
}

/// The lock, locked; none if another run has it, or takes the folder away at the same time.
fn open_lock(disk: &mut Disk<'_>, folder: &Path) -> Result<Option<File>, ApplyError> {
    let path = folder.join(LOCK);
    if !is_there(folder)? {
        disk.create_folder(folder)?;
    }
    refuse_obstacles(folder)?;
    let lock = match open_file(disk, folder, &path) {
        Err(ApplyError::Io { reason, .. })
            if matches!(
                reason.kind(),
                ErrorKind::NotFound | ErrorKind::AlreadyExists
            ) =>
        {
            return Ok(None);
        }
        result => result?,
    };
    match lock.try_lock() {
        // A run that ended between our opening and our locking may have removed the file; then
        // others cannot see that it is locked.
        Ok(()) => Ok(is_same_file(&lock, &path).then_some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(ApplyError::io(Action::Lock, &path, error)),
    }
}

/// Opens a file to lock it: not through a link, and without waiting for whoever reads a pipe.
#[cfg(unix)]
fn open_plain(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(ErrorKind::InvalidInput.into())
    }
}

#[cfg(not(unix))]
fn open_plain(path: &Path) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    OpenOptions::new().write(true).open(path)
}

/// Opens the file that is locked; makes it if it is not there.
fn open_file(disk: &mut Disk<'_>, folder: &Path, path: &Path) -> Result<File, ApplyError> {
    // Before there is a lock that git could see.
    if !exists(&folder.join(GITIGNORE)) {
        write_gitignore(disk, folder)?;
    }
    match open_plain(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => disk.create(path, false),
        result => result.map_err(|error| ApplyError::io(Action::Lock, path, error)),
    }
}

#[cfg(unix)]
fn is_same_file(open: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: io::Result<fs::Metadata>| metadata.map(|m| (m.dev(), m.ino())).ok();
    let here = identity(open.metadata());
    here.is_some() && here == identity(fs::symlink_metadata(path))
}

#[cfg(not(unix))]
fn is_same_file(open: &File, path: &Path) -> bool {
    let here = open.try_clone().and_then(same_file::Handle::from_file);
    let there = same_file::Handle::from_path(path);
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

/// What tells a file from its copies. A journal carries the mark of the file that it is in: one
/// that came with an archive or a clone does not fit, and is not trusted to name files outside of
/// the root. Renaming and moving the repo within a file system keep it.
fn mark(metadata: &fs::Metadata) -> String {
    let created = metadata
        .created()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_nanos());
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let number = 0;
    format!("{number}-{created}")
}
