//! The journal of a migration: which files, with which bytes before and after. Pure.
//!
//! One file, so that renaming it is what turns "at work" into "done":
//!
//! ```text
//! rehook journal 1
//! tag 0123456789abcdef mark 42-1700000000 files 2
//! file 7 644 120 150
//! <7 bytes of path><120 bytes before><150 bytes after>
//! file 19 - - 310
//! <19 bytes of path><310 bytes after>
//! check 0123456789abcdef
//! ```
//!
//! Invariants:
//! - Contents and paths are raw bytes: nothing is re-encoded, so everything comes back to the byte.
//! - The last line is a checksum of all before it. A journal that does not fit it is not used.
//! - A relative path has only plain components: it cannot leave the root by `..`.

use std::path::{Component, Path, PathBuf};

/// The first words of a journal; the version of the format follows.
const MAGIC: &str = "rehook journal ";
/// The version that is written and read.
const VERSION: &str = "1";

/// One of the two states of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// As it was.
    Before,
    /// As the migration makes it.
    After,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
        }
    }
}

/// A file of the migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Relative to the root if inside it, else absolute; no link in it when it was written.
    pub(super) path: PathBuf,
    /// The permission bits; none for a new file, or where the system has none.
    pub(super) mode: Option<u32>,
    /// None for a file that the migration makes.
    pub(super) before: Option<Vec<u8>>,
    /// Never the same as `before`.
    pub(super) after: Vec<u8>,
}

impl Entry {
    /// The bytes of the file on a side; none if there is no file.
    pub(super) fn contents(&self, side: Side) -> Option<&[u8]> {
        match side {
            Side::Before => self.before.as_deref(),
            Side::After => Some(&self.after),
        }
    }
}

/// All files of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Journal {
    /// Part of the names of the temporary files, so that they can be found again.
    pub(super) tag: u64,
    /// The mark of the file that the journal was written to.
    pub(super) mark: String,
    pub(super) entries: Vec<Entry>,
}

/// Why bytes are not a journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// They are not what was written.
    Damaged,
    /// They are of another version.
    Version(String),
}

