//! What is to be done: one value, [`Plan`], that `diff`, `migrate` and every report are made from;
//! none of them computes anything again, so a preview cannot differ from what is written.
//!
//! One file a rule, with its explanation above it; they are put together here:
//! - [`registration`]: the decorator becomes a route decorator.
//! - [`reply`]: `return body, status` becomes a response.
//! - [`native`]: with `--native`, a handler takes the request itself.
//! - [`router`]: the router beside the plugin, and its mounting.
//! - [`annotations`]: the route's annotations resolve at run time.
//! - [`doc_only_api`]: the document's API that no release has.
//! - [`aliases`]: a name for the method goes with its last use.
//! - [`duplicates`]: which of several registrations of an endpoint counts.
//! - [`shared_keys`]: two plugins with one key.
//! - [`unclear`]: one that is not understood may count instead.
//!
//! Invariants: a webhook is either migrated with everything that belongs to it, or left
//! exactly as it is and reported.

mod aliases;
pub mod annotations;
pub mod call_format;
pub(crate) mod cross_module;
pub mod doc_only_api;
pub mod draft;
pub mod duplicates;
pub(crate) mod imports;
pub mod native;
pub mod plugin;
pub mod registration;
mod relayout;
pub mod reply;
pub mod router;
mod shared_keys;
mod unclear;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cross_module::Members;
use draft::Draft;
use imports::Surroundings;
use rayon::prelude::*;
use shared_keys::SharedKeys;
use withdraw::PlanGroup;

use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::{ByteRange, EditError, EditSet};
use crate::migrate::find::doc_only_api::DocOnlyUse;
use crate::migrate::find::plugin::ModuleParts;
use crate::migrate::find::suppression::Suppressions;
use crate::migrate::find::{Blocker, Found, Reference, ReferenceKind, Webhook};
use crate::migrate::python::imports::Imports;
use crate::migrate::python::names::{Loaded, PluginId, Workspace};
use crate::migrate::style::Style;
use crate::routes::Route;
use crate::text;

pub use router::RuleError;
pub use withdraw::Fault;

/// How far a plan may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Whether changes are made that may alter behaviour in the way that they state.
    pub allow_unsafe: bool,
    /// Whether handlers of a context take the request themselves where that is possible.
    pub native: bool,
}

/// What the plan is made from.
pub struct Input<'a> {
    /// The modules of the repo.
    pub workspace: &'a Workspace,
    /// The files that mention the old API, by path.
    pub found: &'a [Found],
    /// Other modules of the packages of plugins that may have to change, by path.
    pub related: &'a [Arc<Loaded>],
    /// The options.
    pub options: PlanOptions,
    /// The style that holds for a file.
    pub style: &'a (dyn Fn(&Path) -> Arc<Style> + Sync),
    /// Whether a module or a package is at a path without an ending.
    pub is_module: &'a (dyn Fn(&Path) -> bool + Sync),
    /// The topmost package that a file is in; none when it is in none.
    pub package_root: &'a (dyn Fn(&Path) -> Option<PathBuf> + Sync),
    /// Whether a function of the module at a path is used by files outside of its package.
    pub is_called_outside: &'a (dyn Fn(&Path, &str) -> bool + Sync),
}

/// A file that changes.
#[derive(Debug, Clone)]
pub struct FilePlan {
    /// Where it is: an absolute path.
    pub path: PathBuf,
    /// Its bytes as they were read.
    pub before: Vec<u8>,
    /// Its text as it was read.
    pub text_before: String,
    /// Its text with the edits applied.
    pub text_after: String,
    /// Its bytes with the edits applied.
    pub after: Vec<u8>,
    /// The edits.
    pub edits: EditSet,
}

/// What happens to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It becomes a route.
    Migrate,
    /// Its registration goes: a later one of the same endpoint took its place.
    Drop,
    /// It stays as it is, for the reason of this diagnostic.
    ByHand(Box<Diagnostic>),
}

/// A webhook, and what happens to it.
#[derive(Debug, Clone)]
pub struct PlannedWebhook {
    /// The route, when the plugin's key is known and nothing is in doubt.
    pub route: Option<Route>,
    /// The plugin's key, as far as it is known.
    pub plugin: Option<String>,
    /// The endpoint, as far as it is known.
    pub endpoint: Option<String>,
    /// The handler's name, as far as it is known.
    pub handler: Option<String>,
    /// The module in which the plugin is made, as far as it is known.
    pub plugin_module: Option<PathBuf>,
    /// Whether the handler takes the request itself once it is migrated, though it was written for
    /// a context.
    pub is_native: bool,
    /// The file, an absolute path.
    pub path: PathBuf,
    /// The line of the registration, 1-based.
    pub line: usize,
    /// The column, 1-based.
    pub column: usize,
    /// Whether another one comes before it that the same call registers, in a loop: the reference
    /// is counted with that one.
    pub is_further: bool,
    /// What happens.
    pub action: Action,
}

