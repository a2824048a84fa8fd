//! `rehook scan`: every webhook, and what `migrate` would do with it.

use super::prepare::{Prepared, prepare};
use super::{Console, Outcome};
use crate::cli::{ScanArgs, ScanFormat};
use crate::migrate::{apply, report};
use crate::user_error::UserError;

/// Runs the command.
///
/// # Errors
/// See [`prepare`].
pub fn run(args: &ScanArgs, console: &Console) -> anyhow::Result<Outcome> {
    let prepared = prepare(&args.plan)?;
    let view = report_view(&prepared);
    match args.format {
        ScanFormat::Text => console.result(&report::text::webhooks(&view, console.lang()))?,
        ScanFormat::Json => console.result(&report::json::render(&view, console.lang())?)?,
        ScanFormat::Markdown => console.result(&report::markdown::table(&view, console.lang()))?,
    }
    say_pending(&prepared, console);
    say_findings(&prepared, console);
    Ok(if prepared.all_unreadable {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// The plan as reports see it.
pub fn report_view(prepared: &Prepared) -> report::View<'_> {
    report::View {
        is_written: prepared.is_written,
        plan: &prepared.plan,
        base: &prepared.base,
        looked_at: prepared.files_scanned,
        not_python: &prepared.not_python,
        disabled: &prepared.disabled.webhooks,
        disabled_files: &prepared.disabled.files,
        routes: prepared.route_map.routes(),
        files: prepared
            .changes
            .iter()
            .map(|change| crate::migrate::diff::Change {
                path: prepared.shown(&change.path),
                before: change.before.as_deref(),
                after: &change.after,
            })
            .collect(),
    }
}

/// Shows the patch: to the byte for a program, and for people without what could steer a terminal.
pub fn show_patch(view: &report::View<'_>, console: &Console) -> Result<(), UserError> {
    if console.is_terminal() && !console.is_colored() {
        return console.result(&report::text::patch_for_terminal(view));
    }
    console.result_bytes(&report::text::patch(view, console.is_colored()))
}

/// Says what an interrupted run, or somebody else, has left that the next run sees to or refuses.
pub fn say_pending(prepared: &Prepared, console: &Console) {
    if let Some(pending) = apply::pending(&prepared.root) {
        console.say(&format!("{}\n", pending.text().get(console.lang())));
    }
}

/// Says what is left by hand, what was noticed, and the count, to stderr.
pub fn say_findings(prepared: &Prepared, console: &Console) {
    let view = report_view(prepared);
    let style = report::findings::Style {
        amount: match (console.is_quiet(), console.is_verbose()) {
            (true, _) => report::findings::Verbosity::Quiet,
            (false, false) => report::findings::Verbosity::Normal,
            (false, true) => report::findings::Verbosity::Verbose,
        },
        lang: console.lang(),
        columns: console.columns(),
    };
    console.say(&report::findings::findings(&view, style));
}
