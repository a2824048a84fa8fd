//! The temporary folder, which goes however this program ends.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::error::VerifyError;
use super::interrupt::{self, Listening};

/// A folder for everything that is written.
#[derive(Debug)]
pub struct Workplace {
    path: PathBuf,
    folder: Option<TempDir>,
    /// Until the folder is gone: so it comes after it here.
    _listening: Listening,
}

impl Workplace {
    /// Makes it. From now on signals do not end this program, see [`interrupt`].
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self, VerifyError> {
        let place = env::temp_dir();
        let listening = interrupt::listen().map_err(VerifyError::io(&place))?;
        let folder = tempfile::Builder::new()
            .prefix("rehook-verify-")
            .tempdir()
            .map_err(VerifyError::io(&place))?;
        // Without links in it, as what is looked for in it has none either.
        let path = fs::canonicalize(folder.path()).map_err(VerifyError::io(folder.path()))?;
        Ok(Self {
            path,
            folder: Some(folder),
            _listening: listening,
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Workplace {
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
