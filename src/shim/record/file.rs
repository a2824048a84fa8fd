//! The file that requests are recorded in.
//!
//! Invariants: only its owner can read it; lines are put at the end of a recording or of a new
//! file, and a file that holds something else is left as it is.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde_json::Value;

use super::entry::LARGEST_BODY;
use crate::term;
use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

/// What only the owner may do.
const FOR_THE_OWNER: u32 = 0o600;
/// No line is longer: a byte of a body takes up to six in JSON, and headers come to it.
const LONGEST_LINE: u64 = 8 * LARGEST_BODY as u64;

/// That requests cannot be recorded at `path`, why, and the remedy.
pub(super) fn cannot_record(path: &Path, error: &io::Error) -> UserError {
    let (path, reason) = (term::path(path), translate::io_error(error));
    let (en, zh) = reason.both();
    UserError::new(
        text!(
            "requests cannot be recorded in {path}: {en}",
            "无法把请求记录到 {path}：{zh}"
        ),
        text!(
            "check the path given to --record and its permissions",
            "请检查 --record 给出的路径和权限"
        ),
    )
}

/// Opens the file at `path` for more lines.
pub(super) fn open(path: &Path) -> Result<File, UserError> {
    let mut file = to_append(path)?;
    let system = |error: io::Error| cannot_record(path, &error);
    let data = file.metadata().map_err(system)?;
    if !data.is_file() {
        return Ok(file);
    }
    if data.permissions().mode() & 0o777 != FOR_THE_OWNER {
        file.set_permissions(Permissions::from_mode(FOR_THE_OWNER))
            .map_err(system)?;
    }
    // A process that was killed, or a full disk, may have left half of a line.
    let is_whole = data.len() == 0 || last_byte(path).map_err(system)? == b'\n';
    if !is_whole {
        file.write_all(b"\n").map_err(system)?;
    }
    Ok(file)
}

/// Puts a line at the end of the file, or nothing: what was written of it when the disk is full is
/// taken back, so that the next line does not follow half of this one.
pub(super) fn append(file: &mut File, line: &[u8]) -> io::Result<()> {
    let mut written = 0;
    let failed = loop {
        if written == line.len() {
            return Ok(());
        }
        match file.write(&line[written..]) {
            Ok(0) => break io::ErrorKind::WriteZero.into(),
            Ok(taken) => written += taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break error,
        }
    };
    if written > 0 {
        let data = file.metadata()?;
        if data.is_file() {
            file.set_len(data.len().saturating_sub(written as u64))?;
        }
    }
    Err(failed)
}

/// Whether requests could be recorded at `path`; nothing is left behind. If not, why, and the remedy.
pub(crate) fn probe(path: &Path) -> Result<(), UserError> {
    let is_new = !path.exists();
    to_append(path)?;
    match is_new {
        true => std::fs::remove_file(path).map_err(|error| cannot_record(path, &error)),
        false => Ok(()),
    }
}

fn to_append(path: &Path) -> Result<File, UserError> {
    let system = |error: io::Error| cannot_record(path, &error);
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FOR_THE_OWNER)
        .open(path);
    let file = opened.map_err(system)?;
    let data = file.metadata().map_err(system)?;
    // What is not a plain file, a pipe for instance, must not be read.
    if data.is_file() && data.len() > 0 && !begins_with_a_request(path).map_err(system)? {
        let path = term::path(path);
        return Err(UserError::new(
            text!(
                "requests cannot be recorded in {path}: it holds something else, and is left as it is",
                "无法把请求记录到 {path}：其中是别的内容，未作改动"
            ),
            text!(
                "name another file with --record, or remove it",
                "请用 --record 指定另一个文件，或删除它"
            ),
        ));
    }
    Ok(file)
}

fn begins_with_a_request(path: &Path) -> io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?.take(LONGEST_LINE)).read_until(b'\n', &mut line)?;
    let value: Option<Value> = serde_json::from_slice(&line).ok();
    Ok(value.is_some_and(|value| value["path"].is_string()))
}

fn last_byte(path: &Path) -> io::Result<u8> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        probe(&path).unwrap();
        assert!(!path.exists());
        drop(open(&path).unwrap());
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        drop(open(&path).unwrap());
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn lines_are_put_behind_a_recording_and_behind_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let half = "{\"path\":\"/a\"}\n{\"path\":\"/b\",\"bo";
        for (before, after) in [
            ("", Some("x")),
            ("{\"path\": \"/a\"}\n", Some("{\"path\": \"/a\"}\nx")),
            (half, Some(&*format!("{half}\nx"))),
            ("version = 1\n", None),
            ("{\"urls\": {}}\n", None),
            ("{\n  \"path\": \"/a\"\n}\n", None),
        ] {
            std::fs::write(&path, before).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            assert_eq!(probe(&path).is_ok(), after.is_some(), "{before}");
            let file = open(&path);
            assert_eq!(file.is_ok(), after.is_some(), "{before}");
            if let Ok(mut file) = file {
                file.write_all(b"x").unwrap();
            } else {
                let mode = std::fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o644);
            }
            let now = std::fs::read_to_string(&path).unwrap();
            assert_eq!(now, after.unwrap_or(before));
        }
    }
}
