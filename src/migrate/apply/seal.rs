//! What shows that a journal was written by this user's `rehook`, for this working tree.
//!
//! Why: `.rehook` can come with an archive or a clone. Whoever made that knows everything which is in
//! it, and could plant a journal whose bytes and modes would be carried out. So each journal ends
//! with a code that only a key can make which is nowhere in the tree: HMAC-SHA-256 (RFC 2104) over the
//! path of the root and all that is before. A journal without it, with another one, or in another
//! place than the one it was made for is not carried out.
//!
//! Invariants:
//! - The key is 32 random bytes in the user's own state folder (XDG Base Directory), readable by the
//!   user alone; one that others may read or write is not used, nor one in the tree itself, which
//!   could have come with it.
//! - It never changes once it is there: of two processes that make one at the same time, both use
//!   the same.

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use hmac::digest::common::Key as Block;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::error::ApplyError;
use crate::regular_file;

const FOLDER: &str = "rehook";
const FILE: &str = "journal-key";
const LENGTH: usize = 32;

/// What the last line of a sealed journal begins with; 64 hexadecimal digits follow.
const LINE: &[u8] = b"seal ";
const LINE_LENGTH: usize = LINE.len() + 2 * LENGTH + 1;

/// The key of this user.
pub(super) struct Key([u8; LENGTH]);

impl Key {
    /// The key for the tree at `root`, which is without links; it is made when there is none.
    pub(super) fn get_or_make(root: &Path) -> Result<Self, ApplyError> {
        let folder = folder()?;
        refuse_inside(root, &folder)?;
        Self::get_or_make_in(&folder)
    }

    /// The key for the tree at `root`, which is without links; none when none was made yet, so that
    /// nothing can have been sealed.
    pub(super) fn get(root: &Path) -> Result<Option<Self>, ApplyError> {
        match folder() {
            Ok(folder) => {
                refuse_inside(root, &folder)?;
                Self::get_in(&folder)
            }
            // Where there is no place for one, there is none.
            Err(_) => Ok(None),
        }
    }

    fn get_in(folder: &Path) -> Result<Option<Self>, ApplyError> {
        let path = folder.join(FILE);
        let metadata = match fs::symlink_metadata(&path) {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            result => result.map_err(|error| ApplyError::no_key(&path, error))?,
        };
        if !metadata.is_file() || !is_private(&metadata) {
            return Err(ApplyError::UnsafeKey { path });
        }
        let bytes = regular_file::read(&path).map_err(|error| ApplyError::no_key(&path, error))?;
        match bytes.try_into() {
            Ok(key) => Ok(Some(Self(key))),
            Err(_) => Err(ApplyError::UnsafeKey { path }),
        }
    }

    fn get_or_make_in(folder: &Path) -> Result<Self, ApplyError> {
        if let Some(key) = Self::get_in(folder)? {
            return Ok(key);
        }
        let path = folder.join(FILE);
        make(folder, &path).map_err(|error| ApplyError::no_key(&path, error))?;
        let made = Self::get_in(folder)?;
        made.ok_or_else(|| ApplyError::no_key(&path, ErrorKind::NotFound.into()))
    }

    /// `journal` with its seal behind it, for the tree at `root`, which is without links.
    pub(super) fn seal(&self, root: &Path, journal: Vec<u8>) -> Vec<u8> {
        let code = self.code(root, &journal).finalize().into_bytes();
        let mut sealed = journal;
        sealed.extend_from_slice(LINE);
        for byte in code {
            // Cannot fail: it is memory.
            let _ = write!(sealed, "{byte:02x}");
        }
        sealed.push(b'\n');
        sealed
    }

    /// Whether `seal`, as [`split`] gives it, is the one of `journal` in the tree at `root`.
    pub(super) fn fits(&self, root: &Path, journal: &[u8], seal: &[u8]) -> bool {
        let mut code = [0; LENGTH];
        for (byte, digits) in code.iter_mut().zip(seal.chunks(2)) {
            let value = std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let Some(value) = value else { return false };
            *byte = value;
        }
        seal.len() == 2 * LENGTH && self.code(root, journal).verify_slice(&code).is_ok()
    }

