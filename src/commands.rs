//! One module a command: the only place where stages and I/O meet.

pub mod routes;
pub mod shim;
