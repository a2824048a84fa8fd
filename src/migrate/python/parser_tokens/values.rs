//! What the parser makes of the text of one token: a name or keyword, a number, a string, an operator.
//!
//! Invariant: what is not surely read as the parser's own lexer would is left out, so that this lexer is
//! asked instead.

use std::str::FromStr;

use rustpython_parser::{StringKind, Tok};

use crate::migrate::python::ast::bigint::BigInt;
use crate::migrate::python::lexer::fstring::inside_of_string;

/// A keyword or a name; none when it is not plain ASCII.
pub(super) fn name(text: &str) -> Option<Tok> {
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
pub(super) fn number(text: &str) -> Option<Tok> {
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
pub(super) fn float(text: &str) -> Option<f64> {
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
pub(super) fn string(text: &str) -> Option<Tok> {
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
    let inside = inside_of_string(bytes, quote)?;
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
pub(super) fn operator(bytes: &[u8]) -> Option<(Tok, usize)> {
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
