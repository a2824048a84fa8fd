//! What a file imports, changes in libraries, and hands to others, by its text alone.

use rustc_hash::FxHashSet;

use crate::migrate::python::names::setters::attributes::for_set_attributes;
use crate::migrate::python::names::setters::text::{arguments, contains, is_word};

/// The words of the statements that import, and of what looks modules up; and whether a module is
/// imported whose name cannot be seen there.
pub(super) fn imports(text: &str) -> (FxHashSet<String>, bool) {
    let mut all = FxHashSet::default();
    let mut is_any = false;
    for statement in import_lines(text) {
        all.extend(words(statement).map(str::to_owned));
        for call in [
            "import_module",
            "__import__",
            "sys.modules",
            "from sys import",
        ] {
            for (at, _) in statement.match_indices(call) {
                let after = statement[at + call.len()..].trim_start();
                let argument = after.trim_start_matches(['(', '[']).trim_start();
                let is_import =
                    statement.trim_start().starts_with("from ") && call != "from sys import";
                is_any |= !is_import
                    && !argument.starts_with(['"', '\''])
                    && !argument.starts_with("__name__]")
                    && !argument.starts_with("__package__]")
                    && (call != "from sys import" || contains(after, "modules"));
            }
        }
    }
    (all, is_any)
}

/// The lines that import or look modules up, those in brackets with what follows in these; one that
/// does both may be there twice.
fn import_lines(text: &str) -> impl Iterator<Item = &str> {
    let of_word = |word: &'static str| memchr::memmem::find_iter(text.as_bytes(), word);
    let mut places = of_word("import").chain(of_word("sys.modules"));
    let mut line = 0..0;
    std::iter::from_fn(move || {
        let at = places.find(|at| !line.contains(at))?;
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[start..];
        let mut end = rest.find('\n').unwrap_or(rest.len());
        if rest.trim_start().starts_with("from ") && rest[..end].contains('(') {
            end = rest.find(')').unwrap_or(rest.len());
        }
        while end < rest.len() && rest[..end].trim_end_matches('\r').ends_with('\\') {
            let next = rest[end..].char_indices().skip(1).find(|(_, c)| *c == '\n');
            end = next.map_or(rest.len(), |(at, _)| end + at);
        }
        line = start..start + end.max(at - start);
        Some(&text[line.clone()])
    })
}

/// Notes the libraries of which something is set: `json.decoder.JSONDecoder.decode = …`.
pub(super) fn add_changed_libraries(
    text: &str,
    imports: &FxHashSet<String>,
    changed: &mut FxHashSet<String>,
) {
    let mut roots = FxHashSet::default();
    for_set_attributes(text, &mut |_, head| {
        let start = head
            .trim_end_matches(|c: char| is_word(c) || c == '.')
            .len();
        roots.extend(head[start..].split('.').next().map(str::to_owned));
    });
    for (at, _) in text.match_indices("setattr") {
        let after = text[at + "setattr".len()..].trim_start_matches("__");
        if let Some(call) = after.strip_prefix('(') {
            let first = arguments(call).into_iter().next().unwrap_or_default();
            roots.extend(words(first).map(str::to_owned));
        }
    }
    roots.retain(|root| imports.contains(root));
    if roots.is_empty() {
        return;
    }
    for line in import_lines(text) {
        if words(line).any(|word| roots.contains(word)) {
            changed.extend(words(line).map(str::to_owned));
        }
    }
}

/// Notes what is imported and given to a call as it is: the callee may set anything in it.
pub(super) fn add_handed(text: &str, libraries: &mut FxHashSet<String>) {
    let mut handed = FxHashSet::default();
    let mut rest = text;
    while let Some(start) = rest.find(['(', ',', '=']) {
        rest = rest[start + 1..].trim_start();
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if after.trim_start().starts_with([')', ',']) {
            handed.insert(word);
        }
        rest = after;
    }
    for line in import_lines(text) {
        if words(line).any(|word| handed.contains(word)) {
            libraries.extend(words(line).map(str::to_owned));
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !is_word(c));
    words.filter(|word| !word.is_empty())
}
