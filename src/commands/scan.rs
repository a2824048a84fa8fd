//! `rehook scan`: every webhook, and what `migrate` would do with it.

use super::console::Console;
use super::exit_status::ExitStatus;
use super::output::{report_view, say_findings, say_pending};
use super::plan_args::migration_of;
use crate::cli::{ScanArgs, ScanFormat};
use crate::migrate::report;

/// Runs the command.
///
/// # Errors
/// See [`migration_of`].
pub(super) fn run(args: &ScanArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let migration = migration_of(&args.plan)?;
    let view = report_view(&migration);
    match args.format {
        ScanFormat::Text => console.result(&report::text::webhooks(&view, console.lang()))?,
        ScanFormat::Json => console.result(&report::json::render(&view, console.lang())?)?,
        ScanFormat::Markdown => console.result(&report::markdown::table(&view, console.lang()))?,
    }
    say_pending(&migration, console);
    say_findings(&view, console);
    Ok(if migration.all_unreadable {
        ExitStatus::Failed
    } else {
        ExitStatus::Done
    })
}
