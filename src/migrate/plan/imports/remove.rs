//! Statements that go, and what stays of them.

use super::lines::{blank_lines_before, blank_lines_from};
use crate::migrate::edit::{ByteRange, EditError, TextEdit};
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::imports::ImportStatement;
use crate::migrate::python::style::is_only_pragmas;
use crate::migrate::python::tokens::TokenKind;

/// Where a section of imports went as a whole, the blank lines on both sides of it become one group.
pub(super) fn close_gaps(draft: &mut Draft, gone: &[&ImportStatement]) -> Result<(), EditError> {
    for statement in gone.iter().filter(|s| s.type_checking.is_none()) {
        let first = draft.source().line_at(statement.range.start());
        let last = draft.source().line_at(statement.range.end());
        let line = ByteRange::new(first.start(), last.end());
        if !draft.edits.iter().any(|edit| edit.range() == line) {
            continue;
        }
        let has_new = |edit: &TextEdit| {
            edit.range() == ByteRange::at(line.start()) || edit.range() == ByteRange::at(line.end())
        };
        if draft.edits.iter().any(has_new) {
            continue;
        }
        let after = blank_lines_from(draft, line.end());
        let drop = match line.start() {
            0 => after,
            start => after.min(blank_lines_before(draft, start)),
        };
        let mut end = line.end();
        for _ in 0..drop {
            end = draft.source().line_at(end).end();
        }
        if end > line.end() {
            draft.replace(ByteRange::new(line.end(), end), "")?;
        }
    }
    Ok(())
}

/// Takes a whole statement out, and the `if TYPE_CHECKING:` around it when nothing else is in it.
/// A comment on its line stays.
pub(super) fn remove_statement(
    draft: &mut Draft,
    statement: &ImportStatement,
) -> Result<(), EditError> {
    let range = match statement.type_checking {
        Some((block, 1)) => block,
        _ => statement.range,
    };
    let first = draft.source().line_at(range.start());
    let last = draft.source().line_at(range.end());
    let before = draft
        .slice(ByteRange::new(first.start(), range.start()))
        .to_owned();
    let after = draft
        .slice(ByteRange::new(range.end(), last.end()))
        .trim()
        .to_owned();
    // A comment for tools goes with the statement that it speaks of.
    let after = match after {
        comment if is_only_pragmas(&comment) => String::new(),
        after => after,
    };
    let is_block = statement
        .type_checking
        .is_some_and(|(block, _)| block == range);
    let has_comment = draft.loaded.module.tokens().has_comment(range);
    if is_block && (has_comment || after.starts_with('#')) {
        // Its comments stay where it was.
        let code = draft
            .slice(ByteRange::new(range.start(), last.end()))
            .trim_end();
        let whole = ByteRange::new(range.start(), range.start() + code.len());
        let rest = remainder(draft, whole, false);
        return draft.replace(whole, rest);
    }
    if !before.trim().is_empty() || !after.is_empty() || has_comment {
        if !before.trim().is_empty() && has_comment {
            // Behind another statement there is no place for its comments: it stays.
            return Ok(());
        }
        let is_alone = before.trim().is_empty() && (after.is_empty() || after.starts_with('#'));
        let rest = remainder(draft, range, !is_alone);
        if after.starts_with('#') && before.trim().is_empty() && !has_comment {
            let comment = draft
                .slice(ByteRange::new(range.end(), last.end()))
                .find('#')
                .unwrap_or_default();
            return draft.replace(ByteRange::new(range.start(), range.end() + comment), "");
        }
        return draft.replace(range, rest);
    }
    // The blank lines around a block that goes become one group, the larger one.
    let mut end = last.end();
    if is_block {
        let blank_after = blank_lines_from(draft, end);
        let blank_before = blank_lines_before(draft, first.start());
        let drop = blank_before.min(blank_after);
        for _ in 0..drop {
            end = draft.source().line_at(end).end();
        }
    }
    draft.replace(ByteRange::new(first.start(), end), "")
}

/// What stays of a statement that goes: its comments, each on its line, and `pass` where there has
/// to be a statement.
fn remainder(draft: &Draft, range: ByteRange, needs_pass: bool) -> String {
    let indent = draft.source().indentation_at(range.start());
    let line_end = draft.source().line_end_at(range.start());
    let tokens = draft.loaded.module.tokens().within(range).iter();
    let comments = tokens.filter(|token| token.kind == TokenKind::Comment);
    let mut lines: Vec<&str> = comments.map(|c| draft.slice(c.range).trim_end()).collect();
    lines.extend(needs_pass.then_some("pass"));
    lines.join(&format!("{line_end}{indent}"))
}
