//! Parses the arguments and runs the command.

use std::process::ExitCode;

use clap::Parser;
use rehook::cli::{Cli, Command, LangChoice};
use rehook::commands;
use rehook::lang::Lang;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let lang = match cli.lang {
        Some(LangChoice::En) => Lang::En,
        Some(LangChoice::Zh) => Lang::Zh,
        None => Lang::from_locale(|name| std::env::var(name).ok()),
    };
    match cli.command {
        Command::Shim(args) => commands::shim::run(&args, lang),
        Command::Routes(args) => commands::routes::run(&args, lang),
        _ => ExitCode::from(2),
    }
}
