//! What the runner says, one JSON object a line: facts, of which `report` makes sentences.

mod detail;

use std::path::{Component, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use detail::{Answering, Detail, Fact, Named};

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
    pub unproved: Vec<usize>,
    /// What else was changed, has to run, and did not.
    #[serde(default)]
    pub unproved_elsewhere: Vec<Lines>,
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
    /// Whether it says that all is proved, and what is not.
    pub fn contradicts_itself(&self) -> bool {
        let is_open = !self.unproved.is_empty() || !self.unproved_elsewhere.is_empty();
        self.verdict == Verdict::Proved && (is_open || self.reached.is_empty())
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
    Proved,
    /// Something is not the same.
    Differs,
    /// Nothing was seen that differs, but not everything that changed was run.
    NotExercised,
}

/// A request that the two sides answer differently.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Difference {
    /// The request.
    pub request: Request,
    /// What differs.
    pub parts: Vec<Part>,
}

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Request {
    /// What it is called.
    #[serde(default)]
    pub about: Option<About>,
    /// The method.
    pub method: String,
    /// The old URL.
    pub path: String,
    /// What follows the question mark.
    #[serde(default)]
    pub query: Bytes,
    /// The headers in order.
    #[serde(default)]
    pub headers: Vec<(String, Bytes)>,
    /// The body, when it is text.
    #[serde(default)]
    pub body: Option<String>,
    /// The body in base64, when it is none.
    #[serde(default)]
    pub base64: Option<String>,
    /// Settings of the plugin that differ from its own.
    #[serde(default)]
    pub settings: serde_json::Map<String, Value>,
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

/// What a request is called, in parts (`label.py`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum About {
    /// One that plugins get whatever they ask for.
    Known {
        /// Which one, by its English name.
        kind: String,
        /// The method, where the same is sent by several; else empty.
        #[serde(default)]
        method: String,
        /// Whether it has the headers that the plugin looks for.
        #[serde(default)]
        looked_for: bool,
    },
    /// One with a value that may be answered differently.
    Tried {
        /// Where the value is.
        part: Place,
        /// Its name there, or the keys to it; empty where there is none.
        name: String,
        /// The value, as Python writes it.
        value: String,
    },
    /// One of the user's, as the user calls it.
    Given(String),
}

/// A part of a request that has values (`Place` in `probe.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A header.
    Header,
    /// A parameter of the query.
    Query,
    /// The name of a parameter of the query.
    #[serde(rename = "query name")]
    QueryName,
    /// A field of a form.
    Form,
    /// A value in a body of JSON.
    Body,
    /// The body as bytes.
    #[serde(rename = "raw body")]
    RawBody,
    /// The method.
    Method,
    /// A setting of the plugin.
    Setting,
}

/// A query, or the value of a header: text, or bytes that are none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Bytes {
    /// Text.
    Text(String),
    /// Bytes in base64.
    Encoded {
        /// The base64.
        base64: String,
    },
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Text(String::new())
    }
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

/// A case that could not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Failed {
    /// The name of the case.
    pub case: String,
    /// Which side it was.
    #[serde(default)]
    pub side: Side,
    /// Why.
    pub reason: Reason,
    /// What more is known of it.
    #[serde(default)]
    pub detail: Detail,
    /// The request that was being answered, if one was.
    #[serde(default)]
    pub answering: Option<Answering>,
    /// The endpoint that it is about; none for the whole case.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before the migration.
    Old,
    /// After it.
    New,
    /// Both, or neither in particular.
    #[default]
    #[serde(rename = "")]
    Neither,
}

impl Side {
    /// Its name in the protocol and in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Neither => "",
        }
    }
}

/// Why a case could not be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It cannot be imported.
    Import,
    /// A module that it imports is not installed.
    MissingModule,
    /// The agent finds no plugin in it.
    NoPlugin,
    /// The plugin does not register the webhook.
    NoWebhook,
    /// The plugin has no router.
    NoRouter,
    /// A request is to be sent with a setting that the plugin does not have.
    NoSetting,
    /// A request is to be sent with a setting that cannot have the value.
    BadSetting,
    /// It took too long.
    Hang,
    /// It ended the process.
    Exit,
    /// An error that nothing caught, or the end of the process by a signal.
    Crash,
    /// It needs something of the agent that the stand-in does not have.
    StandInLacks,
    /// The runner has said nothing about it. It never says this itself.
    Unsaid,
    /// What the runner has said about it cannot be taken in. It never says this itself.
    Unreadable,
}

/// What a plugin tried and was not allowed to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refused {
    /// The name of the case.
    pub case: String,
    /// Each in a few words.
    pub what: Vec<String>,
}

/// Nothing can be run at all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fatal {
    /// Why.
    pub reason: FatalReason,
    /// What Python or the runner says.
    #[serde(default)]
    pub detail: String,
}

/// Why nothing can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FatalReason {
    /// FastAPI is not installed.
    NoFastapi,
    /// The agent is not installed, and it was asked for.
    NoAgent,
    /// The Python is older than the agent takes.
    PythonTooOld,
    /// The agent is installed, and cannot be imported.
    BrokenAgent,
    /// FastAPI is installed, and cannot be imported, or what it needs.
    BrokenFastapi,
}

#[cfg(test)]
mod tests;
