//! The compat server: every old webhook URL is answered by its new route on the agent.
//!
//! The way of a request: `connection` (one after another) -> `receive` (head and body, within
//! limits) -> `decide` (pure: framing, path, table) -> `serve` (doors, one agent) or `fanout`
//! (several) or `passthrough` -> `upstream` (a connection to the agent) -> `relay` (the reply).
//! Beside it: `config` and `table` (what is served), `preflight` (what has to be there first), `reload`, `metrics`, `log`, `record` (requests kept to be played again), and `admin`, the
//! axum application that the operator sees.
//!
//! Why HTTP/1.1 is read here and not by a server library: what such a library gives has been
//! settled already. Headers are grouped by name, a `Content-Length` beside a `Transfer-Encoding` is
//! gone, and whether a byte of a request was taken before a connection broke cannot be asked. A
//! signature over what came, and a webhook that arrives exactly once, need all three. The grammar
//! itself is `httparse`'s, the one that hyper reads with.
//!
//! What always holds: input can make the shim refuse, never panic; whatever two servers could read
//! in two ways is refused; no secret leaves the process.

pub mod admin;
mod answer;
mod chunked;
pub mod clock;
pub mod config;
mod connection;
pub mod decide;
pub mod doors;
mod drain;
pub mod export;
mod fanout;
mod forwarded;
mod framing;
pub mod head;
mod header;
pub mod log;
mod mask;
pub mod metrics;
pub mod open_files;
mod passthrough;
mod path;
mod pattern;
pub mod preflight;
mod receive;
pub mod record;
mod refuse;
mod relay;
pub mod reload;
mod reply;
mod request;
mod serve;
mod server;
mod signs;
mod start_line;
pub mod state;
pub mod table;
mod upstream;
mod via;
mod worker;

pub use refuse::Refusal;
pub use server::{Listeners, serve};
pub use worker::{Shared, UNIT};
