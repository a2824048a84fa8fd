//! The route map as the configuration of servers that people run already.
//!
//! Invariants: what such a server cannot do is said in a comment where it would stand, so
//! that nobody believes it to be done; every text of the map is quoted in the way of that server, so
//! that no endpoint can become a directive.

mod caddy;
mod front;
mod legacy_urls;
mod nginx;

pub(crate) use caddy::caddy;
pub(crate) use front::{caddy_front, nginx_front};
pub(crate) use legacy_urls::Export;
pub(crate) use nginx::nginx;
