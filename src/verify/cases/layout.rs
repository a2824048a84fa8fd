//! Lays out both sides of what is verified in folders.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::baseline::Baseline;
use super::copy::{self, CopyBudget};
use super::model::{Case, Group, Subject};
use super::plugin_source::{Kind, PluginSource};
use crate::migrate::plan::Plan;
use crate::verify::error::VerifyError;

/// Lays out the trees in a folder of its own for each case.
pub(crate) struct Layout<'f> {
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
    pub(crate) fn new(folder: &'f Path) -> Self {
        Self {
            folder,
            budget: CopyBudget::default(),
            known: HashMap::new(),
            names: HashSet::new(),
            cases: Vec::new(),
        }
    }

    /// Whether there is no case.
    pub(crate) fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// The cases, in order.
    pub(crate) fn into_cases(self) -> Vec<Case> {
        self.cases
    }

    /// Adds a group as it is, and as the plan makes it.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub(crate) fn add_planned(&mut self, group: Group, plan: &Plan) -> Result<(), VerifyError> {
        let changes: BTreeMap<&Path, &[u8]> = plan
            .files
            .iter()
            .map(|file| (file.path.as_path(), &*file.after))
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
    pub(crate) fn add_original(
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
