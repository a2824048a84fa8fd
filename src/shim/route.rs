//! What is served: the table of old URLs, how a path is found in it, and what is decided for a request.
//!
//! Invariants: a table never changes once it is built, a reload builds another one; a decision is a
//! pure function of the head of a request and the table.

#[cfg(target_os = "linux")]
pub mod build;
#[cfg(target_os = "linux")]
pub mod decide;
#[cfg(target_os = "linux")]
pub(crate) mod deprecation;
#[cfg(target_os = "linux")]
mod errors;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
pub mod maps;
#[cfg(target_os = "linux")]
pub(crate) mod old_url;
pub(crate) mod pattern;
#[cfg(target_os = "linux")]
pub mod table;
