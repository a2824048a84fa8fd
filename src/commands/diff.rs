//! `rehook diff`: exactly what `migrate` would write, as a patch.

use super::console::Console;
use super::exit_status::ExitStatus;
use super::output::{report_view, say_findings, say_pending, show_patch, statistics_without_place};
use super::plan_args::migration_of;
use crate::cli::{DiffArgs, DiffFormat};
use crate::migrate::report;
use crate::migrate::report::json::Extras;
use crate::{term, text};

/// Runs the command.
///
/// # Errors
/// See [`migration_of`].
pub(super) fn run(args: &DiffArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let migration = migration_of(&args.plan)?;
    let view = report_view(&migration);
    let lang = console.lang();
    let extras = Extras {
        edits: true,
        statistics: args.statistics,
    };
    match args.format {
        DiffFormat::Json => console.result(&report::json::render(&view, extras, lang)?)?,
        DiffFormat::Text if args.statistics => {
            console.result(&report::statistics::render(&view, lang))?;
        }
        DiffFormat::Text if args.stat => console.result(&report::text::stat(&view, lang))?,
        DiffFormat::Text => show_patch(&view, console)?,
        _ if args.statistics => return Err(statistics_without_place().into()),
        DiffFormat::Github => console.result(&report::github::render(&view, lang))?,
        DiffFormat::Sarif => console.result(&report::sarif::render(&view, lang)?)?,
    }
    if !migration.changes.is_empty() && !migration.base_is_current && !console.is_quiet() {
        let base = term::path(&migration.base);
        let note = text!(
            "paths in the patch are relative to {base}\n",
            "补丁中的路径相对于 {base}\n"
        );
        console.say(note.get(console.lang()));
    }
    say_pending(&migration, console);
    say_findings(&view, console);
    Ok(match migration.changes.is_empty() {
        true if migration.all_unreadable => ExitStatus::Failed,
        false if args.exit_code => ExitStatus::Remaining,
        // The preview could be shown.
        _ => ExitStatus::Done,
    })
}
