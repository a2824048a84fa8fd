//! The plan for some of the files that were asked about, and the plan that several of these make.
//!
//! Files are planned in parts, so that what one part needs is let go of before the next begins.
//! Invariant: the parts of files that nothing ties to each other give the plan that all files at once
//! would give. Ties are what a plan looks at across files: the module in which a plugin is made, its
//! key, and the package around it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::model::{Input, Plan};
use super::modules::facts::ModuleFacts;
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::python::names::PluginId;

/// Something that several files may have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tie {
    /// A module, or the folder of a topmost package.
    Path(PathBuf),
    /// The key of a plugin.
    Key(String),
}

/// The plan for some of the files.
#[derive(Default)]
pub(crate) struct Part {
    /// The plan. What is said of comments is not in it.
    pub(super) plan: Plan,
    /// What is wrong with the comments that switch advice off, by module: others may have looked at the
    /// same module.
    pub(super) wrong_comments: BTreeMap<PathBuf, Vec<Diagnostic>>,
    /// What the files have that others may have in common with them.
    ties: BTreeSet<(PathBuf, Tie)>,
}

impl Part {
    /// What each file has in common with others, itself aside.
    pub(crate) fn take_ties(&mut self) -> BTreeSet<(PathBuf, Tie)> {
        std::mem::take(&mut self.ties)
    }

    /// Notes the ties of what was found; `keys` are those of its plugins.
    pub(super) fn tie(
        &mut self,
        input: &Input<'_>,
        facts: &BTreeMap<PathBuf, ModuleFacts>,
        keys: &[(PluginId, String)],
    ) {
        let ties = &mut self.ties;
        let mut tie = |path: &Path, module: &Path| {
            let package = (input.package_root)(module);
            for to in [Some(module), package.as_deref()].into_iter().flatten() {
                if path != to {
                    ties.insert((path.to_owned(), Tie::Path(to.to_owned())));
                }
            }
        };
        for found in input.found {
            let path = found.loaded.module.source().path();
            for webhook in found.webhooks() {
                tie(path, &webhook.plugin.module);
            }
            let known = found.references.iter().map(|one| &one.known.plugin);
            let unclear = found.unclear.iter().map(|one| &one.plugin);
            for plugin in known.chain(unclear).flatten() {
                tie(path, &plugin.module);
            }
        }
        for facts in facts.values() {
            let mounts = facts.parts.mounts.iter().map(|(plugin, _)| plugin);
            for plugin in mounts.chain(&facts.parts.configured) {
                tie(facts.path(), &plugin.module);
            }
            tie(facts.path(), facts.path());
        }
        for (plugin, key) in keys {
            let tie = Tie::Key(key.clone());
            self.ties.insert((plugin.module.clone(), tie));
        }
    }
}

impl Plan {
    /// The plan of several parts.
    pub(crate) fn of_parts(parts: Vec<Part>) -> Self {
        let mut all = Self::default();
        let mut wrong_comments = BTreeMap::new();
        for part in parts {
            let plan = part.plan;
            all.files.extend(plan.files);
            all.webhooks.extend(plan.webhooks);
            all.diagnostics.extend(plan.diagnostics);
            all.suppressed += plan.suppressed;
            all.counts.add(plan.counts);
            all.groups.extend(plan.groups);
            wrong_comments.extend(part.wrong_comments);
        }
        all.diagnostics
            .extend(wrong_comments.into_values().flatten());
        all.files.sort_by(|a, b| a.path.cmp(&b.path));
        all.webhooks
            .sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        all.diagnostics
            .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        all
    }
}
