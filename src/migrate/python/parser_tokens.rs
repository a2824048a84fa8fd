//! Our own tokens as the parser takes them: it parses several times as fast as with its own lexer.
//!
//! Invariant: what is given is, token for token, what the parser's own lexer would have made of the
//! text. Anything odd ends it; the parser then lexes the text itself, so that its messages stay, too.

mod values;

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::str::FromStr;

use rustpython_parser::Tok;
use rustpython_parser::lexer::{LexResult, LexicalError, LexicalErrorType};

use self::values::{float, name, number, operator, string};
use super::tokens::{Token, TokenKind, Tokens};
use crate::migrate::python::ast::text_size::{TextRange, TextSize};

/// The tokens of a text for the parser of a module, made as they are asked for.
///
/// What is odd ends them with an error, and is noted: whoever parses then has to start again with the
/// parser's own lexer.
pub(super) struct ParserTokens<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The index of the next token.
    next: usize,
    /// Where the last token ended.
    done: usize,
    at_line_start: bool,
    indents: Vec<Indent>,
    /// How many brackets are open.
    open: usize,
    /// Made, and not yet asked for.
    ready: VecDeque<(Tok, TextRange)>,
    is_finished: bool,
    is_odd: &'a Cell<bool>,
}

impl<'a> ParserTokens<'a> {
    /// Those of `text`, in which the modern f-strings among `tokens` are blanked; `is_odd` is set when
    /// they cannot be given to their end.
    pub(super) fn new(text: &'a str, tokens: &'a Tokens, is_odd: &'a Cell<bool>) -> Self {
        Self {
            text,
            tokens: tokens.all(),
            next: 0,
            done: if text.starts_with('\u{feff}') { 3 } else { 0 },
            at_line_start: true,
            indents: vec![Indent::default()],
            open: 0,
            ready: VecDeque::new(),
            is_finished: false,
            is_odd,
        }
    }
}

impl Iterator for ParserTokens<'_> {
    type Item = LexResult;

    fn next(&mut self) -> Option<LexResult> {
        loop {
            if let Some(token) = self.ready.pop_front() {
                return Some(Ok(token));
            }
            if self.is_finished {
                return None;
            }
            if self.step().is_none() {
                self.is_finished = true;
                self.ready.clear();
                self.is_odd.set(true);
                return Some(Err(LexicalError {
                    error: LexicalErrorType::OtherError(String::new()),
                    location: TextSize::default(),
                }));
            }
        }
    }
}

/// The white space that a line starts with.
#[derive(Clone, Copy, Default)]
struct Indent {
    tabs: u32,
    spaces: u32,
}

impl Indent {
    /// The indentation at the end of `gap`, which starts where a line does; none when a tab follows a
    /// space, in an empty line as well.
    fn after(gap: &[u8]) -> Option<Self> {
        let mut indent = Self::default();
        for byte in gap {
            match byte {
                b' ' => indent.spaces += 1,
                b'\t' if indent.spaces == 0 => indent.tabs += 1,
                // A form feed begins the line again.
                b'\n' | b'\r' | b'\x0c' => indent = Self::default(),
                _ => return None,
            }
        }
        Some(indent)
    }

    /// Which is deeper; none when that depends on the width of a tab.
    fn compare(self, other: Self) -> Option<Ordering> {
        let spaces = self.spaces.cmp(&other.spaces);
        match self.tabs.cmp(&other.tabs) {
            Ordering::Equal => Some(spaces),
            tabs if spaces == Ordering::Equal || spaces == tabs => Some(tabs),
            _ => None,
        }
    }

    fn width(self) -> usize {
        (self.tabs + self.spaces) as usize
    }
}

