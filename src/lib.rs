//! `rehook` moves Nekro Agent plugins from the retired `mount_webhook_method` decorator to dynamic
//! routes, previews that change, and keeps the old URLs alive meanwhile.

pub mod lang;

pub mod cli;

pub mod diagnostic;
pub mod edit;
pub mod find;
pub mod python;
pub mod routes;
pub mod source;
