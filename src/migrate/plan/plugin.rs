//! One plugin: which of its webhooks can be migrated, and all the edits that this takes.

mod access;
mod candidate;
mod drafts;
mod naming;
mod problems;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::conflicts::Conflicts;
use super::model::{Input, PlannedWebhook, PluginWebhooks, Registered, RuleError};
use super::modules::cross_module::Members;
use super::modules::facts::ModuleFacts;
use super::modules::late_imports::late_modules;
use crate::migrate::find::Blocker;
use crate::migrate::find::plugin::{ModuleParts, Plugin, key, plugin};

use candidate::{Candidate, resolve_duplicates, share_run_time};
pub(super) use candidate::{Planned, planned_webhook};
pub(super) use drafts::Drafts;
use drafts::draft_of;
use problems::{is_at_run_time, on_other_plugins, problem, registrar_problem};
use write::PluginPlan;

/// Plans one plugin.
pub(crate) fn plan(
    input: &Input<'_>,
    facts: &BTreeMap<PathBuf, ModuleFacts>,
    members: &Members<'_>,
    conflicts: &Conflicts<'_>,
    drafts: &mut Drafts,
    (id, webhooks): &PluginWebhooks<'_>,
) -> Result<Planned, RuleError> {
    let mut planned = Planned::default();
    let parts: Vec<&ModuleParts> = members.modules().iter().map(|f| &f.parts).collect();
    let plugin = match plugin(input.workspace, id, &parts) {
        Ok(plugin) => plugin,
        Err(problem) => {
            for one in webhooks {
                let problem = Blocker {
                    range: one.webhook.call.call,
                    ..(*problem).clone()
                };
                planned.webhooks.push(PlannedWebhook {
                    plugin: key(input.workspace, id),
                    ..planned_webhook(one, None, Some(&problem))
                });
            }
            return Ok(planned);
        }
    };
    let paths = webhooks.iter().map(Registered::path);
    for path in paths.chain([id.module.as_path()]) {
        if !drafts.contains_key(path)
            && let Some(facts) = facts.get(path)
        {
            let draft = facts.draft((input.style)(path));
            drafts.insert(path.to_owned(), draft.with_stars(input.workspace));
        }
    }
    draft_of(input, drafts, &plugin.loaded);
    let candidates = decide(input, members, conflicts, drafts, &plugin, webhooks);
    planned
        .webhooks
        .extend(candidates.iter().map(Candidate::planned));
    if candidates.iter().any(Candidate::is_migrated) {
        let plan = PluginPlan {
            input,
            members,
            plugin: &plugin,
            webhooks,
            candidates: &candidates,
        };
        plan.write(drafts, &mut planned)?;
    }
    Ok(planned)
}

/// What becomes of each webhook.
fn decide<'a>(
    input: &Input<'_>,
    members: &Members<'_>,
    conflicts: &Conflicts<'_>,
    drafts: &Drafts,
    plugin: &Plugin,
    webhooks: &'a [Registered<'a>],
) -> Vec<Candidate<'a>> {
    let module = &plugin.id.module;
    let late = if webhooks.iter().all(|one| one.path() == module) {
        BTreeSet::new()
    } else {
        late_modules(input.workspace, members, module)
    };
    let elsewhere = on_other_plugins(&plugin.id, webhooks);
    let mut candidates: Vec<Candidate<'_>> = webhooks
        .iter()
        .map(|one| {
            let is_at_run_time = is_at_run_time(input, members, drafts, &elsewhere, one);
            Candidate::new(plugin, one, is_at_run_time)
        })
        .collect();
    share_run_time(&mut candidates);
    for one in &mut candidates {
        one.problem = problem(input, &late, drafts, plugin, one)
            .or_else(|| registrar_problem(input, members, one.registered))
            .or_else(|| conflicts.problem(members, one.registered));
    }
    resolve_duplicates(&mut candidates);
    share_run_time(&mut candidates);
    candidates
}
