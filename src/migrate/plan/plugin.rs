//! One plugin: which of its webhooks can be migrated, and all the edits that this takes.

mod access;
mod naming;
mod problems;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::conflicts::shared_keys::SharedKeys;
use super::conflicts::unclear;
use super::draft::Draft;
use super::model::{Action, Input, PlannedWebhook, Registered, RuleError};
use super::modules::cross_module::Members;
use super::modules::facts::ModuleFacts;
use super::modules::late_imports::late_modules;
use super::rules::router::{MountStrategy, RouterNames};
use super::rules::{annotations, doc_only_api, registration, reply, router};
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::edit::{Applicability, ByteRange};
use crate::migrate::find::Blocker;
use crate::migrate::find::Found;
use crate::migrate::find::plugin::{ModuleParts, Plugin};
use crate::migrate::plan::conflicts::duplicates::Verdict;
use crate::migrate::plan::rules::aliases;
use crate::migrate::plan::rules::native::RequestRewrites;
use crate::migrate::plan::rules::registration::Routing;
use crate::migrate::python::imports::names_within;
use crate::migrate::python::names::{PluginId, Workspace};
use crate::routes::{Dialect, Route};
use crate::text;

use access::{Access, access, module_for};
use naming::{choose_names, wanted};
use problems::{is_at_run_time, problem, resolve_duplicates};

/// What comes of a plugin besides the edits, which go to the drafts.
#[derive(Default)]
pub(crate) struct Planned {
    pub(crate) webhooks: Vec<PlannedWebhook>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The statements `name = plugin.mount_webhook_method` that go.
    pub(crate) removed_aliases: Vec<(PathBuf, ByteRange)>,
}

