//! `rehook` moves Nekro Agent plugins from the retired `mount_webhook_method` decorator to dynamic
//! routes, previews that change, and keeps the old URLs alive meanwhile.
//!
//! In reading order: the ground that all share, the three wings (`migrate`, `shim`, and `verify`, which
//! uses `migrate`), and the command line, the only place that uses all of them.

// Nothing that input can reach ends the process; tests may.
#![cfg_attr(
    not(test),
    warn(
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
#![cfg_attr(
    not(target_os = "linux"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "`shim` and `verify`, which use it, are left out there"
    )
)]

mod nearest;
pub mod regular_file;
pub mod routes;
#[cfg(target_os = "linux")]
mod signals;
pub mod term;
pub mod text;
pub mod user_error;

pub mod migrate;
pub mod shim;
#[cfg(target_os = "linux")]
mod verify;

mod cli;
pub mod commands;
