//! What is counted, and for how long: per old URL, per agent, per reason.
//!
//! Invariants: counts outlive a reload; labels are paths of the map, agents of the
//! configuration and rejections of one table, never anything that a sender can choose.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::shim::http::http_date;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::upstream_url::UpstreamUrl;
use crate::shim::http::via::Via;
use crate::shim::observe::heartbeat::Heartbeats;
use crate::shim::observe::recent_calls::{Call, RecentCall, RecentCalls};
use crate::shim::observe::redact;
use crate::shim::observe::targets::Targets;
use crate::shim::upstream::agent::Upstream;

/// The upper bounds of the histogram of durations, in microseconds.
pub(super) const BUCKETS: [u64; 11] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 2_500_000, 8_000_000,
];

/// The status of a call whose sender had left before the reply, as nginx has it: nobody is sent it.
pub(crate) const SENDER_GONE: u16 = 499;
/// A time so many seconds ahead was taken while the clock was wrong.
const CLOCK_JUMP: u64 = 3_600;
/// How a call ends that is not let in, whatever is behind the URL.
const REFUSALS: [Rejection; 3] = [
    Rejection::Unauthorized,
    Rejection::Address,
    Rejection::Method,
];
/// Senders kept for each URL; those seen last.
const MAX_SENDERS: usize = 8;
/// The longest User-Agent that is kept.
const LONGEST_NAME: usize = 120;

/// A sender of an old URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Where it calls from.
    pub(crate) address: IpAddr,
    /// What it calls itself.
    pub(crate) name: String,
    /// How often.
    pub(crate) calls: u64,
    /// When it called last, in seconds since 1970.
    pub(crate) last: u64,
}

/// The counts of an old URL.
#[derive(Debug, Default)]
pub struct UrlStats {
    /// By class of status: 1xx to 5xx.
    classes: [AtomicU64; 5],
    /// Calls no longer than the bound of that number, and longer than the one before.
    buckets: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
    /// Calls whose sender had left before the reply.
    gone: AtomicU64,
    /// In seconds since 1970; 0 when never.
    last: AtomicU64,
    /// Whether the last call that was let in has failed.
    last_failed: AtomicBool,
    /// Calls that were refused since one was let in.
    refused: AtomicU64,
    senders: Mutex<Vec<Caller>>,
    recent: Mutex<RecentCalls>,
}

/// What is known of an old URL at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UrlCounts {
    /// By class of status: 1xx to 5xx.
    pub(crate) classes: [u64; 5],
    /// Not summed up.
    pub(crate) buckets: [u64; BUCKETS.len() + 1],
    /// The sum of all durations.
    pub(crate) microseconds: u64,
    /// Calls whose sender had left before the reply; failures, too.
    pub(crate) gone: u64,
    /// In seconds since 1970; 0 when never.
    pub(crate) last: u64,
    /// Whether the last call that was let in has failed.
    pub(crate) last_failed: bool,
    /// Calls that were refused since one was let in.
    pub(crate) refused: u64,
    /// The last first.
    pub(crate) senders: Vec<Caller>,
}

