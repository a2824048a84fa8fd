//! Why a case could not be run, in detail: what somebody says, or a fact that sentences are made of.

use serde::Deserialize;

use super::request::About;

/// What is known of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Detail {
    /// What Python, the plugin or the system says, as it says it.
    Text(String),
    /// What the runner has found.
    Fact(Fact),
}

/// What the runner has found (`Failed` in `subprocess_task.py`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fact {
    /// A process had no result in time.
    NoResult {
        /// How long it was waited for.
        seconds: u64,
        /// Where in the plugin it was, `file:line`; empty if nowhere.
        #[serde(default)]
        place: String,
    },
    /// A plain request was not answered in time.
    NoAnswer {
        /// How long it was waited for.
        seconds: u64,
    },
    /// Results that are larger than is taken.
    TooLarge {
        /// How large they may be.
        mib: u64,
    },
    /// Something else was in the place of a result.
    #[serde(rename = "garbled")]
    InvalidResult {
        /// The error that it led to.
        error: String,
    },
    /// A signal ended the process.
    Signal {
        /// Which.
        number: u32,
    },
    /// The process ended by itself.
    ExitCode {
        /// With which code.
        code: u32,
    },
    /// There is no such webhook.
    NoWebhook {
        /// The key of the plugin.
        plugin: String,
        /// The endpoint.
        endpoint: String,
    },
    /// The agent does not mount the router.
    NoRouter {
        /// The key of the plugin.
        plugin: String,
    },
    /// There is no such plugin.
    NoPlugin {
        /// Its key.
        plugin: String,
        /// The keys of those that there are.
        there: Vec<String>,
    },
    /// A plugin has no such setting.
    NoSetting {
        /// The key of the plugin.
        plugin: String,
        /// The name of the setting.
        name: String,
    },
    /// Requests that were given name settings that there are not.
    NoSettings {
        /// Those.
        named: Vec<Named>,
        /// The names of those that there are.
        there: Vec<String>,
    },
}

/// A setting that a request names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// The file and the line of the request.
    pub(crate) place: String,
    /// The name of the setting.
    pub(crate) name: String,
}

/// The request that was being answered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answering {
    /// The method.
    pub(crate) method: String,
    /// What it is called.
    pub(crate) about: About,
}

impl Detail {
    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl Default for Detail {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl<T: Into<String>> From<T> for Detail {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}
