//! The file that the log is written to, where it is not the standard error.
//!
//! Invariants: lines are put at its end; those who are neither its owner nor in its group cannot read it,
//! since it names the addresses of senders.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::term;
use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

/// What the owner and the group may do with a new file.
const MODE: u32 = 0o640;

/// Opens the file at `path` for more lines.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(MODE)
        .open(path)
}

/// Whether the log could be written to `path`; nothing is left behind. If not, why, and the remedy.
pub(crate) fn probe(path: &Path) -> Result<(), UserError> {
    let is_new = !path.exists();
    let opened = open(path).and_then(|_| match is_new {
        true => std::fs::remove_file(path),
        false => Ok(()),
    });
    opened.map_err(|error| cannot_log(path, &error))
}

/// That the log cannot be written to `path`, why, and the remedy.
pub(crate) fn cannot_log(path: &Path, error: &io::Error) -> UserError {
    let (path, reason) = (term::path(path), translate::io_error(error));
    let (en, zh) = reason.both();
    UserError::new(
        text!(
            "the log cannot be written to {path}: {en}",
            "无法把日志写入 {path}：{zh}"
        ),
        text!(
            "check the path given to --log-file or `log_file`, and its permissions",
            "请检查 --log-file 或 `log_file` 给出的路径和权限"
        ),
    )
}
