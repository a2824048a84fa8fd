//! What a reader of a handler should be told: the document's own advice, as checks.
//!
//! Each of the [`checks`] is a file:
//!
//! | code | check |
//! |---|---|
//! | RH301 | [`checks::authentication`]: a handler that acts on any request |
//! | RH302 | [`checks::secret`]: a secret in the source |
//! | RH303, RH304 | [`checks::signature`]: a signature compared with `==`, or made over serialised JSON |
//! | RH305 | [`checks::header`]: a header looked up in mixed case among lower-case keys |
//! | RH306 | [`checks::setting`]: a secret setting that is not marked |
//! | RH401 | [`checks::blocking`]: a call that blocks the event loop |
//! | RH402 | [`checks::slow`]: slow work before the reply |
//! | RH403 | [`checks::task`]: a task without a reference to it |
//!
//! They look at the handlers and at the functions of the repo that these reach ([`reach`]), one
//! function at a time ([`walk`], [`context`]), and speak about where values come from ([`facts`]) and
//! what names say ([`naming_heuristics`]).
//!
//! Invariants: a place is reported once for each code; nothing is said about what cannot
//! be seen; no secret is part of a message, and every one that was found is masked in the snippets
//! of all advice; every bound on the work lets advice out, and makes none up.

mod checks;
mod context;
mod facts;
mod model;
mod naming_heuristics;
mod reach;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::reach::Reach;
use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::ByteRange;
use crate::migrate::find::{Found, Webhook};
use crate::migrate::lint::model::Finding;
use crate::migrate::python::function::definitions_at;
use crate::migrate::python::names::{Loaded, Workspace};
use crate::migrate::source::SourceFile;
use crate::text;

/// What is to be said about the webhooks of `found` and what they reach; `package` are the modules
/// of its package, where handlers may be, and `settings` those with the settings of its plugins.
///
/// Sorted by place. A place in a module that several files reach is reported with each of them.
pub(crate) fn advise(
    workspace: &Workspace,
    found: &Found,
    package: &[Arc<Loaded>],
    settings: &[&Loaded],
) -> Vec<Diagnostic> {
    let mut reach = Reach::new(workspace);
    let mut handlers = Vec::new();
    for webhook in found.webhooks() {
        if let Some(path) = file_of_handler(found, package, webhook) {
            let index = reach.handler(path, webhook.handler.range, webhook.dialect);
            handlers.push((webhook, index));
        }
    }
    if handlers.is_empty() {
        return Vec::new();
    }
    reach.run();

    let here = found.loaded.module.source().path();
    let mut findings: Vec<Finding> = handlers
        .iter()
        .filter(|(_, index)| !reach.checks_caller(*index))
        .map(|(webhook, _)| {
            let name = &webhook.handler.name;
            let detail = text!(
                "`{name}` acts on any request: no signature, token or address is checked",
                "`{name}` 会处理任何人发来的请求：没有校验签名、令牌或来源地址"
            );
            let range = webhook.handler.name_range;
            Finding::new(here.to_owned(), Code::NoAuthentication, range, detail)
        })
        .collect();
    let mut verified = Vec::new();
    for analysis in reach.into_analyses() {
        findings.extend(analysis.findings);
        verified.extend(analysis.verified);
    }
    verified.sort();
    verified.dedup();
    let modules: BTreeMap<&Path, &Loaded> = std::iter::once(&*found.loaded)
        .chain(settings.iter().copied())
        .map(|loaded| (loaded.module.source().path(), loaded))
        .collect();
    for loaded in modules.values() {
        checks::setting::unmarked(workspace, loaded, &verified, &mut findings);
    }
    diagnostics(workspace, findings)
}

/// The file in which the handler of a webhook is defined.
fn file_of_handler<'a>(
    found: &'a Found,
    package: &'a [Arc<Loaded>],
    webhook: &Webhook,
) -> Option<&'a Path> {
    let handler = &webhook.handler;
    std::iter::once(&found.loaded)
        .chain(package)
        .find(|loaded| {
            definitions_at(loaded.module.suite(), handler.range)
                .last()
                .is_some_and(|definition| definition.name == handler.name)
        })
        .map(|loaded| loaded.module.source().path())
}

fn diagnostics(workspace: &Workspace, mut findings: Vec<Finding>) -> Vec<Diagnostic> {
    findings.sort_by(|a, b| {
        (&a.path, a.range, a.code)
            .cmp(&(&b.path, b.range, b.code))
            .then_with(|| a.detail.to_string().cmp(&b.detail.to_string()))
    });
    findings.dedup_by(|a, b| a.path == b.path && a.code == b.code && a.range == b.range);
    let mut secrets: HashMap<PathBuf, Vec<ByteRange>> = HashMap::new();
    for finding in &findings {
        if finding.code == Code::SecretInSource {
            let of_file = secrets.entry(finding.path.clone()).or_default();
            of_file.push(finding.range);
        }
    }
    let mut diagnostics: Vec<Diagnostic> = findings
        .into_iter()
        .filter_map(|finding| {
            let loaded = workspace.load(&finding.path).ok()?;
            let secrets = secrets.get(&finding.path).map_or(&[][..], Vec::as_slice);
            let source = loaded.module.source();
            let mut diagnostic = loaded.diagnostic_at(finding.code, finding.range, finding.detail);
            if let Some((line, length)) = masked(source, finding.range, secrets) {
                diagnostic = diagnostic.with_snippet(line, length);
            }
            Some(match finding.hint {
                Some(hint) => diagnostic.with_hint(hint),
                None => diagnostic,
            })
        })
        .collect();
    diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    diagnostics
}

/// The line that `range` starts in with all `secrets` masked, and how many of its characters
/// `range` has then; none when no secret is on the line. `secrets` are in the order of the text.
fn masked(source: &SourceFile, range: ByteRange, secrets: &[ByteRange]) -> Option<(String, usize)> {
    let line = source.line_at(range.start());
    let first = secrets.partition_point(|secret| secret.end() <= line.start());
    let on_line = secrets[first..]
        .iter()
        .take_while(|secret| secret.start() < line.end());
    let mut text = String::new();
    let mut length = 0;
    let mut done = line.start();
    let mut add = |piece: &str, place: ByteRange| {
        let inside = place.start() >= range.start() && place.start() < range.end();
        length += if inside { piece.chars().count() } else { 0 };
        text.push_str(piece);
    };
    // Pieces never straddle an end of `range`, so that each is inside of it or not.
    let plain = |from: usize, to: usize, add: &mut dyn FnMut(&str, ByteRange)| {
        let mut cuts = vec![
            from,
            range.start().clamp(from, to),
            range.end().clamp(from, to),
            to,
        ];
        cuts.dedup();
        for pair in cuts.windows(2) {
            let place = ByteRange::new(pair[0], pair[1]);
            add(source.slice(place), place);
        }
    };
    let mut any = false;
    for secret in on_line {
        any = true;
        let start = secret.start().max(done);
        let end = secret.end().min(line.end()).max(start);
        plain(done, start, &mut add);
        let place = ByteRange::new(start, end);
        let written = source.slice(place);
        let stars = if end <= range.start() {
            // What follows must stay in its column.
            "*".repeat(written.chars().count())
        } else {
            let opening = written.find(['"', '\'']).unwrap_or(0);
            let quote = written[opening..].chars().next().unwrap_or('"');
            format!("{}{quote}***{quote}", &written[..opening])
        };
        add(&stars, place);
        done = end;
    }
    if !any {
        return None;
    }
    plain(done, line.end(), &mut add);
    Some((text.trim_end().to_owned(), length.max(1)))
}
