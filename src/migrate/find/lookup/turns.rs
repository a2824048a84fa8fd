//! What the names around a call stand for, each time that it runs.
//!
//! - [`loops`]: loops over literals; [`displays`]: the values that they give.
//! - [`registrar`]: functions of the author that register for their callers.
//!
//! Invariant: the turns are all that there are, or none are given.

mod displays;
pub(in crate::migrate::find) mod loops;
pub(in crate::migrate::find) mod registrar;
