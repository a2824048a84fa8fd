//! The arguments of `rehook verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, PlanArgs};

/// Arguments of `rehook verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Where to look, and how far to go
    #[command(flatten)]
    pub plan: PlanArgs,
    /// The Python that runs the plugins, or the folder of its environment, if not that of
    /// VIRTUAL_ENV or of the PATH; one in the repo is started only when it is named here
    #[arg(long, value_name = "PYTHON")]
    pub python: Option<PathBuf>,
    /// Requests to send as well: a file with a JSON object in each line
    #[arg(long, value_name = "FILE")]
    pub requests: Option<PathBuf>,
    /// Where to write the requests that were sent, in the form that --requests reads
    #[arg(long, value_name = "FILE")]
    pub save_requests: Option<PathBuf>,
    /// The commit that has the original of what is migrated already
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub base: String,
    /// Agent to run the plugins in
    #[arg(long, value_enum, default_value_t = AgentArg::Auto, value_name = "AGENT")]
    pub agent: AgentArg,
    /// How long a plugin may take before and after, each
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub limit: u32,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
}

/// The agent that the plugins run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AgentArg {
    /// The installed agent, else a stand-in for it
    Auto,
    /// The installed agent
    Installed,
    /// A stand-in for it
    StandIn,
}
