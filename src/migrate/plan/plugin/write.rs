//! The edits of everything of one plugin that is migrated.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::access::{Access, access, module_for};
use super::candidate::{Candidate, Planned};
use super::drafts::{Drafts, draft_of};
use super::naming::{choose_names, wanted};
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::find::plugin::Plugin;
use crate::migrate::plan::conflicts::duplicates::Verdict;
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::{Input, Registered, RuleError};
use crate::migrate::plan::modules::cross_module::Members;
use crate::migrate::plan::rules::native::RequestRewrites;
use crate::migrate::plan::rules::registration::Routing;
use crate::migrate::plan::rules::router::{MountStrategy, RouterNames, RouterPlan};
use crate::migrate::plan::rules::{
    aliases, annotations, doc_only_api, registration, reply, router,
};
use crate::migrate::python::imports::names_within;
use crate::routes::Dialect;

/// A plugin of which it is decided what becomes of each webhook.
pub(super) struct PluginPlan<'p, 'm> {
    pub(super) input: &'p Input<'p>,
    pub(super) members: &'p Members<'m>,
    pub(super) plugin: &'p Plugin,
    pub(super) webhooks: &'p [Registered<'p>],
    pub(super) candidates: &'p [Candidate<'p>],
}

/// A webhook that is migrated, and how it is routed.
type Routed<'p> = (&'p Registered<'p>, Routing);

