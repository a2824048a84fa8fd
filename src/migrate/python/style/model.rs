//! How the files of a folder look.

use std::path::PathBuf;

use super::imports::ImportStyle;

/// The width that `ruff format` and `black` have by default.
pub(crate) const DEFAULT_LINE_LENGTH: usize = 88;

/// How the files of a folder look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The columns that a line of code may take.
    pub line_length: usize,
    /// The columns that a line of a docstring may take: never more than a line of code.
    pub doc_length: usize,
    /// The columns of a tab, and of one level of indentation with spaces.
    pub indent_width: usize,
    /// One level of indentation, where it is said; else a file has its own.
    pub indent: Option<String>,
    /// The quote for strings, where it is said; else a file has its own.
    pub quote: Option<char>,
    /// Whether a comma after the last of several things keeps a line for each.
    pub magic_trailing_comma: bool,
    /// Whether a pragma at the end of another comment is left out of a line's width too.
    pub trailing_pragmas: bool,
    /// How imports are sorted.
    pub imports: ImportStyle,
    /// The folders whose modules are the project's own.
    pub source_roots: Vec<PathBuf>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            line_length: DEFAULT_LINE_LENGTH,
            doc_length: DEFAULT_LINE_LENGTH,
            indent_width: 4,
            indent: None,
            quote: None,
            magic_trailing_comma: true,
            trailing_pragmas: false,
            imports: ImportStyle::default(),
            source_roots: Vec::new(),
        }
    }
}
