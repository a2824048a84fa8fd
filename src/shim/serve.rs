//! A request from the socket to the reply.
//!
//! [`server`] accepts, a [`worker`] has the connections, [`connection`] takes one request after
//! another: [`read`] (head and body, within limits), [`handler`] (one agent), [`fanout`] (several)
//! or [`passthrough`] (anything else), all on an [`exchange`], then [`relay`].
//!
//! Invariants: a request is sent to an agent again only when no byte of it can have been processed; a
//! client that is slow or gone ends its own request and no other.

mod body;
pub(crate) mod connection;
mod departure;
mod exchange;
mod fanout;
pub(crate) mod handler;
pub(crate) mod idle;
mod local_response;
mod passthrough;
pub(crate) mod read;
pub(crate) mod relay;
pub(crate) mod server;
pub(crate) mod worker;