/// The count of every reference to the old API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReferenceCounts {
    /// References that are the agent's, counted in the text.
    pub found: usize,
    /// Those that are migrated.
    pub migrated: usize,
    /// Those that are left by hand.
    pub by_hand: usize,
    /// Those that turned out to be something else's.
    pub not_ours: usize,
}

impl ReferenceCounts {
    /// References of which nothing is said: always 0, or this program is at fault.
    pub fn unaccounted(self) -> usize {
        self.found.abs_diff(self.migrated + self.by_hand)
    }
}

/// All that is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// The files that change, by path.
    pub files: Vec<FilePlan>,
    /// Every webhook and every other reference that is the agent's, by place.
    pub webhooks: Vec<PlannedWebhook>,
    /// Everything else that there is to say: files that cannot be read, advice.
    pub diagnostics: Vec<Diagnostic>,
    /// How many diagnostics were switched off.
    pub suppressed: usize,
    /// The count.
    pub counts: ReferenceCounts,
    /// The plugins that change together.
    pub(crate) groups: Vec<PlanGroup>,
}

impl Plan {
    /// The routes of the webhooks that are migrated, by place.
    pub fn routes(&self) -> Vec<Route> {
        let migrated = self
            .webhooks
            .iter()
            .filter(|webhook| webhook.action == Action::Migrate);
        migrated
            .filter_map(|webhook| webhook.route.clone())
            .collect()
    }
}

/// What was seen of one module besides its webhooks.
pub(crate) struct ModuleFacts {
    parts: ModuleParts,
    uses: Vec<DocOnlyUse>,
    imports: OnceLock<Arc<Imports>>,
}

impl ModuleFacts {
    fn path(&self) -> &Path {
        self.parts.loaded.module.source().path()
    }

    /// The module's imports and names; most modules are never asked for them.
    fn imports(&self) -> &Arc<Imports> {
        let read = || Arc::new(Imports::of(&self.parts.loaded));
        self.imports.get_or_init(read)
    }

    /// The module without changes.
    fn draft(&self, style: Arc<Style>) -> Draft {
        let loaded = self.parts.loaded.clone();
        Draft::new(loaded, self.imports().clone(), style)
    }
}

/// Makes the plan. Plugins of which a rule makes something that does not fit together are left as they
/// are ([`Code::OwnFault`]); no input should lead to that.
pub fn plan(input: &Input<'_>) -> Plan {
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
            let uses = crate::migrate::find::doc_only_api::uses(input.workspace, &loaded);
            let parts = ModuleParts::of(input.workspace, loaded);
            let facts = ModuleFacts {
                parts,
                uses,
                imports: OnceLock::new(),
            };
            (path.to_owned(), facts)
        })
        .collect();
    let groups = groups(input, &facts);
    let packages = packages(input, &facts, &groups);
    let has_unclear = |found: &&Found| !found.unclear.is_empty();
    let unclear: Vec<&Found> = input.found.iter().filter(has_unclear).collect();
    let shared = SharedKeys::of(input.workspace, &groups);
    let planned: Vec<Group> = groups
        .into_par_iter()
        .map(|plugins| {
            let planned = plan_group(input, &facts, &packages, (&unclear, &shared), &plugins);
            planned.unwrap_or_else(|fault| left_group(&plugins, &fault))
        })
        .collect();

    let mut plan = Plan::default();
    plan.diagnostics.extend(shared.diagnostics);
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
    plan.diagnostics.extend(advice(input, &facts));
    suppress(input, &facts, &mut plan);
    plan.files.sort_by(|a, b| a.path.cmp(&b.path));
    plan.webhooks
        .sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    plan.diagnostics
        .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    for webhook in plan.webhooks.iter().filter(|webhook| !webhook.is_further) {
        match webhook.action {
            Action::Migrate | Action::Drop => plan.counts.migrated += 1,
            Action::ByHand(_) => plan.counts.by_hand += 1,
        }
    }
    plan
}

/// The packages of plugins, by folder.
type Packages<'f> = BTreeMap<PathBuf, Arc<Members<'f>>>;

fn packages<'f>(
    input: &Input<'f>,
    facts: &'f BTreeMap<PathBuf, ModuleFacts>,
    groups: &[Vec<PluginWebhooks<'_>>],
) -> Packages<'f> {
    let roots: BTreeSet<PathBuf> = groups
        .iter()
        .flatten()
        .filter_map(|(id, _)| (input.package_root)(&id.module))
        .collect();
    let packages: Packages<'_> = roots
        .into_iter()
        .map(|root| {
            let members = Members::new(input.workspace, inside(facts, &root).collect());
            (root, Arc::new(members))
        })
        .collect();
    // Each plugin of a package asks for the names in all its modules.
    packages
        .values()
        .flat_map(|members| members.modules())
        .collect::<Vec<_>>()
        .into_par_iter()
        .for_each(|facts| {
            facts.imports();
        });
    packages
}

