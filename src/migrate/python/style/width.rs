//! The columns that text takes, as `ruff` counts them.

use unicode_width::UnicodeWidthStr;

/// The comments for tools that need a colon after their name.
const PRAGMAS: &[&str] = &[
    "isort", "type", "pyright", "pyrefly", "pylint", "flake8", "ruff", "ty",
];

/// The columns that a text takes, wide characters counted as two.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The columns of an indentation, with tabs of `tab` columns.
pub(crate) fn indentation_width(indent: &str, tab: usize) -> usize {
    indent
        .chars()
        .map(|c| if c == '\t' { tab } else { 1 })
        .sum()
}

/// The columns that count of `rest`, what follows on a line: a comment for a tool takes none.
///
/// `trailing` says that one at the end of another comment takes none either.
pub(crate) fn comment_width(rest: &str, trailing: bool) -> usize {
    let rest = rest.trim_end();
    let Some(start) = rest.find('#') else {
        return width(rest);
    };
    let (code, comment) = rest.split_at(start);
    let pragma = if trailing {
        let mut starts = comment.match_indices('#');
        starts.find_map(|(at, _)| is_pragma(&comment[at..]).then_some(at))
    } else {
        is_pragma(comment).then_some(0)
    };
    let counted = pragma.map_or(rest, |at| rest[..start + at].trim_end());
    if counted.len() <= code.len() {
        width(code.trim_end())
    } else {
        width(counted)
    }
}

/// Whether a comment is for tools alone, and says nothing else.
pub(crate) fn is_only_pragmas(comment: &str) -> bool {
    let mut parts = comment.split('#').skip(1).peekable();
    parts.peek().is_some() && parts.all(|part| is_pragma(&format!("#{part}")))
}

/// Whether a comment is for a tool.
pub(crate) fn is_pragma(comment: &str) -> bool {
    let text = comment.trim_start_matches('#').trim_start();
    let is_noqa = text
        .get(..4)
        .is_some_and(|s| s.eq_ignore_ascii_case("noqa"));
    let named = text.split_once(':');
    is_noqa || text.starts_with("nosec") || named.is_some_and(|(name, _)| PRAGMAS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("a你"), 3);
        assert_eq!(indentation_width("\t ", 8), 9);
    }

    #[test]
    fn comments_for_tools_take_no_columns() {
        let check = |rest, trailing, expected| {
            assert_eq!(comment_width(rest, trailing), expected, "{rest}");
        };
        check(")  # noqa: E501", false, 1);
        check("  # NoQA", false, 0);
        check("  # type: ignore[misc]  # noqa\r\n", false, 0);
        check("  # pyright: ignore", false, 0);
        check("  # typed: no", false, 13);
        check("  # why", false, 7);
        check("  # why  # noqa: E501", false, 21);
        check("  # why  # noqa: E501", true, 7);
        check(", x", false, 3);
        assert!(is_only_pragmas("# noqa: F401  # type: ignore"));
        assert!(!is_only_pragmas("# noqa: F401  # kept for others") && !is_only_pragmas("x"));
    }
}
