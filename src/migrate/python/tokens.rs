//! A lexer for what a syntax tree does not keep: comments, brackets, commas, the inside of
//! f-strings.
//!
//! It never fails: bytes that are no Python become [`TokenKind::Operator`] tokens, and it is the
//! parser's business to complain. F-strings are read by the rules of Python 3.12 (PEP 701), of
//! which those of earlier versions are a part.
//!
//! Invariants: tokens are in order, do not overlap and are not empty; what lies between
//! two tokens is white space, line ends and backslashes that join lines.

use std::ops::Range;

use crate::migrate::edit::ByteRange;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or a keyword.
    Name,
    /// A number.
    Number,
    /// A string that is no f-string, with its prefix and quotes.
    String,
    /// An f-string, with its prefix and quotes; what is in it is no token.
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
    /// The line end after a statement; line ends inside brackets are no tokens.
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
    tokens: Vec<Token>,
    modern_fstrings: Vec<ModernFString>,
}

impl Tokens {
    /// Reads `text`, which stands at `base` in its file.
    pub fn new(text: &str, base: usize) -> Self {
        let mut lexer = Lexer {
            bytes: text.as_bytes(),
            position: 0,
            depth: 0,
            base,
            output: Self {
                // Python has about one token in five bytes.
                tokens: Vec::with_capacity(text.len() / 4),
                modern_fstrings: Vec::new(),
            },
        };
        lexer.run();
        lexer.output
    }

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

struct Lexer<'a> {
    bytes: &'a [u8],
    position: usize,
    depth: usize,
    base: usize,
    output: Tokens,
}

/// An f-string as it was scanned; offsets within the text.
struct ScannedString {
    end: usize,
    fields: Vec<(usize, usize)>,
    modern: bool,
}

