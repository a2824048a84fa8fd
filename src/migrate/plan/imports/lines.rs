//! Blank lines and comments around a statement.

use crate::migrate::plan::draft::Draft;

/// The start of the comment lines that stand right above the line at `line_start`.
pub(super) fn above_comments(draft: &Draft, line_start: usize) -> usize {
    let mut at = line_start;
    while let Some(before) = at.checked_sub(1) {
        let line = draft.source().line_at(before);
        if !draft.slice(line).trim_start().starts_with('#') {
            break;
        }
        at = line.start();
    }
    at
}

/// How many blank lines start at `offset`, the start of a line.
pub(crate) fn blank_lines_from(draft: &Draft, offset: usize) -> usize {
    let source = draft.source();
    let mut at = offset;
    let mut count = 0;
    while at < source.text().len() {
        let line = source.line_at(at);
        if !source.slice(line).trim().is_empty() {
            break;
        }
        count += 1;
        at = line.end();
    }
    count
}

/// How many blank lines end at `offset`, the start of a line.
pub(super) fn blank_lines_before(draft: &Draft, offset: usize) -> usize {
    let source = draft.source();
    let mut at = offset;
    let mut count = 0;
    while let Some(before) = at.checked_sub(1) {
        let line = source.line_at(before);
        if !source.slice(line).trim().is_empty() {
            break;
        }
        count += 1;
        at = line.start();
    }
    count
}
