//! Our own tokens as the parser takes them: it parses several times as fast as with its own lexer.
//!
//! Invariant: what is given is, token for token, what the parser's own lexer would have made of the
//! text. Anything odd ends it; the parser then lexes the text itself, so that its messages stay, too.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::str::FromStr;

use rustpython_parser::ast::bigint::BigInt;
use rustpython_parser::lexer::{LexResult, LexicalError, LexicalErrorType};
use rustpython_parser::text_size::{TextRange, TextSize};
use rustpython_parser::{StringKind, Tok};

use super::tokens::{self, Token, TokenKind, Tokens};

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
                // A form feed begins the line anew.
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

/// A keyword or a name; none when it is not plain ASCII.
fn name(text: &str) -> Option<Tok> {
    let keyword = match text {
        "False" => Tok::False,
        "None" => Tok::None,
        "True" => Tok::True,
        "and" => Tok::And,
        "as" => Tok::As,
        "assert" => Tok::Assert,
        "async" => Tok::Async,
        "await" => Tok::Await,
        "break" => Tok::Break,
        "case" => Tok::Case,
        "class" => Tok::Class,
        "continue" => Tok::Continue,
        "def" => Tok::Def,
        "del" => Tok::Del,
        "elif" => Tok::Elif,
        "else" => Tok::Else,
        "except" => Tok::Except,
        "finally" => Tok::Finally,
        "for" => Tok::For,
        "from" => Tok::From,
        "global" => Tok::Global,
        "if" => Tok::If,
        "import" => Tok::Import,
        "in" => Tok::In,
        "is" => Tok::Is,
        "lambda" => Tok::Lambda,
        "match" => Tok::Match,
        "nonlocal" => Tok::Nonlocal,
        "not" => Tok::Not,
        "or" => Tok::Or,
        "pass" => Tok::Pass,
        "raise" => Tok::Raise,
        "return" => Tok::Return,
        "try" => Tok::Try,
        "type" => Tok::Type,
        "while" => Tok::While,
        "with" => Tok::With,
        "yield" => Tok::Yield,
        _ if text.is_ascii() => Tok::Name {
            name: text.to_owned(),
        },
        _ => return None,
    };
    Some(keyword)
}

/// A number without a sign in it; none for what is seldom written: imaginary ones, underscores in
/// fractions.
fn number(text: &str) -> Option<Tok> {
    let integer = |digits: &str, radix| {
        let digits = without_underscores(digits)?;
        let value = BigInt::parse_bytes(digits.as_bytes(), radix)?;
        Some(Tok::Int { value })
    };
    if let Some(digits) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        return integer(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o").or(text.strip_prefix("0O")) {
        return integer(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0b").or(text.strip_prefix("0B")) {
        return integer(digits, 2);
    }
    let is_integer = text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !is_integer {
        return float(text).map(|value| Tok::Float { value });
    }
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    if has_leading_zero {
        return None;
    }
    match text.parse::<u64>() {
        Ok(value) => Some(Tok::Int {
            value: value.into(),
        }),
        Err(_) => integer(text, 10),
    }
}

/// The digits of a number without the underscores between them.
fn without_underscores(digits: &str) -> Option<String> {
    let is_sound = digits
        .split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_sound.then(|| digits.replace('_', ""))
}

/// `1.5`, `1.`, `1e5`, `1.5e-5`
fn float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text
        .split_once(['e', 'E'])
        .map_or((text, None), |(mantissa, exponent)| {
            (mantissa, Some(exponent))
        });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.map(|exponent| exponent.trim_start_matches(['+', '-']));
    let is_plain = !whole.is_empty()
        && is_digits(whole)
        && is_digits(fraction)
        && exponent.is_none_or(|digits| !digits.is_empty() && is_digits(digits));
    is_plain.then(|| f64::from_str(text).ok()).flatten()
}

