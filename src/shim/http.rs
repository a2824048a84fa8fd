//! HTTP/1.1 as it stands on the wire: bytes in, values out.
//!
//! Invariants: nothing here reads or writes a socket, a clock or a table; whatever two servers could
//! read in two ways is rejected.

pub(crate) mod chunked;
pub(crate) mod delivery;
pub(crate) mod forwarded;
pub(crate) mod framing;
pub mod head;
pub(crate) mod header;
pub(crate) mod http_date;
pub(crate) mod rejection;
pub(crate) mod start_line;
pub(crate) mod target;
pub(crate) mod via;
