//! Which names of a module keep the values that its own statements give them.
//!
//! A `*` import below a binding may give the name another value, another module may set it as an
//! attribute, and a module may reach its own names by their text. Invariant: a name is only said to
//! stay where none of that is to be seen in any file of the repo. Looking at the text alone says
//! "may be set" too often rather than too seldom.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use rustpython_parser::ast::{self, Expr, ExprContext};
use rustpython_parser::text_size::TextRange;

use super::workspace::is_known_distribution;
use super::{Loaded, ModuleName, Resolver, Value, Workspace};
use crate::python::stdlib::is_stdlib;

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
];

/// Of these, what may call a function of the module by its name.
const CALLS_BY_TEXT: &[&str] = &["globals", "locals(", "eval(", "exec(", "sys.modules"];

/// Where a `*` import leads.
enum Star {
    /// A module of the repo.
    Here(Arc<Loaded>),
    /// A module outside of it whose names are no concern.
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
        !contains_any(self.loaded.module.source().text(), BY_TEXT)
            && !self.workspace.sets_attribute(name)
    }

    /// Whether a `*` import may bind `name`.
    fn may_be_from_star(&self, name: &str) -> bool {
        let stars = self.loaded.scope.stars();
        let mut seen = HashSet::from([self.path().to_owned()]);
        stars.iter().any(|star| self.gives(star, name, &mut seen))
    }

    /// Whether `from star import *` may bind `name`.
    pub(super) fn star_gives(&self, star: &ModuleName, name: &str) -> bool {
        self.gives(star, name, &mut HashSet::from([self.path().to_owned()]))
    }

    fn gives(&self, star: &ModuleName, name: &str, seen: &mut HashSet<PathBuf>) -> bool {
        let loaded = match self.star(star) {
            Star::Here(loaded) => loaded,
            Star::Known => return false,
            Star::Unseen => return true,
        };
        let path = loaded.module.source().path();
        if !seen.insert(path.to_owned()) {
            return false;
        }
        let inside = Resolver {
            workspace: self.workspace,
            loaded: &loaded,
            locals: &[],
        };
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
pub fn names_from_stars(workspace: &Workspace, loaded: &Arc<Loaded>) -> HashMap<String, Value> {
    let mut names = HashMap::new();
    let mut seen = HashSet::from([loaded.module.source().path().to_owned()]);
    let mut next = vec![loaded.clone()];
    while let Some(loaded) = next.pop() {
        let resolver = Resolver {
            workspace,
            loaded: &loaded,
            locals: &[],
        };
        for star in loaded.scope.stars() {
            let Star::Here(inside) = resolver.star(star) else {
                continue;
            };
            if !seen.insert(inside.module.source().path().to_owned()) {
                continue;
            }
            let values = Resolver {
                workspace,
                loaded: &inside,
                locals: &[],
            };
            let is_bound = |name: &&str| {
                let mut bindings = inside.scope.bindings(name).iter();
                bindings.any(|binding| !binding.type_checking_only)
            };
            for name in inside.scope.names().filter(is_bound) {
                let value = values.value(&name_expression(name));
                // Of several that differ it is none.
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

fn name_expression(name: &str) -> Expr {
    Expr::Name(ast::ExprName {
        id: ast::Identifier::new(name),
        ctx: ExprContext::Load,
        range: TextRange::default(),
    })
}

fn contains_any(text: &str, words: &[&str]) -> bool {
    let mut words = words.iter();
    words.any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// Notes the names that a text sets as attributes of something other than `self` and `cls`.
pub(super) fn add_set_attributes(text: &str, names: &mut HashSet<String>) {
    for line in text.lines() {
        if memchr::memmem::find(line.as_bytes(), b"setattr(").is_some() {
            add_setattr(line, names);
        }
        if !line.contains('.') {
            continue;
        }
        let mut rest = line;
        while let Some(dot) = rest.find('.') {
            let head = &line[..line.len() - rest.len() + dot];
            let after = &rest[dot + 1..];
            let end = after.find(|c: char| !is_word(c)).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if !name.is_empty() && !is_own(head) && is_set(line.trim_start(), head, after) {
                names.insert(name.to_owned());
            }
            rest = after;
        }
    }
}

/// `setattr(module, "name", value)`
fn add_setattr(line: &str, names: &mut HashSet<String>) {
    for (at, _) in line.match_indices("setattr(") {
        // `monkeypatch.setattr` is of a test.
        if line[..at].ends_with('.') {
            continue;
        }
        let quoted = line[at..].split(['"', '\'']).skip(1).step_by(2);
        names.extend(quoted.map(str::to_owned));
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the attribute is one of `self` or `cls`.
fn is_own(head: &str) -> bool {
    let start = head.trim_end_matches(is_word).len();
    matches!(&head[start..], "self" | "cls") && !head[..start].ends_with('.')
}

/// Whether an attribute in `line`, which stands between `head` and `after`, is set.
fn is_set(line: &str, head: &str, after: &str) -> bool {
    let next = after.trim_start();
    let assigns = |text: &str| text.starts_with('=') && !text.starts_with("==");
    if assigns(next) {
        return true;
    }
    // `+=` and its like
    let operator = next.trim_start_matches(|c: char| "+-*/%@&|^<>".contains(c));
    if operator.len() < next.len() && assigns(operator) {
        return !matches!(&next[..next.len() - operator.len()], "<" | ">");
    }
    let first = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    // `module.name: type = value`
    if next.starts_with(':')
        && !head
            .trim_start()
            .contains(|c: char| !is_word(c) && c != '.')
    {
        return true;
    }
    // `for module.name in`, `with … as module.name`, `del module.name`
    let target = head.trim_end_matches(|c: char| is_word(c) || c == '.');
    if first(&["del "]) || target.ends_with("for ") || target.ends_with(" as ") {
        return true;
    }
    // `module.name, other = values`
    next.starts_with([',', ')', ']'])
        && !first(&["return", "await ", "raise ", "yield "])
        && next.match_indices('=').any(|(at, _)| {
            let one = &next[at..];
            assigns(one) && !next[..at].ends_with(['=', '!', '<', '>']) && {
                let opened = next[..at].matches('(').count();
                opened == 0 && next[..at].ends_with(' ')
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_are_set_are_noted() {
        let text = "conf.A = 1\nconf.B += 1\nconf.C: int = 1\nconf.D, x = 1, 2\n(conf.E, x) = 1, 2\n\
                    for conf.F in y:\nwith a as conf.G:\ndel conf.H\nsetattr(conf, 'I', 1)\n\
                    sys.modules['p.conf'].J = 1\na.b.K //= 2\nx = conf.L = 3\n";
        let mut names = HashSet::new();
        add_set_attributes(text, &mut names);
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort();
        assert_eq!(names.concat(), "ABCDEFGHIJKL");
    }

    #[test]
    fn attributes_that_are_only_read_are_not() {
        let text = "self.A = 1\ncls.A = 1\nx = conf.A\nif conf.A == 1:\nif conf.A:\nf(conf.A, x=1)\n\
                    return conf.A, 1\nif conf.A <= 1 or conf.A >= 1:\n{conf.A: 1}\nx[conf.A]\n\
                    monkeypatch.setattr(conf, 'A', 1)\n";
        let mut names = HashSet::new();
        add_set_attributes(text, &mut names);
        assert!(names.is_empty(), "{names:?}");
    }
}
