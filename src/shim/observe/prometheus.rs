//! The metrics in Prometheus' text format (0.0.4).

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use crate::shim::http::rejection::Rejection;
use crate::shim::observe::metrics::BUCKETS;
use crate::shim::serve::worker::ServerState;
use crate::term;

/// The classes of statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// All metrics.
pub(crate) fn text(state: &ServerState) -> String {
    let mut out = String::new();
    urls(state, &mut out);
    agents(state, &mut out);
    let registry = &state.registry;
    head(
        &mut out,
        "rehook_shim_refused_total",
        "counter",
        "Replies of the shim's own, by reason.",
    );
    for rejection in Rejection::ALL {
        let (reason, count) = (rejection.label(), registry.rejected(rejection));
        line(
            &mut out,
            "rehook_shim_refused_total",
            &[("reason", reason)],
            count,
        );
    }
    let [good, bad] = &registry.reloads;
    head(
        &mut out,
        "rehook_shim_reloads_total",
        "counter",
        "Reloads of the configuration.",
    );
    line(
        &mut out,
        "rehook_shim_reloads_total",
        &[("outcome", "good")],
        good.load(Relaxed),
    );
    line(
        &mut out,
        "rehook_shim_reloads_total",
        &[("outcome", "bad")],
        bad.load(Relaxed),
    );
    let single = [
        (
            "rehook_shim_passed_through_total",
            "counter",
            "Requests that are no webhooks and went to the agent.",
            registry.passed_through.load(Relaxed),
        ),
        (
            "rehook_shim_in_flight",
            "gauge",
            "Requests that are being answered.",
            registry.in_flight.load(Relaxed) as u64,
        ),
        (
            "rehook_shim_connections",
            "gauge",
            "Open connections of senders.",
            registry.connections.load(Relaxed) as u64,
        ),
        (
            "rehook_shim_log_lines_dropped_total",
            "counter",
            "Lines of the log that nobody took in time.",
            state.log.dropped(),
        ),
        (
            "rehook_shim_start_time_seconds",
            "gauge",
            "When the shim was started.",
            registry.started,
        ),
    ];
    for (name, kind, help, value) in single {
        head(&mut out, name, kind, help);
        line(&mut out, name, &[], value);
    }
    recorded(state, &mut out);
    out
}

fn recorded(state: &ServerState, out: &mut String) {
    let Some(recorder) = &state.recorder else {
        return;
    };
    let name = "rehook_shim_recorded_total";
    head(
        out,
        name,
        "counter",
        "Requests that are recorded, and that could not be.",
    );
    for (outcome, count) in [
        ("written", &recorder.written),
        ("dropped", &recorder.dropped),
    ] {
        line(out, name, &[("outcome", outcome)], count.load(Relaxed));
    }
}

fn urls(state: &ServerState, out: &mut String) {
    let urls = state.registry.urls();
    let requests = "rehook_shim_requests_total";
    head(
        out,
        requests,
        "counter",
        "Requests to old URLs, by class of status.",
    );
    for (path, counts) in &urls {
        for (class, count) in CLASSES.iter().zip(counts.classes) {
            if count > 0 {
                line(out, requests, &[("route", path), ("outcome", class)], count);
            }
        }
    }
    let targets = "rehook_shim_target_requests_total";
    head(
        out,
        targets,
        "counter",
        "Requests to new routes, by class of status; what was answered in their place counts as theirs.",
    );
    for ((plugin, path), counts) in state.registry.targets.all() {
        for (class, count) in CLASSES.iter().zip(counts).filter(|(_, count)| *count > 0) {
            let labels = [("plugin", &*plugin), ("target", &*path), ("outcome", class)];
            line(out, targets, &labels, count);
        }
    }
    let gone = "rehook_shim_senders_gone_total";
    head(
        out,
        gone,
        "counter",
        "Requests whose senders had left before the reply; they are among 4xx, too.",
    );
    for (path, counts) in urls.iter().filter(|(_, counts)| counts.gone > 0) {
        line(out, gone, &[("route", path)], counts.gone);
    }
    let duration = "rehook_shim_duration_seconds";
    head(
        out,
        duration,
        "histogram",
        "From the end of a head to the end of its reply.",
    );
    // A URL that nobody has called would be fourteen lines of zeros.
    for (path, counts) in urls.iter().filter(|(_, counts)| counts.calls() > 0) {
        let bucket = format!("{duration}_bucket");
        let mut below = 0;
        for (bound, count) in BUCKETS.iter().zip(counts.buckets) {
            below += count;
            let bound = format!("{}", *bound as f64 / 1e6);
            line(out, &bucket, &[("route", path), ("le", &bound)], below);
        }
        line(
            out,
            &bucket,
            &[("route", path), ("le", "+Inf")],
            counts.calls(),
        );
        let _ = write!(out, "{duration}_sum");
        labels(out, &[("route", path)]);
        let _ = writeln!(out, " {}", counts.microseconds as f64 / 1e6);
        line(
            out,
            &format!("{duration}_count"),
            &[("route", path)],
            counts.calls(),
        );
    }
    let last = "rehook_shim_last_call_timestamp_seconds";
    head(out, last, "gauge", "When an old URL was called last.");
    for (path, counts) in urls.iter().filter(|(_, counts)| counts.last > 0) {
        line(out, last, &[("route", path)], counts.last);
    }
}

fn agents(state: &ServerState, out: &mut String) {
    let agents = state.table.load().agents();
    let requests = "rehook_shim_upstream_requests_total";
    let errors = "rehook_shim_upstream_errors_total";
    let retries = "rehook_shim_upstream_retries_total";
    let stats = |number| state.registry.agent_stats(number);
    head(out, requests, "counter", "Requests sent to agents.");
    for agent in &agents {
        let count = stats(agent.number).requests.load(Relaxed);
        line(
            out,
            requests,
            &[("upstream", &agent.url.to_string())],
            count,
        );
    }
    head(
        out,
        errors,
        "counter",
        "Requests that agents did not answer.",
    );
    for agent in &agents {
        let (stats, url) = (stats(agent.number), agent.url.to_string());
        let kinds = [
            ("gone", &stats.gone),
            ("broken", &stats.broken),
            ("slow", &stats.slow),
        ];
        for (kind, count) in kinds {
            line(
                out,
                errors,
                &[("upstream", &url), ("kind", kind)],
                count.load(Relaxed),
            );
        }
    }
    head(
        out,
        retries,
        "counter",
        "Requests sent again, since no byte of them had been taken.",
    );
    for agent in &agents {
        let count = stats(agent.number).retries.load(Relaxed);
        line(out, retries, &[("upstream", &agent.url.to_string())], count);
    }
}

// Writing to memory does not fail.

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(out: &mut String, name: &str, pairs: &[(&str, &str)], value: u64) {
    out.push_str(name);
    labels(out, pairs);
    let _ = writeln!(out, " {value}");
}

fn labels(out: &mut String, pairs: &[(&str, &str)]) {
    for (index, (key, value)) in pairs.iter().enumerate() {
        out.push(if index == 0 { '{' } else { ',' });
        let _ = write!(out, "{key}=\"");
        for character in term::escaped(value).chars() {
            match character {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                _ => out.push(character),
            }
        }
        out.push('"');
    }
    if !pairs.is_empty() {
        out.push('}');
    }
}
