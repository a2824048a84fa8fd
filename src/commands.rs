//! The commands: the only place where the stages and the outside world meet. One file a command.

mod console;
mod diff;
mod exit_status;
mod explain;
mod failure;
mod migrate;
mod output;
mod plan_args;
mod routes;
mod scan;
#[cfg(target_os = "linux")]
mod shim;
mod undo;
#[cfg(target_os = "linux")]
mod verify;

use std::process::ExitCode;

use crate::cli::{self, ColorChoice, Command};
use crate::text::Lang;
#[cfg(not(target_os = "linux"))]
use crate::user_error::UserError;
pub use console::Console;
pub use exit_status::ExitStatus;

/// Runs the program with the arguments and the environment of this process.
pub fn run() -> ExitCode {
    // Help is written while the arguments are read, so its language is needed before.
    let arguments: Vec<_> = std::env::args_os().collect();
    let by_flag = cli::lang_of_arguments(arguments.iter().map(std::ffi::OsString::as_os_str));
    let lang = by_flag.unwrap_or_else(|| Lang::from_locale(|name| std::env::var(name).ok()));
    let cli = match cli::parse(&arguments, lang) {
        Ok(cli) => cli,
        Err(message) => {
            let console = Console::new(lang, false, false);
            if message.is_error {
                console.say(&message.text);
                return ExitStatus::Failed.into();
            }
            // Help that nobody reads any more is not a failure.
            drop(console.result(&message.text));
            return ExitStatus::Done.into();
        }
    };
    color(cli.color);
    let console = Console::new(lang, cli.quiet, cli.verbose);
    let status = match &cli.command {
        Command::Scan(args) => scan::run(args, &console),
        Command::Diff(args) => diff::run(args, &console),
        Command::Migrate(args) => migrate::run(args, &console),
        #[cfg(target_os = "linux")]
        Command::Verify(args) => verify::run(args, &console),
        #[cfg(target_os = "linux")]
        Command::Shim(args) => shim::run(args, &console),
        #[cfg(not(target_os = "linux"))]
        Command::Verify(_) => Err(UserError::linux_only("verify").into()),
        #[cfg(not(target_os = "linux"))]
        Command::Shim(_) => Err(UserError::linux_only("shim").into()),
        Command::Undo(args) => undo::run(args, &console),
        Command::Explain(args) => explain::run(args, &console),
        #[cfg(target_os = "linux")]
        Command::Status(args) => shim::status::run(args, &console),
        #[cfg(not(target_os = "linux"))]
        Command::Status(_) => Err(UserError::linux_only("status").into()),
        Command::Routes(args) => routes::run(args, &console),
        Command::Completions(args) => console
            .result_bytes(&args.script(lang))
            .map(|()| ExitStatus::Done)
            .map_err(Into::into),
    };
    match status {
        Ok(status) => status.into(),
        Err(error) => {
            console.report(&error);
            ExitStatus::Failed.into()
        }
    }
}

fn color(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    // Making such a stream is what has the console of Windows understand colours.
    #[cfg(windows)]
    drop((anstream::stdout(), anstream::stderr()));
}
