//! Names of lists, dicts and sets that a text changes in place: `module.NAME["key"] = value`,
//! `NAME.append(value)` and their like.
//!
//! Invariant: as for the other setters, the text alone says "may be changed" too often rather than too seldom.

use rustc_hash::FxHashSet;

use crate::migrate::python::names::setters::text::{closing, is_word};

/// What changes a list, dict or set when it is called on one.
const CHANGING: &[&str] = &[
    ".add(",
    ".append(",
    ".clear(",
    ".discard(",
    ".extend(",
    ".insert(",
    ".pop(",
    ".popitem(",
    ".remove(",
    ".reverse(",
    ".setdefault(",
    ".sort(",
    ".update(",
];

/// Notes the names of what a text changes in place.
pub(super) fn add_changed(text: &str, names: &mut FxHashSet<String>) {
    let mut note = |before: &str| {
        let before = before.trim_end_matches(' ');
        let start = before.trim_end_matches(is_word).len();
        let (owner, name) = before.split_at(start);
        // A variable of the file's own is not that of another module, which looks after itself.
        if !name.is_empty() && (owner.ends_with('.') || !is_own_variable(text, name)) {
            names.insert(name.to_owned());
        }
    };
    for method in CHANGING {
        for at in memchr::memmem::find_iter(text.as_bytes(), method) {
            note(&text[..at]);
        }
    }
    for line in text.lines() {
        for (at, _) in line.match_indices('[') {
            let inside = &line[at + 1..];
            let after = inside.get(closing(inside) + 1..).unwrap_or_default();
            // The bracket may close on another line.
            let is_open = closing(inside) == inside.len();
            if is_open || sets(after.trim_start()) || line.trim_start().starts_with("del ") {
                note(&line[..at]);
            }
        }
        // `NAME += values` changes the list itself, by whatever name it is known here.
        if let Some(at) = line.find('=')
            && line[..at].ends_with(['+', '|', '*', '-', '&', '^'])
        {
            note(&line[..at - 1]);
        }
    }
}

/// Whether a text gives a name its value at the start of a line, whatever the indentation.
fn is_own_variable(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let after = line.trim_start().strip_prefix(name).map(str::trim_start);
        after.is_some_and(|after| {
            after.starts_with(':') || after.starts_with('=') && !after.starts_with("==")
        })
    })
}

/// Whether what stands behind an item sets it.
fn sets(after: &str) -> bool {
    let operator = after.trim_start_matches(|c: char| "+-*/%@&|^<>:".contains(c));
    (operator.starts_with('=') && !operator.starts_with("=="))
        // `NAME["a"], other = values`, and items of items
        || after.starts_with([',', '['])
        // `NAME["key"].append(value)` changes what is inside of it.
        || after.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str) -> Vec<String> {
        let mut names = FxHashSet::default();
        add_changed(text, &mut names);
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort();
        names
    }

    #[test]
    fn what_changes_in_place_is_noted() {
        assert_eq!(changed("core.OPTS[\"a\"] = 1"), ["OPTS"]);
        assert_eq!(changed("OPTS['a'] |= {1}"), ["OPTS"]);
        assert_eq!(changed("del conf.OPTS['a']"), ["OPTS"]);
        assert_eq!(changed("conf.PATHS.append('/c')"), ["PATHS"]);
        assert_eq!(changed("PATHS += ['/c']"), ["PATHS"]);
        assert_eq!(changed("OPTS[\n    'a'\n] = 1"), ["OPTS"]);
    }

    #[test]
    fn a_variable_of_the_file_is_its_own() {
        assert_eq!(changed("PATHS = []\nPATHS.append('/c')"), [""; 0]);
        assert_eq!(changed("PATHS = []\nother.PATHS.append('/c')"), ["PATHS"]);
    }

    #[test]
    fn what_only_reads_is_not() {
        assert_eq!(changed("x = OPTS['a']"), [""; 0]);
        assert_eq!(changed("if OPTS['a'] == 1: pass"), [""; 0]);
        assert_eq!(changed("OPTS.get('a')"), [""; 0]);
        assert_eq!(changed("TOTAL = 1"), [""; 0]);
    }
}
