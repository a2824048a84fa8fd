//! The names that a file needs, and those that it no longer needs.
//!
//! Imports are asked for by what they mean and become edits at the end, all at once, so that
//! rules do not know of each other. Invariant: no name is given away twice, and none that the file uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::migrate::python::imports::Imports;
use crate::migrate::python::names::{
    BindingKind, Loaded, ModuleName, Value, Workspace, names_from_stars,
};

/// A name to import: `from module import name as local`, or `import module` where the name is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Addition {
    /// The dots in front of the module.
    pub level: usize,
    /// The module.
    pub module: String,
    /// The name; empty for `import module`.
    pub name: String,
    /// By which name it is known here.
    pub local: String,
}

/// The names that a file needs, and those that it no longer needs.
#[derive(Debug, Clone)]
pub(crate) struct ImportRequests {
    loaded: Arc<Loaded>,
    /// The file's imports and names.
    pub(crate) imports: Arc<Imports>,
    /// The names to import.
    pub(crate) additions: BTreeSet<Addition>,
    /// The imported names, by their local name, that are used no more.
    pub(crate) removals: BTreeSet<String>,
    /// The additions, by their local name, that have to stand before an offset, since the code
    /// there uses them while the module is imported.
    pub(crate) early: BTreeMap<String, usize>,
    /// Before which offset the names that are asked for have to be imported.
    pub(super) needed_before: Option<usize>,
    /// The name that the bodies of replies get.
    reply_body: Option<String>,
    /// Names that are given away here, so that they are not free any more.
    taken: BTreeSet<String>,
    /// How many uses of a name are gone.
    released: BTreeMap<String, usize>,
    /// The imported names that new text uses.
    reused: BTreeSet<String>,
    /// What the `*` imports of the file may bind.
    from_stars: FxHashMap<String, Value>,
}

impl ImportRequests {
    pub(super) fn new(loaded: Arc<Loaded>, imports: Arc<Imports>) -> Self {
        Self {
            loaded,
            imports,
            additions: BTreeSet::new(),
            removals: BTreeSet::new(),
            early: BTreeMap::new(),
            needed_before: None,
            reply_body: None,
            taken: BTreeSet::new(),
            released: BTreeMap::new(),
            reused: BTreeSet::new(),
            from_stars: FxHashMap::default(),
        }
    }

    /// Takes into account what the `*` imports of the file give.
    pub(super) fn add_stars(&mut self, workspace: &Workspace) {
        self.from_stars = names_from_stars(workspace, &self.loaded);
    }

    /// Whether a `*` import may bind `name`, before or after the file itself does.
    pub(crate) fn has_from_star(&self, name: &str) -> bool {
        self.from_stars.contains_key(name)
    }

    /// Whether a `*` import that may bind `local` gives it the object `name` of a module for which
    /// `is_module` holds.
    fn is_same_from_star(&self, local: &str, name: &str, is_module: impl Fn(&str) -> bool) -> bool {
        match self.from_stars.get(local) {
            Some(Value::External(dotted)) if name.is_empty() => is_module(dotted),
            Some(Value::External(dotted)) => dotted
                .rsplit_once('.')
                .is_some_and(|(module, last)| last == name && is_module(module)),
            _ => false,
        }
    }

