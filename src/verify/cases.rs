//! What is compared with what.
//!
//! A plugin whose webhooks are in the source is compared with what `migrate` would write; one that
//! is migrated already, with its original in a commit. A plugin may have both kinds; each is a case
//! of its own then.

pub(crate) mod baseline;
pub(crate) mod copy;
pub(crate) mod grouping;
pub(crate) mod layout;
pub(crate) mod migrated;
pub(crate) mod model;
pub(crate) mod plugin_source;
