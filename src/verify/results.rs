//! The results of everything that was to be verified: each webhook once, whatever the runner said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cases::model::Case;
use super::error::NotRun;
use super::requests::Unsent;
use crate::migrate::diagnostic::Diagnostic;
use crate::routes::Route;
use crate::user_error::UserError;
use crate::verify::cases::plugin_source::PluginSource;
use crate::verify::runner::protocol::{
    Answering, Detail, Lines, Ready, Reason, Sent, Side, Verdict, WebhookResult,
};
use crate::verify::runner::python::Python;
use crate::verify::runner::session::{Ending, SessionOutput, protocol_error};

/// All results.
#[derive(Debug, Default)]
pub(crate) struct VerifyReport {
    /// What the plugins ran in; none when nothing was run.
    pub(crate) ready: Option<Ready>,
    /// The Python that ran them; none when nothing was run.
    pub(crate) python: Option<Python>,
    /// Each webhook and each route that was to be verified.
    pub(crate) webhooks: Vec<Webhook>,
    /// The plugins that could not be run to their end.
    pub(crate) failures: Vec<Failure>,
    /// What plugins tried and were not allowed to do: the key, and each in a few words.
    pub(crate) refused: Vec<(String, Vec<String>)>,
    /// The requests that were sent to webhooks of which there is a result, if they are to be saved.
    pub(crate) sent: Vec<Sent>,
    /// Requests of the user's that were not sent, in the order of their lines.
    pub(crate) unsent: Vec<Unsent>,
    /// How the runner ended, when it had not said everything.
    pub(crate) cut_off: Option<(Ending, String)>,
}

/// A webhook, and its result.
#[derive(Debug)]
pub(crate) struct Webhook {
    /// The route, when the plugin's key is known.
    pub(crate) route: Option<Route>,
    /// The plugin's key, as far as it is known.
    pub(crate) plugin: Option<String>,
    /// The endpoint, as far as it is known.
    pub(crate) endpoint: Option<String>,
    /// The commit that was compared with; none for what `migrate` would write.
    pub(crate) base: Option<String>,
    /// The result.
    pub(crate) status: Status,
}

/// The result of a webhook.
#[derive(Debug)]
pub(crate) enum Status {
    /// It was run.
    Run {
        /// What the runner says.
        result: Box<WebhookResult>,
        /// The handler's file, in the user's repo.
        path: PathBuf,
        /// What was changed and did not run, but for lines of the handler before.
        elsewhere: Vec<Lines>,
    },
    /// It needs a manual change.
    NotMigrated(Box<Diagnostic>),
    /// It could not be run; a failure says why.
    Failed,
}

/// How the webhooks are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything is the same.
    Same,
    /// Something is not.
    Differs,
    /// Not everything was seen that has to be.
    NotCovered,
    /// It needs a manual change.
    NotMigrated,
    /// It could not be run.
    Failed,
}

impl Kind {
    /// All of them, as they are counted.
    pub(crate) const ALL: [Self; 5] = [
        Self::Same,
        Self::Differs,
        Self::NotCovered,
        Self::NotMigrated,
        Self::Failed,
    ];

    /// The name in the JSON report.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::NotCovered => "not_covered",
            Self::NotMigrated => "not_migrated",
            Self::Failed => "failed",
        }
    }
}

impl Webhook {
    /// How it is counted.
    pub(crate) fn kind(&self) -> Kind {
        match &self.status {
            Status::Run { result, .. } => match result.verdict {
                Verdict::Same => Kind::Same,
                Verdict::Differs => Kind::Differs,
                Verdict::NotCovered => Kind::NotCovered,
            },
            Status::NotMigrated(_) => Kind::NotMigrated,
            Status::Failed => Kind::Failed,
        }
    }
}

/// A plugin that could not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The key of the plugin.
    pub(crate) plugin: String,
    /// The endpoints of which nothing is known for that.
    pub(crate) endpoints: Vec<String>,
    /// Why.
    pub(crate) cause: Cause,
}

/// Why a plugin could not be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The runner says so.
    Ran {
        /// Which side it was.
        side: Side,
        /// Why.
        reason: Reason,
        /// What more is known of it.
        detail: Detail,
        /// The request that was being answered, if one was.
        answering: Option<Answering>,
    },
    /// It was not run at all.
    NotRun(NotRun),
}

