//! What a running shim says of its webhooks, for a terminal: the page as a table.
//!
//! Invariants: what the shim answers is read up to a limit and within a time; nothing that it says steers a
//! terminal, since a plugin or a sender may have chosen it.

pub(crate) mod ago;
mod client;
mod model;
mod table;

use std::path::Path;

use crate::shim::config::{self, Flags};
use crate::shim::http::http_date;
use crate::text;
use crate::text::Lang;
use crate::user_error::UserError;
pub(crate) use model::Status;

/// Where a shim can be asked if nobody says so.
pub(crate) const ADMIN: &str = "127.0.0.1:9180";

/// Asks the shim whose admin address is `admin`.
///
/// # Errors
/// When none answers there, or something else does.
pub(crate) fn ask(admin: &str) -> Result<Status, UserError> {
    let webhooks = client::get(admin, "/api/webhooks")?;
    let Some(webhooks) = webhooks["webhooks"].as_array().cloned() else {
        return Err(client::not_a_shim(admin));
    };
    Ok(Status {
        admin: admin.to_owned(),
        webhooks,
        readiness: client::get(admin, "/readyz")?,
    })
}

/// The admin address that the configuration at `config` names.
///
/// # Errors
/// When it cannot be read, or the shim has none.
pub(crate) fn admin_of(config: &Path) -> Result<String, UserError> {
    let flags = Flags {
        config: Some(config.to_owned()),
        ..Flags::default()
    };
    let environment = |name: &str| std::env::var(name).ok();
    let read = config::load(&flags, &environment);
    let config = read.map_err(|errors| first(errors, config))?;
    match config.admin {
        Some(address) => Ok(address.to_string()),
        None => Err(UserError::new(
            text!(
                "the shim of this configuration has no admin address",
                "这份配置中的 shim 没有管理地址"
            ),
            text!(
                "set `admin`, or name the address with --admin",
                "请设置 `admin`，或用 --admin 指定地址"
            ),
        )
        .at(flags.config.as_deref().unwrap_or(Path::new("")), None)),
    }
}

fn first(errors: Vec<UserError>, config: &Path) -> UserError {
    let none = || UserError::unreadable(config, &std::io::ErrorKind::InvalidData.into());
    errors.into_iter().next().unwrap_or_else(none)
}

/// For people.
pub(crate) fn table(status: &Status, lang: Lang) -> String {
    table::table(status, lang, http_date::now())
}
