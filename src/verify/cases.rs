//! What is compared with what.
//!
//! A plugin whose webhooks are in the source is compared with what `migrate` would write; one that
//! is migrated already, with its original in a commit. A plugin may have both kinds; each is a case
//! of its own then.

pub mod baseline;
pub mod copy;
pub mod grouping;
pub mod layout;
pub mod migrated;
pub mod model;
pub mod plugin_source;
