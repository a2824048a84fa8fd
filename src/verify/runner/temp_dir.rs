//! The temporary folder, which goes however this program ends.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::user_error::UserError;
use crate::verify::error;
use crate::verify::runner::interrupt::{self, SignalGuard};

/// What the folders are called.
const PREFIX: &str = "rehook-verify-";

/// A file in each that is locked as long as its program lives: the system unlocks it however that
/// ends.
const LOCK: &str = "lock";

/// A folder for everything that is written.
#[derive(Debug)]
pub(crate) struct WorkDir {
    path: PathBuf,
    folder: Option<TempDir>,
    /// Locked until the end.
    _lock: File,
    /// Until the folder is gone: so it comes after it here.
    _signals: SignalGuard,
}

impl WorkDir {
    /// Makes it. From now on signals do not end this program, see [`interrupt`].
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new() -> Result<Self, UserError> {
        let place = env::temp_dir();
        let signals = interrupt::listen().map_err(error::io(&place))?;
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .map_err(error::io(&place))?;
        // Without links in it, as what is looked for in it has none either.
        let path = fs::canonicalize(folder.path()).map_err(error::io(folder.path()))?;
        let lock = lock(&path).map_err(error::io(&path))?;
        // After its own is locked, and it is not looked at.
        remove_left(&place, &path);
        Ok(Self {
            path,
            _lock: lock,
            folder: Some(folder),
            _signals: signals,
        })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Locks a folder.
fn lock(folder: &Path) -> io::Result<File> {
    // Only what is locked gets the name, so that nobody finds it unlocked before.
    let new = folder.join("lock.new");
    let file = File::create_new(&new)?;
    file.lock()?;
    fs::rename(&new, folder.join(LOCK))?;
    Ok(file)
}

/// Removes the folders of programs that were killed. One that cannot be removed, or of which it cannot
/// be told, stays: it does not belong to this run.
fn remove_left(place: &Path, own: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_one = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && path.file_name() != own.file_name()
            && is_alike(&path, own);
        // Opening what is not a file could wait for ever.
        let lock = path.join(LOCK);
        if !is_one || !lock.symlink_metadata().is_ok_and(|about| about.is_file()) {
            continue;
        }
        if let Ok(lock) = File::open(lock)
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Whether a folder belongs to the same user as another.
fn is_alike(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let user = |path: &Path| path.symlink_metadata().map(|about| about.uid()).ok();
        user(one).is_some() && user(one) == user(other)
    }
    #[cfg(not(unix))]
    {
        let _ = (one, other);
        true
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        drop(self.folder.take());
        // What was ended a moment ago may have written to it meanwhile.
        for _ in 0..100 {
            match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    thread::sleep(Duration::from_millis(20));
                }
                _ => return,
            }
        }
    }
}