impl Journal {
    /// The bytes of the file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = format!(
            "{MAGIC}{VERSION}\ntag {:016x} mark {} files {}\n",
            self.tag,
            self.mark,
            self.entries.len()
        )
        .into_bytes();
        for entry in &self.entries {
            let path = path_bytes(&entry.path);
            let mode = entry
                .mode
                .map_or("-".to_owned(), |mode| format!("{mode:o}"));
            let before = entry.before.as_ref();
            let length = before.map_or("-".to_owned(), |before| before.len().to_string());
            let header = format!(
                "file {} {mode} {length} {}\n",
                path.len(),
                entry.after.len()
            );
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(&path);
            bytes.extend_from_slice(before.map_or(&[], Vec::as_slice));
            bytes.extend_from_slice(&entry.after);
            bytes.push(b'\n');
        }
        let check = format!("check {:016x}\n", checksum(&bytes));
        bytes.extend_from_slice(check.as_bytes());
        bytes
    }

    /// The journal that `bytes` are.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(bytes);
        let version = reader
            .line()
            .and_then(|line| line.strip_prefix(MAGIC))
            .ok_or(Unreadable::Damaged)?;
        if version != VERSION {
            return Err(if version.bytes().all(|b| b.is_ascii_digit()) {
                Unreadable::Version(version.to_owned())
            } else {
                Unreadable::Damaged
            });
        }
        Self::decode_body(bytes, reader).ok_or(Unreadable::Damaged)
    }

    fn decode_body(bytes: &[u8], mut reader: Reader<'_>) -> Option<Self> {
        let last = b"check 0123456789abcdef\n".len();
        let body = bytes.get(..bytes.len().checked_sub(last)?)?;
        if bytes.get(body.len()..)? != format!("check {:016x}\n", checksum(body)).as_bytes() {
            return None;
        }
        let ["tag", tag, "mark", mark, "files", count] = reader.words()?[..] else {
            return None;
        };
        let mut entries = Vec::new();
        for _ in 0..count.parse::<usize>().ok()? {
            let ["file", path, mode, before, after] = reader.words()?[..] else {
                return None;
            };
            let (path, after) = (path.parse().ok()?, after.parse().ok()?);
            let mode = match mode {
                "-" => None,
                mode => Some(u32::from_str_radix(mode, 8).ok()? & 0o777),
            };
            let before = match before {
                "-" => None,
                length => Some(length.parse().ok()?),
            };
            let path = path_from_bytes(reader.bytes(path)?)?;
            let before = match before {
                Some(length) => Some(reader.bytes(length)?.to_vec()),
                None => None,
            };
            let after = reader.bytes(after)?.to_vec();
            if reader.bytes(1)? != b"\n" || !is_plain(&path) {
                return None;
            }
            entries.push(Entry {
                path,
                mode,
                before,
                after,
            });
        }
        (reader.0.len() == last).then_some(Self {
            tag: u64::from_str_radix(tag, 16).ok()?,
            mark: mark.to_owned(),
            entries,
        })
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn line(&mut self) -> Option<&'a str> {
        let end = memchr::memchr(b'\n', self.0)?;
        let line = std::str::from_utf8(&self.0[..end]).ok()?;
        self.0 = &self.0[end + 1..];
        Some(line)
    }

    fn words(&mut self) -> Option<Vec<&'a str>> {
        Some(self.line()?.split(' ').collect())
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// Whether a path is absolute, or stays below the root by its own components.
fn is_plain(path: &Path) -> bool {
    path.is_absolute()
        || (path.components().next().is_some()
            && path
                .components()
                .all(|part| matches!(part, Component::Normal(_))))
}

/// FNV-1a: it finds damage, and does not protect against intent.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(unix)]
fn path_from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    (!bytes.contains(&0)).then(|| PathBuf::from(OsStr::from_bytes(bytes)))
}

/// A name that is no Unicode becomes another here; it is not found again, which is an error and
/// no loss.
#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
fn path_from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(String::from_utf8(bytes.to_vec()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        let entry = |path: &str, before: Option<&[u8]>, after: &[u8]| Entry {
            path: PathBuf::from(path),
            mode: before.map(|_| 0o640),
            before: before.map(<[u8]>::to_vec),
            after: after.to_vec(),
        };
        Journal {
            tag: 7,
            mark: "12-0".to_owned(),
            entries: vec![
                entry("a b/文.py", Some(b"check 1\n\0\xff"), b""),
                entry("new\nline", None, b"file 1\r\n"),
                entry("/outside", Some(b""), b"x"),
            ],
        }
    }

    #[test]
    fn a_journal_comes_back_as_it_was() {
        assert_eq!(Journal::decode(&journal().encode()), Ok(journal()));
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let bytes = journal().encode();
        for end in 0..bytes.len() {
            assert_eq!(Journal::decode(&bytes[..end]), Err(Unreadable::Damaged));
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert!(Journal::decode(&bytes).is_err(), "byte {at}");
        }
        assert!(Journal::decode(&[bytes, b"\n".to_vec()].concat()).is_err());
    }

    #[test]
    fn another_version_is_told_from_damage() {
        assert_eq!(
            Journal::decode(b"rehook journal 12\nwhatever"),
            Err(Unreadable::Version("12".to_owned()))
        );
    }

    #[test]
    fn a_path_that_climbs_out_is_refused() {
        for path in ["../x", "a/../../x", ".", ""] {
            let mut journal = journal();
            journal.entries[0].path = PathBuf::from(path);
            assert_eq!(
                Journal::decode(&journal.encode()),
                Err(Unreadable::Damaged),
                "{path}"
            );
        }
    }
}
