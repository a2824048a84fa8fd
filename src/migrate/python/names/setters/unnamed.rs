//! What may set anything without naming it: `setattr`, `vars`, `__dict__`, `exec`, `mock.patch`.

use rustc_hash::FxHashSet;

use crate::migrate::python::names::setters::text::{
    arguments, closing, contains, is_own, is_word, is_written,
};

/// Whether an occurrence surely sets nothing, by what stands before and after it.
type IsHarmless = fn(&str, &str) -> bool;

/// What a text may set anything by, each with whether an occurrence surely does not.
const ANYTHING: &[(&str, IsHarmless)] = &[
    ("__dict__", |head, after| {
        is_own(head.trim_end_matches('.')) || head.ends_with("def ") || only_reads(head, after)
    }),
    ("vars(", |head, after| {
        let end = closing(after);
        let argument = after[..end].trim();
        head.ends_with(is_word)
            || matches!(argument, "self" | "cls")
            || !argument.is_empty()
                && only_reads(head, after[end..].strip_prefix(')').unwrap_or_default())
    }),
    ("exec(", is_other_function),
    ("eval(", is_other_function),
    ("__globals__", |_, _| false),
    ("f_globals", |_, _| false),
    ("f_locals", |_, _| false),
    ("__builtins__", |_, _| false),
    ("import sys as", |_, _| false),
    ("from sys import", |_, after| {
        !contains(after.lines().next().unwrap_or_default(), "modules")
    }),
    ("sys.modules", |head, after| {
        let after = after.trim_start();
        let is_read = head.trim_end().ends_with(" in") || after.starts_with(".get(");
        let end = after.strip_prefix('[').map(closing);
        is_read
            || end.is_some_and(|end| {
                let next = after[end + 1..]
                    .strip_prefix(']')
                    .unwrap_or_default()
                    .trim_start_matches(' ');
                !next.starts_with('=') || next.starts_with("==")
            })
    }),
];

/// Words that hand on a function which sets anything.
const HANDED: &[&str] = &[
    "setattr,",
    "setattr)",
    "setattr\n",
    "vars)",
    "vars,",
    "exec)",
    "exec,",
    "setattr;",
    "setattr as",
];

/// `cursor.exec(`, `model.eval(`, `def exec(`: not the built-in function.
fn is_other_function(head: &str, _: &str) -> bool {
    (head.ends_with(is_word) || head.ends_with('.') || head.ends_with("def "))
        && !head.ends_with("builtins.")
}

/// Whether a dict of names is only read: `**names`, `names.items()`.
fn only_reads(head: &str, after: &str) -> bool {
    let start = head.trim_end_matches(|c: char| is_word(c) || c == '.');
    start.ends_with("**")
        || [".items(", ".get(", ".keys(", ".values(", ".copy("]
            .iter()
            .any(|read| after.starts_with(read))
}

/// Whether a text may set anything without naming it; notes what `setattr` and `patch` name.
pub(super) fn sets_anything(text: &str, names: &mut FxHashSet<String>) -> bool {
    let mut found = false;
    for (word, is_harmless) in ANYTHING {
        found = found
            || memchr::memmem::find_iter(text.as_bytes(), word.as_bytes()).any(|at| {
                !is_written(text, at) && !is_harmless(&text[..at], &text[at + word.len()..])
            });
    }
    if contains(text, "setattr") {
        found |= add_setattr(text, names);
    }
    found |= HANDED.iter().any(|word| {
        memchr::memmem::find_iter(text.as_bytes(), word.as_bytes())
            .any(|at| !text[..at].ends_with(|c: char| is_word(c) || c == '.'))
    });
    if contains(text, "mock") {
        found |= add_patched(text, names);
    }
    found
}

/// `setattr(module, "name", value)`: whether one sets what it does not name.
pub(super) fn add_setattr(text: &str, names: &mut FxHashSet<String>) -> bool {
    let mut found = false;
    for (at, _) in text.match_indices("setattr") {
        let head = &text[..at];
        let after = text[at + "setattr".len()..].trim_start_matches("__");
        // `monkeypatch.setattr` is of a test; the rest are definitions and the own object.
        let skipped = ["monkeypatch.", "def __", "super().__"];
        // `getattr(module, "__setattr__")`
        found |= after.starts_with(['"', '\'']);
        let Some(call) = after.strip_prefix('(') else {
            continue;
        };
        if skipped.iter().any(|one| head.ends_with(one)) {
            continue;
        }
        let arguments = arguments(call);
        let literals = names_among(&arguments);
        let is_own = matches!(arguments.first(), Some(&("self" | "cls")));
        found |= literals.is_empty() && !is_own;
        names.extend(literals.into_iter().map(str::to_owned));
    }
    found
}

/// `mock.patch("module.name")`: whether one sets what it does not name.
fn add_patched(text: &str, names: &mut FxHashSet<String>) -> bool {
    let mut found = false;
    for (at, _) in text.match_indices("patch") {
        let after = &text[at + "patch".len()..];
        found |= after.starts_with(".multiple(") || after.starts_with(".dict(");
        let call = after.strip_prefix(".object").unwrap_or(after);
        let Some(call) = call.strip_prefix('(') else {
            continue;
        };
        let literals = names_among(&arguments(call));
        let head = text[..at].trim_end_matches('.');
        let is_request =
            text[..at].ends_with('.') && !head.ends_with("mock") && !head.ends_with("mocker");
        found |= literals.is_empty() && !is_request;
        for one in literals {
            names.extend(one.rsplit('.').next().map(str::to_owned));
        }
    }
    found
}

/// What the first two arguments of a call name: the object may be a string itself.
fn names_among<'t>(arguments: &[&'t str]) -> Vec<&'t str> {
    let first = arguments.iter().take(2);
    first.filter_map(|one| literal(one)).collect()
}

/// The text of a string that is nothing but letters between quotes.
fn literal(argument: &str) -> Option<&str> {
    let quote = argument
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''))?;
    let inner = argument.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(['"', '\'', '\\', '+'])).then_some(inner)
}