impl<'p> PluginPlan<'p, '_> {
    /// Collects the edits in the drafts.
    ///
    /// # Errors
    /// When rules want the same bytes.
    pub(super) fn write(
        &self,
        drafts: &mut Drafts,
        planned: &mut Planned,
    ) -> Result<(), RuleError> {
        // The document's API first: other rules move text that it changes.
        planned
            .diagnostics
            .extend(self.rewrite_doc_only_api(drafts)?);
        let migrated = || self.candidates.iter().filter(|one| one.is_migrated());
        let registered: Vec<&Registered<'_>> = migrated().map(|one| one.registered).collect();
        let natives = if self.input.options.native {
            let candidates = self.candidates.iter();
            let settled =
                candidates.filter(|one| one.is_migrated() || one.verdict == Verdict::Drop);
            let settled: Vec<&Registered<'_>> = settled.map(|one| one.registered).collect();
            let (natives, told) =
                RequestRewrites::choose(self.members, drafts, &settled, &registered);
            planned.diagnostics.extend(told);
            natives
        } else {
            RequestRewrites::default()
        };
        natives.rewrite(drafts)?;
        for (one, webhook) in self.candidates.iter().zip(&mut planned.webhooks) {
            webhook.is_native = one.is_migrated() && natives.contains(one.registered);
        }
        let routed: Vec<Routed<'_>> = migrated()
            .map(|one| (one.registered, routing(one, &natives)))
            .collect();
        let has = |routing| routed.iter().any(|(_, other)| *other == routing);
        let has = (has(Routing::WithContext), has(Routing::AtRunTime));
        let wanted = wanted(drafts, self.plugin, &registered, has);
        let names = choose_names(drafts, self.plugin, &registered, &wanted);
        self.write_registrations(drafts, &routed, &names)?;
        let mut gone = registered;
        gone.extend(self.remove_replaced(drafts)?);
        self.write_router(drafts, &wanted, &names)?;
        let writes_router = wanted.join != MountStrategy::Existing(names.router.clone())
            || wanted.context && wanted.known_webhook_route.is_none();
        let beside_plugin = writes_router.then(|| {
            let source = self.plugin.loaded.module.source();
            let end = source.line_at(self.plugin.statement.end()).end();
            (self.plugin.id.module.as_path(), end)
        });
        let aliases = aliases::remove(self.members, drafts, self.webhooks, &gone, beside_plugin)?;
        self.drop_unused_plugin_imports(drafts, &gone, &aliases);
        self.drop_unused_partial_imports(drafts, &aliases);
        let removed = aliases.into_iter();
        planned
            .removed_aliases
            .extend(removed.map(|one| (one.path, one.alias.statement)));
        natives.release_imports(self.members, drafts);
        Ok(())
    }

    fn rewrite_doc_only_api(&self, drafts: &mut Drafts) -> Result<Vec<Diagnostic>, RuleError> {
        let mut told = Vec::new();
        for facts in self.members.modules() {
            if facts.uses.is_empty() {
                continue;
            }
            let path = facts.path();
            let new = || {
                facts
                    .draft((self.input.style)(path))
                    .with_stars(self.input.workspace)
            };
            let draft = drafts.entry(path.to_owned()).or_insert_with(new);
            let plugin = self.plugin;
            told.extend(doc_only_api::rewrite(
                draft,
                &facts.uses,
                &plugin.id,
                plugin.has_config,
            )?);
        }
        Ok(told)
    }

    /// Each handler once, and each call that registers, which may be several webhooks' in a loop.
    fn write_registrations(
        &self,
        drafts: &mut Drafts,
        routed: &[Routed<'_>],
        names: &RouterNames,
    ) -> Result<(), RuleError> {
        let mut changed_handlers: HashSet<(&Path, ByteRange)> = HashSet::new();
        for &(one, routing) in routed {
            let Some(draft) = drafts.get_mut(one.path()) else {
                continue;
            };
            let handler = &one.webhook.handler;
            if one.webhook.dialect == Dialect::Request
                && !handler.is_elsewhere
                && changed_handlers.insert((one.path(), handler.range))
            {
                if routing == Routing::AllMethods {
                    reply::rewrite(draft, &handler.replies, &handler.conditionals)?;
                }
                let needed_at =
                    (routing == Routing::AtRunTime).then(|| one.webhook.call.call.start());
                annotations::rewrite(draft, handler, needed_at)?;
            }
            if one.webhook.is_further {
                continue;
            }
            let callee = self.callee(draft, one, routing, names);
            registration::rewrite(draft, one.webhook, routing, &callee)?;
        }
        Ok(())
    }

    /// What the registration of a webhook calls.
    fn callee(
        &self,
        draft: &mut Draft,
        one: &Registered<'_>,
        routing: Routing,
        names: &RouterNames,
    ) -> String {
        let name = match routing {
            Routing::WithContext => &names.webhook_route,
            Routing::AtRunTime => &names.reply_route,
            Routing::AllMethods | Routing::Post => &names.router,
        };
        let local = match access(self.input.workspace, one, self.plugin, draft) {
            Some(Access::Through(prefix)) => format!("{prefix}.{name}"),
            Some(Access::Import(module)) => draft.names.import_from(&module, name, &[]),
            Some(Access::Own) | None => name.clone(),
        };
        match routing {
            Routing::WithContext | Routing::AtRunTime => local,
            Routing::AllMethods => format!("{local}.api_route"),
            Routing::Post => format!("{local}.post"),
        }
    }

    /// Takes out the registrations whose place a later one took; what is returned is gone.
    fn remove_replaced(&self, drafts: &mut Drafts) -> Result<Vec<&'p Registered<'p>>, EditError> {
        let mut gone = Vec::new();
        for one in self.candidates.iter().filter(|one| one.is_dropped()) {
            let one = one.registered;
            let Some(draft) = drafts.get_mut(one.path()) else {
                continue;
            };
            registration::remove(draft, one.webhook)?;
            let arguments = one.webhook.call.arguments.iter();
            let values: Vec<ByteRange> = arguments.map(|argument| argument.value).collect();
            for name in names_within(&one.found.loaded, &values) {
                let may_go = one.path().file_name() != Some("__init__.py".as_ref())
                    && !self.members.is_passed_on(one.path(), &name);
                if draft.names.drop_use(&name) && may_go {
                    draft.names.remove_import(&name);
                }
            }
            gone.push(one);
        }
        Ok(gone)
    }

    fn write_router(
        &self,
        drafts: &mut Drafts,
        wanted: &RouterPlan,
        names: &RouterNames,
    ) -> Result<(), RuleError> {
        let plugin = self.plugin;
        if let Some(draft) = drafts.get_mut(&plugin.id.module) {
            router::write(draft, plugin, wanted, names)?;
        }
        if wanted.join != MountStrategy::Include {
            return Ok(());
        }
        for mount in &plugin.mounts {
            let path = mount.loaded.module.source().path();
            let draft = draft_of(self.input, drafts, &mount.loaded);
            let router = if path == plugin.id.module {
                names.router.clone()
            } else {
                match module_for(self.input.workspace, draft, plugin, path) {
                    Some(module) => draft.names.import_from(&module, &names.router, &[]),
                    None => names.router.clone(),
                }
            };
            router::join(draft, mount, &router)?;
        }
        Ok(())
    }

    /// Takes out the imports of the plugin that only the registrations needed.
    fn drop_unused_partial_imports(&self, drafts: &mut Drafts, aliases: &[aliases::Removed<'_>]) {
        for one in aliases {
            let (Some(name), Some(draft)) = (&one.alias.partial_name, drafts.get_mut(&one.path))
            else {
                continue;
            };
            if one.is_import_done {
                continue;
            }
            // Further below, the router may be written where it stands; in a block it may be alone.
            let imports = &draft.names.imports;
            let is_in_header = imports
                .statements
                .iter()
                .filter(|one| {
                    let mut names = one.names.iter();
                    names.any(|imported| imported.local == *name)
                        || one.is_of_module(&draft.loaded, name)
                })
                .all(|one| one.is_top_level && one.range.start() < imports.header_end);
            let is_asked_for = aliases::is_asked_for(self.members, draft, &one.path, name);
            if draft.names.drop_use(name) && is_in_header && !is_asked_for {
                draft.names.remove_import(name);
            }
        }
    }

    fn drop_unused_plugin_imports(
        &self,
        drafts: &mut Drafts,
        gone: &[&Registered<'_>],
        aliases: &[aliases::Removed<'_>],
    ) {
        let mut registrations: BTreeMap<(&Path, &String), usize> = BTreeMap::new();
        for one in aliases {
            if let Some(receiver) = &one.alias.receiver_name {
                *registrations.entry((&one.path, receiver)).or_default() += 1;
            }
        }
        for one in gone.iter().filter(|one| !one.webhook.is_further) {
            if let Some(receiver) = &one.webhook.call.receiver_name {
                *registrations.entry((one.path(), receiver)).or_default() += 1;
            }
        }
        for ((path, receiver), registrations) in registrations {
            if path == self.plugin.id.module || path.file_name() == Some("__init__.py".as_ref()) {
                continue;
            }
            let Some(draft) = drafts.get_mut(path) else {
                continue;
            };
            let is_unused = draft.names.imports.statement_of(receiver).is_some()
                && draft.names.imports.uses_of(receiver) == registrations;
            if is_unused && !self.members.is_passed_on(path, receiver) {
                draft.names.remove_import(receiver);
            }
        }
    }
}

fn routing(one: &Candidate<'_>, natives: &RequestRewrites) -> Routing {
    match one.registered.webhook.dialect {
        Dialect::Request if one.is_at_run_time => Routing::AtRunTime,
        Dialect::Request => Routing::AllMethods,
        Dialect::Context if natives.contains(one.registered) => Routing::Post,
        Dialect::Context => Routing::WithContext,
    }
}
