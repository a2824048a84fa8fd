//! The Python process that runs both sides: which Python, what it is asked, and what it says.
//!
//! It runs untrusted code: what it says is believed no further than its form, is bounded in length and
//! time, and it ends with all that it has started.

pub(super) mod embedded;
pub(crate) mod interrupt;
pub(crate) mod job;
pub(crate) mod limits;
pub(crate) mod process;
pub(crate) mod protocol;
pub(crate) mod python;
pub(crate) mod session;
pub(crate) mod temp_dir;
