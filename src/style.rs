//! How wide lines may be, as the formatter of a project is told. Pure: finding the files is the
//! caller's.

use toml_edit::{DocumentMut, Item};
use unicode_width::UnicodeWidthStr;

/// The width that `ruff format` and `black` have by default.
pub const DEFAULT_LINE_LENGTH: usize = 88;

/// The names of the files that may tell, the stronger first (documentation of ruff,
/// "Config file discovery").
pub const CONFIG_FILES: &[&str] = &[".ruff.toml", "ruff.toml", "pyproject.toml"];

/// The line length that a configuration file of that name sets; none when it does not.
pub fn line_length(file_name: &str, text: &str) -> Option<usize> {
    let document: DocumentMut = text.parse().ok()?;
    let number = |item: Option<&Item>| item?.as_integer().and_then(|n| usize::try_from(n).ok());
    let found = if file_name == "pyproject.toml" {
        let tool = document.get("tool")?;
        number(tool.get("ruff").and_then(|ruff| ruff.get("line-length")))
            .or_else(|| number(tool.get("black").and_then(|black| black.get("line-length"))))
    } else {
        number(document.get("line-length"))
    };
    found.filter(|length| (1..=320).contains(length))
}

/// The columns that a text takes, wide characters counted as two, as `ruff` counts.
pub fn width(text: &str) -> usize {
    text.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_length_is_read_where_the_tools_read_it() {
        assert_eq!(line_length("ruff.toml", "line-length = 100"), Some(100));
        assert_eq!(
            line_length("pyproject.toml", "[tool.ruff]\nline-length = 120"),
            Some(120)
        );
        assert_eq!(
            line_length("pyproject.toml", "[tool.black]\nline-length = 79"),
            Some(79)
        );
        assert_eq!(line_length("pyproject.toml", "[project]\nname = 'x'"), None);
        assert_eq!(line_length("ruff.toml", "line-length = -1"), None);
        assert_eq!(line_length("ruff.toml", "not toml"), None);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("a你"), 3);
    }
}
