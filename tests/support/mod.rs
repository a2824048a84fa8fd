//! What the test binaries share: trees in memory, a repo in a temporary folder, and the judgement
//! of CPython and ruff.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub mod edits;
pub mod python;
pub mod repo;
pub mod tree;

use std::path::{Path, PathBuf};

/// The root of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the fixtures are.
pub fn fixtures() -> PathBuf {
    project().join("fixtures")
}
