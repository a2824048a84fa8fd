//! The program: runs what was typed, and turns the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    rehook::commands::run()
}
