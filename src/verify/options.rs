//! What is asked of a verification.

use std::path::PathBuf;

/// What to run, and with what.
#[derive(Debug)]
pub(crate) struct Options {
    /// The files and folders that are verified, as typed.
    pub(crate) paths: Vec<PathBuf>,
    /// Whether each repo among them has its own route map: none was named.
    pub(crate) has_own_maps: bool,
    /// Whether changes count that may alter behaviour.
    pub(crate) allow_unsafe: bool,
    /// The commit with the original of what is already migrated.
    pub(crate) base: String,
    /// The agent to run the plugins in.
    pub(crate) agent: AgentChoice,
    /// The Python that is named; else one is looked for.
    pub(crate) python: Option<PathBuf>,
    /// How long one side of a plugin may take, in seconds.
    pub(crate) limit: u32,
    /// Whether the requests that were sent are wanted.
    pub(crate) save: bool,
}

/// The agent to run the plugins in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentChoice {
    /// The installed agent, if there is one.
    Auto,
    /// The installed agent.
    Installed,
    /// What the runner brings along.
    StandIn,
}

impl AgentChoice {
    /// What it is called as an argument of the runner.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Installed => "installed",
            Self::StandIn => "stand-in",
        }
    }
}
