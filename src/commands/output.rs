//! What `scan`, `diff` and `migrate` print alike.

use super::console::Console;
use crate::migrate::pipeline::Migration;
use crate::migrate::{apply, diff, report};
use crate::text;
use crate::user_error::UserError;

/// The plan as reports see it.
pub(super) fn report_view(migration: &Migration) -> report::View<'_> {
    report::View {
        is_written: migration.is_written,
        positions: if migration.is_written {
            report::PositionMap::of(&migration.plan.files)
        } else {
            report::PositionMap::default()
        },
        plan: &migration.plan,
        base: &migration.base,
        files_scanned: migration.files_scanned,
        not_python: &migration.not_python,
        disabled: &migration.disabled.webhooks,
        disabled_files: &migration.disabled.files,
        routes: &migration.routes,
        files: migration
            .changes
            .iter()
            .map(|change| diff::Change {
                path: migration.shown(&change.path),
                before: change.before.as_deref(),
                after: &change.after,
            })
            .collect(),
    }
}

/// Shows the patch: to the byte for a program, and for people without what could steer a terminal.
pub(super) fn show_patch(view: &report::View<'_>, console: &Console) -> Result<(), UserError> {
    if console.is_terminal() && !console.is_colored() {
        let mut pieces = report::text::patch_for_terminal(view);
        return pieces.try_for_each(|piece| console.result(&piece));
    }
    let mut pieces = report::text::patch(view, console.is_colored());
    pieces.try_for_each(|piece| console.result_bytes(&piece))
}

/// Says what an interrupted run, or somebody else, has left that the next run sees to or refuses.
pub(super) fn say_pending(migration: &Migration, console: &Console) {
    if let Some(pending) = apply::pending(&migration.root) {
        console.say(&format!("{}\n", pending.text().get(console.lang())));
    }
}

/// Prints what needs a manual change, the advice and the count to stderr.
pub(super) fn say_findings(view: &report::View<'_>, console: &Console) {
    let style = report::findings::Style {
        amount: match (console.is_quiet(), console.is_verbose()) {
            (true, _) => report::findings::Verbosity::Quiet,
            (false, false) => report::findings::Verbosity::Normal,
            (false, true) => report::findings::Verbosity::Verbose,
        },
        lang: console.lang(),
        columns: console.columns(),
    };
    console.say(&report::findings::findings(view, style));
}

/// `--statistics` with a format that has no place for them.
pub(super) fn statistics_without_place() -> UserError {
    UserError::new(
        text!(
            "--statistics has no place in this format",
            "--statistics 不能用于这种输出格式"
        ),
        text!(
            "leave --format out, or write `--format json`",
            "请去掉 --format，或改用 `--format json`"
        ),
    )
}
