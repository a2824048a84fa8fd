//! What the runner says, one JSON object a line: facts, of which `report` makes sentences.

mod detail;
mod failed;
mod request;

use std::path::{Component, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use detail::{Answering, Detail, Fact, Named};
pub use failed::{Failed, Fatal, FatalReason, Reason, Side};
pub use request::{About, Bytes, Kind, Place, Request};

/// One line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It runs.
    Ready(Ready),
    /// What came of a webhook.
    Proof(Box<Proof>),
    /// A request that was sent, where they are to be saved.
    Sent(Box<Sent>),
    /// A case that could not be run to its end.
    Failed(Failed),
    /// What a plugin tried and was not allowed to do.
    Refused(Refused),
    /// Nothing can be run at all.
    Fatal(Fatal),
    /// Everything has been said.
    End,
}

/// Around what the plugins run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ready {
    /// The name and version of the agent, or [`STAND_IN`].
    pub agent: String,
    /// The version of Python.
    pub python: String,
    /// How the network is kept away.
    pub network: Kept,
    /// How files elsewhere, and other programs, are kept away.
    pub files: Kept,
}

/// What the stand-in for the agent is called.
pub const STAND_IN: &str = "stand-in";

/// How something is kept away from the plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The system gives the process none.
    Cut,
    /// What Python itself would call is refused.
    Refused,
}

impl Kept {
    /// Its name in the protocol and in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Refused => "refused",
        }
    }
}

/// What came of a webhook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Proof {
    /// The name of the case.
    pub case: String,
    /// The key of the plugin.
    pub plugin: String,
    /// The endpoint.
    pub endpoint: String,
    /// What is to be held of it.
    pub verdict: Verdict,
    /// How many requests were sent to both sides.
    pub requests: usize,
    /// The file of the handler, relative to the tree before.
    #[serde(default)]
    pub file: String,
    /// The first line of the handler.
    #[serde(default)]
    pub first: usize,
    /// The last line of the handler.
    #[serde(default)]
    pub last: usize,
    /// The lines of its body that were run.
    #[serde(default, deserialize_with = "lines")]
    pub reached: Vec<usize>,
    /// The lines of its body that were not.
    #[serde(default, deserialize_with = "lines")]
    pub missed: Vec<usize>,
    /// Those among them that the migration changed.
    #[serde(default, deserialize_with = "lines")]
    pub uncovered: Vec<usize>,
    /// What else was changed, has to run, and did not.
    #[serde(default)]
    pub uncovered_elsewhere: Vec<Lines>,
    /// How many requests showed a difference.
    #[serde(default)]
    pub differing: usize,
    /// The smallest of them.
    #[serde(default)]
    pub difference: Option<Difference>,
    /// The requests that did not end while more of them were looked for, or ended the process.
    #[serde(default, deserialize_with = "endless")]
    pub endless: Vec<Endless>,
}

/// A request that did not end on the old side, or ended its process. No side was sent it afterwards.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Endless {
    /// The request.
    pub request: Request,
    /// How long it was waited for.
    pub seconds: u64,
    /// Whether it was looked for more requests without it.
    pub went_on: bool,
    /// How it ended the process; empty if it did not.
    #[serde(default)]
    pub ended: Detail,
}

/// The most requests that can have been without an end: a search begins anew twice (`explore.py`),
/// and so many are left out that end the process (`prove.py`).
const MOST_ENDLESS: usize = 3 + 20;

/// As many as there can be, of which none but the last has ended the search.
fn endless<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Endless>, D::Error> {
    let all = Vec::<Endless>::deserialize(deserializer)?;
    if all.len() > MOST_ENDLESS {
        return Err(D::Error::custom("too many requests without an end"));
    }
    if all.iter().rev().skip(1).any(|one| !one.went_on) {
        return Err(D::Error::custom("a search that went on after its end"));
    }
    if all.iter().any(|one| one.seconds == 0) {
        return Err(D::Error::custom("a request that was not waited for"));
    }
    Ok(all)
}

/// Lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Lines {
    /// On which side.
    #[serde(deserialize_with = "one_side")]
    pub side: Side,
    /// The file, relative to the tree of that side.
    #[serde(deserialize_with = "inside")]
    pub file: PathBuf,
    /// The lines, 1-based.
    #[serde(deserialize_with = "lines")]
    pub lines: Vec<usize>,
}

fn one_side<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Side, D::Error> {
    match Side::deserialize(deserializer)? {
        Side::Neither => Err(D::Error::custom("neither side")),
        side => Ok(side),
    }
}

fn inside<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    let mut parts = path.components();
    if path.as_os_str().is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        return Err(D::Error::custom("not a path in the tree"));
    }
    Ok(path)
}

impl Proof {
    /// Whether it says that all is the same, and what is not covered.
    pub fn contradicts_itself(&self) -> bool {
        let is_open = !self.uncovered.is_empty() || !self.uncovered_elsewhere.is_empty();
        self.verdict == Verdict::Same && (is_open || self.reached.is_empty())
    }
}

/// The most lines that a handler can have: far more than there are in any file that people write.
const MOST_LINES: usize = 50_000;

/// As many lines as there can be.
fn lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
    let all = Vec::<usize>::deserialize(deserializer)?;
    if all.len() > MOST_LINES {
        return Err(D::Error::custom("more lines than a file has"));
    }
    Ok(all)
}

/// What is to be held of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All answers and effects are the same, and every changed line was run.
    Same,
    /// Something is not the same.
    Differs,
    /// Nothing was seen that differs, but not everything that changed was run.
    NotCovered,
}

/// A request that the two sides answer differently.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Difference {
    /// The request.
    pub request: Request,
    /// What differs.
    pub parts: Vec<Part>,
}

/// A request that was sent to both sides of a webhook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sent {
    /// The name of the case.
    pub case: String,
    /// The key of the plugin.
    pub plugin: String,
    /// The endpoint.
    pub endpoint: String,
    /// The request, whole.
    pub request: Request,
}

/// A part of what the two sides gave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Part {
    /// Which part.
    pub part: String,
    /// What the old side gave.
    #[serde(default)]
    pub old: Value,
    /// What the new side gave.
    #[serde(default)]
    pub new: Value,
}

/// What a plugin tried and was not allowed to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refused {
    /// The name of the case.
    pub case: String,
    /// Each in a few words.
    pub what: Vec<String>,
}

#[cfg(test)]
mod tests;
