//! The rewrite rules, one file per rule. Each collects edits in drafts; none knows of another's edits.

pub(crate) mod aliases;
pub(crate) mod annotations;
pub(crate) mod doc_only_api;
pub(crate) mod native;
pub(crate) mod registration;
pub(crate) mod relayout;
pub(crate) mod reply;
pub(crate) mod router;
