//! The route map: which old URL is answered by which new route. Its data, and its file
//! `webhook-routes.toml`. Everything is pure but [`read`] and [`read_if_present`]; writing the file is
//! the caller's.
//!
//! Invariants:
//! - Routes are unique by plugin and endpoint, and keep the order of the file, which is the order
//!   in which plugins were found; new ones come last.
//! - A route that the source no longer shows stays; only what is found again is brought up to date.
//! - Every target stays below `/plugins/`, whoever reads it and however often it is decoded, and every old
//!   path is one: a map that says something else is refused.
//! - A file that is merged with what it says already is written back as it was, to the byte:
//!   comments and order are the reader's.

mod lines;
mod map;
mod path;
mod read;
mod retire;
mod route;
#[cfg(test)]
mod tests;

pub use lines::RouteLines;
pub use map::RouteMap;
pub use path::stays_below_plugins;
pub(crate) use read::modified_or_now;
pub(crate) use read::parse;
pub use read::{read, read_if_present};
pub use route::{Dialect, REQUEST_METHODS, Route, route_path};

/// The name of the file at the root of a repo.
pub const FILE_NAME: &str = "webhook-routes.toml";
