//! One plugin: which of its webhooks can be migrated, and all the edits that this takes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::draft::Draft;
use super::duplicates::{self, Verdict};
use super::members::Members;
use super::native::Natives;
use super::registration::Routing;
use super::router::{Join, RouterNames, RuleError, Wanted};
use super::{
    Action, Input, ModuleFacts, PlannedWebhook, Registered, annotations, document, registration,
    reply, router,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::edit::{Applicability, ByteRange};
use crate::find::handler::Problem;
use crate::find::imports;
use crate::find::plugin::{ModuleParts, Plugin};
use crate::find::registration::diagnostic_at;
use crate::python::names::{BindingKind, ModuleName, PluginId};
use crate::routes::{Dialect, Route};
use crate::text;

/// What comes of a plugin besides the edits, which go to the drafts.
#[derive(Default)]
pub(crate) struct Planned {
    pub(crate) webhooks: Vec<PlannedWebhook>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Plans one plugin.
pub(crate) fn plan(
    input: &Input<'_>,
    facts: &BTreeMap<PathBuf, ModuleFacts>,
    members: &Members<'_>,
    drafts: &mut BTreeMap<PathBuf, Draft>,
    id: &PluginId,
    webhooks: &[Registered<'_>],
) -> Result<Planned, RuleError> {
    let parts: Vec<&ModuleParts> = members.modules().iter().map(|f| &f.parts).collect();
    let plugin = match crate::find::plugin::plugin(input.workspace, id, &parts) {
        Ok(plugin) => plugin,
        Err(problem) => {
            let mut planned = Planned::default();
            for one in webhooks {
                let problem = Problem {
                    range: one.webhook.call.call,
                    ..(*problem).clone()
                };
                planned
                    .webhooks
                    .push(planned_webhook(one, None, Some(&problem)));
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
            drafts.insert(path.to_owned(), facts.draft((input.line_length)(path)));
        }
    }
    if !drafts.contains_key(&id.module) {
        drafts.insert(
            id.module.clone(),
            Draft::of(plugin.loaded.clone(), (input.line_length)(&id.module)),
        );
    }
    let mut problems: Vec<Option<Problem>> = webhooks
        .iter()
        .map(|one| problem(input, members, drafts, &plugin, one))
        .collect();
    let verdicts = settle(webhooks, &mut problems);
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
            &verdicts,
            &mut planned,
        )?;
    }
    Ok(planned)
}

fn planned_webhook(
    one: &Registered<'_>,
    plugin: Option<&Plugin>,
    problem: Option<&Problem>,
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
            let mut diagnostic = diagnostic_at(
                &one.found.loaded,
                problem.code,
                problem.range,
                problem.detail.clone(),
            );
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
        route,
        endpoint: Some(one.webhook.endpoint.value.clone()),
        handler: Some(one.webhook.handler.name.clone()),
        path: one.path().to_owned(),
        line,
        column,
        action,
    }
}

/// What stands in the way of migrating a webhook, the others aside.
fn problem(
    input: &Input<'_>,
    members: &Members<'_>,
    drafts: &BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    one: &Registered<'_>,
) -> Option<Problem> {
    let webhook = one.webhook;
    let handler = &webhook.handler;
    let overcome = |problem: &&Problem| {
        !(input.options.allow_unsafe && problem.applicability == Applicability::Unsafe)
    };
    if let Some(problem) = handler.problems.iter().find(overcome) {
        return Some(problem.clone());
    }
    let here = webhook.call.call;
    if let Some(problem) = mount_problem(plugin, here) {
        return Some(problem);
    }
    let route = Route::new(
        &plugin.author,
        &plugin.module_name,
        &webhook.endpoint.value,
        webhook.dialect,
    );
    if let Some(own) = plugin.route_in_the_way(&webhook.endpoint.value, &route) {
        return Some(Problem::manual(
            Code::PathTaken,
            here,
            text!(
                "the plugin's own router has the route `{}` already, which would answer instead",
                "插件自己的路由 `{}` 已经存在，请求会由它来响应",
                own.path
            ),
        ));
    }
    let draft = drafts.get(one.path())?;
    if webhook.dialect == Dialect::Request {
        if let Some(problem) = annotations::problem(handler, draft.imports.future_annotations) {
            return Some(problem);
        }
        if !handler.replies.is_empty() {
            if let Some(range) = handler.inner_decorator {
                return Some(Problem::manual(
                    Code::WrappedHandler,
                    range,
                    text!(
                        "this decorator sees what the handler returns, and might not expect a response",
                        "该装饰器会接触到处理函数的返回值，可能无法处理 Response 对象"
                    ),
                ));
            }
            if is_on_another_plugin(one) {
                return Some(Problem::manual(
                    Code::CalledElsewhere,
                    handler.name_range,
                    text!(
                        "`{}` is registered on another plugin too, where its `body, status` may be expected",
                        "`{}` 还注册在另一个插件上，那里可能需要它返回 `body, status`",
                        handler.name
                    ),
                ));
            }
            if is_used_elsewhere(members, draft, one) {
                return Some(Problem::manual(
                    Code::CalledElsewhere,
                    handler.name_range,
                    text!(
                        "`{}` is used elsewhere too, where its `body, status` may be expected",
                        "`{}` 在别处也被使用，那里可能需要它返回 `body, status`",
                        handler.name
                    ),
                ));
            }
        }
    }
    if access(one, plugin, draft).is_none() {
        return Some(Problem::manual(
            Code::UnknownRouter,
            here,
            text!(
                "how this module can import the router from `{}` cannot be seen",
                "无法确定此模块应如何从 `{}` 导入路由",
                plugin
                    .loaded
                    .module
                    .source()
                    .path()
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
            ),
        ));
    }
    None
}

fn mount_problem(plugin: &Plugin, here: ByteRange) -> Option<Problem> {
    match plugin.mounts.as_slice() {
        [] => None,
        [mount] if mount.returns.is_some() => None,
        [mount] => Some(Problem::manual(
            Code::UnknownRouter,
            here,
            text!(
                "what the plugin's `mount_router` function `{}` returns cannot be understood",
                "无法理解插件的 `mount_router` 函数 `{}` 返回了什么",
                mount.name
            ),
        )),
        _ => Some(Problem::manual(
            Code::UnknownRouter,
            here,
            text!(
                "the plugin has several `mount_router` functions, of which only the last counts",
                "插件有多个 `mount_router` 函数，而只有最后一个生效"
            ),
        )),
    }
}

/// Whether a handler is registered on another plugin too, of which nothing is decided here.
fn is_on_another_plugin(one: &Registered<'_>) -> bool {
    one.found.references.iter().any(|reference| {
        matches!(
            &reference.kind,
            crate::find::ReferenceKind::Webhook(other)
                if other.handler.range == one.webhook.handler.range
                    && other.plugin != one.webhook.plugin
        )
    })
}

/// Whether a handler is used other than by registering it.
pub(super) fn is_used_elsewhere(
    members: &Members<'_>,
    draft: &Draft,
    one: &Registered<'_>,
) -> bool {
    let name = &one.webhook.handler.name;
    let registrations = || {
        let calls = one.found.webhooks().filter(|webhook| {
            webhook.form == crate::find::Form::Call && webhook.handler.name == *name
        });
        calls.count()
    };
    // Few handlers are named anywhere else: only then it matters whose the name is there.
    let used_here = draft.imports.uses_of(name) > 0
        && imports::uses_of_global(&one.found.loaded, name) > registrations();
    used_here || members.others_use(one.path(), name)
}

/// Takes the other webhooks into account: the last registration of an endpoint wins, and a function
/// that is registered twice is migrated for both or for none.
fn settle(webhooks: &[Registered<'_>], problems: &mut [Option<Problem>]) -> Vec<Verdict> {
    loop {
        let has_problem: Vec<bool> = problems.iter().map(Option::is_some).collect();
        let verdicts = duplicates::judge(webhooks, &has_problem);
        let mut changed = false;
        for (index, verdict) in verdicts.iter().enumerate() {
            if let Verdict::Unknown(problem) = verdict
                && problems[index].is_none()
            {
                problems[index] = Some((**problem).clone());
                changed = true;
            }
        }
        let by_hand: HashSet<(&Path, ByteRange)> = webhooks
            .iter()
            .zip(problems.iter())
            .filter(|(_, problem)| problem.is_some())
            .map(|(one, _)| (one.path(), one.webhook.handler.range))
            .collect();
        for (index, this) in webhooks.iter().enumerate() {
            let function = (this.path(), this.webhook.handler.range);
            let changes_function = !this.webhook.handler.replies.is_empty();
            if problems[index].is_none() && changes_function && by_hand.contains(&function) {
                problems[index] = Some(Problem::manual(
                    Code::CalledElsewhere,
                    this.webhook.handler.name_range,
                    text!(
                        "`{}` is registered a second time, and that registration is left by hand",
                        "`{}` 还有另一处注册，而那一处需要手动处理",
                        this.webhook.handler.name
                    ),
                ));
                changed = true;
            }
        }
        if !changed {
            return verdicts;
        }
    }
}

/// How a module that registers a webhook gets at the names of the plugin's module.
enum Access {
    /// They are its own.
    Own,
    /// Through a module that it has, as in `pkg` of `pkg.plugin`.
    Through(String),
    /// By an import from that module.
    Import(ModuleName),
}

fn access(one: &Registered<'_>, plugin: &Plugin, draft: &Draft) -> Option<Access> {
    let plugin_module = plugin.loaded.module.source().path();
    if one.path() == plugin_module {
        return Some(Access::Own);
    }
    if let Some(prefix) = one.webhook.call.module_prefix {
        // `pkg.plugin`, where `pkg` may only pass the plugin on: the router has to be there too.
        let direct = draft.loaded.scope.bindings(draft.slice(prefix));
        let is_plugin_module = direct.iter().any(|binding| match &binding.kind {
            BindingKind::From(module, name) => {
                let dotted = match module.dotted.as_str() {
                    "" => name.clone(),
                    dotted => format!("{dotted}.{name}"),
                };
                names_module(
                    one.path(),
                    &ModuleName {
                        level: module.level,
                        dotted,
                    },
                    plugin_module,
                )
            }
            BindingKind::Module(module) => names_module(one.path(), module, plugin_module),
            _ => false,
        });
        if is_plugin_module {
            return Some(Access::Through(draft.slice(prefix).to_owned()));
        }
    }
    if let Some(name) = &one.webhook.call.receiver_name
        && let Some((statement, _)) = draft.imports.statement_of(name)
        && names_module(one.path(), &statement.module, plugin_module)
    {
        return Some(Access::Import(statement.module.clone()));
    }
    relative_module(one.path(), plugin_module).map(Access::Import)
}

/// Whether a module name, as written in the file `from`, is that of the file `path`: by its path
/// alone.
fn names_module(from: &Path, module: &ModuleName, path: &Path) -> bool {
    let mut stem = path.with_extension("");
    if stem.file_name() == Some("__init__".as_ref()) {
        stem.pop();
    }
    let parts: Vec<&str> = module
        .dotted
        .split('.')
        .filter(|part| !part.is_empty())
        .collect();
    if module.level > 0 {
        let base = from.ancestors().nth(module.level);
        return base.is_some_and(|base| base.join(parts.iter().collect::<PathBuf>()) == stem);
    }
    !parts.is_empty() && stem.ends_with(parts.iter().collect::<PathBuf>())
}

/// The relative name of `to` as written in `from`, when both are in one package.
fn relative_module(from: &Path, to: &Path) -> Option<ModuleName> {
    let folder = from.parent()?;
    let mut target = to.with_extension("");
    if target.file_name() == Some("__init__".as_ref()) {
        target.pop();
    }
    for (ups, ancestor) in folder.ancestors().enumerate() {
        if !ancestor.join("__init__.py").exists() {
            return None;
        }
        let inside = match target.strip_prefix(ancestor) {
            Ok(inside) => inside,
            Err(_) => continue,
        };
        let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
        return Some(ModuleName {
            level: ups + 1,
            dotted: parts?.join("."),
        });
    }
    None
}

/// The edits of everything that is migrated.
#[allow(clippy::too_many_arguments)]
fn write(
    input: &Input<'_>,
    members: &Members<'_>,
    drafts: &mut BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    webhooks: &[Registered<'_>],
    migrated: &[&Registered<'_>],
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
            .or_insert_with(|| facts.draft((input.line_length)(path)));
        planned.diagnostics.extend(document::rewrite(
            draft,
            &facts.uses,
            &plugin.id,
            plugin.has_config,
        )?);
    }
    let natives = if input.options.native {
        let (natives, told) = Natives::choose(members, drafts, webhooks, verdicts, migrated);
        planned.diagnostics.extend(told);
        natives
    } else {
        Natives::default()
    };
    natives.rewrite(drafts)?;
    let routing = |one: &Registered<'_>| match one.webhook.dialect {
        Dialect::Request => Routing::AllMethods,
        Dialect::Context if natives.contains(one) => Routing::Post,
        Dialect::Context => Routing::WithContext,
    };
    let context = migrated
        .iter()
        .any(|one| routing(one) == Routing::WithContext);
    let wanted = wanted(plugin, migrated, context);
    let names = choose_names(drafts, plugin, migrated, &wanted);
    let mut changed_handlers: HashSet<(&Path, ByteRange)> = HashSet::new();
    for one in migrated {
        let Some(draft) = drafts.get_mut(one.path()) else {
            continue;
        };
        let handler = &one.webhook.handler;
        if one.webhook.dialect == Dialect::Request
            && changed_handlers.insert((one.path(), handler.range))
        {
            reply::rewrite(draft, &handler.replies, &handler.conditionals)?;
            annotations::rewrite(draft, handler)?;
        }
        let routing = routing(one);
        let callee = callee(draft, plugin, one, routing, &names);
        registration::rewrite(draft, one.webhook, routing, &callee)?;
    }
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
        }
    }
    if let Some(draft) = drafts.get_mut(&plugin.id.module) {
        router::write(draft, plugin, &wanted, &names)?;
    }
    if wanted.join == Join::Include {
        for mount in &plugin.mounts {
            let path = mount.loaded.module.source().path();
            let draft = drafts
                .entry(path.to_owned())
                .or_insert_with(|| Draft::of(mount.loaded.clone(), (input.line_length)(path)));
            let router = if path == plugin.id.module {
                names.router.clone()
            } else {
                match module_for(draft, plugin, path) {
                    Some(module) => draft.import_from(&module, &names.router, &[]),
                    None => names.router.clone(),
                }
            };
            router::join(draft, mount, &router)?;
        }
    }
    drop_unused_plugin_imports(members, drafts, plugin, migrated);
    natives.release_imports(members, drafts);
    Ok(())
}

