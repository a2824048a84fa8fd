//! The page for people: `templates/shim/page.html`, filled.
//!
//! Invariant: no value ends its element or turns the direction of text, whoever has written it: the
//! author of a plugin or a sender.

use std::sync::OnceLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, escape_formatter};

use crate::shim::admin::url_report::{self, Row};
use crate::shim::http::http_date;
use crate::shim::serve::worker::ServerState;
use crate::term;
use crate::text::Lang;

const NAME: &str = "page.html";
/// Calls that failed, of each URL.
const SHOWN: usize = 3;

fn environment() -> Result<&'static Environment<'static>, minijinja::Error> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) => escape_formatter(out, state, &Value::from(&*term::escaped(text))),
        None => escape_formatter(out, state, value),
    });
    environment.add_template(NAME, include_str!("../../../templates/shim/page.html"))?;
    Ok(ENVIRONMENT.get_or_init(|| environment))
}

/// The page as it is now.
pub(super) fn render(state: &ServerState, now: u64) -> Result<String, minijinja::Error> {
    let table = state.table.load();
    let rows = url_report::rows(state, now);
    let since = state
        .registry
        .counted_since
        .load(std::sync::atomic::Ordering::Relaxed);
    let retirable = rows.iter().filter(|row| row.can_be_retired).count();
    environment()?.get_template(NAME)?.render(context! {
        zh => state.lang == Lang::Zh,
        version => env!("CARGO_PKG_VERSION"),
        upstream => table.config.upstream.to_string(),
        since => http_date::rfc3339(since),
        now => http_date::rfc3339(now),
        retire_days => table.config.retire_after.as_secs() / 86_400,
        retirable,
        calls => rows.iter().map(|row| row.counts.calls()).sum::<u64>(),
        failures => rows.iter().map(|row| row.counts.failures()).sum::<u64>(),
        rows => rows.iter().map(|row| value(row, now)).collect::<Vec<_>>(),
    })
}

fn value(row: &Row, now: u64) -> Value {
    let plugins: Vec<_> = row
        .plugins
        .iter()
        .map(|row| {
            context! {
                plugin => &row.plugin,
                url => &row.url,
                failures => row.failures,
            }
        })
        .collect();
    let senders: Vec<_> = row
        .counts
        .senders
        .iter()
        .map(|sender| {
            context! {
                address => sender.address.to_string(),
                name => &sender.name,
                calls => sender.calls,
            }
        })
        .collect();
    let failed: Vec<_> = row
        .failed
        .iter()
        .take(SHOWN)
        .map(|call| {
            let ago = now.saturating_sub(call.time) / 60;
            context! { minutes_ago => ago, summary => call.summary() }
        })
        .collect();
    context! {
        path => &row.path,
        plugins,
        senders,
        allow => &row.allow,
        auth => &row.auth,
        calls => row.counts.calls(),
        failures => row.counts.failures(),
        gone => row.counts.gone,
        failed => failed,
        last => row.last(),
        minutes_ago => now.saturating_sub(row.counts.last) / 60,
        silent_days => row.silent_days,
        can_be_retired => row.can_be_retired,
    }
}
