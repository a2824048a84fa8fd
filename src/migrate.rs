//! The wing that moves plugins to dynamic routes: finds old webhooks, plans edits, shows or applies them.
//!
//! Every stage is a function from one value to the next: [`project`] gives files, [`find`] what they have of
//! the old API, [`plan`] the edits, which [`diff`] and [`report`] show and [`apply`] writes.
//!
//! Invariants:
//! - What is shown and what is written come from one [`plan::Plan`].
//! - Only [`apply`] writes to the disk.
//! - Only [`python`], [`find`] and [`lint`] name the types of the parser.

pub mod apply;
pub mod diagnostic;
pub mod diff;
pub mod edit;
pub(crate) mod emit;
pub mod find;
pub(crate) mod lint;
pub mod pipeline;
pub mod plan;
pub mod project;
pub mod python;
pub(crate) mod report;
pub mod source;
