//! HTTP/1.1 as it stands on the wire: bytes in, values out.
//!
//! Invariants: nothing here reads or writes a socket, a clock or a table; whatever two servers could
//! read in two ways is rejected.

#[cfg(target_os = "linux")]
pub(crate) mod chunked;
#[cfg(target_os = "linux")]
pub(crate) mod delivery;
#[cfg(target_os = "linux")]
pub(crate) mod forwarded;
#[cfg(target_os = "linux")]
pub(crate) mod framing;
#[cfg(target_os = "linux")]
pub mod head;
#[cfg(target_os = "linux")]
pub(crate) mod header;
pub(crate) mod http_date;
pub(crate) mod rejection;
#[cfg(target_os = "linux")]
pub(crate) mod start_line;
pub(crate) mod target;
pub(crate) mod upstream_url;
#[cfg(target_os = "linux")]
pub(crate) mod via;
