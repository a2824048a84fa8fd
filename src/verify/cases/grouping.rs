//! Which webhooks are verified, and what the agent loads for each.

use std::collections::BTreeMap;
use std::path::Path;

use super::model::{Group, Subject, Written};
use super::plugin_source::PluginSource;
use crate::migrate::pipeline::OverlayFs;
use crate::migrate::plan::{Action, Plan, PlannedWebhook};
use crate::migrate::python::names::Workspace;
use crate::routes::Route;

/// The webhooks by plugin. Has to run on a deep stack, since it parses.
pub(crate) fn group<'a>(
    root: &Path,
    webhooks: impl IntoIterator<Item = (&'a PlannedWebhook, Subject)>,
) -> Vec<Group> {
    let workspace = Workspace::new(root.to_owned(), Box::new(OverlayFs { layers: Vec::new() }));
    // Of several plugins in one module the agent takes one: so each is verified by itself.
    let mut groups: BTreeMap<(PluginSource, String), Vec<Subject>> = BTreeMap::new();
    for (webhook, subject) in webhooks {
        let module = webhook.plugin_module.as_deref().unwrap_or(&webhook.path);
        let key = subject.route.plugin.as_str();
        let module_name = key.rsplit_once('.').map_or(key, |(_, name)| name);
        let plugin = PluginSource::of(&workspace, root, module, module_name);
        let written = webhook.handler.clone().and_then(|name| {
            Some(Written {
                file: plugin.laid_out(&webhook.path)?,
                line: webhook.line,
                name,
            })
        });
        let of_plugin = groups.entry((plugin, key.to_owned())).or_default();
        of_plugin.push(Subject { written, ..subject });
    }
    let group = |((plugin, _), subjects)| Group { plugin, subjects };
    groups.into_iter().map(group).collect()
}

/// The webhooks that `migrate` would make routes of.
pub(crate) fn to_migrate(plan: &Plan) -> Vec<(&PlannedWebhook, Subject)> {
    let migrated = plan.webhooks.iter().filter_map(|webhook| {
        let route = webhook.route.clone()?;
        let is_native = webhook.is_native;
        (webhook.action == Action::Migrate).then(|| (webhook, Subject::new(route, is_native)))
    });
    migrated.collect()
}

/// The webhook of the original that became `route`.
pub(crate) fn webhook_of<'p>(original: &'p Plan, route: &Route) -> Option<&'p PlannedWebhook> {
    original.webhooks.iter().find(|webhook| {
        webhook.action != Action::Drop
            && webhook
                .route
                .as_ref()
                .is_some_and(|one| one.plugin == route.plugin && one.endpoint == route.endpoint)
    })
}

/// Whether a handler that was written for a context takes the request itself by now, where
/// `original` is a plan that may make it do so, and `text` is its file as it is: then its head is
/// the one of the plan.
pub(crate) fn became_native(original: &Plan, webhook: &PlannedWebhook, text: &str) -> bool {
    let Some(handler) = webhook.handler.as_deref().filter(|_| webhook.is_native) else {
        return false;
    };
    let file = original.files.iter().find(|file| file.path == webhook.path);
    file.is_some_and(|file| {
        let is = head(text, handler);
        let (before, after) = (file.text_before(), file.text_after());
        is.is_some() && is == head(after, handler) && is != head(before, handler)
    })
}

/// `handle(parameters)` of a definition.
fn head<'t>(text: &'t str, function: &str) -> Option<&'t str> {
    let start = text.find(&format!("def {function}("))?;
    let rest = &text[start..];
    Some(&rest[..rest.find(')')?])
}
