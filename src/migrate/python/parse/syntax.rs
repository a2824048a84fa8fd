//! Ruff's parser, asked for what Python 3.12 takes.
//!
//! Invariants: what is refused has a place and a reason; no text that Python itself refuses for its
//! syntax gives a tree, as far as this parser or the checks here can see.

use std::cmp::Ordering;

use ruff_python_ast::PythonVersion;
use ruff_python_parser::{Mode, ParseErrorType, ParseOptions, parse_unchecked};

use super::convert::Converter;
use super::rejection::{Reason, Rejection};
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::tokens::{TokenKind, Tokens};

/// How many levels the parser may be deep in a text: more than what is within the limits for brackets,
/// indentation and chains can need, and not more than the stack has room for.
const MAX_DEPTH: u16 = 20_000;

/// The statements of the module `text`, whose tokens are `tokens`.
pub(super) fn module(text: &str, tokens: &Tokens) -> Result<Vec<Stmt>, Rejection> {
    let (syntax, converter) = parse(text, Mode::Module, 0)?;
    let Some(module) = syntax.module() else {
        return Ok(Vec::new());
    };
    let statements = converter.statements(module.body);
    converter.into_rejection().map_or(Ok(()), Err)?;
    indentation(text, tokens)?;
    Ok(statements)
}

/// The expression `text`, as it stands at `shift` in its file; none when it is not one.
pub(super) fn expression(text: &str, shift: u32) -> Option<Expr> {
    // In front of an expression on its own, Python takes white space for an indentation.
    if text.starts_with([' ', '\t', '\x0c']) {
        return None;
    }
    let (syntax, converter) = parse(text, Mode::Expression, shift).ok()?;
    let expression = converter.root(*syntax.expression()?.body);
    converter.into_rejection().is_none().then_some(expression)
}

fn parse(
    text: &str,
    mode: Mode,
    shift: u32,
) -> Result<(ruff_python_ast::Mod, Converter<'_>), Rejection> {
    let options = ParseOptions::from(mode)
        .with_target_version(PythonVersion::PY312)
        .with_max_recursion_depth(MAX_DEPTH);
    let parsed = parse_unchecked(text, options);
    let errors = parsed.errors().iter().map(|error| Rejection {
        offset: error.location.start().to_usize(),
        reason: match error.error {
            ParseErrorType::RecursionLimitExceeded => Reason::TooDeep,
            ref other => Reason::Syntax(other.to_string()),
        },
    });
    let unsupported = parsed.unsupported_syntax_errors().iter();
    let unsupported = unsupported.map(|error| Rejection {
        offset: error.range.start().to_usize(),
        reason: Reason::Syntax(error.to_string()),
    });
    match errors
        .chain(unsupported)
        .min_by_key(|rejection| rejection.offset)
    {
        Some(rejection) => Err(rejection),
        None => Ok((parsed.into_syntax(), Converter::new(text, shift))),
    }
}

/// The depth of a line as Python measures it: with tabs of eight columns, and of one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Indentation {
    columns: usize,
    characters: usize,
}

impl Indentation {
    fn of(white_space: &str) -> Self {
        let mut one = Self {
            columns: 0,
            characters: 0,
        };
        for byte in white_space.bytes() {
            one.characters += 1;
            match byte {
                b'\t' => one.columns = (one.columns / 8 + 1) * 8,
                b'\x0c' => (one.columns, one.characters) = (0, 0),
                _ => one.columns += 1,
            }
        }
        one
    }

    /// Which is deeper; none when that depends on how wide a tab is.
    fn compare(self, other: Self) -> Option<Ordering> {
        let columns = self.columns.cmp(&other.columns);
        (columns == self.characters.cmp(&other.characters)).then_some(columns)
    }
}

/// Refuses lines whose tabs and spaces Python refuses: the parser is more lenient.
fn indentation(text: &str, tokens: &Tokens) -> Result<(), Rejection> {
    if memchr::memchr(b'\t', text.as_bytes()).is_none() {
        return Ok(());
    }
    let rejection = |offset: usize, reason: &str| {
        Err(Rejection {
            offset,
            reason: Reason::Syntax(reason.to_owned()),
        })
    };
    let mut indents = vec![Indentation::of("")];
    let mut line_start = true;
    for token in tokens.all() {
        let start = token.range.start();
        match token.kind {
            TokenKind::Newline => line_start = true,
            TokenKind::Comment => {}
            _ if line_start => {
                line_start = false;
                let before = &text[..start];
                let white_space = before.trim_end_matches([' ', '\t', '\x0c']).len();
                let indent = Indentation::of(&text[white_space..start]);
                let inconsistent = "inconsistent use of tabs and spaces in indentation";
                while let Some(&last) = indents.last() {
                    match indent.compare(last) {
                        None => return rejection(start, inconsistent),
                        Some(Ordering::Equal) => break,
                        Some(Ordering::Greater) => {
                            indents.push(indent);
                            break;
                        }
                        Some(Ordering::Less) => {
                            indents.pop();
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
