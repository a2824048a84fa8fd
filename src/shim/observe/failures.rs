//! Which of several plugins behind one URL has failed, and how: for the log, the page and programs.

use serde_json::{Value, json};

/// What the agent's own old URL is called among plugins.
pub(crate) const LEGACY: &str = "/api/webhook/";

/// A plugin that failed, of several behind one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedPlugin {
    /// The plugin.
    pub(crate) plugin: String,
    /// The status of its reply, or of ours in its place.
    pub(crate) status: u16,
    /// Why there was no reply of its own; empty when there was.
    pub(crate) reason: &'static str,
}

impl FailedPlugin {
    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({ "plugin": self.plugin, "status": self.status, "reason": self.reason })
    }

    /// `plugin: 503 refused`.
    pub(crate) fn summary(&self) -> String {
        let (plugin, status, reason) = (&self.plugin, self.status, self.reason);
        match reason {
            "" => format!("{plugin}: {status}"),
            reason => format!("{plugin}: {status} {reason}"),
        }
    }
}
