//! The compat server: every old webhook URL is answered by its new route on the agent.
//!
//! Data flow: [`serve`] reads it (head and body, within limits), [`route`] decides from its
//! head what is to be done (pure: framing, path, table), [`auth`] says whether it may, [`upstream`] has
//! the connections to the agent, and `serve` relays the reply: of one agent, of several, or of
//! whatever else is passed through. [`http`] is the protocol itself, bytes in, values out.
//!
//! Beside it: [`config`] (what the operator wrote), [`lifecycle`] (the start, reloads), [`observe`] (log,
//! metrics, counters), [`record`] (requests kept to be played again), [`export`] (the same routes as
//! configuration of another proxy), [`admin`], the axum application that the operator sees, [`status`],
//! which asks that application from a terminal, and [`retire`], which takes an old URL out of the map.
//!
//! Why HTTP/1.1 is read here and not by a server library: what such a library gives has been
//! settled already. Headers are grouped by name, a `Content-Length` beside a `Transfer-Encoding` is
//! gone, and whether a byte of a request was taken before a connection broke cannot be asked. A
//! signature over what came, and a webhook that arrives exactly once, need all three. The grammar
//! itself is `httparse`'s, the one that hyper reads with.
//!
//! Linux only, for now; elsewhere [`export`] is there with what it needs, so that a route map can be
//! written for another server.
//!
//! Invariants: input can make the shim reject, never panic; whatever two servers could read
//! in two ways is rejected; no secret leaves the process.

#[cfg(target_os = "linux")]
pub mod admin;
#[cfg(target_os = "linux")]
pub(crate) mod auth;
#[cfg(target_os = "linux")]
pub mod config;
pub(crate) mod export;
pub mod http;
#[cfg(target_os = "linux")]
pub mod lifecycle;
#[cfg(target_os = "linux")]
pub mod observe;
#[cfg(target_os = "linux")]
pub mod record;
#[cfg(target_os = "linux")]
pub(crate) mod retire;
pub mod route;
#[cfg(target_os = "linux")]
pub(crate) mod serve;
#[cfg(target_os = "linux")]
pub(crate) mod status;
#[cfg(target_os = "linux")]
pub(crate) mod upstream;

pub use http::rejection::Rejection;
pub use http::upstream_url::UpstreamUrl;
#[cfg(target_os = "linux")]
pub use serve::server::{Listeners, serve};
#[cfg(target_os = "linux")]
pub use serve::worker::{ServerState, UNIT};