/// The modules below a folder.
fn inside<'f>(
    facts: &'f BTreeMap<PathBuf, ModuleFacts>,
    root: &Path,
) -> impl Iterator<Item = &'f ModuleFacts> {
    facts
        .range(root.to_owned()..)
        .take_while(move |(path, _)| path.starts_with(root))
        .map(|(_, facts)| facts)
}

/// What readers of the handlers should be told.
fn advice(input: &Input<'_>, facts: &BTreeMap<PathBuf, ModuleFacts>) -> Vec<Diagnostic> {
    let with_webhooks: Vec<(&Found, Option<PathBuf>)> = input
        .found
        .iter()
        .filter(|found| found.webhooks().next().is_some())
        .map(|found| {
            let path = found.loaded.module.source().path();
            (found, (input.package_root)(path))
        })
        .collect();
    let mut packages: HashMap<&Path, Vec<Arc<Loaded>>> = HashMap::new();
    for root in with_webhooks.iter().filter_map(|(_, root)| root.as_deref()) {
        packages.entry(root).or_insert_with(|| {
            let loaded = inside(facts, root).map(|facts| facts.parts.loaded.clone());
            loaded.collect()
        });
    }
    let mut settings: HashMap<&PluginId, Vec<&Arc<Loaded>>> = HashMap::new();
    for facts in facts.values() {
        for plugin in &facts.parts.configured {
            settings
                .entry(plugin)
                .or_default()
                .push(&facts.parts.loaded);
        }
    }
    with_webhooks
        .par_iter()
        .flat_map_iter(|(found, root)| {
            let root = root.as_deref();
            let package = root.and_then(|root| packages.get(root));
            let plugins: BTreeSet<&PluginId> =
                found.webhooks().map(|webhook| &webhook.plugin).collect();
            let settings: Vec<&Loaded> = plugins
                .into_iter()
                .filter_map(|plugin| settings.get(plugin))
                .flatten()
                .map(|loaded| &***loaded)
                .collect();
            let package = package.map_or(&[][..], Vec::as_slice);
            crate::migrate::lint::advise(input.workspace, found, package, &settings)
        })
        .collect()
}

/// Takes out what comments switch off, and adds what is wrong with those comments.
fn suppress(input: &Input<'_>, facts: &BTreeMap<PathBuf, ModuleFacts>, plan: &mut Plan) {
    let mut by_module: BTreeMap<PathBuf, (Arc<Loaded>, Suppressions)> = BTreeMap::new();
    let mentioned = plan.diagnostics.iter().map(Diagnostic::path);
    let paths: BTreeSet<&Path> = facts
        .keys()
        .map(PathBuf::as_path)
        .chain(mentioned)
        .collect();
    for path in paths {
        if let Ok(loaded) = input.workspace.load(path) {
            let suppressions = Suppressions::of(&loaded);
            by_module.insert(path.to_owned(), (loaded, suppressions));
        }
    }
    let all = plan.diagnostics.len();
    plan.diagnostics.retain(|diagnostic| {
        by_module
            .get(diagnostic.path())
            .is_none_or(|(loaded, suppressions)| !suppressions.cover(loaded, diagnostic))
    });
    plan.suppressed += all - plan.diagnostics.len();
    let wrong = by_module.into_values().flat_map(|(_, one)| one.wrong);
    plan.diagnostics.extend(wrong);
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

/// A webhook together with the file that registers it.
#[derive(Clone, Copy)]
pub(crate) struct Registered<'a> {
    pub(crate) found: &'a Found,
    pub(crate) webhook: &'a Webhook,
}

impl<'a> Registered<'a> {
    pub(crate) fn path(&self) -> &'a Path {
        self.found.loaded.module.source().path()
    }
}

type PluginWebhooks<'a> = (PluginId, Vec<Registered<'a>>);

