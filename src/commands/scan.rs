//! `rehook scan`: every webhook, and what `migrate` would do with it.

use super::console::Console;
use super::exit_status::ExitStatus;
use super::output::{report_view, say_findings, say_pending, statistics_without_place};
use super::plan_args::migration_of;
use crate::cli::{ScanArgs, ScanFormat};
use crate::migrate::report;
use crate::migrate::report::json::Extras;

/// Runs the command.
///
/// # Errors
/// See [`migration_of`].
pub(super) fn run(args: &ScanArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let migration = migration_of(&args.plan)?;
    let view = report_view(&migration);
    let lang = console.lang();
    let extras = Extras {
        statistics: args.statistics,
        ..Extras::default()
    };
    match args.format {
        ScanFormat::Text if args.statistics => {
            console.result(&report::statistics::render(&view, lang))?;
        }
        ScanFormat::Text => console.result(&report::text::webhooks(&view, lang))?,
        ScanFormat::Json => console.result(&report::json::render(&view, extras, lang)?)?,
        _ if args.statistics => return Err(statistics_without_place().into()),
        ScanFormat::Markdown => console.result(&report::markdown::table(&view, lang))?,
        ScanFormat::Github => console.result(&report::github::render(&view, lang))?,
        ScanFormat::Sarif => console.result(&report::sarif::render(&view, lang)?)?,
    }
    say_pending(&migration, console);
    say_findings(&view, console);
    Ok(if migration.all_unreadable {
        ExitStatus::Failed
    } else {
        ExitStatus::Done
    })
}
