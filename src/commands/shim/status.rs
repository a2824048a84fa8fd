//! `rehook status`.

use crate::cli::{StatusArgs, StatusFormat};
use crate::commands::console::Console;
use crate::commands::exit_status::ExitStatus;
use crate::shim::status;
use crate::term;

/// Asks a running shim how its webhooks fare.
///
/// # Errors
/// When no shim answers.
pub(crate) fn run(args: &StatusArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let admin = match (&args.admin, &args.config) {
        (Some(admin), _) => admin.clone(),
        (None, Some(config)) => status::admin_of(config)?,
        (None, None) => status::ADMIN.to_owned(),
    };
    let status = status::ask(&admin)?;
    match args.format {
        StatusFormat::Text => console.result(&status::table(&status, console.lang()))?,
        StatusFormat::Json => console.result(&term::json(format!("{:#}\n", status.json())))?,
    }
    Ok(match status.fails() {
        true => ExitStatus::Remaining,
        false => ExitStatus::Done,
    })
}
