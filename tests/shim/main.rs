//! The shim, called as senders call it: bytes into a socket, bytes out of it.
//!
//! Every test takes ports that the system gives it, and none depends on the time of day or on the
//! order in which tests run. What is bounded in time is bounded generously.

mod support;

mod admin;
mod agent;
mod auth;
mod command;
mod export;
mod faults;
mod forwarding;
mod framing;
mod fuzz;
mod gone;
mod legacy_token;
mod limits;
mod load;
mod loops;
mod maps;
mod migrated;
mod page;
mod passthrough;
mod probes;
mod record;
mod several;
mod sockets;
mod stalled;
mod status;
mod stopping;
mod targets;
mod traces;
mod waiting;