    /// Whether `name` occurs nowhere in the file, is not given away, and comes from no `*` import.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        self.is_unused(name) && !self.has_from_star(name)
    }

    fn is_unused(&self, name: &str) -> bool {
        !self.imports.identifiers.contains(name) && !self.taken.contains(name)
    }

    /// Takes `name`, so that it is not given away twice.
    pub(crate) fn take(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// The local name of `name` from `module`: one that is imported already, else a new import;
    /// `also` are modules that have the same object.
    pub(crate) fn import(&mut self, module: &str, name: &str, also: &[&str]) -> String {
        let module_name = ModuleName {
            level: 0,
            dotted: module.to_owned(),
        };
        self.import_from(&module_name, name, also)
    }

    /// As [`Self::import`], from a module that may be relative.
    pub(crate) fn import_from(&mut self, module: &ModuleName, name: &str, also: &[&str]) -> String {
        let same_module = |other: &ModuleName| {
            other == module || other.level == 0 && also.contains(&other.dotted.as_str())
        };
        let is_module =
            |other: &str| module.level == 0 && (other == module.dotted || also.contains(&other));
        let imported = self.imports.statements.iter().find_map(|statement| {
            let here = statement.is_from
                && statement.is_top_level
                && statement.type_checking.is_none()
                && same_module(&statement.module);
            let names = here.then_some(&statement.names)?;
            let imported = names.iter().find(|imported| imported.name == name)?;
            Some((imported.local.clone(), statement.range.end()))
        });
        // One that goes, or that something else may bind too, is not to be relied on.
        if let Some((local, end)) = imported
            .filter(|(local, _)| !self.removals.contains(local) && self.is_only_an_import(local))
            .filter(|(local, _)| {
                !self.has_from_star(local) || self.is_same_from_star(local, name, is_module)
            })
        {
            self.reused.insert(local.clone());
            if self.needed_before.is_none_or(|offset| end <= offset) {
                return local;
            }
            // It comes too late for the code that needs it, and is moved up if that changes nothing else.
            if self.loaded.scope.bindings(&local).len() == 1 {
                self.move_import(module, name, &local);
                return local;
            }
        }
        let asked = self
            .additions
            .iter()
            .find(|a| a.level == module.level && a.module == module.dotted && a.name == name)
            .map(|asked| asked.local.clone());
        if let Some(local) = asked {
            self.note_need(&local);
            return local;
        }
        if let Some(local) = self.promote_type_checking_import(module, name, &same_module) {
            return local;
        }
        // A name that the file has already gets that of the library in front, in the manner of its kind.
        let distribution = module.dotted.split('.').next().unwrap_or_default();
        let prefixed = match (distribution, name.starts_with(char::is_uppercase)) {
            ("fastapi", true) => format!("FastAPI{name}"),
            ("nekro_agent", true) => format!("Nekro{name}"),
            ("", _) => format!("{name}_"),
            (distribution, _) => format!("{distribution}_{name}"),
        };
        let local = if self.is_unused(name) && self.is_same_from_star(name, name, is_module) {
            self.take(name);
            name.to_owned()
        } else {
            self.free_name(&[name, &prefixed])
        };
        self.note_need(&local);
        self.additions.insert(Addition {
            level: module.level,
            module: module.dotted.clone(),
            name: name.to_owned(),
            local: local.clone(),
        });
        local
    }

    /// Imports at run time what is so far imported for type checkers only, by the same name.
    fn promote_type_checking_import(
        &mut self,
        module: &ModuleName,
        name: &str,
        same_module: &dyn Fn(&ModuleName) -> bool,
    ) -> Option<String> {
        let local = self.imports.statements.iter().find_map(|statement| {
            let here = statement.is_from
                && statement.type_checking.is_some()
                && same_module(&statement.module);
            let names = here.then_some(&statement.names)?;
            names
                .iter()
                .find(|imported| imported.name == name)
                .map(|imported| imported.local.clone())
        })?;
        if self.loaded.scope.bindings(&local).len() != 1 {
            return None;
        }
        self.move_import(module, name, &local);
        Some(local)
    }

    /// Imports a name by the name that it has, but at another place.
    fn move_import(&mut self, module: &ModuleName, name: &str, local: &str) {
        self.remove_import(local);
        self.take(local);
        self.additions.insert(Addition {
            level: module.level,
            module: module.dotted.clone(),
            name: name.to_owned(),
            local: local.to_owned(),
        });
        self.note_need(local);
    }

    /// Notes where an addition is needed, if it matters.
    fn note_need(&mut self, local: &str) {
        if let Some(offset) = self.needed_before {
            let early = self.early.entry(local.to_owned()).or_insert(offset);
            *early = offset.min(*early);
        }
    }

    /// The local name of a module of the standard library.
    pub(crate) fn import_module(&mut self, module: &str) -> String {
        // By its own name first, then by any other that the file has given it, in a fixed order.
        let others = self.loaded.scope.names().filter(|&name| name != module);
        let mut others: Vec<&str> = others.collect();
        others.sort_unstable();
        let known = std::iter::once(module)
            .chain(others)
            .find(|local| self.is_module(local, module))
            .map(str::to_owned);
        if let Some(local) = known {
            return local;
        }
        if let Some(asked) = self
            .additions
            .iter()
            .find(|a| a.name.is_empty() && a.module == module)
        {
            let local = asked.local.clone();
            self.note_need(&local);
            return local;
        }
        let local = self.free_name(&[module, &format!("{module}_module")]);
        self.note_need(&local);
        self.additions.insert(Addition {
            level: 0,
            module: module.to_owned(),
            name: String::new(),
            local: local.clone(),
        });
        local
    }

    /// Whether `local` is `module`: its import stands at the module's own level, before the place
    /// where it is needed, and nothing else gives the name a meaning.
    fn is_module(&self, local: &str, module: &str) -> bool {
        let bindings = self.loaded.scope.bindings(local);
        let is_it = |kind: &BindingKind| matches!(kind, BindingKind::Module(name) if name.level == 0 && name.dotted == module);
        let is_in_time = |end: usize| self.needed_before.is_none_or(|offset| end <= offset);
        let is_kept = !self.has_from_star(local)
            || self.is_same_from_star(local, "", |other| other == module);
        is_kept
            && bindings.iter().all(|binding| is_it(&binding.kind))
            && bindings.iter().any(|binding| {
                let statements = &self.imports.statements;
                let is_top_level = statements
                    .iter()
                    .any(|statement| statement.range == binding.range && statement.is_top_level);
                !binding.type_checking_only && is_top_level && is_in_time(binding.range.end())
            })
    }

    /// Whether the module binds a name by imports alone, so that it means what was imported.
    fn is_only_an_import(&self, local: &str) -> bool {
        let bindings = self.loaded.scope.bindings(local);
        bindings
            .iter()
            .all(|b| matches!(b.kind, BindingKind::From(..) | BindingKind::Module(_)))
    }

    /// The first of `candidates` that is free, else the last with a number; it is taken thereby.
    ///
    /// A name that is only to be imported for type checkers anyway counts as free once it is
    /// removed there.
    pub(crate) fn free_name(&mut self, candidates: &[&str]) -> String {
        let last = candidates.last().copied().unwrap_or("name");
        let numbered = (2..).map(|number| format!("{last}_{number}"));
        let name = candidates
            .iter()
            .map(|&candidate| candidate.to_owned())
            .chain(numbered)
            .find(|name| self.is_free(name) || self.is_freed(name))
            .unwrap_or_else(|| last.to_owned());
        self.take(&name);
        name
    }

    /// The name for the body of a reply: a free one, and the same in the whole file, since each is
    /// used on the line after it and nowhere else.
    pub(crate) fn reply_body(&mut self) -> String {
        if let Some(name) = &self.reply_body {
            return name.clone();
        }
        let name = self.free_name(&["body", "content", "reply_body"]);
        self.reply_body = Some(name.clone());
        name
    }

    /// Whether the only thing that binds `name` here is an import that is to be removed.
    fn is_freed(&self, name: &str) -> bool {
        self.removals.contains(name)
            && !self.taken.contains(name)
            && self.loaded.scope.bindings(name).len() <= 1
    }

    /// Takes the import of `local` out.
    pub(crate) fn remove_import(&mut self, local: &str) {
        self.removals.insert(local.to_owned());
    }

    /// Counts one use of `local` as gone; says whether it is an imported name that nothing uses now.
    pub(crate) fn drop_use(&mut self, local: &str) -> bool {
        let released = self.released.entry(local.to_owned()).or_default();
        *released += 1;
        // Exactly, so that it is said once: at the last use.
        *released == self.imports.uses_of(local)
            && !self.reused.contains(local)
            && (self.imports.statement_of(local).is_some() || self.is_of_module(local))
            && self.is_only_an_import(local)
    }

    /// Whether a name is that of a module which one `import module` binds.
    fn is_of_module(&self, local: &str) -> bool {
        let statements = self.imports.statements.iter();
        let mut of_module = statements.filter(|one| one.is_of_module(&self.loaded, local));
        of_module.next().is_some() && of_module.next().is_none()
    }
}
