//! The checks, one per file, each with its explanation above it.
//!
//! Invariants: a check is shown a place ([`super::context`]) and says what it finds there; no check
//! knows of another.

pub(super) mod authentication;
pub(super) mod blocking;
pub(super) mod header;
pub(super) mod secret;
pub(super) mod setting;
pub(super) mod signature;
pub(super) mod slow;
pub(super) mod task;
