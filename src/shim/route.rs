//! What is served: the table of old URLs, how a path is found in it, and what is decided for a request.
//!
//! Invariants: a table never changes once it is built, a reload builds another one; a decision is a
//! pure function of the head of a request and the table.

pub mod build;
pub mod decide;
pub(crate) mod deprecation;
mod errors;
mod guard;
pub mod maps;
pub(crate) mod old_url;
pub(crate) mod pattern;
pub mod table;