    fn code(&self, root: &Path, journal: &[u8]) -> Hmac<Sha256> {
        let root = root.as_os_str().as_encoded_bytes();
        // A key that is shorter than a block stands for itself with zeros behind it (RFC 2104).
        let mut block = Block::<Hmac<Sha256>>::default();
        block[..LENGTH].copy_from_slice(&self.0);
        let mut code = Hmac::<Sha256>::new(&block);
        code.update(b"rehook journal\0");
        code.update(&(root.len() as u64).to_be_bytes());
        code.update(root);
        code.update(journal);
        code
    }
}

/// A journal and the digits of its seal; no digits where there is none.
pub(super) fn split(sealed: &[u8]) -> (&[u8], &[u8]) {
    let whole = (sealed, &[][..]);
    let Some(at) = sealed.len().checked_sub(LINE_LENGTH) else {
        return whole;
    };
    let (journal, line) = sealed.split_at(at);
    let digits = line
        .strip_prefix(LINE)
        .and_then(|line| line.strip_suffix(b"\n"));
    digits.map_or(whole, |digits| (journal, digits))
}

/// The folder of this user's state (XDG Base Directory Specification 0.8).
#[cfg(not(test))]
fn folder() -> Result<PathBuf, ApplyError> {
    let named = STATE_VARIABLES.iter().filter_map(env::var_os);
    let state = named.map(PathBuf::from).find(|path| path.is_absolute());
    folder_of(state, env::home_dir()).ok_or(ApplyError::NoHome)
}

/// The variables that name it: that of the specification, and what Windows has for it.
#[cfg(not(test))]
const STATE_VARIABLES: &[&str] = if cfg!(windows) {
    &["XDG_STATE_HOME", "LOCALAPPDATA"]
} else {
    &["XDG_STATE_HOME"]
};

/// Tests leave the user's own folder alone.
#[cfg(test)]
fn folder() -> Result<PathBuf, ApplyError> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/rehook-state"))
}

/// A relative path in the variable is as good as none, by that specification; and would be in
/// whatever folder is the current one.
#[cfg_attr(test, allow(dead_code, reason = "called by the tests"))]
fn folder_of(state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let state = state.filter(|path| path.is_absolute());
    let home = home.filter(|path| path.is_absolute());
    let base = state.or_else(|| Some(home?.join(".local/state")))?;
    Some(base.join(FOLDER))
}

/// An error when the key would be in the tree whose journals it seals: where `HOME` is the folder of
/// a clone or an archive, as in some containers, its author could have put one there.
fn refuse_inside(root: &Path, folder: &Path) -> Result<(), ApplyError> {
    let there = folder
        .ancestors()
        .find_map(|path| dunce::canonicalize(path).ok());
    let is_inside = folder.starts_with(root) || there.is_some_and(|path| path.starts_with(root));
    if is_inside {
        return Err(ApplyError::KeyInside {
            path: folder.join(FILE),
        });
    }
    Ok(())
}

/// Makes the key at `path`, unless another process has made one meanwhile.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    create_folders(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".journal-key-")
        .tempfile_in(folder)?;
    file.write_all(&random()?)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(unix)]
fn create_folders(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn create_folders(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn random() -> io::Result<[u8; LENGTH]> {
    use std::io::Read as _;
    let mut bytes = [0; LENGTH];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Elsewhere from what the system gives the hashes of the standard library.
#[cfg(not(unix))]
fn random() -> io::Result<[u8; LENGTH]> {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut bytes = [0; LENGTH];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&RandomState::new().build_hasher().finish().to_ne_bytes());
    }
    Ok(bytes)
}

/// Whether this user alone can read and write a file.
#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests;