/// How deep strings inside strings are followed.
const MAX_STRING_DEPTH: usize = 40;

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.position + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: TokenKind, start: usize, depth: usize) {
        self.output.tokens.push(Token {
            kind,
            range: ByteRange::new(self.base + start, self.base + self.position),
            depth,
        });
    }

    fn run(&mut self) {
        let mut line_has_token = false;
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.position = 3;
        }
        while let Some(&byte) = self.bytes.get(self.position) {
            let start = self.position;
            match byte {
                b' ' | b'\t' | b'\x0c' | b'\\' => {
                    self.position += 1;
                    // A backslash joins the next line to this one.
                    if byte == b'\\' {
                        self.position += match (self.peek(0), self.peek(1)) {
                            (b'\r', b'\n') => 2,
                            (b'\n' | b'\r', _) => 1,
                            _ => 0,
                        };
                    }
                }
                b'\n' | b'\r' => {
                    self.position += if byte == b'\r' && self.peek(1) == b'\n' {
                        2
                    } else {
                        1
                    };
                    if self.depth == 0 && line_has_token {
                        self.push(TokenKind::Newline, start, 0);
                        line_has_token = false;
                    }
                }
                b'#' => {
                    let rest = &self.bytes[start..];
                    self.position += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    self.push(TokenKind::Comment, start, self.depth);
                }
                _ => {
                    line_has_token = true;
                    self.token(byte);
                }
            }
        }
    }

    fn token(&mut self, byte: u8) {
        let start = self.position;
        match byte {
            b'(' | b'[' | b'{' => {
                self.position += 1;
                self.push(TokenKind::Open, start, self.depth);
                self.depth += 1;
            }
            b')' | b']' | b'}' => {
                self.position += 1;
                self.depth = self.depth.saturating_sub(1);
                self.push(TokenKind::Close, start, self.depth);
            }
            b'"' | b'\'' => self.string(start, start),
            b'0'..=b'9' => {
                while is_name_byte(self.peek(0)) || self.peek(0) == b'.' {
                    self.position += 1;
                }
                self.push(TokenKind::Number, start, self.depth);
            }
            _ if is_name_byte(byte) => {
                while is_name_byte(self.peek(0)) {
                    self.position += 1;
                }
                let prefix = &self.bytes[start..self.position];
                if matches!(self.peek(0), b'"' | b'\'') && is_string_prefix(prefix) {
                    self.string(start, self.position);
                } else {
                    self.push(TokenKind::Name, start, self.depth);
                }
            }
            _ => {
                self.position += 1;
                let kind = if byte == b',' {
                    TokenKind::Comma
                } else {
                    TokenKind::Operator
                };
                self.push(kind, start, self.depth);
            }
        }
    }

    /// A string whose prefix starts at `start` and whose quote is at `quote`.
    fn string(&mut self, start: usize, quote: usize) {
        let prefix = &self.bytes[start..quote];
        let is_f = prefix
            .iter()
            .any(|b| matches!(b, b'f' | b'F' | b't' | b'T'));
        let width = quote_width(self.bytes, quote);
        let scanned = is_f
            .then(|| scan_fstring(self.bytes, quote, MAX_STRING_DEPTH))
            .flatten();
        let kind = if is_f {
            TokenKind::FString
        } else {
            TokenKind::String
        };
        match scanned {
            Some(scanned) => {
                self.position = scanned.end;
                if scanned.modern {
                    let at = |start: usize, end: usize| {
                        ByteRange::new(self.base + start, self.base + end)
                    };
                    self.output.modern_fstrings.push(ModernFString {
                        range: at(start, scanned.end),
                        inside: at(quote + width, scanned.end - width),
                        fields: scanned.fields.iter().map(|&(a, b)| at(a, b)).collect(),
                    });
                }
            }
            None => self.position = scan_plain_string(self.bytes, quote),
        }
        self.push(kind, start, self.depth);
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn is_string_prefix(prefix: &[u8]) -> bool {
    prefix.len() <= 2
        && prefix
            .iter()
            .all(|b| matches!(b.to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't'))
}

/// 3 for a triple quote at `quote`, else 1.
fn quote_width(bytes: &[u8], quote: usize) -> usize {
    match bytes.get(quote..quote + 3) {
        Some([a, b, c]) if a == b && b == c => 3,
        _ => 1,
    }
}

fn closes(bytes: &[u8], at: usize, quote: u8, width: usize) -> bool {
    bytes
        .get(at..at + width)
        .is_some_and(|end| end.iter().all(|&b| b == quote))
}

/// The end of the string whose quote is at `quote`; a string that is not closed ends with its
/// line, a triple-quoted one with the text.
fn scan_plain_string(bytes: &[u8], quote: usize) -> usize {
    let (mark, width) = (bytes[quote], quote_width(bytes, quote));
    let mut at = quote + width;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                at += if bytes.get(at + 1..at + 3) == Some(b"\r\n") {
                    3
                } else {
                    2
                }
            }
            b'\n' | b'\r' if width == 1 => return at,
            _ if closes(bytes, at, mark, width) => return at + width,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What stands between the quotes of a string whose first quote is at `quote` and that ends with
/// `bytes`, by the rules of Python before 3.12; none when it is not closed there.
pub(super) fn inside_of_string(bytes: &[u8], quote: usize) -> Option<Range<usize>> {
    let width = quote_width(bytes, quote);
    let inside = quote + width..bytes.len().checked_sub(width)?;
    let is_closed = inside.start <= inside.end
        && closes(bytes, inside.end, bytes[quote], width)
        && scan_plain_string(bytes, quote) == bytes.len();
    // The last quote may belong to an escape, where the string goes on to the end of its line.
    let escapes = bytes[inside.start.min(inside.end)..inside.end].iter().rev();
    let escapes = escapes.take_while(|byte| **byte == b'\\').count();
    (is_closed && escapes % 2 == 0).then_some(inside)
}

/// The f-string whose quote is at `quote`; none when it is not closed.
fn scan_fstring(bytes: &[u8], quote: usize, levels: usize) -> Option<ScannedString> {
    let (mark, width) = (bytes[quote], quote_width(bytes, quote));
    let mut scan = ScannedString {
        end: 0,
        fields: Vec::new(),
        modern: false,
    };
    let mut at = quote + width;
    loop {
        match *bytes.get(at)? {
            b'\\' => {
                at += if bytes.get(at + 1..at + 3) == Some(b"\r\n") {
                    3
                } else {
                    2
                }
            }
            b'\n' | b'\r' if width == 1 => return None,
            b'{' if bytes.get(at + 1) == Some(&b'{') => at += 2,
            b'{' => at = scan_field(bytes, at + 1, (mark, width), levels, &mut scan)?,
            _ if closes(bytes, at, mark, width) => {
                scan.end = at + width;
                return Some(scan);
            }
            _ => at += 1,
        }
    }
}

/// The replacement field whose content starts at `start`; gives the offset after its `}`.
fn scan_field(
    bytes: &[u8],
    start: usize,
    (mark, width): (u8, usize),
    levels: usize,
    scan: &mut ScannedString,
) -> Option<usize> {
    let levels = levels.checked_sub(1)?;
    let mut depth = 0usize;
    let mut at = start;
    let field_end = loop {
        match *bytes.get(at)? {
            b'(' | b'[' | b'{' => {
                depth += 1;
                at += 1;
            }
            b')' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b'}' => break at,
            b'!' if depth == 0 && bytes.get(at + 1) != Some(&b'=') => break at,
            b':' if depth == 0 => break at,
            b'#' => {
                scan.modern = true;
                let rest = &bytes[at..];
                at += memchr::memchr2(b'\n', b'\r', rest)?;
            }
            b'\n' | b'\r' => {
                scan.modern |= width == 1;
                at += 1;
            }
            b'\\' => {
                scan.modern = true;
                at += 1;
            }
            inner @ (b'"' | b'\'') => {
                let inner_width = quote_width(bytes, at);
                scan.modern |= inner == mark && (width == 1 || inner_width == 3);
                let prefixed = (start..at)
                    .rev()
                    .take_while(|&i| is_name_byte(bytes[i]))
                    .any(|i| matches!(bytes[i], b'f' | b'F' | b't' | b'T'));
                let end = if prefixed {
                    let nested = scan_fstring(bytes, at, levels)?;
                    scan.modern |= nested.modern;
                    nested.end
                } else {
                    scan_plain_string(bytes, at)
                };
                // What older parsers would refuse inside a nested string, too.
                let nested = bytes.get(at..end)?;
                scan.modern |= nested.contains(&b'\\')
                    || nested.contains(&b'#')
                    || (nested.contains(&mark) && width == 1)
                    || (width == 3 && nested.windows(3).any(|w| w == [mark; 3]));
                at = end;
            }
            _ => at += 1,
        }
    };
    // `{x=}` shows the expression itself: the `=` is not part of it.
    let text = &bytes[start..field_end];
    let mut expression_end = field_end;
    let trimmed = text.trim_ascii_end();
    if let [head @ .., b'='] = trimmed
        && !matches!(head.last(), Some(b'=' | b'!' | b'<' | b'>'))
    {
        expression_end = start + head.len();
    }
    scan.fields.push((start, expression_end));
    at = field_end;
    if bytes[at] == b'!' {
        while !matches!(*bytes.get(at)?, b':' | b'}') {
            at += 1;
        }
    }
    if bytes[at] == b':' {
        at += 1;
        loop {
            match *bytes.get(at)? {
                b'}' => break,
                b'{' => at = scan_field(bytes, at + 1, (mark, width), levels, scan)?,
                b'\n' | b'\r' if width == 1 => return None,
                _ if closes(bytes, at, mark, width) => return None,
                _ => at += 1,
            }
        }
    }
    Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        Tokens::new(text, 0)
            .all()
            .iter()
            .map(|token| (token.kind, &text[token.range.as_range()]))
            .collect()
    }

    #[test]
    fn a_line_becomes_tokens() {
        use TokenKind::*;
        assert_eq!(
            kinds("f(a, 'b)')  # c\n"),
            [
                (Name, "f"),
                (Open, "("),
                (Name, "a"),
                (Comma, ","),
                (String, "'b)'"),
                (Close, ")"),
                (Comment, "# c"),
                (Newline, "\n"),
            ]
        );
    }

    #[test]
    fn line_ends_in_brackets_and_after_backslashes_end_no_statement() {
        let newlines = |text| {
            kinds(text)
                .iter()
                .filter(|(kind, _)| *kind == TokenKind::Newline)
                .count()
        };
        assert_eq!(newlines("f(\n1,\n\n# c\n2)\n"), 1);
        assert_eq!(newlines("a = \\\r\n  b\r\n\r\n"), 1);
        assert_eq!(newlines("'''\n'''\n\"\"\"a\n\n\"\"\"\n"), 2);
    }

    #[test]
    fn strings_end_where_python_ends_them() {
        for text in [
            "'a\\'b'",
            "r'\\\\'",
            "'''a'b'''",
            "\"\"\"a\\\"\"\"\"",
            "f'{x}'",
            "f\"{a[\"b\"]}\"",
            "f'{x:{w}}'",
            "f'{{'",
            "f'{f'{f'{1}'}'}'",
            "rb'\\x'",
            "f'{a!r:>{b}}'",
            "f'{x != 1}'",
            "f'''{\nx\n}'''",
            "f'{\"}\"}'",
            "f\"{'\\n'.join(a)}\"",
            "f'{x=}'",
        ] {
            assert_eq!(kinds(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn only_new_fstrings_are_modern() {
        let modern = |text: &str| !Tokens::new(text, 0).modern_fstrings().is_empty();
        for text in [
            "f'{x}'",
            "f\"{a['b']}\"",
            "f'''{a['b']}'''",
            "f'{x!r:>{w}}'",
            "f'{{}}'",
            "f'\\n{x}'",
        ] {
            assert!(!modern(text), "{text}");
        }
        for text in [
            "f'{a['b']}'",
            "f\"{'\\n'.join(x)}\"",
            "f'{\nx}'",
            "f'{x # c\n}'",
            "f'{f'{1}'}'",
        ] {
            assert!(modern(text), "{text}");
        }
    }

    #[test]
    fn fields_are_the_expressions() {
        let text = "f\"{a[\"b\"]!r:>{w}} {x = } {y!=z}\"";
        let tokens = Tokens::new(text, 0);
        let fields: Vec<&str> = tokens.modern_fstrings()[0]
            .fields
            .iter()
            .map(|range| &text[range.as_range()])
            .collect();
        assert_eq!(fields, ["a[\"b\"]", "w", "x ", "y!=z"]);
    }

    #[test]
    fn no_bytes_make_it_fail() {
        for text in [
            "'",
            "f'{",
            "f'{a:",
            "\"\"\"",
            "\\",
            "f'{'",
            "é\u{feff}",
            "f'{x!",
            "f\"{(\"",
            "\r",
        ] {
            Tokens::new(text, 0);
        }
    }
}
