//! Rule: a statement that a rule has made wider or narrower is on the lines that the formatter would
//! give it, where it was so before. Lines of an author's own choice stay.

use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::plan::call_format;
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::tokens::{Token, TokenKind};

/// Breaks the statements anew in which something was noted by [`Draft::touch`].
///
/// # Errors
/// When another edit wants the same bytes.
pub(crate) fn apply(draft: &mut Draft) -> Result<(), EditError> {
    let mut done = 0;
    for offset in std::mem::take(&mut draft.touched) {
        let statement = (offset >= done).then(|| statement_at(draft, offset));
        let Some(statement) = statement.flatten() else {
            continue;
        };
        done = statement.end();
        if let Some(text) = laid_out(draft, statement) {
            draft.take_text(statement);
            draft.replace(statement, text)?;
        }
    }
    Ok(())
}

/// The simple statement, or the head of a compound one, at `offset`; none where comments or other
/// statements are between its lines.
fn statement_at(draft: &Draft, offset: usize) -> Option<ByteRange> {
    let tokens = draft.loaded.module.tokens().all();
    let at = tokens.partition_point(|token| token.range.end() <= offset);
    let is_end = |token: &Token| {
        token.kind == TokenKind::Newline || token.kind == TokenKind::Comment && token.depth == 0
    };
    let before = tokens.get(..at)?.iter().rposition(is_end);
    let start = before.map_or(0, |before| before + 1);
    let after = tokens.get(at..)?.iter().position(is_end);
    let end = after.map_or(tokens.len(), |after| at + after);
    let inside = tokens.get(start..end)?;
    let range = ByteRange::new(inside.first()?.range.start(), inside.last()?.range.end());
    let is_in_the_way = |token: &Token| {
        let text = draft.slice(token.range);
        token.kind == TokenKind::Comment || text == ";" || text.contains(['\n', '\r'])
    };
    let line = draft.source().line_at(range.start());
    let lead = draft.slice(ByteRange::new(line.start(), range.start()));
    let is_first = lead.trim_matches(['\u{feff}', ' ', '\t']).is_empty();
    (is_first && !inside.iter().any(is_in_the_way)).then_some(range)
}

/// The statement on other lines than the edits would leave it on; none when it can stay so.
fn laid_out(draft: &Draft, statement: ByteRange) -> Option<String> {
    let source = draft.source();
    let crosses = |edit: &crate::migrate::edit::TextEdit| {
        let (this, all) = (edit.range(), statement);
        let touches = this.start() <= all.end() && all.start() <= this.end();
        let is_inside = all.start() <= this.start() && this.end() <= all.end();
        // What is put before or after it is another statement.
        let is_beside = this.is_empty() && (this.start() == all.start() || this.end() == all.end());
        touches && (!is_inside || is_beside)
    };
    if draft.edits.touching(statement).iter().any(crosses) {
        return None;
    }
    let before = source.slice(statement);
    let after = draft.edits.text_of(statement, source.text());
    let last = source.line_at(statement.end());
    let rest = source.slice(ByteRange::new(statement.end(), last.end()));
    let place = draft.place(statement.start(), rest);
    let was_laid_out = call_format::code(place, before) == before;
    let text = call_format::code(place, &after);
    (was_laid_out && text != after).then_some(text)
}
