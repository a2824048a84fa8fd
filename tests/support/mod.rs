//! What the test binaries share: trees in memory, a repo in a temporary folder, and the judgement
//! of CPython and ruff.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod edits;
pub(crate) mod python;
pub(crate) mod repo;
pub(crate) mod tree;

use std::path::{Path, PathBuf};

/// The root of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the fixtures are.
pub(crate) fn fixtures() -> PathBuf {
    project().join("fixtures")
}