impl ParserTokens<'_> {
    /// Makes what comes of the next token, or of the end; none when it is odd.
    fn step(&mut self) -> Option<()> {
        let Some(&token) = self.tokens.get(self.next) else {
            self.is_finished = true;
            return self.end();
        };
        let (start, end) = (token.range.start(), token.range.end());
        let gap = self.text.as_bytes().get(self.done..start)?;
        let mut is_first = false;
        if self.at_line_start {
            let indent = Indent::after(gap)?;
            if token.kind != TokenKind::Comment {
                self.indent(indent, start)?;
                self.at_line_start = false;
                is_first = true;
            }
        } else if !is_within_line(gap, self.open > 0) {
            return None;
        }
        self.next += 1;
        self.done = match token.kind {
            TokenKind::Comment => end,
            TokenKind::Newline => {
                self.at_line_start = true;
                self.push(Tok::Newline, start, end)?;
                end
            }
            _ => self.token(token, is_first)?,
        };
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.done..)?;
        let end = self.text.len();
        if self.at_line_start {
            Indent::after(rest)?;
        } else if rest.contains(&b'\\') {
            return None;
        } else {
            self.push(Tok::Newline, end, end)?;
        }
        if self.open > 0 {
            return None;
        }
        for _ in 1..self.indents.len() {
            self.push(Tok::Dedent, end, end)?;
        }
        Some(())
    }

    fn push(&mut self, token: Tok, start: usize, end: usize) -> Option<()> {
        // Offsets of the parser have 32 bits.
        let offset = |at: usize| u32::try_from(at).ok().map(TextSize::from);
        let range = TextRange::new(offset(start)?, offset(end)?);
        self.ready.push_back((token, range));
        Some(())
    }

    /// The first token of a line is at `at`.
    fn indent(&mut self, indent: Indent, at: usize) -> Option<()> {
        match indent.compare(*self.indents.last()?)? {
            Ordering::Equal => {}
            Ordering::Greater => {
                self.indents.push(indent);
                self.push(Tok::Indent, at - indent.width(), at)?;
            }
            Ordering::Less => loop {
                match indent.compare(*self.indents.last()?)? {
                    Ordering::Less => {
                        self.indents.pop();
                        self.push(Tok::Dedent, at, at)?;
                    }
                    Ordering::Equal => break,
                    Ordering::Greater => return None,
                }
            },
        }
        Some(())
    }

    /// Converts `token`, and those that the parser has in one with it; gives the offset after them.
    fn token(&mut self, token: Token, is_first: bool) -> Option<usize> {
        let (start, end) = (token.range.start(), token.range.end());
        let text = self.text.get(start..end)?;
        let (converted, end) = match token.kind {
            TokenKind::Name => (self.soft_keyword_or_name(name(text)?, is_first), end),
            TokenKind::Number => self.number(start, end)?,
            TokenKind::String | TokenKind::FString => (string(text)?, end),
            TokenKind::Comma => (Tok::Comma, end),
            TokenKind::Open => {
                self.open += 1;
                let bracket = match text {
                    "(" => Tok::Lpar,
                    "[" => Tok::Lsqb,
                    _ => Tok::Lbrace,
                };
                (bracket, end)
            }
            TokenKind::Close => {
                self.open = self.open.checked_sub(1)?;
                let bracket = match text {
                    ")" => Tok::Rpar,
                    "]" => Tok::Rsqb,
                    _ => Tok::Rbrace,
                };
                (bracket, end)
            }
            TokenKind::Operator => self.operator(start)?,
            TokenKind::Comment | TokenKind::Newline => return None,
        };
        self.push(converted, start, end)?;
        Some(end)
    }

    /// `match`, `case` and `type` are names where they do not begin a line that needs a keyword there.
    fn soft_keyword_or_name(&self, token: Tok, is_first: bool) -> Tok {
        let name = match token {
            Tok::Match if !(is_first && self.opens_block()) => "match",
            Tok::Case if !(is_first && self.opens_block()) => "case",
            Tok::Type if !(is_first && self.is_alias()) => "type",
            other => return other,
        };
        let name = name.to_owned();
        Tok::Name { name }
    }

    /// The tokens up to the end of the line, comments aside.
    fn rest_of_line(&self) -> impl Iterator<Item = &Token> {
        let rest = self.tokens[self.next..].iter();
        rest.filter(|token| token.kind != TokenKind::Comment)
            .take_while(|token| token.kind != TokenKind::Newline)
    }

    /// Whether `sign` starts at `at`, and not as a part of that sign followed by `=`.
    fn is_sign(&self, at: usize, sign: u8) -> bool {
        let bytes = self.text.as_bytes();
        bytes.get(at) == Some(&sign) && bytes.get(at + 1) != Some(&b'=')
    }

    /// Whether the line goes on with a colon of its own that is not at once its first token.
    fn opens_block(&self) -> bool {
        let mut open = 0i32;
        let mut in_lambda = false;
        let mut seen = false;
        for (index, token) in self.rest_of_line().enumerate() {
            let start = token.range.start();
            match token.kind {
                TokenKind::Name
                    if open == 0 && self.text.get(token.range.as_range()) == Some("lambda") =>
                {
                    in_lambda = true;
                }
                TokenKind::Operator if open == 0 && self.is_sign(start, b':') => {
                    if in_lambda {
                        in_lambda = false;
                    } else {
                        seen |= index > 0;
                    }
                }
                TokenKind::Open => open += 1,
                TokenKind::Close => open -= 1,
                _ => {}
            }
        }
        seen
    }

    /// Whether the line goes on as `type NAME[...] = ...` does.
    fn is_alias(&self) -> bool {
        let mut rest = self.rest_of_line();
        let text = |token: &Token| self.text.get(token.range.as_range()).unwrap_or_default();
        let is_name = rest.next().is_some_and(|first| {
            first.kind == TokenKind::Name
                && matches!(
                    name(text(first)),
                    Some(Tok::Name { .. } | Tok::Type | Tok::Match | Tok::Case)
                )
        });
        if !is_name {
            return false;
        }
        let mut open = 0i32;
        for token in rest {
            match text(token) {
                "=" if open == 0 => return self.is_sign(token.range.start(), b'='),
                "[" => open += 1,
                "]" => open -= 1,
                _ if open > 0 => {}
                _ => return false,
            }
        }
        false
    }

    /// Takes the next token if it is of `kind` and starts at `at`.
    fn take(&mut self, kind: TokenKind, at: usize) -> Option<&str> {
        let token = self.tokens.get(self.next)?;
        if token.kind != kind || token.range.start() != at {
            return None;
        }
        self.next += 1;
        self.text.get(token.range.as_range())
    }

    /// The operator of one to three characters that starts at `start`, where its first token is.
    fn operator(&mut self, start: usize) -> Option<(Tok, usize)> {
        let bytes = &self.text.as_bytes()[start..];
        if let [b'.', digit, ..] = bytes
            && digit.is_ascii_digit()
        {
            let digits = self.take(TokenKind::Number, start + 1)?;
            let end = start + 1 + digits.len();
            let value = digits.bytes().all(|byte| byte.is_ascii_digit());
            let value = value.then(|| f64::from_str(&self.text[start..end]).ok())??;
            return Some((Tok::Float { value }, end));
        }
        let (operator, length) = operator(bytes)?;
        for at in start + 1..start + length {
            self.take(TokenKind::Operator, at)?;
        }
        Some((operator, start + length))
    }

    fn number(&mut self, start: usize, end: usize) -> Option<(Tok, usize)> {
        let text = self.text.get(start..end)?;
        let has_sign = text.ends_with(['e', 'E']);
        if !has_sign {
            return Some((number(text)?, end));
        }
        // `1e-5`: what follows is of the same number.
        let sign = self.take(TokenKind::Operator, end)?;
        let digits = matches!(sign, "+" | "-").then(|| self.take(TokenKind::Number, end + 1))??;
        let end = end + 1 + digits.len();
        let value = digits.bytes().all(|byte| byte.is_ascii_digit());
        let value = value.then(|| float(&self.text[start..end]))??;
        Some((Tok::Float { value }, end))
    }
}

/// Whether what lies between two tokens of a line joins them.
fn is_within_line(gap: &[u8], in_brackets: bool) -> bool {
    let mut rest = gap;
    loop {
        rest = match rest {
            [] => return true,
            [b' ' | b'\t' | b'\x0c', rest @ ..] => rest,
            [b'\n' | b'\r', rest @ ..] if in_brackets => rest,
            [b'\\', b'\r', b'\n', rest @ ..] | [b'\\', b'\r' | b'\n', rest @ ..] => rest,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;
