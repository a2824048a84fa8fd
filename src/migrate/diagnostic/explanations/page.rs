//! An explanation as it is written down.

/// An explanation as it is written down.
pub(super) struct Page {
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}
