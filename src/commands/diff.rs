//! `rehook diff`: exactly what `migrate` would write, as a patch.

use super::prepare::prepare;
use super::scan::{report_view, say_findings};
use super::{Console, Outcome};
use crate::cli::{DiffArgs, Format};
use crate::report;

/// Runs the command.
///
/// # Errors
/// See [`prepare`].
pub fn run(args: &DiffArgs, console: &Console) -> anyhow::Result<Outcome> {
    let prepared = prepare(&args.plan)?;
    let view = report_view(&prepared);
    match args.format {
        Format::Json => console.result(&report::json::render(&view, console.lang())?)?,
        Format::Text if args.stat => console.result(&report::text::stat(&view, console.lang()))?,
        Format::Text => console.result_bytes(&report::text::patch(&view))?,
    }
    say_findings(&prepared, console);
    Ok(
        match (prepared.changes.is_empty(), prepared.nothing_readable) {
            (true, true) => Outcome::Failed,
            (true, false) => Outcome::Done,
            (false, _) => Outcome::Remaining,
        },
    )
}
