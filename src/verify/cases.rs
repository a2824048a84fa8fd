//! What is compared with what.
//!
//! A plugin whose webhooks are in the source is compared with what `migrate` would write; one that
//! is migrated already, with its original in a commit. A plugin may have both kinds; each is a case
//! of its own then.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::baseline::Baseline;
use super::copy::{self, CopyBudget};
use super::error::VerifyError;
use super::job::{self, Written};
use super::plugin_source::{Kind, PluginSource};
use super::requests::{Given, Request, Unsent, WhyUnsent};
use crate::migrate::discover;
use crate::migrate::plan::{Action, FilePlan, Plan, PlannedWebhook};
use crate::migrate::python::names::{Files, Workspace};
use crate::regular_file;
use crate::routes::Route;

/// A webhook, and the route that it became or will become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The route.
    pub route: Route,
    /// Whether the handler takes the request itself, though it was written for a context.
    pub is_native: bool,
    /// Where the handler was written, once it is known what the agent loads.
    pub written: Option<Written>,
}

impl Subject {
    /// A webhook that became `route`.
    pub fn new(route: Route, is_native: bool) -> Self {
        Self {
            route,
            is_native,
            written: None,
        }
    }
}

/// A plugin, and all that is to be verified of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What the agent loads.
    pub plugin: PluginSource,
    /// What is to be verified.
    pub subjects: Vec<Subject>,
}

impl Group {
    /// The routes that are to be verified.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.subjects.iter().map(|subject| &subject.route)
    }
}

/// A group that is laid out.
#[derive(Debug)]
pub struct Case {
    /// Its name, which no other case has.
    pub name: String,
    /// What the agent loads, in the repo of the user.
    pub plugin: PluginSource,
    /// The commit that is compared with; none for what `migrate` would write.
    pub base: Option<String>,
    /// What is to be verified.
    pub subjects: Vec<Subject>,
    /// The tree before.
    pub before: PathBuf,
    /// The tree after.
    pub after: PathBuf,
}

impl Case {
    /// The key of the plugin.
    pub fn plugin(&self) -> String {
        let first = self.subjects.first();
        first.map_or_else(String::new, |subject| subject.route.plugin.clone())
    }
}

/// Files as they are on the disk.
struct OnDisk;

impl Files for OnDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        regular_file::read(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn python_files(&self, root: &Path) -> Vec<PathBuf> {
        discover::python_files(root)
    }
}

/// The webhooks by plugin. Has to run on a deep stack, since it parses.
pub fn group<'a>(
    root: &Path,
    webhooks: impl IntoIterator<Item = (&'a PlannedWebhook, Subject)>,
) -> Vec<Group> {
    let workspace = Workspace::new(root.to_owned(), Box::new(OnDisk));
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
pub fn to_migrate(plan: &Plan) -> Vec<(&PlannedWebhook, Subject)> {
    let migrated = plan.webhooks.iter().filter_map(|webhook| {
        let route = webhook.route.clone()?;
        let is_native = webhook.is_native;
        (webhook.action == Action::Migrate).then(|| (webhook, Subject::new(route, is_native)))
    });
    migrated.collect()
}

/// The routes of which the source shows no webhook.
pub fn migrated_before<'r>(plan: &Plan, routes: &'r [Route]) -> Vec<&'r Route> {
    let in_source: HashSet<(&str, &str)> = plan
        .webhooks
        .iter()
        .filter_map(|webhook| webhook.route.as_ref())
        .map(|route| (route.plugin.as_str(), route.endpoint.as_str()))
        .collect();
    let is_known =
        |route: &&Route| !in_source.contains(&(route.plugin.as_str(), route.endpoint.as_str()));
    routes.iter().filter(is_known).collect()
}

/// The webhook of the original that became `route`.
pub fn webhook_of<'p>(original: &'p Plan, route: &Route) -> Option<&'p PlannedWebhook> {
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
pub fn became_native(original: &Plan, webhook: &PlannedWebhook, text: &str) -> bool {
    let Some(handler) = webhook.handler.as_deref().filter(|_| webhook.is_native) else {
        return false;
    };
    let file = original.files.iter().find(|file| file.path == webhook.path);
    file.is_some_and(
        |FilePlan {
             text_before,
             text_after,
             ..
         }| {
            let is = head(text, handler);
            is.is_some() && is == head(text_after, handler) && is != head(text_before, handler)
        },
    )
}

/// `handle(parameters)` of a definition.
fn head<'t>(text: &'t str, function: &str) -> Option<&'t str> {
    let start = text.find(&format!("def {function}("))?;
    let rest = &text[start..];
    Some(&rest[..rest.find(')')?])
}

/// Lays out the trees in a folder of its own for each case.
pub struct Layout<'f> {
    folder: &'f Path,
    budget: CopyBudget,
    /// The plugins of one folder, or of one package, share its copy. Whether it is a copy with
    /// changes tells two of them apart.
    known: HashMap<(PathBuf, PathBuf, Kind, bool), PathBuf>,
    names: HashSet<String>,
    cases: Vec<Case>,
}

impl<'f> Layout<'f> {
    /// Nothing as yet, below `folder`.
    pub fn new(folder: &'f Path) -> Self {
        Self {
            folder,
            budget: CopyBudget::default(),
            known: HashMap::new(),
            names: HashSet::new(),
            cases: Vec::new(),
        }
    }

