//! Which router is used, and the names that are free in every module that needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::migrate::emit::{Helper, known_helper};
use crate::migrate::find::plugin::Plugin;
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::Registered;
use crate::migrate::plan::rules::router::{MountStrategy, RouterNames, RouterPlan};
use crate::migrate::python::imports::Imports;

/// `context` is whether a handler is given a context, `replies` whether there is one whose replies
/// are only known at run time.
pub(super) fn wanted(
    drafts: &BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    migrated: &[&Registered<'_>],
    (context, replies): (bool, bool),
) -> RouterPlan {
    let mut join = if plugin.mounts.is_empty() {
        MountStrategy::NewMount
    } else {
        MountStrategy::Include
    };
    if let [mount] = plugin.mounts.as_slice()
        && let Some([first, rest @ ..]) = mount.returns.as_deref()
        && let Some(name) = &first.module_level_name
        && rest
            .iter()
            .all(|other| other.module_level_name.as_ref() == Some(name))
        // A `*` import may replace it.
        && !drafts.get(&plugin.id.module).is_some_and(|draft| draft.names.has_from_star(name))
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
        // A module that is imported between the plugin and its router, and registers webhooks,
        // would ask for a router that is not there yet.
        let elsewhere = migrated.iter().any(|one| one.path() != module);
        let between = |made_at: usize| {
            let imports = Imports::of(&plugin.loaded);
            let mut statements = imports.statements.into_iter();
            statements.any(|statement| {
                let start = statement.range.start();
                plugin.statement.end() <= start && start < made_at
            })
        };
        let first_use = migrated
            .iter()
            .filter(|one| one.path() == module)
            .map(|one| one.webhook.call.call.start())
            .min()
            .unwrap_or(usize::MAX);
        if made_at.is_some_and(|made_at| made_at <= first_use && !(elsewhere && between(made_at))) {
            join = MountStrategy::Existing(name.clone());
        }
    }
    let known = |is_wanted: bool, helper: Helper| match &join {
        MountStrategy::Existing(router) if is_wanted => {
            known_helper(helper, &plugin.loaded, router)
        }
        _ => None,
    };
    let known_webhook_route = known(context, Helper::WebhookRoute);
    let known_reply_route = known(replies, Helper::ReplyRoute);
    RouterPlan {
        join,
        context,
        known_webhook_route,
        replies,
        known_reply_route,
    }
}

pub(super) fn choose_names(
    drafts: &mut BTreeMap<PathBuf, Draft>,
    plugin: &Plugin,
    migrated: &[&Registered<'_>],
    wanted: &RouterPlan,
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
                    .all(|draft| draft.names.is_free(name))
            })
            .unwrap_or_else(|| last.to_owned());
        if let Some(draft) = drafts.get_mut(&plugin.id.module) {
            draft.names.take(&name);
        }
        name
    };
    let router = match &wanted.join {
        MountStrategy::Existing(name) => name.clone(),
        MountStrategy::NewMount => choose(&["router", "webhook_router"]),
        MountStrategy::Include => choose(&["webhook_router", "plugin_webhook_router"]),
    };
    let webhook_route = match &wanted.known_webhook_route {
        Some(name) => name.clone(),
        None if wanted.context => choose(&["webhook_route", "plugin_webhook_route"]),
        None => String::new(),
    };
    let reply_route = match &wanted.known_reply_route {
        Some(name) => name.clone(),
        None if wanted.replies => choose(&["reply_route", "plugin_reply_route"]),
        None => String::new(),
    };
    RouterNames {
        router,
        webhook_route,
        reply_route,
    }
}
