//! Whether a file is still the one that was read: by its time of change, size and number.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A file, and what tells whether it is still the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Time of change, size and number; none when it is not there.
    state: Option<(i64, i64, u64, u64)>,
}

impl FileStamp {
    /// The file as it is now.
    pub(crate) fn of(path: &PathBuf) -> Self {
        let data = std::fs::metadata(path).ok();
        Self {
            path: path.clone(),
            state: data.map(|data| (data.mtime(), data.mtime_nsec(), data.size(), data.ino())),
        }
    }
}
