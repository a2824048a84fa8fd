//! Which names of a module keep the values that its own statements give them.
//!
//! A `*` import below a binding may give the name another value, another module may set it as an
//! attribute, and a module may reach its own names by their text. Invariant: a name is only said to
//! stay where none of that is to be seen in any file of the repo. Looking at the text alone says
//! "may be set" too often rather than too seldom.

use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::setters::is_written;
use super::workspace::is_known_distribution;
use crate::migrate::python::names::resolver::Resolver;
use crate::migrate::python::names::scope::ModuleName;
use crate::migrate::python::names::value::Value;
use crate::migrate::python::names::workspace::{Loaded, Workspace};
use crate::migrate::python::stdlib::is_stdlib;
use crate::migrate::python::tree::name_expression;

/// What stands in the text of a module that may set or get names of it by their text.
const BY_TEXT: &[&str] = &[
    "globals",
    "locals",
    "vars()",
    "setattr",
    "delattr",
    "eval(",
    "exec(",
    "sys.modules",
    "__dict__",
    "__code__",
    "__defaults__",
    "__kwdefaults__",
    "_getframe",
    "f_locals",
    "f_globals",
];

/// Of these, what may call a function of the module by its name.
const CALLS_BY_TEXT: &[&str] = &["globals", "locals(", "eval(", "exec(", "sys.modules"];

/// Where a `*` import leads.
enum Star {
    /// A module of the repo.
    Here(Arc<Loaded>),
    /// A module outside of it whose names do not matter here.
    Known,
    /// It cannot be seen what it gives.
    Unseen,
}

impl Loaded {
    /// Whether the module may call functions of its own by the text of their names.
    pub fn calls_by_text(&self) -> bool {
        contains_any(self.module.source().text(), CALLS_BY_TEXT)
    }
}

impl Resolver<'_> {
    /// Whether `name` of the module keeps the values that the statements of the module give it.
    pub fn keeps(&self, name: &str) -> bool {
        !self.may_be_from_star(name) && self.keeps_but_for_stars(name)
    }

    /// As [`Resolver::keeps`], where it is known already what `*` imports give.
    pub(super) fn keeps_but_for_stars(&self, name: &str) -> bool {
        let setters = self.workspace.setters();
        !contains_any(self.loaded.module.source().text(), BY_TEXT)
            && !setters.sets(name)
            && !setters.sets("__class__")
            && !setters.reach_module(self.path())
    }

    /// Whether `name` is set as an attribute of anything, anywhere in the repo.
    pub(crate) fn is_set_in_repo(&self, name: &str) -> bool {
        self.workspace.setters().sets(name)
    }

    /// Whether the repo leaves what a list, dict or set called `name` holds as it is written.
    pub(crate) fn keeps_items(&self, name: &str) -> bool {
        let setters = self.workspace.setters();
        !setters.sets(name) && !setters.changes_items(name)
    }

    /// Whether the repo leaves built-in names as they are.
    pub(crate) fn keeps_builtins(&self) -> bool {
        !self.workspace.setters().sets_builtins()
    }

    /// Whether the repo leaves what is outside of it by this dotted name as it is.
    pub(crate) fn keeps_external(&self, dotted: &str) -> bool {
        let setters = self.workspace.setters();
        let mut parts = dotted.split('.');
        let library = parts.next().unwrap_or_default();
        !setters.reach_library(library)
            && !setters.sets("__class__")
            && !parts.any(|part| setters.sets(part))
    }

    /// Whether a `*` import may bind `name`.
    fn may_be_from_star(&self, name: &str) -> bool {
        let stars = self.loaded.scope.stars();
        let mut seen = FxHashSet::from_iter([self.path().to_owned()]);
        stars.iter().any(|star| self.gives(star, name, &mut seen))
    }

    /// Whether `from star import *` may bind `name`.
    pub(super) fn star_gives(&self, star: &ModuleName, name: &str) -> bool {
        self.gives(
            star,
            name,
            &mut FxHashSet::from_iter([self.path().to_owned()]),
        )
    }

    fn gives(&self, star: &ModuleName, name: &str, seen: &mut FxHashSet<PathBuf>) -> bool {
        let loaded = match self.star(star) {
            Star::Here(loaded) => loaded,
            Star::Known => return false,
            Star::Unseen => return true,
        };
        let path = loaded.module.source().path();
        if !seen.insert(path.to_owned()) {
            return false;
        }
        let inside = Resolver::of_module(self.workspace, &loaded);
        let binds = |name: &str| {
            let mut bindings = loaded.scope.bindings(name).iter();
            bindings.any(|binding| !binding.type_checking_only)
        };
        binds(name)
            // A module inside a package is a name of it once it is imported.
            || self.submodule(star, name).is_some()
            || contains_any(loaded.module.source().text(), BY_TEXT)
            || loaded
                .scope
                .stars()
                .iter()
                .any(|star| inside.gives(star, name, seen))
    }

    fn star(&self, star: &ModuleName) -> Star {
        match self.workspace.locate(self.path(), star) {
            Some(path) => match self.workspace.load(&path) {
                Ok(loaded) => Star::Here(loaded),
                Err(_) => Star::Unseen,
            },
            None => {
                let first = star.dotted.split('.').next().unwrap_or_default();
                if star.level == 0 && (is_stdlib(first) || is_known_distribution(first)) {
                    Star::Known
                } else {
                    Star::Unseen
                }
            }
        }
    }
}

/// The names that the `*` imports of a module may bind, with what they stand for; those of modules
/// that cannot be seen are not among them.
pub fn names_from_stars(workspace: &Workspace, loaded: &Arc<Loaded>) -> FxHashMap<String, Value> {
    let mut names = FxHashMap::default();
    let mut seen = FxHashSet::from_iter([loaded.module.source().path().to_owned()]);
    let mut next = vec![loaded.clone()];
    while let Some(loaded) = next.pop() {
        let resolver = Resolver::of_module(workspace, &loaded);
        for star in loaded.scope.stars() {
            let Star::Here(inside) = resolver.star(star) else {
                continue;
            };
            if !seen.insert(inside.module.source().path().to_owned()) {
                continue;
            }
            let values = Resolver::of_module(workspace, &inside);
            let is_bound = |name: &&str| {
                let mut bindings = inside.scope.bindings(name).iter();
                bindings.any(|binding| !binding.type_checking_only)
            };
            for name in inside.scope.names().filter(is_bound) {
                let value = values.value(&name_expression(name));
                // Several that differ leave it unknown.
                let known = names.entry(name.to_owned()).or_insert(value.clone());
                if *known != value {
                    *known = Value::Unknown;
                }
            }
            next.push(inside);
        }
    }
    names
}

fn contains_any(text: &str, words: &[&str]) -> bool {
    let has = |word: &&str| {
        let mut places = memchr::memmem::find_iter(text.as_bytes(), word.as_bytes());
        places.any(|at| !is_written(text, at))
    };
    words.iter().any(has)
}