/// Plans one plugin.
pub(crate) fn plan(
    input: &Input<'_>,
    facts: &BTreeMap<PathBuf, ModuleFacts>,
    members: &Members<'_>,
    (unclear, shared): (&[&Found], &SharedKeys<'_>),
    drafts: &mut BTreeMap<PathBuf, Draft>,
    id: &PluginId,
    webhooks: &[Registered<'_>],
) -> Result<Planned, RuleError> {
    let parts: Vec<&ModuleParts> = members.modules().iter().map(|f| &f.parts).collect();
    let plugin = match crate::migrate::find::plugin::plugin(input.workspace, id, &parts) {
        Ok(plugin) => plugin,
        Err(problem) => {
            let mut planned = Planned::default();
            for one in webhooks {
                let problem = Blocker {
                    range: one.webhook.call.call,
                    ..(*problem).clone()
                };
                planned.webhooks.push(PlannedWebhook {
                    plugin: crate::migrate::find::plugin::key(input.workspace, id),
                    ..planned_webhook(one, None, Some(&problem))
                });
            }
            return Ok(planned);
        }
    };
    for path in webhooks
        .iter()
        .map(Registered::path)
        .chain([id.module.as_path()])
    {
        if !drafts.contains_key(path)
            && let Some(facts) = facts.get(path)
        {
            let draft = facts.draft((input.style)(path));
            drafts.insert(path.to_owned(), draft.with_stars(input.workspace));
        }
    }
    if !drafts.contains_key(&id.module) {
        drafts.insert(
            id.module.clone(),
            Draft::of(plugin.loaded.clone(), (input.style)(&id.module)).with_stars(input.workspace),
        );
    }
    let mut at_run_time: Vec<bool> = webhooks
        .iter()
        .map(|one| is_at_run_time(input, members, drafts, one))
        .collect();
    // The turns of a loop share one call.
    let calls: HashSet<(&Path, ByteRange)> = webhooks
        .iter()
        .zip(&at_run_time)
        .filter(|(_, at_run_time)| **at_run_time)
        .map(|(one, _)| (one.path(), one.webhook.call.call))
        .collect();
    for (one, at_run_time) in webhooks.iter().zip(&mut at_run_time) {
        *at_run_time |= calls.contains(&(one.path(), one.webhook.call.call));
    }
    let late = if webhooks.iter().all(|one| one.path() == id.module) {
        BTreeSet::new()
    } else {
        late_modules(input.workspace, members, &id.module)
    };
    let mut problems: Vec<Option<Blocker>> = webhooks
        .iter()
        .zip(&at_run_time)
        .map(|(one, &at_run_time)| {
            problem(input, &late, drafts, &plugin, one, at_run_time)
                .or_else(|| unclear::problem(members, unclear, one))
                .or_else(|| shared.problem(one))
        })
        .collect();
    let verdicts = resolve_duplicates(webhooks, &mut problems, &mut at_run_time);
    let at_run_time: HashSet<(&Path, ByteRange)> = webhooks
        .iter()
        .zip(at_run_time)
        .filter(|(_, at_run_time)| *at_run_time)
        .map(|(one, _)| (one.path(), one.webhook.call.call))
        .collect();
    let migrated: Vec<&Registered<'_>> = webhooks
        .iter()
        .zip(&problems)
        .zip(&verdicts)
        .filter(|((_, problem), verdict)| problem.is_none() && **verdict == Verdict::Keep)
        .map(|((one, _), _)| one)
        .collect();

    let mut planned = Planned::default();
    for ((one, problem), verdict) in webhooks.iter().zip(&problems).zip(&verdicts) {
        let mut webhook = planned_webhook(one, Some(&plugin), problem.as_ref());
        if *verdict == Verdict::Drop && problem.is_none() {
            webhook.action = Action::Drop;
        }
        planned.webhooks.push(webhook);
    }
    if !migrated.is_empty() {
        write(
            input,
            members,
            drafts,
            &plugin,
            webhooks,
            &migrated,
            &at_run_time,
            &verdicts,
            &mut planned,
        )?;
    }
    Ok(planned)
}

pub(super) fn planned_webhook(
    one: &Registered<'_>,
    plugin: Option<&Plugin>,
    problem: Option<&Blocker>,
) -> PlannedWebhook {
    let source = one.found.loaded.module.source();
    let (line, column) = source.position(one.webhook.call.callee.start());
    let route = plugin.map(|plugin| {
        Route::new(
            &plugin.author,
            &plugin.module_name,
            &one.webhook.endpoint.value,
            one.webhook.dialect,
        )
    });
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

/// The edits of everything that is migrated; `at_run_time` are the calls of the registrations whose
/// replies are looked at at run time.
#[allow(clippy::too_many_arguments)]
fn write(
    input: &Input<'_>,
    members: &Members<'_>,
    drafts: &mut BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    webhooks: &[Registered<'_>],
    migrated: &[&Registered<'_>],
    at_run_time: &HashSet<(&Path, ByteRange)>,
    verdicts: &[Verdict],
    planned: &mut Planned,
) -> Result<(), RuleError> {
    // The document's API first: other rules move text that it changes.
    for facts in members.modules() {
        if facts.uses.is_empty() {
            continue;
        }
        let path = facts.path();
        let draft = drafts
            .entry(path.to_owned())
            .or_insert_with(|| facts.draft((input.style)(path)).with_stars(input.workspace));
        planned.diagnostics.extend(doc_only_api::rewrite(
            draft,
            &facts.uses,
            &plugin.id,
            plugin.has_config,
        )?);
    }
    let natives = if input.options.native {
        let (natives, told) =
            RequestRewrites::choose(members, drafts, webhooks, verdicts, migrated);
        planned.diagnostics.extend(told);
        natives
    } else {
        RequestRewrites::default()
    };
    natives.rewrite(drafts)?;
    for (one, webhook) in webhooks.iter().zip(&mut planned.webhooks) {
        webhook.is_native = webhook.action == Action::Migrate && natives.contains(one);
    }
    let routing = |one: &Registered<'_>| match one.webhook.dialect {
        Dialect::Request if at_run_time.contains(&(one.path(), one.webhook.call.call)) => {
            Routing::AtRunTime
        }
        Dialect::Request => Routing::AllMethods,
        Dialect::Context if natives.contains(one) => Routing::Post,
        Dialect::Context => Routing::WithContext,
    };
    let context = migrated
        .iter()
        .any(|one| routing(one) == Routing::WithContext);
    let replies = migrated
        .iter()
        .any(|one| routing(one) == Routing::AtRunTime);
    let wanted = wanted(drafts, plugin, migrated, (context, replies));
    let names = choose_names(drafts, plugin, migrated, &wanted);
    let mut changed_handlers: HashSet<(&Path, ByteRange)> = HashSet::new();
    for one in migrated {
        let Some(draft) = drafts.get_mut(one.path()) else {
            continue;
        };
        let handler = &one.webhook.handler;
        let routing = routing(one);
        if one.webhook.dialect == Dialect::Request
            && !handler.is_elsewhere
            && changed_handlers.insert((one.path(), handler.range))
        {
            if routing == Routing::AllMethods {
                reply::rewrite(draft, &handler.replies, &handler.conditionals)?;
            }
            let needed_at = (routing == Routing::AtRunTime).then(|| one.webhook.call.call.start());
            annotations::rewrite(draft, handler, needed_at)?;
        }
        if one.webhook.is_further {
            continue;
        }
        let callee = callee(input.workspace, draft, plugin, one, routing, &names);
        registration::rewrite(draft, one.webhook, routing, &callee)?;
    }
    let mut gone: Vec<&Registered<'_>> = migrated.to_vec();
    for (one, verdict) in webhooks.iter().zip(verdicts) {
        let is_dropped = *verdict == Verdict::Drop
            && planned.webhooks.iter().any(|webhook| {
                webhook.action == Action::Drop && webhook.path == one.path() && {
                    let source = one.found.loaded.module.source();
                    source.position(one.webhook.call.callee.start())
                        == (webhook.line, webhook.column)
                }
            });
        if is_dropped && let Some(draft) = drafts.get_mut(one.path()) {
            registration::remove(draft, one.webhook)?;
            let arguments = one.webhook.call.arguments.iter();
            let values: Vec<ByteRange> = arguments.map(|argument| argument.value).collect();
            for name in names_within(&one.found.loaded, &values) {
                let may_go = one.path().file_name() != Some("__init__.py".as_ref())
                    && !members.is_passed_on(one.path(), &name);
                if draft.drop_use(&name) && may_go {
                    draft.remove_import(&name);
                }
            }
            gone.push(one);
        }
    }
    if let Some(draft) = drafts.get_mut(&plugin.id.module) {
        router::write(draft, plugin, &wanted, &names)?;
    }
    if wanted.join == MountStrategy::Include {
        for mount in &plugin.mounts {
            let path = mount.loaded.module.source().path();
            let draft = drafts.entry(path.to_owned()).or_insert_with(|| {
                Draft::of(mount.loaded.clone(), (input.style)(path)).with_stars(input.workspace)
            });
            let router = if path == plugin.id.module {
                names.router.clone()
            } else {
                match module_for(input.workspace, draft, plugin, path) {
                    Some(module) => draft.import_from(&module, &names.router, &[]),
                    None => names.router.clone(),
                }
            };
            router::join(draft, mount, &router)?;
        }
    }
    let writes_router = wanted.join != MountStrategy::Existing(names.router.clone())
        || wanted.context && wanted.known_webhook_route.is_none();
    let beside_plugin = writes_router.then(|| {
        let source = plugin.loaded.module.source();
        let end = source.line_at(plugin.statement.end()).end();
        (plugin.id.module.as_path(), end)
    });
    let aliases = aliases::remove(members, drafts, webhooks, &gone, beside_plugin)?;
    drop_unused_plugin_imports(members, drafts, plugin, &gone, &aliases);
    let removed = aliases.into_iter();
    planned
        .removed_aliases
        .extend(removed.map(|one| (one.path, one.alias.statement)));
    natives.release_imports(members, drafts);
    Ok(())
}

/// What the registration of a webhook calls.
fn callee(
    workspace: &Workspace,
    draft: &mut Draft,
    plugin: &Plugin,
    one: &Registered<'_>,
    routing: Routing,
    names: &RouterNames,
) -> String {
    let name = match routing {
        Routing::WithContext => &names.webhook_route,
        Routing::AtRunTime => &names.reply_route,
        Routing::AllMethods | Routing::Post => &names.router,
    };
    let local = match access(workspace, one, plugin, draft) {
        Some(Access::Through(prefix)) => format!("{prefix}.{name}"),
        Some(Access::Import(module)) => draft.import_from(&module, name, &[]),
        Some(Access::Own) | None => name.clone(),
    };
    match routing {
        Routing::WithContext | Routing::AtRunTime => local,
        Routing::AllMethods => format!("{local}.api_route"),
        Routing::Post => format!("{local}.post"),
    }
}

/// Takes out the imports of the plugin that only the registrations needed.
fn drop_unused_plugin_imports(
    members: &Members<'_>,
    drafts: &mut BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    migrated: &[&Registered<'_>],
    aliases: &[aliases::Removed<'_>],
) {
    let mut registrations: BTreeMap<(&Path, &String), usize> = BTreeMap::new();
    for one in aliases {
        if let Some(receiver) = &one.alias.receiver_name {
            *registrations.entry((&one.path, receiver)).or_default() += 1;
        }
    }
    for one in migrated.iter().filter(|one| !one.webhook.is_further) {
        if let Some(receiver) = &one.webhook.call.receiver_name {
            *registrations.entry((one.path(), receiver)).or_default() += 1;
        }
    }
    for ((path, receiver), registrations) in registrations {
        if path == plugin.id.module || path.file_name() == Some("__init__.py".as_ref()) {
            continue;
        }
        let Some(draft) = drafts.get_mut(path) else {
            continue;
        };
        let is_unused = draft.imports.statement_of(receiver).is_some()
            && draft.imports.uses_of(receiver) == registrations;
        if is_unused && !members.is_passed_on(path, receiver) {
            draft.remove_import(receiver);
        }
    }
}
