//! A folder as a value: what its files hold, which of them may be executed, where links point.
//!
//! Equality is to the byte. Empty folders do not count, as they do not for git.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One file of a tree.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A file: its bytes, and whether it may be executed.
    File(Vec<u8>, bool),
    /// A symbolic link: where it points.
    Link(PathBuf),
}

/// The files of a folder by their paths relative to it, with `/` between the parts.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Tree(pub BTreeMap<String, Entry>);

impl Tree {
    /// Reads a folder, without the folders of that name at its top which are `left_out`.
    pub(crate) fn read(root: &Path, left_out: &[&str]) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.enter(root, "", left_out)?;
        Ok(tree)
    }

    fn enter(&mut self, folder: &Path, prefix: &str, left_out: &[&str]) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if left_out.contains(&path.as_str()) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                let target = fs::read_link(entry.path())?;
                self.0.insert(path, Entry::Link(target));
            } else if kind.is_dir() {
                self.enter(&entry.path(), &format!("{path}/"), left_out)?;
            } else {
                let bytes = fs::read(entry.path())?;
                let executable = is_executable(&entry.metadata()?);
                self.0.insert(path, Entry::File(bytes, executable));
            }
        }
        Ok(())
    }

    /// Writes the tree into a folder, which is made if it is not there.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        fs::create_dir_all(root)?;
        for (path, entry) in &self.0 {
            let path = root.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            match entry {
                Entry::File(bytes, executable) => {
                    fs::write(&path, bytes)?;
                    set_executable(&path, *executable)?;
                }
                Entry::Link(target) => link(target, &path)?,
            }
        }
        Ok(())
    }

    /// In what `self` is not what was expected, for a reader; nothing if it is.
    pub(crate) fn difference(&self, expected: &Self) -> Option<String> {
        let mut text = String::new();
        for path in expected.0.keys().filter(|path| !self.0.contains_key(*path)) {
            let _ = writeln!(text, "missing: {path}");
        }
        for (path, entry) in &self.0 {
            let Some(other) = expected.0.get(path) else {
                let _ = writeln!(text, "not expected: {path}\n{}", show(entry));
                continue;
            };
            if entry == other {
                continue;
            }
            let (is, should) = (show(entry), show(other));
            let diff = similar::TextDiff::from_lines(&should, &is);
            let mut unified = diff.unified_diff();
            let _ = writeln!(
                text,
                "{}",
                unified.header("expected", path).context_radius(3)
            );
        }
        (!text.is_empty()).then_some(text)
    }
}

/// The bytes so that every difference can be seen: line ends and what is not UTF-8 as escapes.
fn show(entry: &Entry) -> String {
    match entry {
        Entry::Link(target) => format!("link to {}", target.display()),
        Entry::File(bytes, executable) => {
            let mut text = if *executable {
                "(may be executed)\n".to_owned()
            } else {
                String::new()
            };
            for chunk in bytes.utf8_chunks() {
                text.push_str(
                    &chunk
                        .valid()
                        .replace('\r', "\\r")
                        .replace('\u{feff}', "\\ufeff"),
                );
                for byte in chunk.invalid() {
                    let _ = write!(text, "\\x{byte:02x}");
                }
            }
            text
        }
    }
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn set_executable(path: &Path, executable: bool) -> io::Result<()> {
    set_mode(path, if executable { 0o755 } else { 0o644 })
}

#[cfg(not(unix))]
fn set_executable(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

/// Gives a file or folder the mode, where there are modes.
#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Gives a file or folder the mode, where there are modes.
#[cfg(not(unix))]
pub fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}
