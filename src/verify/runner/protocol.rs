//! What the runner says, one JSON object a line: facts, of which `report` makes sentences.

mod detail;
mod failed;
mod request;

use std::path::{Component, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::limits::MOST_ENDLESS;

pub(crate) use detail::{Answering, Detail, Fact, Named};
pub(crate) use failed::{Failed, Fatal, FatalReason, Reason, Side};
pub(crate) use request::{About, Kind, Place, Request};

/// One line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// It runs.
    Ready(Ready),
    /// The result of a webhook.
    #[serde(rename = "proof")]
    Webhook(Box<WebhookResult>),
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

/// What the plugins run in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Ready {
    /// The name and version of the agent, or [`STAND_IN`].
    pub(crate) agent: String,
    /// The version of Python.
    pub(crate) python: String,
    /// How the network is kept away.
    pub(crate) network: Isolation,
    /// How files elsewhere, and other programs, are kept away.
    pub(crate) files: Isolation,
}

/// What the stand-in for the agent is called.
pub(crate) const STAND_IN: &str = "stand-in";

/// How something is kept away from the plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Isolation {
    /// The system gives the process none.
    #[serde(rename = "cut")]
    Kernel,
    /// What Python itself would call is refused.
    #[serde(rename = "refused")]
    PythonOnly,
}

impl Isolation {
    /// Its name in the protocol and in results.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "cut",
            Self::PythonOnly => "refused",
        }
    }
}

/// The result of a webhook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct WebhookResult {
    /// The name of the case.
    pub(crate) case: String,
    /// The key of the plugin.
    pub(crate) plugin: String,
    /// The endpoint.
    pub(crate) endpoint: String,
    /// What is to be held of it.
    pub(crate) verdict: Verdict,
    /// How many requests were sent to both sides.
    pub(crate) requests: usize,
    /// The file of the handler, relative to the tree before.
    #[serde(default)]
    pub(crate) file: String,
    /// The first line of the handler.
    #[serde(default)]
    pub(crate) first: usize,
    /// The last line of the handler.
    #[serde(default)]
    pub(crate) last: usize,
    /// The lines of its body that were run.
    #[serde(default, deserialize_with = "lines")]
    pub(crate) reached: Vec<usize>,
    /// The lines of its body that were not.
    #[serde(default, deserialize_with = "lines")]
    pub(crate) missed: Vec<usize>,
    /// Those among them that the migration changed.
    #[serde(default, deserialize_with = "lines")]
    pub(crate) uncovered: Vec<usize>,
    /// What else was changed, has to run, and did not.
    #[serde(default)]
    pub(crate) uncovered_elsewhere: Vec<Lines>,
    /// The conditions of changed lines that no request made come out one way.
    #[serde(default, deserialize_with = "one_way")]
    pub(crate) one_way: Vec<OneWay>,
    /// How many requests showed a difference.
    #[serde(default)]
    pub(crate) differing: usize,
    /// The smallest of them.
    #[serde(default)]
    pub(crate) difference: Option<Difference>,
    /// The requests that did not end while more of them were looked for, or ended the process.
    #[serde(default, rename = "endless", deserialize_with = "nonterminating")]
    pub(crate) nonterminating: Vec<Nonterminating>,
}

/// A request that did not end on the old side, or ended its process. No side was sent it afterwards.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Nonterminating {
    /// The request.
    pub(crate) request: Request,
    /// How long it was waited for.
    pub(crate) seconds: u64,
    /// Whether the search for more requests was resumed without it.
    #[serde(rename = "went_on")]
    pub(crate) search_resumed: bool,
    /// How it ended the process; empty if it did not.
    #[serde(default, rename = "ended")]
    pub(crate) exit: Detail,
}

/// As many as there can be, of which none but the last has ended the search.
fn nonterminating<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Nonterminating>, D::Error> {
    let all = Vec::<Nonterminating>::deserialize(deserializer)?;
    if all.len() > MOST_ENDLESS {
        return Err(D::Error::custom("too many requests without an end"));
    }
    if all.iter().rev().skip(1).any(|one| !one.search_resumed) {
        return Err(D::Error::custom("a search that went on after its end"));
    }
    if all.iter().any(|one| one.seconds == 0) {
        return Err(D::Error::custom("a request that was not waited for"));
    }
    Ok(all)
}

/// Lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Lines {
    /// On which side.
    #[serde(deserialize_with = "one_side")]
    pub(crate) side: Side,
    /// The file, relative to the tree of that side.
    #[serde(deserialize_with = "inside")]
    pub(crate) file: PathBuf,
    /// The lines, 1-based.
    #[serde(deserialize_with = "lines")]
    pub(crate) lines: Vec<usize>,
}

/// A condition of a changed line that always came out the same way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct OneWay {
    /// On which side.
    #[serde(deserialize_with = "one_side")]
    pub(crate) side: Side,
    /// The file, relative to the tree of that side.
    #[serde(deserialize_with = "inside")]
    pub(crate) file: PathBuf,
    /// The line, 1-based.
    pub(crate) line: usize,
    /// The condition as it is written.
    pub(crate) condition: String,
    /// What it never was.
    pub(crate) never: bool,
}

/// As many as there can be.
fn one_way<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OneWay>, D::Error> {
    let all = Vec::<OneWay>::deserialize(deserializer)?;
    if all.len() > MOST_LINES {
        return Err(D::Error::custom("more conditions than a file has"));
    }
    Ok(all)
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

impl WebhookResult {
    /// Whether it says that all is the same, and what is not covered.
    pub(crate) fn contradicts_itself(&self) -> bool {
        let is_open = !self.uncovered.is_empty()
            || !self.uncovered_elsewhere.is_empty()
            || !self.one_way.is_empty();
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
pub(crate) enum Verdict {
    /// All answers and effects are the same, and every changed line was run.
    Same,
    /// Something is not the same.
    Differs,
    /// Nothing was seen that differs, but not everything that changed was run, both ways where it is a
    /// condition.
    NotCovered,
}

/// A request that the two sides answer differently.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Difference {
    /// The request.
    pub(crate) request: Request,
    /// What differs.
    pub(crate) parts: Vec<Part>,
}

/// A request that was sent to both sides of a webhook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Sent {
    /// The name of the case.
    pub(crate) case: String,
    /// The key of the plugin.
    pub(crate) plugin: String,
    /// The endpoint.
    pub(crate) endpoint: String,
    /// The request, whole.
    pub(crate) request: Request,
}

/// A part of what the two sides gave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Part {
    /// Which part.
    pub(crate) part: String,
    /// What the old side gave.
    #[serde(default)]
    pub(crate) old: Value,
    /// What the new side gave.
    #[serde(default)]
    pub(crate) new: Value,
}

/// What a plugin tried and was not allowed to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Refused {
    /// The name of the case.
    pub(crate) case: String,
    /// Each in a few words.
    pub(crate) what: Vec<String>,
}

#[cfg(test)]
mod tests;
