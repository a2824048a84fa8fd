//! `rehook verify` from the outside: what it runs, what it makes of the results, and how it exits.
//!
//! A shell script stands in for Python: it says what a test lets it say, so that these tests need
//! no Python and no agent, and see what the runner is asked.
#![cfg(unix)]

mod bench;
mod git;
mod migrated;
mod misbehaving;
mod requests;
mod results;
mod sides;
#[path = "../support/mod.rs"]
mod support;
