//! Rule: a webhook stays where a registration that is not understood may take its place.
//!
//! In one plugin the last registration of an endpoint won. One whose endpoint or plugin cannot be
//! known, or whose handler is not understood, stays a webhook; if it came later at the same
//! endpoint, it was the one that answered. Only one that surely ran before is of no matter.
//!
//! The same holds where a reply may show which webhooks are registered: there would be none.

use crate::migrate::diagnostic::Code;
use crate::migrate::find::Blocker;
use crate::migrate::find::{Effect, Found, Unclear};
use crate::migrate::plan::conflicts::duplicates::exclusive;
use crate::migrate::plan::model::Registered;
use crate::migrate::plan::modules::cross_module::Members;
use crate::routes::route_path;
use crate::text;

/// What may come after `one` and take its place; `unclear` are the files that have something
/// that is not understood.
pub(crate) fn problem(
    members: &Members<'_>,
    unclear: &[&Found],
    one: &Registered<'_>,
) -> Option<Blocker> {
    let (found, other) = unclear
        .iter()
        .flat_map(|found| found.unclear.iter().map(move |other| (*found, other)))
        .find(|(found, other)| may_replace(members, found, other, one))?;
    if matches!(other.effect, Effect::Reads(_)) {
        let problem = Blocker::manual(
                Code::NotARegistration,
                one.webhook.call.call,
                text!(
                    "a reply may show which webhooks the plugin has, and as a route it would not be among them",
                    "某处响应可能会列出插件的 webhook，而改为路由之后它将不在其中"
                ),
            ).with_hint(text!(
                "let that place ask the router for its routes, or name the endpoints there",
                "请让该处改为查询路由器中的路由，或直接写出各端点"
            ));
        let says = text!(
            "`webhook_methods` is read here",
            "此处读取了 `webhook_methods`"
        );
        return Some(problem.with_related(&found.loaded, other.range, says));
    }
    let endpoint = &one.webhook.endpoint.value;
    if other.effect == Effect::LooksUp {
        let problem = Blocker::manual(
                Code::UnknownOrder,
                one.webhook.call.call,
                text!(
                    "an attribute of the plugin may be looked up by a name that cannot be known, and with it the place of `{endpoint}` taken",
                    "某处可能以无法确定的名称获取插件的属性，并由此取代 `{endpoint}`"
                ),
            ).with_hint(text!(
                "write the name of that attribute out, as in `plugin.name`",
                "请在该处直接写出属性名，例如 `plugin.name`"
            ));
        let says = text!("the name is not known here", "此处的名称无法确定");
        return Some(problem.with_related(&found.loaded, other.range, says));
    }
    let (detail, says) = match (&other.plugin, &other.endpoint) {
        (Some(_), Some(_)) => (
            text!(
                "the endpoint `{endpoint}` is registered once more, and that registration needs a manual change",
                "端点 `{endpoint}` 还有另一处注册，而那一处需要手动处理"
            ),
            text!("the other registration", "另一处注册"),
        ),
        (None, Some(_)) => (
            text!(
                "a registration whose plugin cannot be known may take the place of `{endpoint}`",
                "另一处无法确定所属插件的注册可能会取代 `{endpoint}`"
            ),
            text!("the other registration", "另一处注册"),
        ),
        (_, None) => (
            text!(
                "a registration whose endpoint cannot be known may take the place of `{endpoint}`",
                "另一处无法确定端点的注册可能会取代 `{endpoint}`"
            ),
            text!("what may be registered here", "此处注册的端点无法确定"),
        ),
    };
    let hint = if other.over_at.is_some() {
        text!(
            "let rehook see what the other one registers, or put this registration after it",
            "请让 rehook 能看出另一处注册了什么，或把此处的注册移到它之后"
        )
    } else {
        // It may run at any time, so a place after it does not help.
        text!(
            "let rehook see what the other one registers: call it with constants at module level",
            "请让 rehook 能看出另一处注册了什么：在模块顶层以常量调用"
        )
    };
    let problem =
        Blocker::manual(Code::UnknownOrder, one.webhook.call.call, detail).with_hint(hint);
    Some(problem.with_related(&found.loaded, other.range, says))
}

fn may_replace(
    members: &Members<'_>,
    found: &Found,
    other: &Unclear,
    one: &Registered<'_>,
) -> bool {
    let path = found.loaded.module.source().path();
    let is_here = path == one.path();
    let is_of_plugin = match &other.plugin {
        Some(plugin) => *plugin == one.webhook.plugin,
        None => is_here || members.has(path),
    };
    let is_run = || match &other.effect {
        Effect::Reads(Some(function)) => {
            members.others_use(path, function) || members.is_used_where_imported(path, function)
        }
        Effect::Names(name) => members.is_passed_on(path, name) || members.others_use(path, name),
        Effect::LooksUp => other.plugin.is_some() || members.is_handed_on(&one.webhook.plugin),
        Effect::Reads(None) | Effect::Registers => true,
    };
    let is_same_path = other
        .endpoint
        .as_ref()
        .is_none_or(|endpoint| route_path(endpoint) == route_path(&one.webhook.endpoint.value));
    let is_over = is_here
        && other
            .over_at
            .is_some_and(|end| end <= one.webhook.call.call.start());
    let is_exclusive = is_here && exclusive(&one.webhook.branches, &other.branches);
    is_of_plugin && is_run() && is_same_path && !is_over && !is_exclusive
}