impl VerifyReport {
    /// How many of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let webhooks = self.webhooks.iter();
        webhooks.filter(|webhook| webhook.kind() == kind).count()
    }

    /// Whether everything is the same.
    pub(crate) fn is_same(&self) -> bool {
        self.failures.is_empty()
            && self.cut_off.is_none()
            && self.count(Kind::Same) == self.webhooks.len()
    }

    /// Notes that these routes cannot be verified.
    pub(crate) fn cannot_run(&mut self, routes: &[Route], not_run: NotRun) {
        let mut plugins: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for route in routes {
            let endpoints = plugins.entry(&route.plugin).or_default();
            endpoints.push(route.endpoint.clone());
            self.webhooks.push(Webhook {
                plugin: Some(route.plugin.clone()),
                route: Some(route.clone()),
                endpoint: Some(route.endpoint.clone()),
                base: None,
                status: Status::Failed,
            });
        }
        let failures = plugins.into_iter().map(|(plugin, endpoints)| Failure {
            plugin: plugin.to_owned(),
            endpoints,
            cause: Cause::NotRun(not_run.clone()),
        });
        self.failures.extend(failures);
    }

    /// Takes in what the runner said of the cases.
    ///
    /// # Errors
    /// When it speaks of a case or a webhook that it was not asked about, or twice of one.
    pub(crate) fn merge(
        &mut self,
        cases: &[Case],
        mut said: SessionOutput,
    ) -> Result<(), UserError> {
        let case_of = |name: &str| {
            let case = cases.iter().find(|case| case.name == name);
            case.ok_or_else(|| protocol_error(name))
        };
        for result in &said.results {
            let case = case_of(&result.case)?;
            let mut subjects = case.subjects.iter();
            if result.contradicts_itself() || !subjects.any(|one| is_about(result, &one.route)) {
                return Err(unknown_webhook(result));
            }
        }
        for sent in &said.sent {
            case_of(&sent.case)?;
        }
        for failed in &said.failed {
            case_of(&failed.case)?;
        }
        for refused in said.refused {
            let case = case_of(&refused.case)?;
            self.refused.push((case.plugin(), refused.what));
        }
        for case in cases {
            let mut unknown = Vec::new();
            for subject in &case.subjects {
                let place = said.results.iter().position(|result| {
                    result.case == case.name && is_about(result, &subject.route)
                });
                let status = match place.map(|place| said.results.swap_remove(place)) {
                    Some(mut result) => {
                        for one in &mut result.one_way {
                            one.file = case.plugin.origin(&one.file);
                        }
                        Status::Run {
                            path: case.plugin.origin(Path::new(&result.file)),
                            elsewhere: in_repo(&case.plugin, &result.uncovered_elsewhere),
                            result: Box::new(result),
                        }
                    }
                    None => {
                        unknown.push(subject.route.endpoint.clone());
                        Status::Failed
                    }
                };
                self.webhooks.push(Webhook {
                    endpoint: Some(subject.route.endpoint.clone()),
                    plugin: Some(subject.route.plugin.clone()),
                    route: Some(subject.route.clone()),
                    base: case.base.clone(),
                    status,
                });
            }
            let mut failures: Vec<Failure> = said
                .failed
                .iter()
                .filter(|failed| failed.case == case.name)
                .map(|failed| Failure {
                    plugin: case.plugin(),
                    endpoints: take_out(&mut unknown, failed.endpoint.as_deref()),
                    cause: Cause::Ran {
                        side: failed.side,
                        reason: failed.reason,
                        detail: failed.detail.clone(),
                        answering: failed.answering.clone(),
                    },
                })
                .collect();
            let is_whole = |failure: &&mut Failure| failure.endpoints.is_empty();
            if let Some(first) = failures.iter_mut().find(is_whole) {
                first.endpoints = unknown;
            } else if !unknown.is_empty() {
                failures.push(Failure {
                    plugin: case.plugin(),
                    endpoints: unknown,
                    cause: missing_result_cause(said.cut_off.as_ref()),
                });
            }
            self.failures.extend(failures);
        }
        if let Some(second) = said.results.first() {
            return Err(unknown_webhook(second));
        }
        self.sent = said.sent;
        self.ready = said.ready;
        self.cut_off = said.cut_off;
        Ok(())
    }
}

/// Lines of files of the agent's folder, as lines of files of the repo.
fn in_repo(plugin: &PluginSource, of_files: &[Lines]) -> Vec<Lines> {
    let in_repo = of_files.iter().map(|one| Lines {
        file: plugin.origin(&one.file),
        ..one.clone()
    });
    in_repo.collect()
}

/// The endpoint that a failure is about, which then belongs to no other.
fn take_out(unknown: &mut Vec<String>, endpoint: Option<&str>) -> Vec<String> {
    let place = unknown
        .iter()
        .position(|one| Some(one.as_str()) == endpoint);
    place
        .map(|place| unknown.swap_remove(place))
        .into_iter()
        .collect()
}

/// A result that was not asked for.
fn unknown_webhook(result: &WebhookResult) -> UserError {
    protocol_error(&format!("{} {}", result.plugin, result.endpoint))
}

fn is_about(result: &WebhookResult, route: &Route) -> bool {
    result.plugin == route.plugin && result.endpoint == route.endpoint
}

/// Why there is nothing about a case.
fn missing_result_cause(cut_off: Option<&(Ending, String)>) -> Cause {
    let (reason, detail) = match cut_off {
        Some((Ending::Overdue(_), _)) => (Reason::Hang, String::new()),
        Some((Ending::Died, stderr)) => (Reason::Crash, stderr.trim().to_owned()),
        // Whose results made it so much is not known.
        Some((Ending::TooMuch, _)) => (Reason::Unreadable, String::new()),
        None => (Reason::NoResult, String::new()),
    };
    Cause::Ran {
        side: Side::Neither,
        reason,
        detail: detail.into(),
        answering: None,
    }
}