/// The module of the plugin as the file at `path` names it in its imports, else relative.
fn module_for(draft: &Draft, plugin: &Plugin, path: &Path) -> Option<ModuleName> {
    let plugin_module = plugin.loaded.module.source().path();
    let statements = draft.imports.statements.iter();
    let written = statements
        .filter(|statement| {
            statement.is_from && names_module(path, &statement.module, plugin_module)
        })
        .map(|statement| statement.module.clone())
        .next();
    written.or_else(|| relative_module(path, plugin_module))
}

/// `context` is whether a handler is given a context.
fn wanted(plugin: &Plugin, migrated: &[&Registered<'_>], context: bool) -> Wanted {
    let mut join = if plugin.mounts.is_empty() {
        Join::NewMount
    } else {
        Join::Include
    };
    if let [mount] = plugin.mounts.as_slice()
        && let Some([first, rest @ ..]) = mount.returns.as_deref()
        && let Some(name) = &first.module_level_name
        && rest
            .iter()
            .all(|other| other.module_level_name.as_ref() == Some(name))
    {
        // It has to be there before the first webhook that is registered on it.
        let made_at = plugin
            .loaded
            .scope
            .bindings(name)
            .iter()
            .map(|binding| binding.range.end())
            .max();
        let module = plugin.loaded.module.source().path();
        let first_use = migrated
            .iter()
            .filter(|one| one.path() == module)
            .map(|one| one.webhook.call.call.start())
            .min()
            .unwrap_or(usize::MAX);
        if made_at.is_some_and(|made_at| made_at <= first_use) {
            join = Join::Existing(name.clone());
        }
    }
    let known_webhook_route = match &join {
        Join::Existing(router) if context => known_webhook_route(plugin, router),
        _ => None,
    };
    Wanted {
        join,
        context,
        known_webhook_route,
    }
}

/// The decorator that an earlier run wrote: a function whose text says the same.
fn known_webhook_route(plugin: &Plugin, router: &str) -> Option<String> {
    let source = plugin.loaded.module.source();
    plugin.loaded.scope.names().find_map(|name| {
        let [binding] = plugin.loaded.scope.bindings(name) else {
            return None;
        };
        let text =
            matches!(binding.kind, BindingKind::Function).then(|| source.slice(binding.range))?;
        let writes_context = text.contains(&format!("@{router}.post(path"))
            && text.contains(".create_by_webhook(")
            && text.contains("return decorator");
        writes_context.then(|| name.to_owned())
    })
}

fn choose_names(
    drafts: &mut BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    migrated: &[&Registered<'_>],
    wanted: &Wanted,
) -> RouterNames {
    let mut modules: BTreeSet<&Path> = migrated.iter().map(|one| one.path()).collect();
    modules.insert(&plugin.id.module);
    modules.extend(
        plugin
            .mounts
            .iter()
            .map(|mount| mount.loaded.module.source().path()),
    );
    let mut choose = |candidates: &[&str]| {
        let last = candidates.last().copied().unwrap_or("router");
        let name = candidates
            .iter()
            .map(|&candidate| candidate.to_owned())
            .chain((2..).map(|number| format!("{last}_{number}")))
            .find(|name| {
                modules
                    .iter()
                    .filter_map(|path| drafts.get(*path))
                    .all(|draft| draft.is_free(name))
            })
            .unwrap_or_else(|| last.to_owned());
        if let Some(draft) = drafts.get_mut(&plugin.id.module) {
            draft.take(&name);
        }
        name
    };
    let router = match &wanted.join {
        Join::Existing(name) => name.clone(),
        Join::NewMount => choose(&["router", "webhook_router"]),
        Join::Include => choose(&["webhook_router", "plugin_webhook_router"]),
    };
    let webhook_route = match &wanted.known_webhook_route {
        Some(name) => name.clone(),
        None if wanted.context => choose(&["webhook_route", "plugin_webhook_route"]),
        None => String::new(),
    };
    RouterNames {
        router,
        webhook_route,
    }
}

/// What the registration of a webhook calls.
fn callee(
    draft: &mut Draft,
    plugin: &Plugin,
    one: &Registered<'_>,
    routing: Routing,
    names: &RouterNames,
) -> String {
    let name = match routing {
        Routing::WithContext => &names.webhook_route,
        Routing::AllMethods | Routing::Post => &names.router,
    };
    let local = match access(one, plugin, draft) {
        Some(Access::Through(prefix)) => format!("{prefix}.{name}"),
        Some(Access::Import(module)) => draft.import_from(&module, name, &[]),
        Some(Access::Own) | None => name.clone(),
    };
    match routing {
        Routing::WithContext => local,
        Routing::AllMethods => format!("{local}.api_route"),
        Routing::Post => format!("{local}.post"),
    }
}

/// Whether another module of the package imports `name` from the file at `path`.
pub(super) fn is_passed_on(members: &Members<'_>, path: &Path, name: &str) -> bool {
    members.imports_from(path).iter().any(|import| {
        import.path != path && import.name == name && names_module(import.path, import.from, path)
    })
}

/// Takes out the imports of the plugin that only the registrations needed.
fn drop_unused_plugin_imports(
    members: &Members<'_>,
    drafts: &mut BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    migrated: &[&Registered<'_>],
) {
    let mut registrations: BTreeMap<(&Path, &String), usize> = BTreeMap::new();
    for one in migrated {
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
        if is_unused && !is_passed_on(members, path, receiver) {
            draft.remove_import(receiver);
        }
    }
}
