//! Attributes that a text sets by their names: `module.name = value` and its like.

use rustc_hash::FxHashSet;

use crate::migrate::python::names::setters::text::{closing, contains, is_own, is_word};
use crate::migrate::python::names::setters::unnamed::add_setattr;

/// Whether a text sets any attribute.
pub(super) fn sets_attribute(text: &str) -> bool {
    let mut names = FxHashSet::default();
    add_set_attributes(text, &mut names);
    add_setattr(text, &mut names);
    !names.is_empty()
}

/// Notes the names that a text sets as attributes of something other than `self` and `cls`.
pub(super) fn add_set_attributes(text: &str, names: &mut FxHashSet<String>) {
    let mut note = |name: &str, _: &str| {
        names.insert(name.to_owned());
    };
    for_set_attributes(text, &mut note);
    // `request.scope["method"] = value`
    let places = memchr::memmem::find_iter(text.as_bytes(), ".scope");
    let mut afters = places.map(|at| &text[at + ".scope".len()..]);
    if afters.any(|after| !after.starts_with(is_word) && !reads_item(after)) {
        names.insert("scope".to_owned());
    }
}

/// Whether what stands behind a dict only reads it or one of its items.
fn reads_item(after: &str) -> bool {
    let end = after.strip_prefix('[').map(closing);
    after.starts_with(".get(")
        || end.is_some_and(|end| {
            let next = after[end + 1..].strip_prefix(']').unwrap_or_default();
            !assigns(next.trim_start_matches(' '))
        })
}

/// Calls `note` with each name that is set as an attribute, and the text of its line before it.
pub(super) fn for_set_attributes(text: &str, note: &mut dyn FnMut(&str, &str)) {
    // `(\n    module.name,\n) = values`
    let has_open_targets = text.lines().any(|line| {
        let end = closing(line);
        let after = line.get(end + 1..).unwrap_or_default().trim_start();
        assigns(after) || after.starts_with("in ") || line.ends_with(" as (")
    });
    let self_is_own = keeps_self(text);
    let mut ends_with_dot = false;
    for line in text.lines() {
        // `(module.\n    name) = value`
        let joined = ends_with_dot.then(|| format!("_.{}", line.trim_start()));
        let line = joined.as_deref().unwrap_or(line);
        // A sentence in a comment ends so, too.
        ends_with_dot = line.trim_end().ends_with('.') && !line.trim_start().starts_with('#');
        let mut rest = line;
        while let Some(dot) = rest.find('.') {
            let head = line[..line.len() - rest.len() + dot].trim_end();
            let after = rest[dot + 1..].trim_start();
            let end = after.find(|c: char| !is_word(c)).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            // What changes a class or function is also set on `self` and `cls`.
            let is_special = name.starts_with("__") && name.ends_with("__");
            let is_target = || {
                let next = after.trim();
                next.is_empty() || next.starts_with([',', ')', ']'])
            };
            if !name.is_empty()
                && (is_special || !self_is_own || !is_own(head))
                && (is_set(line.trim_start(), head, after) || has_open_targets && is_target())
            {
                note(name, head);
            }
            rest = after;
        }
    }
}

/// Whether `self` and `cls` are nothing but the first parameters of methods.
fn keeps_self(text: &str) -> bool {
    let is_other = |word: &str| {
        [
            format!(" as {word}"),
            format!("{word} = "),
            format!("for {word} "),
        ]
        .iter()
        .any(|form| contains(text, form))
    };
    let mut lines = text.lines();
    !is_other("self")
        && !is_other("cls")
        && !lines.any(|line| {
            (line.starts_with("def ") || line.starts_with("async def "))
                && (contains(line, "self") || contains(line, "cls"))
        })
}

/// Whether an attribute in `line`, which stands between `head` and `after`, is set.
fn is_set(line: &str, head: &str, after: &str) -> bool {
    let next = after.trim_start();
    let closed = next.trim_start_matches([')', ' ']);
    if assigns(closed)
        && (next.starts_with('=')
            || !head.contains(['=', '('])
            || head.trim_start().starts_with('(') && !head.contains('='))
        || next == "\\"
    {
        return true;
    }
    // `+=` and its like
    let operator = next.trim_start_matches(|c: char| "+-*/%@&|^<>".contains(c));
    if operator.len() < next.len() && assigns(operator) {
        return !matches!(&next[..next.len() - operator.len()], "<" | ">");
    }
    let first = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    // `module.name: type = value`
    let statement = head.rsplit([';', ':']).next().unwrap_or(head);
    if next.starts_with(':')
        && !statement
            .trim_start()
            .contains(|c: char| !is_word(c) && c != '.')
        && (statement.len() == head.len() || next.contains(" = "))
    {
        return true;
    }
    // `for module.name in`, `with … as module.name`, `del module.name`
    let target = head.trim_end_matches(|c: char| is_word(c) || c == '.');
    if first(&["del "]) || target.ends_with("for ") || target.ends_with(" as ") {
        return true;
    }
    // `for name, module.name in`, `with … as (module.name, name)`
    let is_among_targets = |word: &str| {
        head.rfind(word).is_some_and(|at| {
            let between = &head[at + word.len()..];
            between.contains([',', '(', '[', '*'])
                && !between.contains(" in ")
                && between
                    .chars()
                    .all(|c| is_word(c) || " .,([*)]".contains(c))
        })
    };
    if is_among_targets("for ") || is_among_targets(" as ") {
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

fn assigns(text: &str) -> bool {
    text.starts_with('=') && !text.starts_with("==")
}
