//! Changed files to a unified diff that `git apply` and `patch -p1` take. Pure.
//!
//! Lines are bytes up to `\n`, as for those programs: a diff of a file in any encoding, with any
//! line ends, applies to the byte.

use std::path::Path;

use similar::{ChangeTag, TextDiff};

use crate::term;

/// A file before and after; `before` is none for a new file.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The path as it is to be shown, with `/` between its parts.
    pub path: &'a Path,
    /// The bytes before.
    pub before: Option<&'a [u8]>,
    /// The bytes after.
    pub after: &'a [u8],
}

/// A kind of line in a diff, for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// The lines above the hunks.
    Header,
    /// `@@ ... @@`.
    Hunk,
    /// Unchanged.
    Context,
    /// Taken out.
    Removed,
    /// Put in.
    Added,
}

/// The lines of a diff, each with its line end.
pub fn unified(change: Change<'_>) -> Vec<(LineKind, Vec<u8>)> {
    let old = lines(change.before.unwrap_or_default());
    let new = lines(change.after);
    let diff = TextDiff::from_slices(&old, &new);
    let mut output = Vec::new();
    let mut header = |text: String| output.push((LineKind::Header, text.into_bytes()));
    let (a, b) = (quoted("a/", change.path), quoted("b/", change.path));
    header(format!("diff --git {} {}\n", a.0, b.0));
    if change.before.is_none() {
        header("new file mode 100644\n".to_owned());
        header("--- /dev/null\n".to_owned());
    } else {
        header(format!("--- {}{}\n", a.0, a.1));
    }
    header(format!("+++ {}{}\n", b.0, b.1));
    for group in diff.grouped_ops(3) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let old_range = first.old_range().start..last.old_range().end;
        let new_range = first.new_range().start..last.new_range().end;
        let hunk = format!(
            "@@ -{} +{} @@\n",
            hunk_range(&old_range),
            hunk_range(&new_range)
        );
        output.push((LineKind::Hunk, hunk.into_bytes()));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (kind, sign) = match change.tag() {
                ChangeTag::Equal => (LineKind::Context, b' '),
                ChangeTag::Delete => (LineKind::Removed, b'-'),
                ChangeTag::Insert => (LineKind::Added, b'+'),
            };
            let value = change.value();
            let mut line = Vec::with_capacity(value.len() + 2);
            line.push(sign);
            line.extend_from_slice(value);
            if !value.ends_with(b"\n") {
                line.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
            output.push((kind, line));
        }
    }
    output
}

/// How many lines come and go.
pub fn stat(change: Change<'_>) -> (usize, usize) {
    let old = lines(change.before.unwrap_or_default());
    let new = lines(change.after);
    let diff = TextDiff::from_slices(&old, &new);
    let count = |tag| {
        diff.iter_all_changes()
            .filter(|change| change.tag() == tag)
            .count()
    };
    (count(ChangeTag::Insert), count(ChangeTag::Delete))
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').collect()
}

/// A range as a hunk has it: 1-based, with the length left out when it is 1; an empty range is
/// named by the line before it.
fn hunk_range(range: &std::ops::Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => (range.start + 1).to_string(),
        length => format!("{},{length}", range.start + 1),
    }
}

/// A path as git writes it, and what has to follow it: quoted when there is a quote or a backslash in
/// it, or what could steer a terminal; with a tab behind it when there is a space.
fn quoted(prefix: &str, path: &Path) -> (String, &'static str) {
    let path = term::slashes(path);
    let whole = format!("{prefix}{path}");
    if whole
        .chars()
        .any(|c| term::is_harmful(c) || c == '"' || c == '\\')
    {
        let mut text = String::from("\"");
        for c in whole.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                c if term::is_harmful(c) => {
                    let mut buffer = [0; 4];
                    for byte in c.encode_utf8(&mut buffer).bytes() {
                        text += &format!("\\{byte:03o}");
                    }
                }
                c => text.push(c),
            }
        }
        text.push('"');
        return (text, "");
    }
    let tail = if whole.contains(' ') { "\t" } else { "" };
    (whole, tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(before: Option<&str>, after: &str) -> String {
        let change = Change {
            path: Path::new("a.py"),
            before: before.map(str::as_bytes),
            after: after.as_bytes(),
        };
        unified(change)
            .into_iter()
            .map(|(_, line)| String::from_utf8(line).unwrap())
            .collect()
    }

    #[test]
    fn a_changed_line_is_shown_in_its_context() {
        assert_eq!(
            text(Some("1\n2\n3\n4\n5\n"), "1\n2\nx\n4\n5\n"),
            "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,5 +1,5 @@\n 1\n 2\n-3\n+x\n 4\n 5\n"
        );
    }

    #[test]
    fn a_new_file_and_a_missing_line_end_are_said() {
        assert_eq!(
            text(None, "x"),
            "diff --git a/a.py b/a.py\nnew file mode 100644\n--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn odd_names_are_quoted() {
        assert_eq!(quoted("a/", Path::new("x\"y.py")).0, "\"a/x\\\"y.py\"");
        assert_eq!(
            quoted("a/", Path::new("x y.py")),
            ("a/x y.py".to_owned(), "\t")
        );
        assert_eq!(
            quoted("a/", Path::new("x\u{202e}.py")).0,
            "\"a/x\\342\\200\\256.py\""
        );
        assert_eq!(
            quoted("a/", Path::new("插件.py")),
            ("a/插件.py".to_owned(), "")
        );
    }

    #[test]
    fn lines_are_counted() {
        let change = Change {
            path: Path::new("a"),
            before: Some(b"1\n2\n"),
            after: b"1\n3\n4\n",
        };
        assert_eq!(stat(change), (2, 1));
    }
}
