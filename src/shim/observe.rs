//! What an operator can see of the shim while it runs: log, metrics, counters that outlive it.
//!
//! Invariants: no secret leaves through here; what is counted is bounded by the table, never by what
//! senders send.

pub mod access_log;
pub mod counters_file;
pub(crate) mod disbelief;
pub(crate) mod failures;
pub mod fd_limit;
pub(crate) mod heartbeat;
pub(crate) mod log_file;
mod log_writer;
pub mod metrics;
pub(crate) mod prometheus;
pub(crate) mod recent_calls;
pub(crate) mod redact;
pub(crate) mod targets;
