//! What a plan is made from, and what it is: plain data.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::edit::{EditError, EditSet};
use crate::migrate::emit::EmitError;
use crate::migrate::find::{Found, Webhook};
use crate::migrate::python::names::{Loaded, PluginId, Workspace};
use crate::migrate::python::style::Style;
use crate::migrate::source::SourceFile;
use crate::routes::Route;

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
    pub before: Arc<[u8]>,
    /// Its bytes with the edits applied.
    pub after: Arc<[u8]>,
    /// The edits.
    pub edits: EditSet,
    /// Its text before and after, where that is not what its bytes say as UTF-8.
    decoded: Option<Box<(String, String)>>,
}

impl FilePlan {
    /// The file `source`, of which `edits` make `text_after`; none where that cannot be written in the
    /// encoding of the file.
    pub(crate) fn new(source: &SourceFile, text_after: String, edits: EditSet) -> Option<Self> {
        let after = source.encode(&text_after)?;
        let (before, text_before) = (source.bytes(), source.text());
        let is_utf8 = **before == *text_before.as_bytes() && after == text_after.as_bytes();
        Some(Self {
            path: source.path().to_owned(),
            before: before.clone(),
            after: after.into(),
            edits,
            decoded: (!is_utf8).then(|| Box::new((text_before.to_owned(), text_after))),
        })
    }

    /// Its text as it was read.
    pub fn text_before(&self) -> &str {
        let of_bytes = || std::str::from_utf8(&self.before).unwrap_or_default();
        let decoded = self.decoded.as_deref();
        decoded.map_or_else(of_bytes, |(before, _)| before)
    }

    /// Its text with the edits applied.
    pub fn text_after(&self) -> &str {
        let of_bytes = || std::str::from_utf8(&self.after).unwrap_or_default();
        let decoded = self.decoded.as_deref();
        decoded.map_or_else(of_bytes, |(_, after)| after)
    }
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
    /// Those that need a manual change.
    pub by_hand: usize,
    /// Those that turned out to be something else's.
    pub not_ours: usize,
}

impl ReferenceCounts {
    /// References of which nothing is said: always 0, or this program is at fault.
    pub fn unaccounted(self) -> usize {
        self.found.abs_diff(self.migrated + self.by_hand)
    }

    /// Adds what was counted in other files.
    pub(super) fn add(&mut self, other: Self) {
        self.found += other.found;
        self.migrated += other.migrated;
        self.by_hand += other.by_hand;
        self.not_ours += other.not_ours;
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

/// Plugins that share files, so that they change together or not at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlanGroup {
    /// The modules in which the plugins are made.
    pub(super) plugins: BTreeSet<PathBuf>,
    /// The files that change for them.
    pub(super) files: BTreeSet<PathBuf>,
    /// How many names of the old API go, which are references themselves.
    pub(super) aliases: usize,
    /// Whether they are left as they are.
    pub(super) is_withdrawn: bool,
}

/// An edit that did not fit, or a template that is broken: faults of this program.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// See [`EditError`].
    #[error(transparent)]
    Edit(#[from] EditError),
    /// See [`EmitError`].
    #[error(transparent)]
    Emit(#[from] EmitError),
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

/// A plugin with its webhooks.
pub(super) type PluginWebhooks<'a> = (PluginId, Vec<Registered<'a>>);
