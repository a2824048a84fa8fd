//! The JSON report. Its form is a promise: fields are added, never changed; `version` says which.

use serde::Serialize;

use super::View;
use super::edits::{Edit, edits};
use super::statistics;
use crate::migrate::diagnostic::{Code, Diagnostic, Severity};
use crate::migrate::diff;
use crate::migrate::plan::{Action, PlannedWebhook};
use crate::term;
use crate::text::Lang;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    files_looked_at: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_python: Vec<String>,
    files: Vec<File>,
    webhooks: Vec<Webhook<'a>>,
    disabled: Vec<Webhook<'a>>,
    migrated_before: Vec<Known<'a>>,
    diagnostics: Vec<Finding<'a>>,
    counts: Count,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<Vec<Statistic>>,
}

#[derive(Serialize)]
struct Statistic {
    code: &'static str,
    severity: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct Known<'a> {
    plugin: &'a str,
    endpoint: &'a str,
    dialect: &'a str,
    methods: &'a [String],
    old_urls: &'a [String],
    new_url: &'a str,
}

#[derive(Serialize)]
struct File {
    path: String,
    is_new: bool,
    lines_added: usize,
    lines_removed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<Vec<Edit>>,
}

#[derive(Serialize)]
struct Webhook<'a> {
    path: String,
    line: usize,
    column: usize,
    plugin: Option<&'a str>,
    endpoint: Option<&'a str>,
    dialect: Option<&'a str>,
    handler: Option<&'a str>,
    methods: &'a [String],
    old_urls: &'a [String],
    new_url: Option<&'a str>,
    action: &'static str,
    reason: Option<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    severity: &'static str,
    path: String,
    line: Option<usize>,
    column: Option<usize>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<RelatedPlace<'a>>,
    hint: String,
}

#[derive(Serialize)]
struct RelatedPlace<'a> {
    path: String,
    line: usize,
    column: usize,
    message: &'a str,
}

#[derive(Serialize)]
struct Count {
    found: usize,
    migrated: usize,
    by_hand: usize,
    not_ours: usize,
    unaccounted: usize,
}

/// What a report has besides.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras {
    /// The edits of each file.
    pub edits: bool,
    /// How often each code is reported.
    pub statistics: bool,
}

/// The report as indented JSON with a line end.
///
/// # Errors
/// None that a plan leads to.
pub(crate) fn render(view: &View<'_>, extras: Extras, lang: Lang) -> serde_json::Result<String> {
    let counts = view.plan.counts;
    let mut edits = extras.edits.then(|| edits(view).into_iter());
    let statistic = |(code, count): (Code, usize)| Statistic {
        code: code.as_str(),
        severity: severity(code),
        count,
    };
    let report = Report {
        version: 1,
        files_looked_at: view.files_scanned,
        not_python: view
            .not_python
            .iter()
            .map(|path| view.shown(path))
            .collect(),
        files: view
            .files
            .iter()
            .map(|change| {
                let (lines_added, lines_removed) = diff::stat(*change);
                File {
                    path: term::slashes(change.path),
                    is_new: change.before.is_none(),
                    lines_added,
                    lines_removed,
                    edits: edits.as_mut().and_then(Iterator::next),
                }
            })
            .collect(),
        webhooks: view
            .plan
            .webhooks
            .iter()
            .map(|webhook| webhook_of(view, webhook, lang))
            .collect(),
        disabled: view
            .disabled
            .iter()
            .map(|webhook| Webhook {
                action: "disabled",
                reason: None,
                ..webhook_of(view, webhook, lang)
            })
            .collect(),
        migrated_before: view
            .migrated_before()
            .map(|route| Known {
                plugin: &route.plugin,
                endpoint: &route.endpoint,
                dialect: route.dialect.as_str(),
                methods: &route.methods,
                old_urls: &route.legacy,
                new_url: &route.target,
            })
            .collect(),
        diagnostics: view
            .plan
            .diagnostics
            .iter()
            .map(|d| finding(view, d, lang))
            .collect(),
        counts: Count {
            found: counts.found,
            migrated: counts.migrated,
            by_hand: counts.by_hand,
            not_ours: counts.not_ours,
            unaccounted: counts.unaccounted(),
        },
        statistics: extras.statistics.then(|| {
            statistics::counts(view)
                .into_iter()
                .map(statistic)
                .collect()
        }),
    };
    Ok(term::json(serde_json::to_string_pretty(&report)?) + "\n")
}

fn webhook_of<'a>(view: &View<'_>, webhook: &'a PlannedWebhook, lang: Lang) -> Webhook<'a> {
    let route = webhook.route.as_ref();
    let (action, reason) = match &webhook.action {
        Action::Migrate => ("migrate", None),
        Action::Drop => ("drop", None),
        Action::ByHand(diagnostic) => ("by_hand", Some(finding(view, diagnostic, lang))),
    };
    let (line, column) = view.position_of(webhook);
    Webhook {
        path: view.shown(&webhook.path),
        line,
        column,
        plugin: webhook.plugin.as_deref(),
        endpoint: webhook.endpoint.as_deref(),
        dialect: route.map(|route| route.dialect.as_str()),
        handler: webhook.handler.as_deref(),
        methods: route.map_or(&[], |route| &route.methods),
        old_urls: route.map_or(&[], |route| &route.legacy),
        new_url: route.map(|route| route.target.as_str()),
        action,
        reason,
    }
}

fn finding<'a>(view: &View<'_>, diagnostic: &'a Diagnostic, lang: Lang) -> Finding<'a> {
    let position = view.place_of(diagnostic);
    let related = diagnostic.related().map(|related| {
        let (line, column) = view.positions.map_position(&related.path, related.position);
        RelatedPlace {
            path: view.shown(&related.path),
            line,
            column,
            message: related.says.get(lang),
        }
    });
    Finding {
        code: diagnostic.code().as_str(),
        severity: severity(diagnostic.code()),
        path: view.shown(diagnostic.path()),
        line: position.map(|(line, _)| line),
        column: position.map(|(_, column)| column),
        message: diagnostic.detail().get(lang),
        related,
        hint: diagnostic.hint().get(lang).to_owned(),
    }
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Advice => "advice",
        Severity::Manual => "by_hand",
        Severity::Error => "error",
    }
}
