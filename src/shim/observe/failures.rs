//! What is kept of calls that failed, so that one can be traced: when, which delivery, why, and of
//! several plugins behind a URL, which.
//!
//! Invariant: what is kept is bounded in number and length, whatever senders send.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::shim::http::delivery::Delivery;
use crate::shim::http::http_date;

/// Calls that are kept of each URL; the last ones.
const MAX_CALLS: usize = 8;
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

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedCall {
    /// In seconds since 1970.
    pub(crate) time: u64,
    /// The status of the reply.
    pub(crate) status: u16,
    /// Why the shim answered by itself, or how the reply ended.
    pub(crate) outcome: &'static str,
    /// What happened on the way to the agent; empty when it answered.
    pub(crate) reason: &'static str,
    /// What the sender calls the delivery.
    pub(crate) delivery: String,
    /// What the sender calls the event.
    pub(crate) event: String,
    /// The plugins that failed, when there are several.
    pub(crate) plugins: Vec<FailedPlugin>,
}

impl FailedCall {
    /// A name that a sender chose, as it is shown.
    pub(crate) fn name(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes)
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect()
    }

    /// The names of a delivery.
    pub(crate) fn names(delivery: Delivery<'_>) -> (String, String) {
        (Self::name(delivery.id), Self::name(delivery.event))
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let plugins: Vec<Value> = self.plugins.iter().map(FailedPlugin::json).collect();
        json!({
            "time": http_date::rfc3339(self.time),
            "status": self.status,
            "outcome": self.outcome,
            "reason": self.reason,
            "delivery": self.delivery,
            "event": self.event,
            "failed": plugins,
        })
    }

    /// For people, in one line: what is known of it.
    pub(crate) fn summary(&self) -> String {
        let mut parts = vec![self.status.to_string()];
        let reason = match self.reason {
            "" => self.outcome,
            reason => reason,
        };
        parts.push(reason.to_owned());
        let names = [&self.event, &self.delivery];
        parts.extend(names.into_iter().filter(|name| !name.is_empty()).cloned());
        parts.extend(self.plugins.iter().map(FailedPlugin::summary));
        parts.join(" · ")
    }
}

impl FailedPlugin {
    fn json(&self) -> Value {
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

/// The last calls that failed.
#[derive(Debug, Default)]
pub(super) struct FailedCalls(VecDeque<FailedCall>);

impl FailedCalls {
    /// Adds one.
    pub(super) fn push(&mut self, call: FailedCall) {
        if self.0.len() >= MAX_CALLS {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    /// The last first.
    pub(super) fn last_first(&self) -> Vec<FailedCall> {
        self.0.iter().rev().cloned().collect()
    }
}
