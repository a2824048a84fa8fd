//! The Python process that runs both sides: which Python, what it is asked, and what it says.
//!
//! It runs untrusted code: what it says is believed no further than its form, is bounded in length and
//! time, and it ends with all that it has started.

pub(super) mod embedded;
pub mod job;
pub mod limits;
pub mod protocol;
pub mod python;
pub mod session;
pub mod temp_dir;
