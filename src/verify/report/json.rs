//! The JSON report. Its form is a promise: fields are added, never changed; `version` says which.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{View, called, details, reasons, url};
use crate::migrate::diagnostic::Diagnostic;
use crate::routes::Route;
use crate::term;
use crate::text::Lang;
use crate::verify::requests::{Bytes, SkipReason};
use crate::verify::results::{Cause, Failure, Kind, Status, Webhook};
use crate::verify::runner::protocol::{self, Side, WebhookResult};

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    agent: Option<&'a str>,
    python: Option<&'a str>,
    network: Option<&'static str>,
    files: Option<&'static str>,
    webhooks: Vec<Entry<'a>>,
    failed: Vec<Failed<'a>>,
    refused: Vec<Refused<'a>>,
    unused_requests: Vec<Unused<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Entry<'a> {
    plugin: Option<&'a str>,
    endpoint: Option<&'a str>,
    dialect: Option<&'a str>,
    old_urls: &'a [String],
    new_url: Option<&'a str>,
    base: Option<&'a str>,
    verdict: &'static str,
    run: Option<Run<'a>>,
    reason: Option<Finding<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    path: String,
    first: usize,
    last: usize,
    requests: usize,
    differing: usize,
    reached: &'a [usize],
    missed: &'a [usize],
    uncovered: &'a [usize],
    uncovered_elsewhere: Vec<Lines<'a>>,
    one_way: Vec<OneWay<'a>>,
    difference: Option<Difference<'a>>,
    endless: Vec<Nonterminating<'a>>,
}

/// A request that did not end, or ended the process.
#[derive(Serialize)]
struct Nonterminating<'a> {
    request: Request<'a>,
    seconds: u64,
    went_on: bool,
    ended: String,
}

/// A condition of a changed line that always came out the same way.
#[derive(Serialize)]
struct OneWay<'a> {
    side: &'static str,
    path: String,
    line: usize,
    condition: &'a str,
    never: bool,
}

#[derive(Serialize)]
struct Lines<'a> {
    side: &'static str,
    path: String,
    lines: &'a [usize],
}

#[derive(Serialize)]
struct Difference<'a> {
    request: Request<'a>,
    parts: Vec<Part<'a>>,
    only_path: bool,
}

#[derive(Serialize)]
struct Request<'a> {
    about: String,
    method: &'a str,
    path: &'a str,
    query: &'a Bytes,
    headers: &'a [(String, Bytes)],
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<&'a str>,
    settings: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Part<'a> {
    part: &'a str,
    old: &'a Value,
    new: &'a Value,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    path: String,
    line: Option<usize>,
    column: Option<usize>,
    message: &'a str,
    hint: String,
}

#[derive(Serialize)]
struct Failed<'a> {
    plugin: &'a str,
    endpoints: &'a [String],
    side: Option<&'static str>,
    reason: Reason,
    detail: String,
    message: String,
    hint: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Reason {
    Ran(protocol::Reason),
    NotRun(&'static str),
}

#[derive(Serialize)]
struct Refused<'a> {
    plugin: &'a str,
    what: &'a [String],
}

#[derive(Serialize)]
struct Unused<'a> {
    line: usize,
    path: &'a str,
    reason: &'static str,
}

#[derive(Serialize)]
struct Summary {
    same: usize,
    differs: usize,
    not_covered: usize,
    not_migrated: usize,
    failed: usize,
}

/// The report as indented JSON with a line end.
///
/// # Errors
/// None that a result leads to.
pub(crate) fn render(view: &View<'_>, lang: Lang) -> serde_json::Result<String> {
    let results = view.results;
    let ready = results.ready.as_ref();
    let report = Report {
        version: 1,
        agent: ready.map(|ready| ready.agent.as_str()),
        python: ready.map(|ready| ready.python.as_str()),
        network: ready.map(|ready| ready.network.as_str()),
        files: ready.map(|ready| ready.files.as_str()),
        webhooks: results
            .webhooks
            .iter()
            .map(|webhook| entry(view, webhook, lang))
            .collect(),
        failed: results
            .failures
            .iter()
            .map(|failure| failed(view, failure, lang))
            .collect(),
        refused: results
            .refused
            .iter()
            .map(|(plugin, what)| Refused { plugin, what })
            .collect(),
        unused_requests: results
            .unsent
            .iter()
            .map(|request| Unused {
                line: request.line,
                path: &request.path,
                reason: match request.why {
                    SkipReason::NoOldUrl => "no_old_url",
                    SkipReason::NoBody => "no_body",
                    SkipReason::Broken => "broken",
                },
            })
            .collect(),
        summary: Summary {
            same: results.count(Kind::Same),
            differs: results.count(Kind::Differs),
            not_covered: results.count(Kind::NotCovered),
            not_migrated: results.count(Kind::NotMigrated),
            failed: results.count(Kind::Failed),
        },
    };
    Ok(term::json(serde_json::to_string_pretty(&report)?) + "\n")
}

