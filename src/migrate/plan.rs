//! What is to be done: one value, [`Plan`], that `diff`, `migrate` and every report are made from;
//! none of them computes anything again, so a preview cannot differ from what is written.
//!
//! The rules are in [`rules`], one file per rule; [`plugin`] puts them together for one plugin, [`groups`]
//! says which plugins change together, [`modules`] what is around a plugin, [`conflicts`] which registrations
//! get in each other's way, and [`finish`] makes files of the drafts.
//!
//! Invariants: a webhook is either migrated with everything that belongs to it, or left
//! exactly as it is and reported.

mod call_format;
mod conflicts;
mod draft;
mod finish;
mod groups;
mod imports;
mod lints;
mod model;
mod modules;
mod part;
mod plugin;
mod rules;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::ByteRange;
use crate::migrate::find::{Blocker, Found, Reference, ReferenceKind};
use crate::migrate::python::names::Loaded;
use conflicts::Conflicts;
use groups::{Packages, groups, members_of, packages};
use lints::{lints, suppress};
pub use model::{
    Action, FilePlan, Input, Plan, PlanOptions, PlannedWebhook, ReferenceCounts, RuleError,
};
use model::{PlanGroup, PluginWebhooks, Registered};
use modules::facts::ModuleFacts;
pub(crate) use part::{Part, Tie};
use rules::doc_only_api;
pub use withdraw::Fault;

/// Makes the plan for the files of `input`. Plugins of which a rule makes something that does not fit
/// together are left as they are ([`Code::OwnFault`]); no input should lead to that.
pub(crate) fn plan(input: &Input<'_>) -> Part {
    let mut modules: BTreeMap<&Path, Arc<Loaded>> = BTreeMap::new();
    for loaded in input
        .related
        .iter()
        .chain(input.found.iter().map(|found| &found.loaded))
    {
        modules.insert(loaded.module.source().path(), loaded.clone());
    }
    let facts: BTreeMap<PathBuf, ModuleFacts> = modules
        .into_par_iter()
        .map(|(path, loaded)| {
            let facts = ModuleFacts::of(input.workspace, loaded);
            (path.to_owned(), facts)
        })
        .collect();
    let groups = groups(input, &facts);
    let packages = packages(input, &facts, &groups);
    let conflicts = Conflicts::of(input, &groups);
    let planned: Vec<Group> = groups
        .into_par_iter()
        .map(|plugins| {
            let planned = plan_group(input, &facts, &packages, &conflicts, &plugins);
            planned.unwrap_or_else(|fault| left_group(&plugins, &fault))
        })
        .collect();

    let mut part = Part::default();
    part.tie(input, &facts, conflicts.keys());
    let plan = &mut part.plan;
    plan.diagnostics.extend(conflicts.into_diagnostics());
    let mut removed_aliases: BTreeSet<(PathBuf, ByteRange)> = BTreeSet::new();
    for group in planned {
        plan.groups.push(PlanGroup {
            plugins: group.plugins,
            files: group.files.iter().map(|file| file.path.clone()).collect(),
            aliases: group.removed_aliases.len(),
            is_withdrawn: group.is_at_fault,
        });
        removed_aliases.extend(group.removed_aliases);
        plan.files.extend(group.files);
        plan.webhooks.extend(group.webhooks);
        plan.diagnostics.extend(group.diagnostics);
    }
    for found in input.found {
        for reference in &found.references {
            match &reference.kind {
                ReferenceKind::Webhooks(_) => plan.counts.found += 1,
                ReferenceKind::Alias(alias) => {
                    plan.counts.found += 1;
                    let path = found.loaded.module.source().path().to_owned();
                    if removed_aliases.contains(&(path, alias.statement)) {
                        plan.counts.migrated += 1;
                    } else {
                        let webhook = by_hand_reference(input, found, reference, &alias.diagnostic);
                        plan.webhooks.push(webhook);
                    }
                }
                ReferenceKind::ByHand(diagnostic) => {
                    plan.counts.found += 1;
                    let webhook = by_hand_reference(input, found, reference, diagnostic);
                    plan.webhooks.push(webhook);
                }
                ReferenceKind::NotOurs => plan.counts.not_ours += 1,
            }
        }
    }
    for facts in facts.values() {
        // Each is one more mention of the old API that nothing is done about.
        let left = doc_only_api::not_rewritten(&facts.parts.loaded, &facts.uses);
        plan.counts.found += left.len();
        plan.counts.by_hand += left.len();
        plan.diagnostics.extend(left);
    }
    plan.diagnostics.extend(lints(input, &facts));
    part.wrong_comments = suppress(input, &facts, plan);
    for webhook in plan.webhooks.iter().filter(|webhook| !webhook.is_further) {
        match webhook.action {
            Action::Migrate | Action::Drop => plan.counts.migrated += 1,
            Action::ByHand(_) => plan.counts.by_hand += 1,
        }
    }
    part
}

