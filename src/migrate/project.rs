//! The user's project on the disk: which Python files it has, and what git knows about them.

pub mod discover;
pub(crate) mod git;