    /// Whether there is no case.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// The cases, in order.
    pub fn into_cases(self) -> Vec<Case> {
        self.cases
    }

    /// Adds a group as it is, and as the plan makes it.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn add_planned(&mut self, group: Group, plan: &Plan) -> Result<(), VerifyError> {
        let changes: BTreeMap<&Path, &[u8]> = plan
            .files
            .iter()
            .map(|file| (file.path.as_path(), file.after.as_slice()))
            .collect();
        let before = self.tree(&group.plugin, None, "before")?;
        let after = self.tree(&group.plugin, Some(&changes), "after")?;
        self.add(group.plugin, None, group.subjects, before, after);
        Ok(())
    }

    /// Adds a group of the `original`, whose tree is at `original_root`, and what is at its place
    /// in `root`. False when there is nothing.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn add_original(
        &mut self,
        group: &Group,
        original: &Baseline,
        original_root: &Path,
        root: &Path,
    ) -> Result<bool, VerifyError> {
        let inside = group.plugin.source.strip_prefix(original_root);
        let source = match inside {
            Ok(inside) if inside.as_os_str().is_empty() => root.to_owned(),
            Ok(inside) => root.join(inside),
            Err(_) => return Ok(false),
        };
        let is_there = match group.plugin.kind {
            Kind::File => source.is_file(),
            Kind::Package | Kind::ClonedRepo => source.join("__init__.py").is_file(),
        };
        if !is_there {
            return Ok(false);
        }
        let plugin = PluginSource {
            source,
            ..group.plugin.clone()
        };
        let before = self.tree(&group.plugin, None, "before")?;
        let after = self.tree(&plugin, None, "after")?;
        let base = Some(original.revision().to_owned());
        self.add(plugin, base, group.subjects.clone(), before, after);
        Ok(true)
    }

    fn tree(
        &mut self,
        plugin: &PluginSource,
        changes: Option<&BTreeMap<&Path, &[u8]>>,
        side: &str,
    ) -> Result<PathBuf, VerifyError> {
        let (folder, prefix) = plugin.layout();
        let is_changed = changes.is_some();
        let key = (
            folder.to_owned(),
            prefix.to_owned(),
            plugin.kind,
            is_changed,
        );
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let target = self.folder.join(self.cases.len().to_string()).join(side);
        let none = BTreeMap::new();
        copy::lay_out(plugin, changes.unwrap_or(&none), &target, &mut self.budget)?;
        self.known.insert(key, target.clone());
        Ok(target)
    }

    fn add(
        &mut self,
        plugin: PluginSource,
        base: Option<String>,
        subjects: Vec<Subject>,
        before: PathBuf,
        after: PathBuf,
    ) {
        let key = subjects.first().map(|subject| &subject.route.plugin);
        let key = key.cloned().unwrap_or_default();
        let mut name = key.clone();
        let mut number = 1;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{key} #{number}");
        }
        self.cases.push(Case {
            name,
            plugin,
            base,
            subjects,
            before,
            after,
        });
    }
}

/// The cases as the runner is told of them, with the requests for each; it is started in `folder`.
pub fn to_run<'a>(cases: &'a [Case], requests: &'a [Request], folder: &Path) -> Vec<job::Case<'a>> {
    let inside = |path: &'a PathBuf| path.strip_prefix(folder).unwrap_or(path);
    let requests_of = |subject: &'a Subject| {
        let fitting = requests.iter().filter(|one| one.is_for(&subject.route));
        fitting.map(|request| job::Request {
            plugin: &subject.route.plugin,
            endpoint: &subject.route.endpoint,
            place: &request.place,
            about: &request.about,
            method: &request.method,
            query: &request.query,
            headers: &request.headers,
            body: &request.body,
            settings: &request.settings,
        })
    };
    let cases = cases.iter().map(|case| job::Case {
        name: &case.name,
        before: inside(&case.before),
        after: inside(&case.after),
        item: &case.plugin.item,
        place: case.plugin.kind.place(),
        routes: case.subjects.iter().map(route).collect(),
        requests: case.subjects.iter().flat_map(requests_of).collect(),
    });
    cases.collect()
}

fn route(subject: &Subject) -> job::Route<'_> {
    job::Route {
        plugin: &subject.route.plugin,
        endpoint: &subject.route.endpoint,
        dialect: subject.route.dialect.as_str(),
        target: &subject.route.target,
        native: subject.is_native,
        written: subject.written.as_ref(),
    }
}

/// The requests that are not sent, in the order of their lines: those for no route of the cases, and
/// those without a body.
pub fn unsent(cases: &[Case], given: &Given) -> Vec<Unsent> {
    let subjects = || cases.iter().flat_map(|case| &case.subjects);
    let is_for_none = |request: &&Request| !subjects().any(|one| request.is_for(&one.route));
    let for_none = given.requests.iter().filter(is_for_none);
    let for_none = for_none.map(|request| Unsent {
        line: request.line,
        path: request.path.clone(),
        why: WhyUnsent::NoOldUrl,
    });
    let mut all: Vec<Unsent> = for_none.chain(given.without_body.iter().cloned()).collect();
    all.sort_by_key(|one| one.line);
    all
}