impl UrlCounts {
    /// All calls.
    pub fn calls(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// Calls that were answered with 4xx or 5xx.
    pub fn failures(&self) -> u64 {
        self.classes[3] + self.classes[4]
    }

    /// Those of them whose sender had left before the reply.
    pub fn gone(&self) -> u64 {
        self.gone
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counts are whole at every moment: a thread that died in between left nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl UrlStats {
    /// Counts a call.
    pub(crate) fn count(
        &self,
        status: u16,
        duration: Duration,
        address: IpAddr,
        name: &[u8],
        now: u64,
    ) {
        if status == SENDER_GONE {
            self.gone.fetch_add(1, Ordering::Relaxed);
        }
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.partition_point(|&bound| bound < microseconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
        // Whoever is refused does not need the URL.
        let last = self.last.load(Ordering::Relaxed);
        let is_later = now > last || last - now > CLOCK_JUMP;
        if is_later && !matches!(status, 401 | 403 | 405) {
            self.last.store(now, Ordering::Relaxed);
        }
        let name = redact::user_agent(name);
        let name = &name[..name.len().min(LONGEST_NAME)];
        let mut senders = lock(&self.senders);
        let known = senders
            .iter()
            .position(|sender| sender.address == address && sender.name.as_bytes() == name);
        match known {
            Some(index) => {
                senders[index].calls += 1;
                senders[index].last = now;
            }
            None => {
                let name: String = String::from_utf8_lossy(name)
                    .chars()
                    .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                    .collect();
                let same = |sender: &Caller| sender.address == address && sender.name == name;
                if let Some(sender) = senders.iter_mut().find(|sender| same(sender)) {
                    sender.calls += 1;
                    sender.last = now;
                    return;
                }
                if senders.len() >= MAX_SENDERS {
                    let oldest = senders.iter().enumerate().min_by_key(|(_, s)| s.last);
                    if let Some((index, _)) = oldest {
                        senders.swap_remove(index);
                    }
                }
                senders.push(Caller {
                    address,
                    name,
                    calls: 1,
                    last: now,
                });
            }
        }
    }

    /// Keeps a call, to be traced. Whoever the shim itself refused says nothing about what is behind it.
    pub(crate) fn keep(&self, call: &Call<'_>) {
        match REFUSALS
            .iter()
            .any(|refusal| refusal.label() == call.outcome)
        {
            true => {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            false => {
                self.refused.store(0, Ordering::Relaxed);
                self.last_failed.store(call.has_failed(), Ordering::Relaxed);
            }
        }
        lock(&self.recent).push(call);
    }

    /// The last calls, and the last that failed; of both the last first.
    pub(crate) fn recent(&self) -> (Vec<RecentCall>, Vec<RecentCall>) {
        let recent = lock(&self.recent);
        (recent.all(), recent.failed())
    }

    /// What is known now.
    pub fn counts(&self) -> UrlCounts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut senders = lock(&self.senders).clone();
        senders.sort_by_key(|sender| std::cmp::Reverse(sender.last));
        UrlCounts {
            classes: std::array::from_fn(|index| load(&self.classes[index])),
            buckets: std::array::from_fn(|index| load(&self.buckets[index])),
            microseconds: load(&self.microseconds),
            gone: load(&self.gone),
            last: load(&self.last),
            last_failed: self.last_failed.load(Ordering::Relaxed),
            refused: load(&self.refused),
            senders,
        }
    }

    /// Goes on from what was known before a restart.
    pub(super) fn restore(&self, counts: &UrlCounts) {
        let add = |to: &AtomicU64, count: u64| to.fetch_add(count, Ordering::Relaxed);
        for (to, &count) in self.classes.iter().zip(&counts.classes) {
            add(to, count);
        }
        for (to, &count) in self.buckets.iter().zip(&counts.buckets) {
            add(to, count);
        }
        add(&self.microseconds, counts.microseconds);
        add(&self.gone, counts.gone);
        self.last.fetch_max(counts.last, Ordering::Relaxed);
        add(&self.refused, counts.refused);
        self.last_failed
            .store(counts.last_failed, Ordering::Relaxed);
        let mut senders = lock(&self.senders);
        if senders.is_empty() {
            let known = counts.senders.iter().take(MAX_SENDERS).cloned();
            senders.extend(known.map(|sender| Caller {
                name: String::from_utf8_lossy(&redact::user_agent(sender.name.as_bytes())).into(),
                ..sender
            }));
        }
    }
}

/// The counts of an agent.
#[derive(Debug, Default)]
pub(crate) struct UpstreamStats {
    /// Requests sent to it.
    pub(crate) requests: AtomicU64,
    /// Connections that could not be made.
    pub(crate) gone: AtomicU64,
    /// Replies that were none, or ended early.
    pub(crate) broken: AtomicU64,
    /// Replies that did not come in time.
    pub(crate) slow: AtomicU64,
    /// Requests sent again, because no byte of them had been taken.
    pub(crate) retries: AtomicU64,
}

impl UpstreamStats {
    /// Counts a call that has failed.
    pub(crate) fn fail(&self, rejection: Rejection) {
        let count = match rejection {
            Rejection::UpstreamGone | Rejection::UpstreamName | Rejection::UpstreamSilent => {
                &self.gone
            }
            Rejection::UpstreamSlow => &self.slow,
            _ => &self.broken,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Everything that outlives a table: what is counted, and the name of this process.
#[derive(Debug)]
pub struct Registry {
    urls: Mutex<HashMap<String, Arc<UrlStats>>>,
    agents: Mutex<Vec<(Arc<Upstream>, Arc<UpstreamStats>)>>,
    /// The new routes.
    pub(crate) targets: Targets,
    rejected: [AtomicU64; Rejection::ALL.len()],
    /// Requests that are being answered.
    pub in_flight: AtomicUsize,
    /// Connections of senders.
    pub connections: AtomicUsize,
    /// Requests that went to the agent as they were.
    pub passed_through: AtomicU64,
    /// The threads that serve.
    pub(crate) heartbeats: Heartbeats,
    /// Reloads, good and bad.
    pub reloads: [AtomicU64; 2],
    /// When it was last said that no connection can be taken, in seconds since 1970.
    pub shortage_said: AtomicU64,
    /// When it was last said that a peer is not believed, in seconds since 1970.
    pub(crate) disbelief_said: AtomicU64,
    /// What this process calls itself on the way of a request.
    pub via: Via,
    /// Since when, in seconds since 1970.
    pub started: u64,
    /// Since when calls are counted: before `started` when counts were kept over a restart.
    pub counted_since: AtomicU64,
}

impl Default for Registry {
    fn default() -> Self {
        let started = http_date::now();
        Self {
            urls: Mutex::default(),
            agents: Mutex::default(),
            targets: Targets::default(),
            rejected: std::array::from_fn(|_| AtomicU64::new(0)),
            in_flight: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            passed_through: AtomicU64::new(0),
            heartbeats: Heartbeats::default(),
            reloads: Default::default(),
            shortage_said: AtomicU64::new(0),
            disbelief_said: AtomicU64::new(0),
            via: Via::default(),
            started,
            counted_since: AtomicU64::new(started),
        }
    }
}

impl Registry {
    /// The counts of the URL with this path in the map.
    pub fn url(&self, path: &str) -> Arc<UrlStats> {
        let mut urls = lock(&self.urls);
        match urls.get(path) {
            Some(stats) => Arc::clone(stats),
            None => {
                let stats = Arc::new(UrlStats::default());
                urls.insert(path.to_owned(), Arc::clone(&stats));
                stats
            }
        }
    }

    /// All URLs that were ever in a table, with their counts, by path.
    pub(super) fn urls(&self) -> Vec<(String, UrlCounts)> {
        let mut all: Vec<_> = lock(&self.urls)
            .iter()
            .map(|(path, stats)| (path.clone(), stats.counts()))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// The agent at `url`; the same one for the same URL.
    pub(crate) fn agent(&self, url: &UpstreamUrl) -> Arc<Upstream> {
        let mut agents = lock(&self.agents);
        if let Some((agent, _)) = agents.iter().find(|(agent, _)| agent.url == *url) {
            return Arc::clone(agent);
        }
        let agent = Arc::new(Upstream::new(url.clone(), agents.len()));
        agents.push((Arc::clone(&agent), Arc::default()));
        agent
    }

    /// The counts of an agent.
    pub(crate) fn agent_stats(&self, number: usize) -> Arc<UpstreamStats> {
        lock(&self.agents)
            .get(number)
            .map(|(_, stats)| Arc::clone(stats))
            .unwrap_or_default()
    }

    /// Counts a rejection.
    pub(crate) fn reject(&self, rejection: Rejection) {
        self.rejected[rejection.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// How often for this reason.
    pub fn rejected(&self, rejection: Rejection) -> u64 {
        self.rejected[rejection.index()].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_class_time_and_sender() {
        let stats = UrlStats::default();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        stats.count(200, Duration::from_micros(900), address, b"GitHub", 10);
        stats.count(503, Duration::from_secs(9), address, b"GitHub", 12);
        stats.count(404, Duration::from_millis(3), address, b"\xff\n", 11);
        stats.count(404, Duration::from_millis(3), address, b"\xff\n", 11);
        let counts = stats.counts();
        assert_eq!((counts.calls(), counts.failures(), counts.last), (4, 3, 12));
        assert_eq!((counts.buckets[0], counts.buckets[11]), (1, 1));
        assert_eq!(counts.senders.len(), 2);
        assert_eq!(
            (counts.senders[0].name.as_str(), counts.senders[0].calls),
            ("GitHub", 2)
        );
        assert_eq!(counts.senders[1].name, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_sender_is_shown_without_its_secrets() {
        let stats = UrlStats::default();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..2 {
            stats.count(200, Duration::ZERO, address, b"ci/1 token=hunter2", 10);
        }
        let senders = stats.counts().senders;
        assert_eq!(senders.len(), 1);
        assert_eq!(
            (senders[0].name.as_str(), senders[0].calls),
            ("ci/1 token=***", 2)
        );
    }

    #[test]
    fn neither_a_refused_call_nor_a_wrong_clock_keeps_a_url_alive() {
        let stats = UrlStats::default();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let last = |status, now| {
            stats.count(status, Duration::ZERO, address, b"", now);
            stats.counts().last
        };
        assert_eq!(last(200, 1_000_000), 1_000_000);
        for status in [401, 403, 405] {
            assert_eq!(last(status, 2_000_000), 1_000_000, "{status}");
        }
        assert_eq!(last(200, 9_000_000), 9_000_000, "the clock jumps ahead");
        assert_eq!(last(200, 2_000_000), 2_000_000, "and back");
        assert_eq!(
            last(200, 1_999_999),
            2_000_000,
            "another thread is a little late"
        );
    }

    #[test]
    fn senders_cannot_fill_the_memory() {
        let stats = UrlStats::default();
        for number in 0..1000u32 {
            let address = IpAddr::V4(number.into());
            stats.count(
                200,
                Duration::ZERO,
                address,
                &b"a ".repeat(4500),
                u64::from(number),
            );
        }
        let senders = stats.counts().senders;
        assert_eq!(senders.len(), MAX_SENDERS);
        assert_eq!(
            (senders[0].last, senders[0].name.len()),
            (999, LONGEST_NAME)
        );
    }
}
