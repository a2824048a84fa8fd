//! Why a text has no tree.

/// What is wrong, and where.
pub(super) struct Rejection {
    pub(super) offset: usize,
    pub(super) reason: Reason,
}

pub(super) enum Reason {
    TooDeep,
    /// In the words of the parser.
    Syntax(String),
}
