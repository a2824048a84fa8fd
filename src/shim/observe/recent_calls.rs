//! What is kept of the last calls of an old URL, so that one can be traced: when, which delivery, how it
//! ended and why, and of several plugins behind the URL, which failed.
//!
//! Invariants: what is kept is bounded in number and length, whatever senders send; a call that took the
//! place of an older one allocates nothing unless its names are longer.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use crate::shim::http::delivery::Delivery;
use crate::shim::http::http_date;
use crate::shim::observe::failures::FailedPlugin;

/// Calls that are kept of each URL; the last ones, and the last that failed.
const MAX_CALLS: usize = 8;

/// A call, as it was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Since 1970.
    pub(crate) time: Duration,
    /// The status of the reply.
    pub(crate) status: u16,
    /// Why the shim answered by itself, or how the reply ended.
    pub(crate) outcome: &'static str,
    /// What happened on the way to the agent; empty when it answered.
    pub(crate) reason: &'static str,
    /// What the sender calls it.
    pub(crate) delivery: Delivery<'a>,
    /// The plugins that failed, when there are several.
    pub(crate) plugins: &'a [FailedPlugin],
}

impl Call<'_> {
    /// Whether somebody has to look at it.
    pub(super) fn has_failed(&self) -> bool {
        self.status >= 400 || !self.plugins.is_empty() || self.outcome == "cut"
    }
}

/// A call that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecentCall {
    /// Since 1970.
    pub(crate) time: Duration,
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
    /// Whether somebody has to look at it.
    pub(crate) has_failed: bool,
}

impl RecentCall {
    fn set(&mut self, call: &Call<'_>) {
        self.time = call.time;
        self.status = call.status;
        self.outcome = call.outcome;
        self.reason = call.reason;
        set_name(&mut self.delivery, call.delivery.id);
        set_name(&mut self.event, call.delivery.event);
        self.plugins.clear();
        self.plugins.extend_from_slice(call.plugins);
        self.has_failed = call.has_failed();
    }

    /// Why it ended as it did, in one word.
    pub(crate) fn why(&self) -> &'static str {
        match self.reason {
            "" => self.outcome,
            reason => reason,
        }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let plugins: Vec<Value> = self.plugins.iter().map(FailedPlugin::json).collect();
        json!({
            "time": http_date::rfc3339(self.time.as_secs()),
            "status": self.status,
            "outcome": self.outcome,
            "reason": self.reason,
            "delivery": self.delivery,
            "event": self.event,
            "failed": plugins,
        })
    }
}

/// A name that a sender chose, as it is shown.
fn set_name(name: &mut String, bytes: &[u8]) {
    name.clear();
    let characters = String::from_utf8_lossy(bytes);
    name.extend(
        characters
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c }),
    );
}

/// The last calls of a URL, and the last of them that failed: successes must not push these out.
#[derive(Debug, Default)]
pub(super) struct RecentCalls {
    all: VecDeque<RecentCall>,
    failed: VecDeque<RecentCall>,
}

impl RecentCalls {
    /// Adds one.
    pub(super) fn push(&mut self, call: &Call<'_>) {
        keep(&mut self.all, call);
        if call.has_failed() {
            keep(&mut self.failed, call);
        }
    }

    /// All, the last first.
    pub(super) fn all(&self) -> Vec<RecentCall> {
        self.all.iter().rev().cloned().collect()
    }

    /// Those that failed, the last first.
    pub(super) fn failed(&self) -> Vec<RecentCall> {
        self.failed.iter().rev().cloned().collect()
    }
}

fn keep(calls: &mut VecDeque<RecentCall>, call: &Call<'_>) {
    let oldest = match calls.len() < MAX_CALLS {
        true => None,
        false => calls.pop_front(),
    };
    let mut kept = oldest.unwrap_or_default();
    kept.set(call);
    calls.push_back(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successes_do_not_push_out_what_failed() {
        let mut calls = RecentCalls::default();
        for number in 0..20 {
            calls.push(&Call {
                time: Duration::from_secs(number),
                status: if number == 3 { 503 } else { 200 },
                outcome: "answered",
                reason: "",
                delivery: Delivery {
                    id: b"a\x1b\xff",
                    event: b"push",
                },
                plugins: &[],
            });
        }
        let (all, failed) = (calls.all(), calls.failed());
        let times = [all[0].time.as_secs(), all[7].time.as_secs()];
        assert_eq!((all.len(), times), (MAX_CALLS, [19, 12]));
        assert_eq!((failed.len(), failed[0].time.as_secs()), (1, 3));
        assert_eq!(failed[0].delivery, "a\u{fffd}\u{fffd}");
    }
}
