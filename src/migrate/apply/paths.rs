//! Paths in messages.

use std::path::PathBuf;

use crate::term;

/// Paths as one line.
pub(super) fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| term::path(path)).collect();
    paths.join(", ")
}