/// The plugins with their webhooks, in groups that share no file.
fn groups<'a>(
    input: &Input<'a>,
    facts: &BTreeMap<PathBuf, ModuleFacts>,
) -> Vec<Vec<PluginWebhooks<'a>>> {
    let mut plugins: BTreeMap<&PluginId, Vec<Registered<'a>>> = BTreeMap::new();
    for found in input.found {
        for webhook in found.webhooks() {
            plugins
                .entry(&webhook.plugin)
                .or_default()
                .push(Registered { found, webhook });
        }
    }
    let mut mounting: HashMap<&PluginId, Vec<&Path>> = HashMap::new();
    for facts in facts.values() {
        for (plugin, _) in &facts.parts.mounts {
            mounting.entry(plugin).or_default().push(facts.path());
        }
    }
    // Each plugin's files, by the first plugin that has one of them.
    let mut owner: HashMap<PathBuf, usize> = HashMap::new();
    let mut groups: Vec<Vec<PluginWebhooks<'a>>> = Vec::new();
    for (id, webhooks) in plugins {
        let mut files: BTreeSet<PathBuf> =
            webhooks.iter().map(|one| one.path().to_owned()).collect();
        files.insert(id.module.clone());
        files.extend((input.package_root)(&id.module));
        let mounting = mounting.get(id).into_iter().flatten();
        files.extend(mounting.map(|path| (*path).to_owned()));
        let mut others: BTreeSet<usize> = files
            .iter()
            .filter_map(|file| owner.get(file))
            .copied()
            .collect();
        let index = match others.pop_first() {
            Some(index) => index,
            None => {
                groups.push(Vec::new());
                groups.len() - 1
            }
        };
        for other in others {
            let moved = std::mem::take(&mut groups[other]);
            groups[index].extend(moved);
            owner
                .values_mut()
                .filter(|group| **group == other)
                .for_each(|group| *group = index);
        }
        groups[index].push((id.clone(), webhooks));
        for file in files {
            owner.insert(file, index);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
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
    (unclear, shared): (&[&Found], &SharedKeys<'_>),
    plugins: &[PluginWebhooks<'_>],
) -> Result<Group, Fault> {
    let mut group = Group {
        plugins: plugins.iter().map(|(id, _)| id.module.clone()).collect(),
        ..Group::default()
    };
    let mut drafts: BTreeMap<PathBuf, Draft> = BTreeMap::new();
    for (id, webhooks) in plugins {
        let members = members_of(input, facts, packages, id, webhooks);
        let planned = plugin::plan(
            input,
            facts,
            &members,
            (unclear, shared),
            &mut drafts,
            id,
            webhooks,
        )
        .map_err(|error| Fault::of_rule(&id.module, &error))?;
        group.webhooks.extend(planned.webhooks);
        group.diagnostics.extend(planned.diagnostics);
        group.removed_aliases.extend(planned.removed_aliases);
    }
    // A package with many plugins is one group.
    let files: Result<Vec<Option<FilePlan>>, Fault> = drafts
        .into_par_iter()
        .map(|(path, draft)| finish(input, path, draft))
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

/// The modules that belong to a plugin: those of its package, and those that register its webhooks.
fn members_of<'f>(
    input: &Input<'f>,
    facts: &'f BTreeMap<PathBuf, ModuleFacts>,
    packages: &Packages<'f>,
    id: &PluginId,
    webhooks: &[Registered<'_>],
) -> Arc<Members<'f>> {
    let root = (input.package_root)(&id.module);
    let package = root.as_deref().and_then(|root| packages.get(root));
    let is_outside = |path: &Path| !root.as_deref().is_some_and(|root| path.starts_with(root));
    let outside: BTreeSet<&Path> = webhooks
        .iter()
        .map(Registered::path)
        .chain([id.module.as_path()])
        .filter(|path| is_outside(path))
        .collect();
    match package {
        Some(package) if outside.is_empty() => package.clone(),
        _ => {
            let mut modules: Vec<&ModuleFacts> =
                package.map_or_else(Vec::new, |package| package.modules().to_vec());
            modules.extend(outside.into_iter().filter_map(|path| facts.get(path)));
            modules.sort_by(|a, b| a.path().cmp(b.path()));
            Arc::new(Members::new(input.workspace, modules))
        }
    }
}

/// The file with its edits; none when there are none.
fn finish(input: &Input<'_>, path: PathBuf, mut draft: Draft) -> Result<Option<FilePlan>, Fault> {
    let wrong = |error: EditError| Fault::of_rule(&path, &error.into());
    relayout::apply(&mut draft).map_err(wrong)?;
    draft
        .finish_imports(&Surroundings::of(input, &path))
        .map_err(wrong)?;
    if draft.edits.is_empty() {
        return Ok(None);
    }
    let source = draft.source();
    let text_after = draft.edits.apply(source.text()).map_err(wrong)?;
    let after = source.encode(&text_after).ok_or_else(|| Fault {
        path: path.clone(),
        reason: text!(
            "it cannot be written in the encoding of the file",
            "无法用该文件的编码写出"
        ),
    })?;
    Ok(Some(FilePlan {
        before: source.bytes().to_vec(),
        text_before: source.text().to_owned(),
        text_after,
        after,
        edits: draft.edits.clone(),
        path,
    }))
}
