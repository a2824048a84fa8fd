//! How much a diagnostic matters.

/// How much a diagnostic matters to the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Advice: it never changes an exit code.
    Advice,
    /// Something is left to do by hand.
    Manual,
    /// The file could not be read.
    Error,
}
