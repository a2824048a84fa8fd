//! The agent, seen from the shim: connections to it, what is sent, and what is read of its reply.
//!
//! Invariants: a connection is used again only after a reply that was read whole; whether a byte of
//! a request was taken is known at any time.

pub(crate) mod agent;
pub(crate) mod call;
pub(crate) mod dial;
pub(crate) mod pool;
pub(crate) mod request_head;
pub(crate) mod response_body;
pub(crate) mod stream;
