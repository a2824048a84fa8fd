//! What the rest of the shim is told: plain data, whole and consistent once `load` has made it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::shim::auth::{AuthRule, Secret};
use crate::shim::http::upstream_url::UpstreamUrl;
use crate::user_error::UserError;

/// How requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object in a line.
    Json,
    /// Events alone, no requests.
    Off,
}

impl LogFormat {
    /// The format with this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// What bounds a request; each route may have its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteLimits {
    /// The largest body.
    pub(crate) body: u64,
    /// From the last byte of the body to the end of the reply.
    pub(crate) total: Duration,
}

/// The connections of senders, where nothing is said of them.
const MAX_CONNECTIONS: usize = 16_384;

/// What bounds connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What bounds a request whose route says nothing else.
    pub route: RouteLimits,
    /// The largest head.
    pub head: usize,
    /// How long a sender may take for a head.
    pub head_time: Duration,
    /// How long a connection may wait for its next request.
    pub idle: Duration,
    /// How long a connection to the agent may take to be made.
    pub connect: Duration,
    /// How long a request waits for an agent that refuses connections, as one does that restarts; as
    /// long as for its reply, if nothing was said.
    pub reconnect: Option<Duration>,
    /// How long a sender may be silent in the middle of a body.
    pub body_gap: Duration,
    /// The bytes in a second that a body has to come with on average, after its first seconds.
    pub body_rate: u64,
    /// How long a connection to the agent is kept for the next request. Less than uvicorn's 5 s.
    pub keep: Duration,
    /// The memory for large bodies, all together.
    pub memory: u64,
    /// The connections of senders, all together, if that was said.
    pub connections: Option<usize>,
    /// How long requests may go on after a signal to stop.
    pub grace: Duration,
}

impl Limits {
    /// How many connections of senders there may be, all together.
    pub(crate) fn most_connections(&self) -> usize {
        self.connections.unwrap_or(MAX_CONNECTIONS)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            route: RouteLimits {
                body: 25 << 20,
                total: Duration::from_secs(8),
            },
            head: 64 << 10,
            head_time: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            connect: Duration::from_secs(3),
            reconnect: None,
            body_gap: Duration::from_secs(10),
            body_rate: 64 << 10,
            keep: Duration::from_secs(3),
            memory: 256 << 20,
            connections: None,
            grace: Duration::from_secs(10),
        }
    }
}

/// What the configuration says about one route of the map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteRule {
    /// The plugin of the route; with no endpoint, all routes of that plugin.
    pub(crate) plugin: String,
    /// The endpoint of the route.
    pub(crate) endpoint: Option<String>,
    /// An agent of its own.
    pub(crate) upstream: Option<UpstreamUrl>,
    /// Its largest body.
    pub(crate) body: Option<u64>,
    /// Its time.
    pub(crate) total: Option<Duration>,
    /// What a sender has to prove: all of it.
    pub(crate) auth: Vec<AuthRule>,
    /// Where in the file it is.
    pub(crate) line: Option<usize>,
}

/// Everything that the shim is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The route maps: files, or folders of them.
    pub routes: Vec<PathBuf>,
    /// The agent.
    pub upstream: UpstreamUrl,
    /// Whether the agents have to be reachable at the start.
    pub upstream_check: bool,
    /// What an agent is asked for to find out whether it answers.
    pub(crate) probe: Option<String>,
    /// Where senders call.
    pub listen: Vec<SocketAddr>,
    /// Where the operator looks.
    pub admin: Option<SocketAddr>,
    /// Peers whose `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether everything else goes to the agent.
    pub passthrough: bool,
    /// Whether a 404 says what is served.
    pub(crate) list_urls: bool,
    /// Whether the agent's own old URLs are called as well.
    pub with_legacy: bool,
    /// What these may ask for.
    pub(crate) legacy_token: Option<Secret>,
    /// Since when the old URLs are deprecated, in seconds since 1970.
    pub deprecated_since: Option<u64>,
    /// When the old URLs end, in seconds since 1970.
    pub sunset: Option<u64>,
    /// What the new URLs start with for senders.
    pub public_url: Option<String>,
    /// How long an old URL has to be silent before it can be retired.
    pub retire_after: Duration,
    /// Where counts are kept over a restart.
    pub counters_file: Option<PathBuf>,
    /// How many threads serve.
    pub threads: usize,
    /// How requests are logged.
    pub log: LogFormat,
    /// Where the log is written to, if not to the standard error.
    pub(crate) log_file: Option<PathBuf>,
    /// What bounds connections.
    pub limits: Limits,
    /// What single routes have of their own.
    pub rules: Vec<RouteRule>,
    /// Other files that it was read from: secrets.
    pub secret_files: Vec<PathBuf>,
    /// What is not wrong, and yet may not be meant.
    pub(crate) warnings: Vec<UserError>,
}

/// What was given on the command line; it wins over the file.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--routes`
    pub routes: Vec<PathBuf>,
    /// `--upstream`
    pub upstream: Option<String>,
    /// `--no-upstream-check`
    pub no_upstream_check: bool,
    /// `--listen`
    pub listen: Vec<String>,
    /// `--admin`
    pub admin: Option<String>,
    /// `--trusted-proxy`
    pub trusted_proxies: Vec<String>,
    /// `--passthrough`
    pub passthrough: bool,
    /// `--with-legacy`
    pub with_legacy: bool,
    /// `--sunset`
    pub sunset: Option<String>,
    /// `--public-url`
    pub public_url: Option<String>,
    /// `--counters-file`
    pub counters_file: Option<PathBuf>,
    /// `--threads`
    pub threads: Option<usize>,
    /// `--log`
    pub log: Option<LogFormat>,
    /// `--log-file`
    pub log_file: Option<PathBuf>,
}

/// Where the configuration comes from besides its files.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;
