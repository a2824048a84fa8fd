//! The tokens of a text, and what they say that trees do not keep: comments, brackets, commas.

use crate::migrate::edit::ByteRange;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or a keyword.
    Name,
    /// A number.
    Number,
    /// A string that is not an f-string, with its prefix and quotes.
    String,
    /// An f-string, with its prefix and quotes; what is in it is not a token.
    FString,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// `,`.
    Comma,
    /// One character of an operator or of another delimiter.
    Operator,
    /// From `#` up to, and without, the line end.
    Comment,
    /// The line end after a statement; line ends inside brackets are not tokens.
    Newline,
}

/// A piece of source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub range: ByteRange,
    /// How many brackets are open around it; a bracket itself counts as outside.
    pub depth: usize,
}

/// An f-string that parsers for Python before 3.12 refuse: a field of it holds the string's own
/// quote, a backslash, a comment or a line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModernFString {
    /// The whole string, with its prefix and quotes.
    pub range: ByteRange,
    /// What stands between the quotes.
    pub inside: ByteRange,
    /// The expressions in its replacement fields.
    pub fields: Vec<ByteRange>,
}

/// The tokens of a text.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    pub(super) tokens: Vec<Token>,
    pub(super) modern_fstrings: Vec<ModernFString>,
}

impl Tokens {
    /// All tokens, in order.
    pub fn all(&self) -> &[Token] {
        &self.tokens
    }

    /// The f-strings that only Python 3.12 can read.
    pub fn modern_fstrings(&self) -> &[ModernFString] {
        &self.modern_fstrings
    }

    /// The tokens that lie inside `range`.
    pub fn within(&self, range: ByteRange) -> &[Token] {
        let first = self
            .tokens
            .partition_point(|token| token.range.start() < range.start());
        let last = self
            .tokens
            .partition_point(|token| token.range.end() <= range.end());
        &self.tokens[first..last.max(first)]
    }

    /// The first token that starts at `offset` or after it, comments aside.
    pub fn next(&self, offset: usize) -> Option<Token> {
        let index = self
            .tokens
            .partition_point(|token| token.range.start() < offset);
        self.tokens[index..]
            .iter()
            .find(|token| token.kind != TokenKind::Comment)
            .copied()
    }

    /// The last token that ends at `offset` or before it, comments aside.
    pub fn previous(&self, offset: usize) -> Option<Token> {
        let index = self
            .tokens
            .partition_point(|token| token.range.end() <= offset);
        self.tokens[..index]
            .iter()
            .rev()
            .find(|token| token.kind != TokenKind::Comment)
            .copied()
    }

    /// Whether a comment lies inside `range`.
    pub fn has_comment(&self, range: ByteRange) -> bool {
        self.within(range)
            .iter()
            .any(|token| token.kind == TokenKind::Comment)
    }

    /// The brackets that a tuple stands in itself, not those of its elements.
    pub(crate) fn own_brackets(&self, tuple: ByteRange) -> Option<(ByteRange, ByteRange)> {
        let inside = self.within(tuple);
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
    pub fn split_at_commas(&self, range: ByteRange) -> (Vec<ByteRange>, bool) {
        let inside: Vec<_> = self
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
}

/// Whether a byte is one of a name; all bytes of characters beyond ASCII count.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