/// A string with its prefix and quotes; none when it is not closed, or its prefix is not known.
fn string(text: &str) -> Option<Tok> {
    let bytes = text.as_bytes();
    let quote = bytes.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let kind = match &text[..quote] {
        "" => StringKind::String,
        "b" | "B" => StringKind::Bytes,
        "f" | "F" => StringKind::FString,
        "r" | "R" => StringKind::RawString,
        "u" | "U" => StringKind::Unicode,
        "br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB" => StringKind::RawBytes,
        "fr" | "fR" | "Fr" | "FR" | "rf" | "rF" | "Rf" | "RF" => StringKind::RawFString,
        _ => return None,
    };
    let inside = tokens::inside_of_string(bytes, quote)?;
    let triple_quoted = inside.start - quote == 3;
    let inside = text.get(inside)?;
    let value = if inside.contains('\r') {
        inside.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        inside.to_owned()
    };
    Some(Tok::String {
        value,
        kind,
        triple_quoted,
    })
}

/// The operator that `bytes` start with, and its length in bytes.
fn operator(bytes: &[u8]) -> Option<(Tok, usize)> {
    let found = match bytes {
        [b'*', b'*', b'=', ..] => (Tok::DoubleStarEqual, 3),
        [b'/', b'/', b'=', ..] => (Tok::DoubleSlashEqual, 3),
        [b'<', b'<', b'=', ..] => (Tok::LeftShiftEqual, 3),
        [b'>', b'>', b'=', ..] => (Tok::RightShiftEqual, 3),
        [b'.', b'.', b'.', ..] => (Tok::Ellipsis, 3),
        [b'*', b'*', ..] => (Tok::DoubleStar, 2),
        [b'/', b'/', ..] => (Tok::DoubleSlash, 2),
        [b'<', b'<', ..] => (Tok::LeftShift, 2),
        [b'>', b'>', ..] => (Tok::RightShift, 2),
        [b'-', b'>', ..] => (Tok::Rarrow, 2),
        [first, b'=', ..] if !matches!(first, b'~' | b';' | b'.') => {
            let with_equal = match first {
                b'=' => Tok::EqEqual,
                b'!' => Tok::NotEqual,
                b'<' => Tok::LessEqual,
                b'>' => Tok::GreaterEqual,
                b':' => Tok::ColonEqual,
                b'+' => Tok::PlusEqual,
                b'-' => Tok::MinusEqual,
                b'*' => Tok::StarEqual,
                b'/' => Tok::SlashEqual,
                b'%' => Tok::PercentEqual,
                b'&' => Tok::AmperEqual,
                b'|' => Tok::VbarEqual,
                b'^' => Tok::CircumflexEqual,
                b'@' => Tok::AtEqual,
                _ => return None,
            };
            (with_equal, 2)
        }
        [first, ..] => {
            let single = match first {
                b':' => Tok::Colon,
                b';' => Tok::Semi,
                b'+' => Tok::Plus,
                b'-' => Tok::Minus,
                b'*' => Tok::Star,
                b'/' => Tok::Slash,
                b'|' => Tok::Vbar,
                b'&' => Tok::Amper,
                b'<' => Tok::Less,
                b'>' => Tok::Greater,
                b'=' => Tok::Equal,
                b'.' => Tok::Dot,
                b'%' => Tok::Percent,
                b'~' => Tok::Tilde,
                b'^' => Tok::CircumFlex,
                b'@' => Tok::At,
                _ => return None,
            };
            (single, 1)
        }
        [] => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustpython_parser::Mode;
    use rustpython_parser::lexer::lex;

    use super::*;

    fn ours(text: &str) -> Option<Vec<LexResult>> {
        let is_odd = Cell::new(false);
        let tokens = Tokens::new(text, 0);
        let given = ParserTokens::new(text, &tokens, &is_odd).collect();
        (!is_odd.get()).then_some(given)
    }

    #[track_caller]
    fn same(text: &str) {
        let theirs: Vec<LexResult> = lex(text, Mode::Module).collect();
        assert_eq!(ours(text), Some(theirs), "{text:?}");
    }

    #[test]
    fn tokens_are_those_of_the_parser() {
        for text in [
            "",
            "\n\n",
            "x",
            "x\n",
            "x  # c",
            "# c",
            "\u{feff}x = 1\n",
            "if x:\n    y\n# c\n    z\nelse:\n\tw\n",
            "if x:\n    if y:\n        z",
            "if x:\n  y\n   \n\x0c\nz",
            "f(a,\n  # c\n  b\n)\n",
            "a = \\\n  b + \\\r\n c\r\nd\r\n",
            "x = 1; y = 0xff if 0 else 2\n",
            "1 0 1_000 123456789012345678901234567890 0xFF 0o17 0b1_0 1.5 1. .5 1e5 1E-5 1.5e+10\n",
            "x[1:2] = a.b @ c ** d // e % f << g >> h & i | j ^ ~k\n",
            "a += 1; a -= 1; a *= 1; a /= 1; a //= 1; a %= 1; a **= 1; a @= 1; a &= 1\n",
            "a |= 1; a ^= 1; a <<= 1; a >>= 1; (b := 1); a != b; a <= b; a >= b; a == b; a < b > c\n",
            "def f(a: int = ..., /, *, b=None) -> None: ...\n",
            "'a' \"b\" '''c\n'd''' \"\"\"e\\\"\"\"\" r'\\\\' 'x' f'{x}' rb'\\x' Rb'' u'' fR'{y!r:>{w}}' ''\n",
            "'a\\\r\nb' '''c\r\nd\re'''\r\n",
            "match x:\n    case [1, *_] if y: pass\n    case _: pass\n",
            "match = 1\nmatch.x: int = 2\nmatch(x)\ncase: int = 1\nprint(match, case, type)\n",
            "match lambda: x:\n    case _: pass\nmatch[lambda x: 1]\n",
            "type X = int\ntype X[T: (int, str)] = list[T]\ntype(x)\ntype = 1\ntype type = int\n",
            "async def f():\n    async with a as b, c: await d\n    async for x in y: yield x\n",
            "'中文' # 注释\n",
        ] {
            same(text);
        }
    }

    #[test]
    fn what_is_odd_is_left_to_the_parser() {
        for text in [
            "'a",
            "'a\\'",
            "\"\"\"a",
            "\"\"\"a\\\"\"\"",
            "f(",
            ")",
            "a ? b",
            "a $ b",
            "a ! b",
            "x \\ y",
            "x \\",
            "\\\nx\n",
            "if x:\n    y\n  z\n",
            "if x:\n \ty\n",
            "if x:\n\ty\n        z\n",
            "t'{x}'",
            "ur'x'",
            "01",
            "1j",
            "1_000.5",
            "0x",
            "1__0",
            "1if x else y",
            "1.real",
            "变量 = 1",
            "\0",
        ] {
            assert_eq!(ours(text), None, "{text:?}");
        }
    }

    /// Pieces of code that meet each other in odd ways.
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        " ", "  ", "    ", "\t", "\x0c", "\n", "\r\n", "\r", "\\", "\\\n", "#", "# c\n", "x:\n",
        "a", "_", "中", "é", "if", "match", "case", "type", "lambda", "def", "\0", "\u{feff}", "?",
        "0", "1", "12", "0x", "e", "e5", "j", ".", "..", ":", "=", "==", "!", "-", "->", "*", "**",
        "/", "<", ">", ">>=", "@", "~", ",", ";", "(", ")", "[", "]", "{", "}", "{x}", "{{", "$",
        "'", "\"", "'''", "\"\"\"", "f'", "rb\"", "t'", "u'", "\\'", "\\\\",
    ];

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn nothing_but_the_tokens_of_the_parser_is_given(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24),
        ) {
            let text = pieces.concat();
            let tokens = Tokens::new(&text, 0);
            if tokens.modern_fstrings().is_empty()
                && let Some(ours) = ours(&text)
            {
                let theirs: Vec<LexResult> = lex(&text, Mode::Module).collect();
                prop_assert_eq!(ours, theirs, "{:?}", text);
            }
        }
    }

    #[test]
    fn code_as_authors_write_it_is_seldom_odd() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        let mut given = 0;
        let mut odd = Vec::new();
        for entry in ignore::Walk::new(fixtures).flatten() {
            if entry.path().extension().is_none_or(|ending| ending != "py") {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(entry.path()) else {
                continue;
            };
            match ours(&text) {
                Some(ours) => {
                    given += 1;
                    let theirs: Vec<LexResult> = lex(&text, Mode::Module).collect();
                    assert_eq!(ours, theirs, "{}", entry.path().display());
                }
                None => odd.push(entry.path().to_owned()),
            }
        }
        assert!(given > 20 * odd.len(), "{given} given, odd: {odd:#?}");
    }
}
