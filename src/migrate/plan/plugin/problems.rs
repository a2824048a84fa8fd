//! What stands in the way of migrating a webhook.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::access::access;
use super::candidate::Candidate;
use crate::migrate::diagnostic::Code;
use crate::migrate::edit::{Applicability, ByteRange};
use crate::migrate::emit;
use crate::migrate::find::plugin::Plugin;
use crate::migrate::find::{Blocker, Found, Webhook};
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::{Input, Registered};
use crate::migrate::plan::modules::cross_module::{Members, is_used_elsewhere};
use crate::migrate::plan::rules::annotations;
use crate::migrate::python::names::PluginId;
use crate::routes::{Dialect, Route, stays_below_plugins};
use crate::term;
use crate::text;

/// Whether the replies of a webhook have to be looked at at run time: it cannot be seen which of
/// what the handler returns are replies, or somebody else depends on what it returns.
pub(super) fn is_at_run_time(
    input: &Input<'_>,
    members: &Members<'_>,
    drafts: &BTreeMap<PathBuf, Draft>,
    on_other_plugins: &HashSet<(&Path, ByteRange)>,
    one: &Registered<'_>,
) -> bool {
    let handler = &one.webhook.handler;
    if one.webhook.dialect == Dialect::Context {
        return false;
    }
    if handler.needs_reply_route || handler.is_wrapped {
        return true;
    }
    let is_on_another_plugin = || on_other_plugins.contains(&(one.path(), handler.range));
    let is_used = || {
        let draft = drafts.get(one.path());
        draft.is_none_or(|draft| is_used_elsewhere(members, draft, one))
            || (input.is_called_outside)(one.path(), &handler.name)
    };
    !handler.replies.is_empty()
        && (handler.is_elsewhere || handler.is_decorated || is_on_another_plugin() || is_used())
}

/// What stands in the way of a webhook that a function of the author registers for its callers: one of
/// them in another module, where what it registers is not looked for.
pub(super) fn registrar_problem(
    input: &Input<'_>,
    members: &Members<'_>,
    one: &Registered<'_>,
) -> Option<Blocker> {
    let registrar = one.webhook.registrar.as_ref()?;
    let path = one.path();
    let is_called = members.others_use(path, registrar)
        || members.is_used_where_imported(path, registrar)
        || (input.is_called_outside)(path, registrar);
    is_called.then(|| {
        Blocker::manual(
            Code::LateRegistration,
            one.webhook.call.call,
            text!(
                "`{registrar}` registers for its callers, and what another module registers with it cannot be seen",
                "`{registrar}` 替调用方注册，而其他模块通过它注册了什么无法看出"
            ),
        )
    })
}

