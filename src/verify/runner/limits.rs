//! How long the runner may take, and how often it tries again.
//!
//! One place for both programs: the runner reads them from its job, and what watches over it adds them
//! up.

use std::time::Duration;

use serde::Serialize;

use crate::verify::requests;

/// How often a search begins anew, without the request that did not end.
const SEARCH_RESTARTS: u64 = 2;

/// How many requests that end the process are left out.
const LEFT_OUT_REQUESTS: u64 = 20;

/// The most requests of one webhook that can have been without an end, or ended the process.
pub(crate) const MOST_ENDLESS: usize = (SEARCH_RESTARTS + 1 + LEFT_OUT_REQUESTS) as usize;

/// How long a process may take to begin.
const STARTING_SECONDS: u64 = 3;

/// How long the runner may take besides the cases: the agent alone takes seconds to be imported.
const IMPORTING_SECONDS: u64 = 120;

/// How often both sides are run at the same time: with what was found, with the rest of the table of
/// bodies; and the old side once more, where something differs.
const RUNS: u64 = 3;

/// How many runs' time both sides take once more without requests that end the process. Each route may
/// take one besides, that the others are run without.
const RUNS_WITHOUT: u64 = 2;

/// What the runner keeps to; `limits.py` has the same fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Limits {
    /// A side of a case, or the start of a search.
    side_seconds: u64,
    /// How much longer a process may take to be ended.
    grace_seconds: u64,
    /// The search for requests, for all routes of a plugin together.
    search_seconds: u64,
    /// A request of a search.
    request_seconds: u64,
    search_restarts: u64,
    left_out_requests: u64,
    saved_bytes: u64,
}

impl Limits {
    /// The limits where one side of a case may take so long.
    pub(crate) fn new(side_seconds: u64) -> Self {
        Self {
            side_seconds,
            grace_seconds: 2,
            search_seconds: side_seconds.min(20),
            request_seconds: 5,
            search_restarts: SEARCH_RESTARTS,
            left_out_requests: LEFT_OUT_REQUESTS,
            saved_bytes: requests::MOST_BYTES,
        }
    }

    /// How long cases with so many routes each may take: the sum, for a runner that does not keep to
    /// its limits.
    pub(crate) fn of_all(&self, cases: impl IntoIterator<Item = usize>) -> Duration {
        let spare = STARTING_SECONDS + self.grace_seconds;
        let run = self.side_seconds.saturating_add(spare);
        let search = run.saturating_add(self.search_seconds);
        let of_case = |routes: usize| {
            let routes = u64::try_from(routes).unwrap_or(u64::MAX);
            // A search begins once, anew after some requests that do not end, and after others with
            // what is left of the routes.
            let searches = routes.saturating_add(1 + self.search_restarts);
            let runs = routes.saturating_add(RUNS + RUNS_WITHOUT);
            let searches = search.saturating_mul(searches);
            searches.saturating_add(run.saturating_mul(runs))
        };
        let seconds = cases.into_iter().map(of_case);
        let seconds = seconds.fold(IMPORTING_SECONDS, u64::saturating_add);
        Duration::from_secs(seconds.min(u64::from(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_time_for_all_that_a_plugin_may_take() {
        let seconds =
            |seconds, cases: &[usize]| Limits::new(seconds).of_all(cases.iter().copied()).as_secs();
        assert_eq!(seconds(30, &[]), IMPORTING_SECONDS);
        // Four searches of 30 + 20 + 5 seconds, six runs of 30 + 5.
        let one = 4 * 55 + 6 * 35;
        assert_eq!(seconds(30, &[1]), IMPORTING_SECONDS + one);
        let more = one + 2 * 55 + 2 * 35;
        assert_eq!(seconds(30, &[1, 3]), IMPORTING_SECONDS + one + more);
        assert_eq!(seconds(u64::MAX, &[1]), u64::from(u32::MAX));
    }

    /// The runner takes each of them by its name, and no other.
    #[test]
    fn the_runner_has_the_same_fields() {
        let python = include_str!("../pysrc/_rehook_runner/model/limits.py");
        let fields = python.lines().filter_map(|line| {
            let (name, kind) = line.strip_prefix("    ")?.split_once(": ")?;
            (kind == "int").then_some(name)
        });
        let mut fields: Vec<&str> = fields.collect();
        fields.sort_unstable();
        let limits = serde_json::to_value(Limits::new(1)).unwrap();
        let own: Vec<&String> = limits.as_object().unwrap().keys().collect();
        assert_eq!(fields, own);
    }
}
