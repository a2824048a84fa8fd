//! Words, brackets and arguments of a text that is not parsed.

/// The lines of `reply_route`, as it is written beside a plugin, that read like setting something: they
/// set what the function itself has made.
pub(super) const WRITTEN: &[&str] = &[
    "vars(response).update(status_code=status, raw_headers=[])",
    "vars(response).pop(\"_headers\", None)",
    "names = function.__globals__",
    "vars(route)[\"__signature__\"] = signature",
];

/// Whether the line around `at`, in bytes, is one of these.
pub(crate) fn is_written(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    WRITTEN.contains(&line.trim())
}

pub(super) fn contains(text: &str, word: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some()
}

/// Where the bracket closes that was opened before `text`.
pub(super) fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The arguments of a call, of which the text behind its bracket is given.
pub(super) fn arguments(call: &str) -> Vec<&str> {
    let mut rest = &call[..closing(call)];
    let mut all = Vec::new();
    while !rest.is_empty() {
        let mut depth = 0usize;
        let end = rest.find(|c: char| {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        let (one, after) = rest.split_at(end.unwrap_or(rest.len()));
        all.push(one.trim());
        rest = after.strip_prefix(',').unwrap_or_default();
    }
    all
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the attribute is one of `self` or `cls`.
pub(super) fn is_own(head: &str) -> bool {
    let start = head.trim_end_matches(is_word).len();
    matches!(&head[start..], "self" | "cls") && !head[..start].ends_with('.')
}
