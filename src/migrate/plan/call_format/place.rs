//! Where a statement stands, and what fits there.

use crate::migrate::python::style::{Style, indentation_width, width};

/// Where a statement stands, and how wide its lines may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The white space at the start of the statement's line.
    pub indent: &'a str,
    /// One level of indentation.
    pub unit: &'a str,
    /// The line end.
    pub line_end: &'a str,
    /// The columns that follow the statement on its last line, as a comment does.
    pub suffix: usize,
    /// The project's style.
    pub style: &'a Style,
}

impl Place<'_> {
    /// Whether `text` fits on a line that starts with `indent`, with `suffix` columns after it.
    pub(super) fn fits(&self, indent: &str, text: &str, suffix: usize) -> bool {
        let columns = indentation_width(indent, self.style.indent_width) + width(text) + suffix;
        columns <= self.style.line_length
    }
}
