//! Registrations that get in each other's way, in one plugin or across plugins.
//!
//! Invariant: where it cannot be known which of them would answer, all that may is left as it is.

pub(crate) mod duplicates;
pub(crate) mod shared_keys;
pub(crate) mod unclear;
