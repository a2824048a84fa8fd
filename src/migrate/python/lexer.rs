//! A lexer for what a syntax tree does not keep: comments, brackets, commas, the inside of
//! f-strings.
//!
//! It never fails: bytes that are not Python become [`TokenKind::Operator`] tokens, and it is the
//! parser's business to complain. F-strings are read by the rules of Python 3.12 (PEP 701), of
//! which those of earlier versions are a part.
//!
//! Invariants: tokens are in order, do not overlap and are not empty; what lies between
//! two tokens is white space, line ends and backslashes that join lines.

pub(super) mod fstring;

use crate::migrate::edit::ByteRange;
use crate::migrate::python::lexer::fstring::{
    MAX_STRING_DEPTH, is_string_prefix, quote_width, scan_fstring, scan_plain_string,
};
use crate::migrate::python::tokens::{ModernFString, Token, TokenKind, Tokens, is_name_byte};

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
}

struct Lexer<'a> {
    bytes: &'a [u8],
    position: usize,
    depth: usize,
    base: usize,
    output: Tokens,
}

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

#[cfg(test)]
mod tests;
