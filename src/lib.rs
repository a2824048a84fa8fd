//! `rehook` moves Nekro Agent plugins from the retired `mount_webhook_method` decorator to dynamic
//! routes, previews that change, and keeps the old URLs alive meanwhile.

pub mod lang;

pub mod apply;
pub mod diagnostic;
pub mod edit;
pub mod git;
pub mod routes;
pub mod source;
