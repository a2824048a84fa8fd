//! What can be typed: the arguments as clap reads them, and nothing else.
//!
//! Help is written here in English; [`localize`] puts the Chinese in its place.

mod chinese;
mod shim;
mod tips;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use chinese::{error_in_chinese, lang_of_arguments, localize};
pub use shim::{LogChoice, RoutesArgs, ServerChoice, ShimArgs};
pub use tips::with_tip;
pub use verify::{AgentArg, VerifyArgs};

/// Moves Nekro Agent plugins from webhooks to dynamic routes.
#[derive(Debug, Parser)]
#[command(name = "rehook", version, propagate_version = true)]
pub struct Cli {
    /// The language of messages; taken from LC_ALL or LANG if not given
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        value_enum,
        value_name = "LANG"
    )]
    pub lang: Option<LangChoice>,
    /// When to use colour
    #[arg(long, global = true, help_heading = "Global options", value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Say less: results and errors only
    #[arg(
        short,
        long,
        global = true,
        help_heading = "Global options",
        conflicts_with = "verbose"
    )]
    pub quiet: bool,
    /// Use verbose output: why each decision was made
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub verbose: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List every webhook, and what `migrate` would do with it
    Scan(ScanArgs),
    /// Show exactly what `migrate` would write, as a patch
    Diff(DiffArgs),
    /// Rewrite the plugins, and write the route map
    Migrate(MigrateArgs),
    /// Run the plugins before and after, and show where they differ
    Verify(VerifyArgs),
    /// Revert the last migration
    Undo(UndoArgs),
    /// Explain a diagnostic code
    Explain(ExplainArgs),
    /// Answer the old URLs with the new routes of a running agent
    Shim(Box<ShimArgs>),
    /// Write the route map as the configuration of another server
    Routes(RoutesArgs),
}

/// Where to look, and how far to go.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Files and folders to look at
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Also apply unsafe fixes (may change behaviour; see `rehook explain`)
    #[arg(long = "unsafe")]
    pub allow_unsafe: bool,
    /// Rewrite handlers of an AgentCtx to take the Request themselves: then the reply is what they
    /// return, only JSON bodies are understood, one that is no object reaches them, and header
    /// look-ups ignore case
    #[arg(long)]
    pub native: bool,
    /// The route map, if not webhook-routes.toml at the root of the repo
    #[arg(long, value_name = "FILE")]
    pub routes: Option<PathBuf>,
    /// Leave advice of these codes out, as in RH301,RH402
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub ignore: Vec<String>,
}

/// Arguments of `rehook scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Where to look, and how far to go
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = ScanFormat::Text, value_name = "FORMAT")]
    pub format: ScanFormat,
}

/// Arguments of `rehook diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Where to look, and how far to go
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Only count the changed lines of each file
    #[arg(long)]
    pub stat: bool,
    /// Exit with 1 when there is a change, as git's
    #[arg(long)]
    pub exit_code: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `rehook migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Where to look, and how far to go
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Write nothing; exit with 1 if there is something to migrate
    #[arg(long)]
    pub check: bool,
    /// Write even to files with uncommitted changes, or outside git
    #[arg(long)]
    pub allow_dirty: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `rehook undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// A folder of the repo that was migrated
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
}

/// Arguments of `rehook explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code, as in RH101; all of them are listed if none is given
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// A language by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LangChoice {
    /// English
    En,
    /// Chinese
    Zh,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal that shows it
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The output format of `scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// A table of old and new URLs for the README of a plugin
    Markdown,
}
