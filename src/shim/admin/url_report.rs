//! What is known of each old URL, for programs, and for what is said of webhooks.

use serde_json::{Value, json};

use crate::shim::config::Config;
use crate::shim::http::http_date;
use crate::shim::observe::metrics::UrlCounts;
use crate::shim::observe::recent_calls::RecentCall;
use crate::shim::route::deprecation;
use crate::shim::route::old_url::{Destination, OldUrl};
use crate::shim::route::table::Table;
use crate::shim::serve::worker::ServerState;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// An old URL, and whether it is still needed.
#[derive(Debug)]
pub(super) struct Row {
    /// The old path.
    pub(super) path: String,
    /// The plugins behind it.
    pub(super) plugins: Vec<PluginRow>,
    /// The methods it takes.
    pub(super) allow: String,
    /// The kinds of its auth rules; empty when it is open to all.
    pub(super) auth: Vec<&'static str>,
    /// What was counted.
    pub(super) counts: UrlCounts,
    /// The last calls, the last first.
    pub(super) recent: Vec<RecentCall>,
    /// The last calls that failed, the last first.
    pub(super) failed: Vec<RecentCall>,
    /// Days without a call, as far as is known.
    pub(super) silent_days: u64,
    /// Whether it has been silent for long enough.
    pub(super) can_be_retired: bool,
}

/// A plugin behind an old URL.
#[derive(Debug)]
pub(super) struct PluginRow {
    /// The plugin.
    pub(super) plugin: String,
    /// The new URL.
    pub(super) url: String,
    /// Calls, over all old URLs of the route.
    pub(super) calls: u64,
    /// Those of them that failed.
    pub(super) failures: u64,
}

impl PluginRow {
    fn of(config: &Config, destination: &Destination) -> Self {
        let counts = destination.stats.counts();
        Self {
            plugin: destination.plugin.clone(),
            url: deprecation::successor(config, destination),
            calls: counts.iter().sum(),
            failures: counts[3] + counts[4],
        }
    }
}

/// All old URLs of a table, in its order.
pub(super) fn rows(table: &Table, state: &ServerState, now: u64) -> Vec<Row> {
    let since = state
        .registry
        .counted_since
        .load(std::sync::atomic::Ordering::Relaxed);
    let retire = table.config.retire_after.as_secs();
    let row = |url: &OldUrl| {
        let counts = url.stats.counts();
        // Before the counting began nobody knows.
        let silent = now.saturating_sub(counts.last.max(since));
        let mut auth: Vec<_> = url
            .destinations
            .iter()
            .flat_map(|destination| &destination.auth)
            .map(|rule| rule.kind())
            .collect();
        auth.dedup();
        let (recent, failed) = url.stats.recent();
        Row {
            path: url.path.clone(),
            plugins: url
                .destinations
                .iter()
                .map(|destination| PluginRow::of(&table.config, destination))
                .collect(),
            allow: url.allow.clone(),
            auth,
            silent_days: silent / DAY,
            can_be_retired: silent >= retire,
            counts,
            recent,
            failed,
        }
    };
    table.urls().iter().map(|url| row(url)).collect()
}

impl Row {
    /// When it was called last; none when never.
    pub(super) fn last(&self) -> Option<String> {
        (self.counts.last > 0).then(|| http_date::rfc3339(self.counts.last))
    }

    /// Whether several plugins are behind it.
    pub(super) fn is_shared(&self) -> bool {
        self.plugins.len() > 1
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let targets: Vec<Value> = self
            .plugins
            .iter()
            .map(|row| {
                json!({
                    "plugin": row.plugin,
                    "url": row.url,
                    "calls": row.calls,
                    "failures": row.failures,
                })
            })
            .collect();
        let senders: Vec<Value> = self
            .counts
            .senders
            .iter()
            .map(|sender| {
                json!({
                    "address": sender.address.to_string(),
                    "user_agent": sender.name,
                    "calls": sender.calls,
                    "last": http_date::rfc3339(sender.last),
                })
            })
            .collect();
        json!({
            "legacy": self.path,
            "targets": targets,
            "methods": self.allow,
            "auth": self.auth,
            "calls": self.counts.calls(),
            "failures": self.counts.failures(),
            "senders_gone": self.counts.gone,
            "last_calls": self.recent.iter().map(RecentCall::json).collect::<Vec<_>>(),
            "failed_calls": self.failed.iter().map(RecentCall::json).collect::<Vec<_>>(),
            "last_call": self.last(),
            "senders": senders,
            "silent_days": self.silent_days,
            "can_be_retired": self.can_be_retired,
        })
    }
}