/// What stands in the way of migrating a webhook, the others aside; `late` are the modules that are
/// imported after the routes have been mounted.
pub(super) fn problem(
    input: &Input<'_>,
    late: &BTreeSet<PathBuf>,
    drafts: &BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    candidate: &Candidate<'_>,
) -> Option<Blocker> {
    let Candidate {
        registered: one,
        route,
        is_at_run_time,
        ..
    } = candidate;
    let (webhook, is_at_run_time) = (one.webhook, *is_at_run_time);
    let handler = &webhook.handler;
    let overcome = |problem: &&Blocker| {
        !(input.options.allow_unsafe && problem.applicability == Applicability::Unsafe)
    };
    if let Some(problem) = handler.problems.iter().find(overcome) {
        return Some(problem.clone());
    }
    if is_at_run_time && let Some(problem) = &handler.run_time_problem {
        return Some(problem.clone());
    }
    let here = webhook.call.call;
    if let Some(problem) = mount_problem(plugin, here) {
        return Some(problem);
    }
    let late_import = || late.contains(one.path()).then(|| imported_late(here));
    let in_the_way = path_problem(webhook, route)
        .or_else(|| own_route_in_the_way(plugin, webhook, route))
        .or_else(late_import)
        .or_else(|| own_route_of_same_requests(plugin, webhook));
    if in_the_way.is_some() {
        return in_the_way;
    }
    if let Some(problem) = taken_builtin(drafts, plugin, one, is_at_run_time) {
        return Some(problem);
    }
    let draft = drafts.get(one.path())?;
    if webhook.dialect == Dialect::Request {
        if let Some(problem) = annotations::problem(handler, draft.names.imports.future_annotations)
        {
            return Some(problem);
        }
        if is_at_run_time
            && let Some(problem) = annotations::problem_at_once(draft, handler, here.start())
        {
            return Some(problem);
        }
        if let Some(problem) = &handler.refused_parameter {
            return Some(problem.clone());
        }
    }
    if access(input.workspace, one, plugin, draft).is_none() {
        return Some(Blocker::manual(
            Code::UnknownRouter,
            here,
            text!(
                "cannot determine how to import the router from `{}`",
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

/// Whether requests can reach the route by its path.
fn path_problem(webhook: &Webhook, route: &Route) -> Option<Blocker> {
    let (detail, hint) = if route.target.contains(['?', '#']) {
        let detail = text!(
            "the endpoint `{}` contains `?` or `#`, where the path of a request ends",
            "端点 `{}` 含有 `?` 或 `#`，而请求的路径到此为止",
            webhook.endpoint.value
        );
        let hint = text!(
            "choose a path without `?` and `#` for the route, and point the senders to it",
            "请为路由选用不含 `?` 与 `#` 的路径，并让发送方改用新地址"
        );
        (detail, hint)
    } else if !stays_below_plugins(&route.target) || route.target.chars().any(term::is_harmful) {
        let detail = text!(
            "the path `{}` would lead out of `/plugins/`, or mean different things to different servers",
            "路径 `{}` 会超出 `/plugins/` 的范围，或被不同的服务器作不同理解",
            route.target
        );
        let hint = text!(
            "choose a path without segments such as `..`, escapes (`%2e`, `%2f`) and invisible characters for the route, and point the senders to it",
            "请为路由选用不含 `..` 等路径段、转义（`%2e`、`%2f`）与不可见字符的路径，并让发送方改用新地址"
        );
        (detail, hint)
    } else {
        return None;
    };
    let here = webhook.call.call;
    Some(Blocker::manual(Code::UnusableEndpoint, here, detail).with_hint(hint))
}

/// A route of the plugin's own router that would answer instead, or that keeps the router from being
/// mounted.
fn own_route_in_the_way(plugin: &Plugin, webhook: &Webhook, route: &Route) -> Option<Blocker> {
    let here = webhook.call.call;
    if let Some(own) = plugin.route_in_the_way(&webhook.endpoint.value, route) {
        let detail = if own.is_known() {
            text!(
                "the plugin's own router has the route `{}` already, which would answer instead",
                "插件自己的路由 `{}` 已经存在，请求会由它来响应",
                own.path
            )
        } else {
            text!(
                "the plugin's own router may get a route of this path, which would answer instead: what `{}` adds cannot be known",
                "插件自己的路由中可能有这一路径，请求会由它来响应：无法确定 `{}` 添加了哪些路由",
                own.added.says
            )
        };
        return Some(Blocker::manual(Code::PathTaken, here, detail).with_place(&own.added));
    }
    // `include_router` without a prefix refuses it, at the agent and where routers are joined.
    let own = plugin.route_without_path()?;
    let detail = text!(
        "the plugin's own router has a route with an empty path, with which it cannot be mounted",
        "插件自己的路由器中有路径为空的路由，因此无法挂载"
    );
    let problem = Blocker::manual(Code::UnknownRouter, here, detail).with_place(&own.added);
    Some(problem.with_hint(text!(
        "give the route the path `/`, or the router a prefix",
        "请把该路由的路径改为 `/`，或为路由器设置前缀"
    )))
}

fn imported_late(here: ByteRange) -> Blocker {
    let detail = text!(
        "only functions import the module with the registration, and they may run after the routes are mounted",
        "只有函数会导入含有该注册的模块，而这些函数可能在挂载路由之后才运行"
    );
    let hint = text!(
        "import the module at module level, or in a function that is called while the plugin is imported",
        "请在模块顶层导入该模块，或在导入插件时会调用的函数中导入"
    );
    Blocker::manual(Code::LateRegistration, here, detail).with_hint(hint)
}

fn own_route_of_same_requests(plugin: &Plugin, webhook: &Webhook) -> Option<Blocker> {
    let own = plugin.route_that_is_matched(&webhook.endpoint.value)?;
    let detail = text!(
        "the plugin's own route `{}` matches the same requests",
        "插件自己的路由 `{}` 会匹配相同的请求",
        own.path
    );
    Some(Blocker::manual(Code::PathTaken, webhook.call.call, detail))
}

/// A built-in name that the function which makes the route needs, and that the plugin's module
/// gives another meaning.
fn taken_builtin(
    drafts: &BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    one: &Registered<'_>,
    is_at_run_time: bool,
) -> Option<Blocker> {
    let needed = match one.webhook.dialect {
        Dialect::Context => emit::BUILTINS_OF_WEBHOOK_ROUTE,
        Dialect::Request if is_at_run_time => emit::BUILTINS_OF_REPLY_ROUTE,
        Dialect::Request => return None,
    };
    let scope = &plugin.loaded.scope;
    let draft = drafts.get(&plugin.id.module);
    let is_taken = |name: &&&str| {
        let mut bindings = scope.bindings(name).iter();
        bindings.any(|binding| !binding.type_checking_only)
            || draft.is_some_and(|draft| draft.names.has_from_star(name))
    };
    let taken = needed.iter().find(is_taken)?;
    Some(Blocker::manual(
        Code::TakenBuiltin,
        one.webhook.call.call,
        text!(
            "the function that makes the route needs the built-in `{taken}`, which the plugin's module gives another meaning",
            "创建路由的函数需要内置名称 `{taken}`，而插件所在模块改变了它的含义"
        ),
    ))
}

fn mount_problem(plugin: &Plugin, here: ByteRange) -> Option<Blocker> {
    let problem = |detail| Blocker::manual(Code::UnknownRouter, here, detail);
    if let Some(place) = &plugin.unclear_mount {
        let detail = text!(
            "another router may be mounted for the plugin in a way that cannot be followed, and only the last one counts",
            "插件可能以无法追踪的方式挂载了另一个路由器，而只有最后一个生效"
        );
        return Some(problem(detail).with_place(place).with_hint(text!(
            "write `@plugin.mount_router()` above a function at module level",
            "请在模块顶层的函数上直接使用 `@plugin.mount_router()`"
        )));
    }
    match plugin.mounts.as_slice() {
        [] => None,
        [mount] if mount.returns.is_some() => None,
        [mount] => Some(problem(text!(
            "what the plugin's `mount_router` function `{}` returns cannot be understood",
            "无法确定插件的 `mount_router` 函数 `{}` 返回什么",
            mount.name
        ))),
        _ => Some(problem(text!(
            "the plugin has several `mount_router` functions, of which only the last counts",
            "插件有多个 `mount_router` 函数，而只有最后一个生效"
        ))),
    }
}

/// The handlers that are registered on another plugin than this one too, of which nothing is decided
/// here.
pub(super) fn on_other_plugins<'a>(
    plugin: &PluginId,
    webhooks: &[Registered<'a>],
) -> HashSet<(&'a Path, ByteRange)> {
    let files: BTreeMap<&Path, &Found> =
        webhooks.iter().map(|one| (one.path(), one.found)).collect();
    let of_file = |(path, found): (&'a Path, &'a Found)| {
        let others = found.webhooks().filter(|other| other.plugin != *plugin);
        others.map(move |other| (path, other.handler.range))
    };
    files.into_iter().flat_map(of_file).collect()
}