fn entry<'a>(view: &View<'_>, webhook: &'a Webhook, lang: Lang) -> Entry<'a> {
    let route = webhook.route.as_ref();
    let (run, reason) = match &webhook.status {
        Status::Run {
            result,
            path,
            elsewhere,
        } => (Some(run(view, result, path, elsewhere, route)), None),
        Status::NotMigrated(diagnostic) => (None, Some(finding(view, diagnostic, lang))),
        Status::Failed => (None, None),
    };
    Entry {
        plugin: webhook.plugin.as_deref(),
        endpoint: webhook.endpoint.as_deref(),
        dialect: route.map(|route| route.dialect.as_str()),
        old_urls: route.map_or(&[], |route| &route.legacy),
        new_url: route.map(|route| route.target.as_str()),
        base: webhook.base.as_deref(),
        verdict: webhook.kind().as_str(),
        run,
        reason,
    }
}

fn run<'a>(
    view: &View<'_>,
    result: &'a WebhookResult,
    path: &Path,
    elsewhere: &'a [protocol::Lines],
    route: Option<&Route>,
) -> Run<'a> {
    let lines = elsewhere.iter().map(|one| Lines {
        side: one.side.as_str(),
        path: view.shown(&one.file),
        lines: &one.lines,
    });
    let conditions = result.one_way.iter().map(|one| OneWay {
        side: one.side.as_str(),
        path: view.shown(&one.file),
        line: one.line,
        condition: &one.condition,
        never: one.never,
    });
    Run {
        path: view.shown(path),
        first: result.first,
        last: result.last,
        requests: result.requests,
        differing: result.differing,
        reached: &result.reached,
        missed: &result.missed,
        uncovered: &result.uncovered,
        uncovered_elsewhere: lines.collect(),
        one_way: conditions.collect(),
        difference: result.difference.as_ref().map(|one| difference(one, route)),
        endless: result
            .nonterminating
            .iter()
            .map(|one| Nonterminating {
                request: request(&one.request),
                seconds: one.seconds,
                went_on: one.search_resumed,
                // For programs, as what the request is called.
                ended: details::text(&one.exit).get(Lang::En).to_owned(),
            })
            .collect(),
    }
}

fn request(request: &protocol::Request) -> Request<'_> {
    Request {
        about: request.about.as_ref().map_or_else(String::new, called),
        method: &request.method,
        path: &request.path,
        query: &request.query,
        headers: &request.headers,
        body: request.body.as_deref(),
        base64: request.base64.as_deref(),
        settings: &request.settings,
    }
}

fn difference<'a>(difference: &'a protocol::Difference, route: Option<&Route>) -> Difference<'a> {
    Difference {
        request: request(&difference.request),
        parts: difference
            .parts
            .iter()
            .map(|part| Part {
                part: &part.part,
                old: &part.old,
                new: &part.new,
            })
            .collect(),
        only_path: route.is_some_and(|route| url::is_all(difference, &route.target)),
    }
}

fn finding<'a>(view: &View<'_>, diagnostic: &'a Diagnostic, lang: Lang) -> Finding<'a> {
    Finding {
        code: diagnostic.code().as_str(),
        path: view.shown(diagnostic.path()),
        line: diagnostic.position().map(|(line, _)| line),
        column: diagnostic.position().map(|(_, column)| column),
        message: diagnostic.detail().get(lang),
        hint: diagnostic.hint().get(lang).to_owned(),
    }
}

fn failed<'a>(view: &View<'_>, failure: &'a Failure, lang: Lang) -> Failed<'a> {
    let python = view
        .results
        .python
        .as_ref()
        .map(|python| python.executable.display().to_string());
    let python = python.unwrap_or_else(|| "python".to_owned());
    let (side, reason) = match &failure.cause {
        Cause::Ran { side, reason, .. } => (*side, Reason::Ran(*reason)),
        Cause::NotRun(not_run) => (Side::Neither, Reason::NotRun(not_run.reason)),
    };
    let error = reasons::error(&failure.cause, &python);
    Failed {
        plugin: &failure.plugin,
        endpoints: &failure.endpoints,
        side: (side != Side::Neither).then(|| side.as_str()),
        reason,
        detail: reasons::detail(&failure.cause),
        message: error.message.get(lang).to_owned(),
        hint: error.help.get(lang).to_owned(),
    }
}
