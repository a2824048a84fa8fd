//! What is known of each webhook: a route of the map with its old URLs. One form for the page and for
//! programs.
//!
//! Invariant: behind an old URL that several plugins share, a failure counts against the plugin that
//! failed, and not against the others, as far as it is known.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::url_report::{self, Row};
use crate::shim::http::http_date;
use crate::shim::observe::recent_calls::RecentCall;
use crate::shim::route::deprecation;
use crate::shim::route::old_url::Destination;
use crate::shim::route::table::Table;
use crate::shim::serve::worker::ServerState;
use crate::text;
use crate::text::Text;

/// Calls that are told of each webhook.
const MAX_CALLS: usize = 8;

/// How a webhook fares, in the order in which somebody has to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// The last call that was let in failed.
    Failing,
    /// Since the last call that was let in, others were refused.
    Refusing,
    /// It is called.
    InUse,
    /// Nobody has called it yet.
    Unused,
    /// Nobody has called it for so long that its old URLs can be retired.
    Retirable,
}

impl Fate {
    /// All, in their order.
    pub(super) const ALL: [Self; 5] = [
        Self::Failing,
        Self::Refusing,
        Self::InUse,
        Self::Unused,
        Self::Retirable,
    ];

    /// The name for programs and in addresses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Refusing => "refusing",
            Self::InUse => "in_use",
            Self::Unused => "unused",
            Self::Retirable => "retirable",
        }
    }

    /// What a person is told.
    pub(super) fn text(self) -> Text {
        match self {
            Self::Failing => text!("failing", "失败"),
            Self::Refusing => text!("refusing", "有请求被拒绝"),
            Self::InUse => text!("in use", "使用中"),
            Self::Unused => text!("no call yet", "暂无调用"),
            Self::Retirable => text!("can be retired", "可以停用"),
        }
    }
}

/// A webhook.
#[derive(Debug)]
pub(super) struct Webhook {
    /// The plugin.
    pub(super) plugin: String,
    /// The endpoint as it was registered.
    pub(super) endpoint: String,
    /// The new URL.
    pub(super) url: String,
    /// The methods it takes.
    pub(super) methods: String,
    /// The kinds of its auth rules; empty when it is open to all.
    pub(super) auth: Vec<&'static str>,
    /// Its old URLs.
    pub(super) urls: Vec<Arc<Row>>,
    /// Calls of all its old URLs.
    pub(super) calls: u64,
    /// Those that failed, by its own fault where that is known.
    pub(super) failures: u64,
    /// Calls that were refused since one was let in.
    pub(super) refused: u64,
    /// When it was called last, in seconds since 1970; 0 when never.
    pub(super) last: u64,
    /// How it fares.
    pub(super) fate: Fate,
    /// The last calls with the old URLs that they came to, the last first.
    pub(super) recent: Vec<(Arc<Row>, RecentCall)>,
}

/// All webhooks of a table that have an old URL, in the order of the map.
pub(super) fn webhooks(table: &Table, state: &ServerState, now: u64) -> Vec<Webhook> {
    let rows = url_report::rows(table, state, now);
    let mut order: Vec<(Arc<Destination>, Vec<Arc<Row>>)> = Vec::new();
    let mut known = HashMap::new();
    for (url, row) in table.urls().iter().zip(rows) {
        let row = Arc::new(row);
        for destination in &url.destinations {
            let at = *known.entry(Arc::as_ptr(destination)).or_insert(order.len());
            if at == order.len() {
                order.push((Arc::clone(destination), Vec::new()));
            }
            order[at].1.push(Arc::clone(&row));
        }
    }
    order
        .into_iter()
        .map(|(destination, urls)| Webhook::of(table, &destination, urls))
        .collect()
}

impl Webhook {
    fn of(table: &Table, destination: &Destination, urls: Vec<Arc<Row>>) -> Self {
        let by_class = destination.stats.counts();
        let own = urls.iter().filter(|url| !url.is_shared());
        let of_own: u64 = own.map(|url| url.counts.failures()).sum();
        let is_shared = urls.iter().any(|url| url.is_shared());
        let mut recent: Vec<_> = urls
            .iter()
            .flat_map(|url| {
                let all = url.recent.iter();
                let is_older = |call: &&RecentCall| {
                    url.recent
                        .last()
                        .is_none_or(|oldest| call.time < oldest.time)
                };
                // What successes have pushed out, and is what somebody looks for.
                let failed = url.failed.iter().filter(is_older);
                all.chain(failed)
                    .map(|call| (Arc::clone(url), call.clone()))
            })
            .collect();
        recent.sort_by_key(|(_, call)| std::cmp::Reverse(call.time));
        recent.truncate(MAX_CALLS);
        Self {
            plugin: destination.plugin.clone(),
            endpoint: destination.route.endpoint.clone(),
            url: deprecation::successor(&table.config, destination),
            methods: destination.route.methods.join(", "),
            auth: destination.auth.iter().map(|rule| rule.kind()).collect(),
            calls: urls.iter().map(|url| url.counts.calls()).sum(),
            failures: match is_shared {
                true => of_own.max(by_class[3] + by_class[4]),
                false => of_own,
            },
            refused: urls.iter().map(|url| url.counts.refused).sum(),
            last: urls.iter().map(|url| url.counts.last).max().unwrap_or(0),
            fate: fate(&urls, destination),
            recent,
            urls,
        }
    }

    /// The last call that failed.
    pub(super) fn last_failure(&self) -> Option<&RecentCall> {
        let failed = self.urls.iter().filter_map(|url| url.failed.first());
        failed.max_by_key(|call| call.time)
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let urls: Vec<Value> = self
            .urls
            .iter()
            .map(|url| {
                json!({
                    "legacy": url.path,
                    "calls": url.counts.calls(),
                    "failures": url.counts.failures(),
                    "last_call": url.last(),
                    "shared": url.is_shared(),
                    "silent_days": url.silent_days,
                    "can_be_retired": url.can_be_retired,
                })
            })
            .collect();
        let calls: Vec<Value> = self
            .recent
            .iter()
            .map(|(url, call)| {
                let mut value = call.json();
                value["legacy"] = url.path.clone().into();
                value
            })
            .collect();
        json!({
            "plugin": self.plugin,
            "endpoint": self.endpoint,
            "url": self.url,
            "methods": self.methods,
            "auth": self.auth,
            "state": self.fate.name(),
            "calls": self.calls,
            "failures": self.failures,
            "refused": self.refused,
            "last_call": (self.last > 0).then(|| http_date::rfc3339(self.last)),
            "last_failure": self.last_failure().map(RecentCall::json),
            "urls": urls,
            "last_calls": calls,
        })
    }
}

fn fate(urls: &[Arc<Row>], destination: &Destination) -> Fate {
    if urls.iter().all(|url| url.can_be_retired) {
        return Fate::Retirable;
    }
    let last = urls.iter().map(|url| url.counts.last).max().unwrap_or(0);
    let newest = || urls.iter().filter(|url| url.counts.last == last);
    let has_failed = |url: &Arc<Row>| match url.is_shared() {
        // One of the others may have.
        true => destination
            .stats
            .last_has_failed()
            .unwrap_or(url.counts.last_failed),
        false => url.counts.last_failed,
    };
    if last > 0 && newest().any(has_failed) {
        return Fate::Failing;
    }
    if urls.iter().any(|url| url.counts.refused > 0) {
        return Fate::Refusing;
    }
    match last {
        0 => Fate::Unused,
        _ => Fate::InUse,
    }
}
