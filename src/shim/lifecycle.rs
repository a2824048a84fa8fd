//! From the start to the end: what has to be there first, and configurations that change meanwhile.
//!
//! Invariants: a configuration is checked whole before any of it is used; a wrong one leaves the
//! old one in place.

mod inherited;
pub mod preflight;
pub mod reload;
pub(crate) mod start;
mod targets;
