//! In which repo a path is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The root of the repo that `path` (a file or a folder, there or not) is in, without links: the
/// nearest folder upwards with a `.git`, which is a folder, or a file in worktrees and submodules.
pub(crate) fn repo_root(path: &Path) -> Option<PathBuf> {
    let real = real(path)?;
    real.ancestors()
        .find(|folder| is_git(&folder.join(".git")))
        .map(Path::to_owned)
}

/// Git passes over a folder of that name that is not a repo, and so do we.
fn is_git(path: &Path) -> bool {
    path.is_file() || path.join("HEAD").symlink_metadata().is_ok()
}

/// A path without links, of which the last part need not be there.
pub(super) fn real(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = dunce::canonicalize(path) {
        return Some(real);
    }
    let path = std::path::absolute(path).ok()?;
    let name = path.file_name().unwrap_or(OsStr::new(""));
    match dunce::canonicalize(path.parent()?) {
        Ok(folder) => Some(folder.join(name)),
        Err(_) => Some(path.clone()),
    }
}
