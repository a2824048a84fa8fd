//! Shows for a user's own plugins that the migrated routes behave as the webhooks did, by running
//! both: in Python processes, on copies, without network.
//!
//! [`cases`] says what is compared with what, [`copy`] and [`baseline`] lay both sides out in a
//! temporary folder ([`temp_dir`]), [`session`] starts the program in `pysrc/` and reads what it
//! says ([`protocol`]), [`results`] brings that together with what was to be verified, and
//! [`report`] makes sentences of it.
//!
//! Invariants:
//! - Nothing of the user's is written to; the sides are copies, and everything that the plugins
//!   write goes into the temporary folder.
//! - Every webhook and every route that was to be verified is in the result, whatever happens to
//!   the process that runs them.
//! - What that process says is bounded in length and time, and it ends with everything that it has
//!   started.
//! - A signal that asks this program to end leaves nothing of it behind ([`interrupt`]).

pub mod baseline;
pub mod cases;
pub mod copy;
pub mod error;
pub mod interrupt;
pub mod job;
pub mod plugin_source;
mod process;
pub mod protocol;
pub mod python;
pub mod report;
pub mod requests;
pub mod results;
mod runner;
pub mod session;
pub mod temp_dir;
