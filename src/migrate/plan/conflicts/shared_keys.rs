//! Rule: two plugins with one key are said, and webhooks that would get one path stay.
//!
//! The agent keeps plugins by their key: of two with the same one it runs only one, and both would
//! mount their routes at the same place.

use std::collections::{BTreeMap, HashMap};

use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::find::Blocker;
use crate::migrate::find::plugin::key;
use crate::migrate::plan::model::{PluginWebhooks, Registered};
use crate::migrate::python::names::{PluginId, Workspace};
use crate::routes::route_path;
use crate::text;

/// The plugins that share their key with others.
#[derive(Default)]
pub(crate) struct SharedKeys<'a> {
    /// For each of them the webhooks of the others.
    others: HashMap<PluginId, Vec<Registered<'a>>>,
    /// What there is to say about them.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The key of each plugin, where it is known.
    pub(crate) keys: Vec<(PluginId, String)>,
}

impl<'a> SharedKeys<'a> {
    /// Those among `groups`.
    pub(crate) fn of(workspace: &Workspace, groups: &[Vec<PluginWebhooks<'a>>]) -> Self {
        let mut by_key: BTreeMap<String, Vec<&PluginWebhooks<'a>>> = BTreeMap::new();
        for plugin in groups.iter().flatten() {
            if let Some(key) = key(workspace, &plugin.0) {
                by_key.entry(key).or_default().push(plugin);
            }
        }
        let mut shared = Self::default();
        for (key, plugins) in by_key {
            let keys = plugins.iter().map(|(id, _)| (id.clone(), key.clone()));
            shared.keys.extend(keys);
            let [first, rest @ ..] = plugins.as_slice() else {
                continue;
            };
            for (id, _) in rest {
                shared
                    .diagnostics
                    .extend(said(workspace, &key, id, &first.0));
            }
            for (id, _) in plugins.iter().filter(|_| !rest.is_empty()) {
                let others = plugins.iter().filter(|(other, _)| other != id);
                let webhooks = others.flat_map(|(_, webhooks)| webhooks.iter().copied());
                shared.others.insert(id.clone(), webhooks.collect());
            }
        }
        shared
    }

    /// What stands in the way of a webhook whose path another plugin of this key has too.
    pub(crate) fn problem(&self, one: &Registered<'_>) -> Option<Blocker> {
        let path = route_path(&one.webhook.endpoint.value);
        let others = self.others.get(&one.webhook.plugin)?;
        let other = others
            .iter()
            .find(|other| route_path(&other.webhook.endpoint.value) == path)?;
        let detail = text!(
            "another plugin of the same key has the endpoint `{}` too",
            "另一个标识相同的插件也有端点 `{}`",
            one.webhook.endpoint.value
        );
        let problem = Blocker::manual(Code::EndpointsCollide, one.webhook.call.call, detail);
        Some(problem.with_related(
            &other.found.loaded,
            other.webhook.call.call,
            text!("the other endpoint", "另一个端点"),
        ))
    }
}

fn said(workspace: &Workspace, key: &str, id: &PluginId, first: &PluginId) -> Option<Diagnostic> {
    let (loaded, other) = (
        workspace.load(&id.module).ok()?,
        workspace.load(&first.module).ok()?,
    );
    let detail = text!(
        "the plugin has the key `{key}`, which another one has too",
        "插件标识 `{key}` 与另一个插件相同"
    );
    let related = Blocker::manual(Code::SharedKey, first.call, detail.clone())
        .with_related(&other, first.call, text!("the other plugin", "另一个插件"))
        .related;
    Some(
        loaded
            .diagnostic_at(Code::SharedKey, id.call, detail)
            .with_related(related),
    )
}
