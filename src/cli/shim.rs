//! The arguments of `rehook shim` and `rehook routes`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `rehook shim`.
#[derive(Debug, Args)]
pub struct ShimArgs {
    /// The configuration, in TOML; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The route map, if not webhook-routes.toml at the root of the repo, or beside the configuration
    #[arg(long, value_name = "FILE")]
    pub routes: Option<PathBuf>,
    /// The agent, as in http://127.0.0.1:8021
    #[arg(long, value_name = "URL")]
    pub upstream: Option<String>,
    /// Start even when no agent answers yet, as at boot; a warning is logged then
    #[arg(long)]
    pub no_upstream_check: bool,
    /// Address to listen on (repeatable) [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<String>,
    /// Where health, metrics and the page are, or `off` [default: 127.0.0.1:9180]
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<String>,
    /// A proxy or network whose X-Forwarded-* is believed; may be given several times
    #[arg(long = "trusted-proxy", value_name = "NETWORK")]
    pub trusted_proxies: Vec<String>,
    /// Let everything else through to the agent, streams and WebSockets too
    #[arg(long)]
    pub passthrough: bool,
    /// Call the agent's own old URLs as well, for plugins that are not migrated yet
    #[arg(long)]
    pub with_legacy: bool,
    /// When the old URLs end, as in 2026-12-31
    #[arg(long, value_name = "DATE")]
    pub sunset: Option<String>,
    /// Public base URL of the new routes, as in https://agent.example.com
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Keep the counts of calls in this file over a restart
    #[arg(long, value_name = "FILE")]
    pub counters_file: Option<PathBuf>,
    /// Keep requests to old URLs in this file, for `rehook verify --requests`; secrets are masked
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Record secrets as well
    #[arg(long, requires = "record")]
    pub record_secrets: bool,
    /// How many threads serve [default: one for each core]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// How requests are logged [default: text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log: Option<LogChoice>,
    /// Validate the configuration, list what would be served, and exit
    #[arg(long)]
    pub check: bool,
}

/// How requests are logged.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogChoice {
    /// A line for people
    Text,
    /// A JSON object in a line
    Json,
    /// What happens to the shim, no requests
    Off,
}

/// Arguments of `rehook routes`.
#[derive(Debug, Args)]
pub struct RoutesArgs {
    /// The configuration of which server
    #[arg(long = "as", value_enum, value_name = "SERVER")]
    pub server: ServerChoice,
    /// The route map, if not webhook-routes.toml at the root of the repo
    #[arg(long, value_name = "FILE")]
    pub routes: Option<PathBuf>,
    /// The agent
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8021")]
    pub upstream: String,
}

/// A server whose configuration can be written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ServerChoice {
    /// nginx: locations to include in a server block
    Nginx,
    /// Caddy: a snippet to import into a site
    Caddy,
}
