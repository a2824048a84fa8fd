//! The commands: the only place where the stages and the outside world meet. One file a command.

mod console;
mod diff;
mod explain;
mod failure;
mod migrate;
mod prepare;
mod scan;
mod undo;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::cli::{Cli, ColorChoice, Command, LangChoice};
use crate::lang::Lang;
pub use console::Console;
pub use failure::Failure;

/// What a command came to, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0: nothing is left to do.
    Done,
    /// Exit code 1: something is left to do, or would change.
    Remaining,
    /// Exit code 2: it could not be done.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Remaining => Self::from(1),
            Outcome::Failed => Self::from(2),
        }
    }
}

/// Runs the program with the arguments and the environment of this process.
pub fn run() -> ExitCode {
    let lang = language(std::env::args_os());
    let matches = Cli::command().try_get_matches();
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let failed = error.use_stderr();
            // Help into a closed pipe is no failure.
            let _ = error.print();
            return if failed {
                Outcome::Failed
            } else {
                Outcome::Done
            }
            .into();
        }
    };
    color(cli.color);
    let console = Console::new(lang, cli.quiet, cli.verbose);
    let outcome = match &cli.command {
        Command::Scan(args) => scan::run(args, &console),
        Command::Diff(args) => diff::run(args, &console),
        Command::Migrate(args) => migrate::run(args, &console),
        Command::Undo(args) => undo::run(args, &console),
        Command::Explain(args) => explain::run(args, &console),
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) => match console.report(&error) {
            console::Reported::Said => Outcome::Failed.into(),
            // The reader of the results has gone: it has what it wanted.
            console::Reported::ReaderGone => Outcome::Done.into(),
        },
    }
}

/// The language: what `--lang` says, wherever it stands, else what the locale says. It is needed
/// before the arguments are read, since help is written in it.
fn language(arguments: impl Iterator<Item = std::ffi::OsString>) -> Lang {
    let arguments: Vec<_> = arguments
        .filter_map(|argument| argument.into_string().ok())
        .collect();
    let by_flag = arguments.iter().enumerate().find_map(|(index, argument)| {
        let value = match argument.strip_prefix("--lang") {
            Some("") => arguments.get(index + 1)?,
            Some(rest) => rest.strip_prefix('=')?,
            None => return None,
        };
        <LangChoice as clap::ValueEnum>::from_str(value, true).ok()
    });
    match by_flag {
        Some(LangChoice::En) => Lang::En,
        Some(LangChoice::Zh) => Lang::Zh,
        None => Lang::from_locale(|name| std::env::var(name).ok()),
    }
}

fn color(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