fn by_hand_reference(
    input: &Input<'_>,
    found: &Found,
    reference: &Reference,
    diagnostic: &Diagnostic,
) -> PlannedWebhook {
    let (line, column) = diagnostic.position().unwrap_or((1, 1));
    let known = &reference.known;
    let key = |id| crate::migrate::find::plugin::key(input.workspace, id);
    PlannedWebhook {
        route: None,
        plugin: known.plugin.as_ref().and_then(key),
        endpoint: known.endpoint.clone(),
        handler: None,
        plugin_module: None,
        is_native: false,
        is_further: false,
        path: found.loaded.module.source().path().to_owned(),
        line,
        column,
        action: Action::ByHand(Box::new(diagnostic.clone())),
    }
}

/// What comes of one group of plugins.
#[derive(Default)]
struct Group {
    /// The modules in which the plugins are made.
    plugins: BTreeSet<PathBuf>,
    /// Whether they are left as they are, since a rule made something that does not fit together.
    is_at_fault: bool,
    files: Vec<FilePlan>,
    webhooks: Vec<PlannedWebhook>,
    diagnostics: Vec<Diagnostic>,
    removed_aliases: Vec<(PathBuf, ByteRange)>,
}

fn plan_group<'f>(
    input: &Input<'f>,
    facts: &'f BTreeMap<PathBuf, ModuleFacts>,
    packages: &Packages<'f>,
    conflicts: &Conflicts<'_>,
    plugins: &[PluginWebhooks<'_>],
) -> Result<Group, Fault> {
    let mut group = Group {
        plugins: plugins.iter().map(|(id, _)| id.module.clone()).collect(),
        ..Group::default()
    };
    let mut drafts = plugin::Drafts::new();
    for plugin in plugins {
        let (id, webhooks) = plugin;
        let members = members_of(input, facts, packages, id, webhooks);
        let planned = plugin::plan(input, facts, &members, conflicts, &mut drafts, plugin)
            .map_err(|error| Fault::of_rule(&id.module, &error))?;
        group.webhooks.extend(planned.webhooks);
        group.diagnostics.extend(planned.diagnostics);
        group.removed_aliases.extend(planned.removed_aliases);
    }
    // A package with many plugins is one group.
    let files: Result<Vec<Option<FilePlan>>, Fault> = drafts
        .into_par_iter()
        .map(|(path, draft)| finish::finish(input, path, draft))
        .collect();
    group.files = files?.into_iter().flatten().collect();
    Ok(group)
}

/// What comes of a group of plugins that is left as it is.
fn left_group(plugins: &[PluginWebhooks<'_>], fault: &Fault) -> Group {
    let webhooks = plugins.iter().flat_map(|(_, webhooks)| webhooks);
    let left = |one: &Registered<'_>| {
        let here = one.webhook.call.call;
        let problem = Blocker::manual(Code::OwnFault, here, fault.detail());
        plugin::planned_webhook(one, None, Some(&problem))
    };
    Group {
        plugins: plugins.iter().map(|(id, _)| id.module.clone()).collect(),
        is_at_fault: true,
        webhooks: webhooks.map(left).collect(),
        ..Group::default()
    }
}
