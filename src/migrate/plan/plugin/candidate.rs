//! The webhooks of a plugin while it is decided what becomes of each.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::edit::{Applicability, ByteRange};
use crate::migrate::find::Blocker;
use crate::migrate::find::plugin::Plugin;
use crate::migrate::plan::conflicts::duplicates::{self, Verdict};
use crate::migrate::plan::model::{Action, PlannedWebhook, Registered};
use crate::routes::Route;
use crate::text;

/// What comes of a plugin besides the edits, which go to the drafts.
#[derive(Default)]
pub(crate) struct Planned {
    pub(crate) webhooks: Vec<PlannedWebhook>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The statements `name = plugin.mount_webhook_method` that go.
    pub(crate) removed_aliases: Vec<(PathBuf, ByteRange)>,
}

/// A webhook while it is decided what becomes of it.
pub(super) struct Candidate<'a> {
    pub(super) registered: &'a Registered<'a>,
    pub(super) route: Route,
    /// Whether its replies are looked at at run time.
    pub(super) is_at_run_time: bool,
    /// What stands in its way.
    pub(super) problem: Option<Blocker>,
    /// Whether it counts, besides others of the same endpoint.
    pub(super) verdict: Verdict,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(
        plugin: &Plugin,
        registered: &'a Registered<'a>,
        is_at_run_time: bool,
    ) -> Self {
        let webhook = registered.webhook;
        Self {
            registered,
            route: Route::new(
                &plugin.author,
                &plugin.module_name,
                &webhook.endpoint.value,
                webhook.dialect,
            ),
            is_at_run_time,
            problem: None,
            verdict: Verdict::Keep,
        }
    }

    pub(super) fn is_migrated(&self) -> bool {
        self.problem.is_none() && self.verdict == Verdict::Keep
    }

    /// Whether its registration goes, as a later one took its place.
    pub(super) fn is_dropped(&self) -> bool {
        self.problem.is_none() && self.verdict == Verdict::Drop
    }

    pub(super) fn planned(&self) -> PlannedWebhook {
        let webhook = planned_webhook(
            self.registered,
            Some(self.route.clone()),
            self.problem.as_ref(),
        );
        if self.is_dropped() {
            return PlannedWebhook {
                action: Action::Drop,
                ..webhook
            };
        }
        webhook
    }

    /// The call that registers it; the turns of a loop share one.
    fn call(&self) -> (&'a Path, ByteRange) {
        (self.registered.path(), self.registered.webhook.call.call)
    }

    fn function(&self) -> (&'a Path, ByteRange) {
        (
            self.registered.path(),
            self.registered.webhook.handler.range,
        )
    }
}

/// Webhooks of one call are looked at at run time together.
pub(super) fn share_run_time(candidates: &mut [Candidate<'_>]) {
    let at_run_time = candidates.iter().filter(|one| one.is_at_run_time);
    let calls: HashSet<(&Path, ByteRange)> = at_run_time.map(Candidate::call).collect();
    for one in candidates {
        one.is_at_run_time |= calls.contains(&one.call());
    }
}

/// Takes the other webhooks into account: the last registration of an endpoint wins, and the replies
/// of a function that is registered twice are changed for both or for none.
pub(super) fn resolve_duplicates(candidates: &mut [Candidate<'_>]) {
    // Each pass can only add problems, so that there is a last one.
    loop {
        let mut changed = false;
        let verdicts = duplicates::judge(
            candidates
                .iter()
                .map(|one| (one.registered, one.problem.is_some())),
        );
        for (one, verdict) in candidates.iter_mut().zip(verdicts) {
            if let Verdict::Unknown(problem) = &verdict
                && one.problem.is_none()
            {
                one.problem = Some((**problem).clone());
                changed = true;
            }
            one.verdict = verdict;
        }
        let unchanged = candidates
            .iter()
            .filter(|one| one.problem.is_some() || one.is_at_run_time);
        let unchanged: HashSet<(&Path, ByteRange)> = unchanged.map(Candidate::function).collect();
        for one in candidates.iter_mut() {
            let handler = &one.registered.webhook.handler;
            if one.is_at_run_time
                || handler.replies.is_empty()
                || !unchanged.contains(&one.function())
            {
                continue;
            }
            one.is_at_run_time = true;
            if one.problem.is_none() {
                one.problem.clone_from(&handler.run_time_problem);
                changed |= one.problem.is_some();
            }
        }
        changed |= link(candidates);
        if !changed {
            return;
        }
    }
}

/// What one call registers in a loop becomes routes together, or nothing of it does: whether that
/// gave one of them the problem of another.
fn link(candidates: &mut [Candidate<'_>]) -> bool {
    let mut changed = false;
    for turns in candidates.chunk_by_mut(|_, next| next.registered.webhook.is_further) {
        let Some(problem) = turns.iter().find_map(|one| one.problem.clone()) else {
            continue;
        };
        for one in turns.iter_mut().filter(|one| one.problem.is_none()) {
            one.problem = Some(problem.clone());
            changed = true;
        }
    }
    changed
}

/// What happens to a webhook: it is migrated, unless there is a problem.
pub(crate) fn planned_webhook(
    one: &Registered<'_>,
    route: Option<Route>,
    problem: Option<&Blocker>,
) -> PlannedWebhook {
    let source = one.found.loaded.module.source();
    let (line, column) = source.position(one.webhook.call.callee.start());
    let action = match problem {
        Some(problem) => {
            let mut diagnostic = one
                .found
                .loaded
                .diagnostic_at(problem.code, problem.range, problem.detail.clone())
                .with_related(problem.related.clone());
            if let Some(hint) = &problem.hint {
                diagnostic = diagnostic.with_hint(hint.clone());
            }
            if problem.applicability == Applicability::Unsafe {
                diagnostic = diagnostic.with_hint(text!(
                    "check it yourself, then migrate it with `--unsafe`",
                    "请自行确认，然后用 `--unsafe` 迁移"
                ));
            }
            Action::ByHand(Box::new(diagnostic))
        }
        None => Action::Migrate,
    };
    PlannedWebhook {
        plugin: route.as_ref().map(|route| route.plugin.clone()),
        route,
        endpoint: Some(one.webhook.endpoint.value.clone()),
        handler: Some(one.webhook.handler.name.clone()),
        plugin_module: Some(one.webhook.plugin.module.clone()),
        is_native: false,
        is_further: one.webhook.is_further,
        path: one.path().to_owned(),
        line,
        column,
        action,
    }
}
