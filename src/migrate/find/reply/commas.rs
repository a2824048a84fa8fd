//! Brackets and commas, which a tree does not keep.

use crate::migrate::edit::ByteRange;
use crate::migrate::python::tokens::{TokenKind, Tokens};

/// The brackets that a tuple stands in itself, not those of its elements.
pub(super) fn own_brackets(tokens: &Tokens, tuple: ByteRange) -> Option<(ByteRange, ByteRange)> {
    let inside = tokens.within(tuple);
    let first = inside
        .first()
        .filter(|token| token.kind == TokenKind::Open)?;
    let close = inside
        .iter()
        .skip(1)
        .find(|token| token.kind == TokenKind::Close && token.depth == first.depth)?;
    let is_last = inside.last().is_some_and(|last| last.range == close.range);
    is_last.then_some((first.range, close.range))
}

/// The pieces of `range` between commas that are in no bracket of their own, each from its first
/// token to its last, and whether a comma follows the last.
pub fn split_at_commas(tokens: &Tokens, range: ByteRange) -> (Vec<ByteRange>, bool) {
    let inside: Vec<_> = tokens
        .within(range)
        .iter()
        .filter(|token| !matches!(token.kind, TokenKind::Comment | TokenKind::Newline))
        .collect();
    let Some(depth) = inside.first().map(|token| token.depth) else {
        return (Vec::new(), false);
    };
    let mut pieces = Vec::new();
    let mut start: Option<ByteRange> = None;
    let mut end = 0;
    let mut trailing = false;
    for token in inside {
        if token.kind == TokenKind::Comma && token.depth == depth {
            if let Some(first) = start.take() {
                pieces.push(ByteRange::new(first.start(), end));
            }
            trailing = true;
        } else {
            start.get_or_insert(token.range);
            end = token.range.end();
            trailing = false;
        }
    }
    if let Some(first) = start {
        pieces.push(ByteRange::new(first.start(), end));
    }
    (pieces, trailing)
}
