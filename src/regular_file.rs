//! Reading files that somebody else may have put there: sources, route maps, settings.
//!
//! Why: a repo can hold a link to a device, or a pipe, in the place of any file. Opening a pipe waits
//! for a writer that never comes, `/dev/zero` never ends, and opening some devices does something.
//!
//! Invariants:
//! - Only regular files are read, through links too; what else is there is not even opened.
//! - Opening and reading never wait for somebody else.
//! - No more than [`MOST_BYTES`] are read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// The largest file that is read. Far above any that people write; CPython itself would take
/// gigabytes of memory for a source of that size.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The bytes of the regular file at `path`.
///
/// # Errors
/// As [`read_into`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_into(path, &mut bytes)?;
    Ok(bytes)
}

/// The bytes of the regular file at `path`, of which there are `most` at most.
///
/// # Errors
/// As [`read_into`].
pub fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_up_to_into(path, most, &mut bytes)?;
    Ok(bytes)
}

/// The text of the regular file at `path`.
///
/// # Errors
/// As [`read_into`]; and [`ErrorKind::InvalidData`] when it is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| ErrorKind::InvalidData.into())
}

/// Reads the regular file at `path` into `buffer`, in the place of what was in it.
///
/// # Errors
/// What the system says; [`ErrorKind::IsADirectory`] for a folder, [`ErrorKind::InvalidInput`] for
/// whatever else is not a regular file, [`ErrorKind::FileTooLarge`] above [`MOST_BYTES`].
pub fn read_into(path: &Path, buffer: &mut Vec<u8>) -> io::Result<()> {
    read_up_to_into(path, MOST_BYTES, buffer)
}

fn read_up_to_into(path: &Path, most: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.clear();
    let mut file = open(path)?;
    // What was opened, and not what had this name before.
    let metadata = file.metadata()?;
    check(&metadata, most)?;
    // One byte more than it has, so that its end is seen at once.
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    buffer.resize(size.saturating_add(1), 0);
    let result = fill(&mut file, most, buffer);
    buffer.truncate(*result.as_ref().unwrap_or(&0));
    result.map(drop)
}

/// Reads to the end of the file, which may have grown; the number of bytes.
fn fill(file: &mut File, most: u64, buffer: &mut Vec<u8>) -> io::Result<usize> {
    const STEP: usize = 64 * 1024;
    let mut filled = 0;
    loop {
        if filled as u64 > most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        if filled == buffer.len() {
            buffer.resize(filled + STEP, 0);
        }
        match file.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(filled),
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether what is at `path`, through links, can be read here, or is not there at all.
pub fn is_readable_or_missing(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => check(&metadata, MOST_BYTES).is_ok() && !is_of_the_system(path),
        Err(_) => true,
    }
}

fn check(metadata: &fs::Metadata, most: u64) -> io::Result<()> {
    if metadata.is_dir() {
        Err(ErrorKind::IsADirectory.into())
    } else if !metadata.is_file() {
        Err(ErrorKind::InvalidInput.into())
    } else if metadata.len() > most {
        Err(ErrorKind::FileTooLarge.into())
    } else {
        Ok(())
    }
}

/// Opens without waiting. A link is looked behind before it is followed, since opening a device may
/// do something.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;
    let open = |flags: OFlags| {
        // Nor does it become the terminal of this process.
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
        OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path)
    };
    open(OFlags::NOFOLLOW).or_else(|error| {
        // How large it may be is seen when it is open.
        check(&fs::metadata(path)?, u64::MAX)?;
        if !fs::symlink_metadata(path)?.is_symlink() {
            return Err(error);
        }
        if is_of_the_system(path) {
            return Err(ErrorKind::InvalidInput.into());
        }
        open(OFlags::empty())
    })
}

/// Elsewhere it is looked at through links before it is opened.
#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    check(&fs::metadata(path)?, u64::MAX)?;
    OpenOptions::new().read(true).open(path)
}

/// Whether a file is one of those in which Linux shows itself: regular by their kind, but reading
/// them may wait, have no end, or take away what is read (`/proc/kmsg`).
#[cfg(target_os = "linux")]
pub fn is_of_the_system(path: &Path) -> bool {
    /// `PROC_SUPER_MAGIC`, `SYSFS_MAGIC`, `TRACEFS_MAGIC` and `DEBUGFS_MAGIC` of `linux/magic.h`.
    const MAGIC: &[i128] = &[0x9fa0, 0x6265_6572, 0x7472_6163, 0x6462_6720];
    rustix::fs::statfs(path).is_ok_and(|system| MAGIC.contains(&i128::from(system.f_type)))
}

/// Elsewhere there are no such files.
#[cfg(not(target_os = "linux"))]
pub fn is_of_the_system(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests;
