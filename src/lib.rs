//! `rehook` moves Nekro Agent plugins from the retired `mount_webhook_method` decorator to dynamic
//! routes, previews that change, and keeps the old URLs alive meanwhile.

pub mod lang;

pub mod apply;
pub mod cli;
pub mod commands;
pub mod diagnostic;
pub mod diff;
pub mod discover;
pub mod edit;
pub mod emit;
pub mod find;
pub mod git;
pub mod plan;
pub mod python;
pub mod regular_file;
pub mod report;
pub mod routes;
pub mod shim;
pub mod source;
pub mod style;
pub mod term;
pub mod verify;
