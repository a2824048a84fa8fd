//! `rehook explain`: what a code means.

use super::console::Console;
use super::exit_status::ExitStatus;
use crate::cli::ExplainArgs;
use crate::migrate::diagnostic::{Code, RetiredCode};
use crate::migrate::report;
use crate::text;
use crate::user_error::UserError;

/// Runs the command.
///
/// # Errors
/// When there is no such code.
pub(super) fn run(args: &ExplainArgs, console: &Console) -> anyhow::Result<ExitStatus> {
    let Some(asked) = &args.code else {
        console.result(&report::text::codes(console.lang()))?;
        return Ok(ExitStatus::Done);
    };
    let Some(code) = Code::from_typed(asked) else {
        if let Some(code) = RetiredCode::from_typed(asked) {
            console.result(&report::text::retired(&code, console.lang()))?;
            return Ok(ExitStatus::Done);
        }
        return Err(UserError {
            message: text!("unknown diagnostic code `{asked}`", "没有代码 {asked}"),
            help: text!(
                "`rehook explain` lists all codes",
                "`rehook explain` 会列出所有代码"
            ),
        }
        .into());
    };
    console.result(&report::text::explanation(code, console.lang()))?;
    Ok(ExitStatus::Done)
}
