//! Limits that messages name.

/// How many runs can be taken back.
pub(super) const MOST_RUNS: usize = 20;
