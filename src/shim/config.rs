//! What the shim is told: a file, flags over it, checked as a whole.
//!
//! Invariants: a [`Config`] is complete and consistent; secrets are in it as values, read
//! from the environment or from files of their own, and never come from the file itself.

mod auth;
mod file;
pub(crate) mod file_stamp;
mod hmac;
mod merge;
mod model;
mod reader;
mod secret;
mod self_reference;

use std::path::{Path, PathBuf};

use crate::user_error::UserError;

pub(crate) use model::Environment;
pub use model::{Config, Flags, Limits, LogFormat, RouteLimits, RouteRule};

/// Reads the configuration: the file, then the flags over it. Everything that is wrong is said at
/// once.
pub fn load(flags: &Flags, environment: Environment<'_>) -> Result<Config, Vec<UserError>> {
    let mut errors = Vec::new();
    let (file, base) = match &flags.config {
        Some(path) => (
            file::read(path, environment, &mut errors),
            path.parent().unwrap_or(Path::new("")).to_owned(),
        ),
        None => (file::File::default(), PathBuf::new()),
    };
    let config = merge::combine(file, &base, flags, &mut errors);
    if let Some(config) = &config {
        self_reference::check(config, &mut errors);
    }
    match config {
        Some(config) if errors.is_empty() => Ok(config),
        _ => Err(errors),
    }
}
