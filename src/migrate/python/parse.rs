//! The tree of a file.
//!
//! An f-string that only Python 3.12 takes (PEP 701) is blanked to the same length before parsing, so
//! that offsets stay, and the expressions in it are parsed on their own: they are the
//! [`Module::fragments`].
//!
//! Invariants: no text makes it overflow the stack, as long as the calling thread has
//! [`STACK_SIZE`] bytes of it; code that is nested so deeply that Python refuses it, or that no
//! person wrote, is refused here first.

mod convert;
mod rejection;
mod syntax;

use rustc_hash::FxHashSet;

use self::rejection::{Reason, Rejection};
use super::tokens::{TokenKind, Tokens};
use super::tree::{self, Descend, Node};
use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::source::SourceFile;
use crate::text;

/// The stack, in bytes, that a thread needs which parses and walks trees; only what is used of it
/// becomes memory.
pub const STACK_SIZE: usize = 256 << 20;

/// How many brackets may be open at once; CPython's tokenizer has the same limit.
const MAX_BRACKETS: usize = 200;

/// How many levels of indentation there may be; CPython's tokenizer has the same limit.
const MAX_INDENTATION: usize = 100;

/// How many operators may follow each other without a comma between them, those around the brackets
/// that are open counted too, and how many `elif` a file may have: each is a level of the tree.
const MAX_CHAIN: usize = 5_000;

/// A parsed file.
#[derive(Debug)]
pub struct Module {
    source: SourceFile,
    tokens: Tokens,
    suite: Vec<Stmt>,
    /// The expressions of each f-string that was blanked, by the place of the string.
    fragments: Vec<(ByteRange, Vec<Expr>)>,
}

impl Module {
    /// Parses a file.
    ///
    /// # Errors
    /// A diagnostic with place and reason when the text is not valid Python or nested too deeply.
    pub fn parse(source: SourceFile) -> Result<Self, Box<Diagnostic>> {
        let tokens = Tokens::new(source.text(), 0);
        if let Some(offset) = too_deep(&source, &tokens) {
            return Err(Box::new(nested_too_deeply(&source, offset)));
        }
        let blanked = blank(source.text(), 0, &tokens);
        let text = blanked.as_deref().unwrap_or(source.text());
        let suite = syntax::module(text, &tokens)
            .map_err(|rejection| Box::new(rejected(&source, rejection)))?;
        let fragments = tokens
            .modern_fstrings()
            .iter()
            .map(|string| {
                let fields = string.fields.iter();
                let expressions = fields.flat_map(|&field| parse_field(source.text(), field, 0));
                (string.range, expressions.collect())
            })
            .collect();
        Ok(Self {
            source,
            tokens,
            suite,
            fragments,
        })
    }

    /// The file.
    pub fn source(&self) -> &SourceFile {
        &self.source
    }

    /// Its tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Its statements.
    pub fn suite(&self) -> &[Stmt] {
        &self.suite
    }

    /// The expressions inside f-strings of Python 3.12 that lie within `range`; the tree has only
    /// blank strings there.
    pub fn fragments(&self, range: ByteRange) -> impl Iterator<Item = &Expr> {
        self.fragments
            .iter()
            .filter(move |(place, _)| range.contains(*place))
            .flat_map(|(_, expressions)| expressions)
    }

    /// Whether an f-string of Python 3.12 is within `range`, so that the tree does not have all of it.
    pub fn is_blanked(&self, range: ByteRange) -> bool {
        self.fragments
            .iter()
            .any(|(place, _)| range.contains(*place))
    }

    /// Visits everything below `body`, the fragments within `range` too.
    pub fn walk<'a>(
        &'a self,
        body: &'a [Stmt],
        range: ByteRange,
        visit: &mut dyn FnMut(Node<'a>) -> Descend,
    ) {
        tree::walk_body(body, visit);
        for expression in self.fragments(range) {
            tree::walk(Node::Expr(expression), visit);
        }
    }

    /// The whole text.
    pub fn range(&self) -> ByteRange {
        ByteRange::new(0, self.source.text().len())
    }
}

/// Where expressions in quotes are placed: behind the end of any file, so that no range of theirs can
/// be taken for one of the source.
const QUOTED: u32 = 1 << 31;

/// How long an expression in quotes may be.
const MAX_QUOTED: usize = 1_000;

/// The expression that stands in quotes, as in an annotation; none when it cannot be parsed.
pub(crate) fn quoted(text: &str) -> Option<Expr> {
    if text.len() >= MAX_QUOTED {
        return None;
    }
    syntax::expression(text, QUOTED)
}

/// A diagnostic at the byte `offset` of `source`, with its line.
pub fn at(source: &SourceFile, offset: usize, code: Code, detail: crate::text::Text) -> Diagnostic {
    let (line, column) = source.position(offset);
    Diagnostic::new(code, source.path(), detail)
        .with_position(line, column)
        .with_snippet(source.line_text(line), 1)
}

/// The statements of the module `after` that the module `before` does not have as they are. When
/// `before` parses, `after` parses if each of them does.
pub fn changed_statements<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    let known: FxHashSet<&str> = statements(before).into_iter().collect();
    let mut changed = statements(after);
    changed.retain(|statement| !known.contains(statement));
    changed
}

/// A text in pieces that each begin where a statement of the module itself does.
fn statements(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut done = 0;
    let mut line_start = true;
    let mut is_decorated = false;
    for token in Tokens::new(text, 0).all() {
        match token.kind {
            TokenKind::Newline => line_start = true,
            TokenKind::Comment => {}
            _ if line_start => {
                line_start = false;
                let start = token.range.start();
                let before = text[..start].trim_start_matches('\u{feff}');
                let is_indented = !(before.is_empty() || before.ends_with(['\n', '\r']));
                let word = &text[token.range.as_range()];
                let goes_on = matches!(word, "elif" | "else" | "except" | "finally");
                if is_indented || goes_on {
                    continue;
                }
                if !is_decorated {
                    pieces.push(&text[done..start]);
                    done = start;
                }
                is_decorated = word == "@";
            }
            _ => {}
        }
    }
    pieces.push(&text[done..]);
    pieces
}

/// `text` with the inside of its modern f-strings blanked; none when there are none.
fn blank(text: &str, base: usize, tokens: &Tokens) -> Option<String> {
    let strings = tokens.modern_fstrings();
    if strings.is_empty() {
        return None;
    }
    let mut blanked = String::with_capacity(text.len());
    let mut done = 0;
    for string in strings {
        let inside = string.inside.start() - base..string.inside.end() - base;
        // Only a triple-quoted string may keep its line ends.
        let quote = inside
            .start
            .checked_sub(3)
            .and_then(|at| text.get(at..inside.start));
        let triple = matches!(quote, Some("\"\"\"" | "'''"));
        blanked.push_str(&text[done..inside.start]);
        blanked.extend(text[inside.clone()].bytes().map(|byte| match byte {
            b'\n' | b'\r' if triple => char::from(byte),
            _ => ' ',
        }));
        done = inside.end;
    }
    blanked.push_str(&text[done..]);
    Some(blanked)
}

/// The expressions of a replacement field, those of modern f-strings inside it too; nothing when
/// it is not an expression (the parser's own error then tells, or `\N{...}` was taken for a field).
fn parse_field(text: &str, field: ByteRange, depth: usize) -> Vec<Expr> {
    // In brackets, so that line ends and white space do not matter; the bracket stands where the
    // `{` of the field is, so that offsets stay.
    let mut inner = String::with_capacity(field.end() - field.start() + 3);
    inner.push('(');
    let tokens = Tokens::new(&text[field.as_range()], field.start());
    match blank(&text[field.as_range()], field.start(), &tokens) {
        Some(blanked) => inner.push_str(&blanked),
        None => inner.push_str(&text[field.as_range()]),
    }
    inner.push_str("\n)");
    let Ok(start) = u32::try_from(field.start() - 1) else {
        return Vec::new();
    };
    let mut expressions: Vec<Expr> = syntax::expression(&inner, start).into_iter().collect();
    if depth < MAX_BRACKETS {
        for string in tokens.modern_fstrings() {
            for &field in &string.fields {
                expressions.extend(parse_field(text, field, depth + 1));
            }
        }
    }
    expressions
}

/// Where the code becomes deeper than can be followed.
fn too_deep(source: &SourceFile, tokens: &Tokens) -> Option<usize> {
    let text = source.text();
    // The tree cannot be deeper than there are tokens.
    if tokens.all().len() < MAX_INDENTATION {
        return None;
    }
    let mut chains: Vec<usize> = vec![0];
    // The sum of `chains`.
    let mut levels = 0;
    let mut indents: Vec<usize> = vec![0];
    let mut elifs = 0;
    let mut line_start = true;
    for token in tokens.all() {
        if token.depth > MAX_BRACKETS {
            return Some(token.range.start());
        }
        if line_start && token.kind != TokenKind::Comment {
            let width = source.indentation_at(token.range.start()).len();
            while indents.last().is_some_and(|&last| last > width) {
                indents.pop();
            }
            if indents.last() != Some(&width) {
                indents.push(width);
            }
            if indents.len() > MAX_INDENTATION + 1 {
                return Some(token.range.start());
            }
            line_start = false;
        }
        while chains.len() > token.depth + 1 {
            levels -= chains.pop().unwrap_or_default();
        }
        chains.resize(token.depth + 1, 0);
        let chain = &mut chains[token.depth];
        match (token.kind, &text[token.range.as_range()]) {
            (TokenKind::Newline, _) => {
                levels -= std::mem::take(chain);
                line_start = true;
            }
            (TokenKind::Comma, _) | (TokenKind::Operator, ";") => levels -= std::mem::take(chain),
            (TokenKind::Operator | TokenKind::Open, _)
            | (TokenKind::Name, "not" | "lambda" | "await" | "if" | "else") => {
                *chain += 1;
                levels += 1;
            }
            (TokenKind::Name, "elif") => elifs += 1,
            _ => {}
        }
        if levels > MAX_CHAIN || elifs > MAX_CHAIN {
            return Some(token.range.start());
        }
    }
    None
}

fn nested_too_deeply(source: &SourceFile, offset: usize) -> Diagnostic {
    at(
        source,
        offset,
        Code::NestedTooDeeply,
        text!("the code here is nested too deeply", "此处代码嵌套过深"),
    )
}

fn rejected(source: &SourceFile, rejection: Rejection) -> Diagnostic {
    let offset = rejection.offset.min(source.text().len());
    let reason = match rejection.reason {
        Reason::TooDeep => return nested_too_deeply(source, offset),
        Reason::Syntax(reason) => reason,
    };
    let (line, _) = source.position(offset);
    let code = source.line_text(line);
    if is_python_2(code) {
        return at(
            source,
            offset,
            Code::Python2,
            text!("this is Python 2", "这是 Python 2 的语法"),
        );
    }
    let reason = reason.trim_end_matches('.');
    at(
        source,
        offset,
        Code::SyntaxError,
        text!("syntax error: {reason}", "语法错误：{reason}"),
    )
}

/// Whether a line that Python 3 refuses is a statement of Python 2.
fn is_python_2(line: &str) -> bool {
    let line = line.trim_start();
    let statement = |keyword: &str| {
        line.strip_prefix(keyword).is_some_and(|rest| {
            rest.starts_with([' ', '\t']) && !rest.trim_start().starts_with(['=', '('])
        })
    };
    let except_comma = line.strip_prefix("except ").is_some_and(|rest| {
        let mut halves = rest.trim_end().trim_end_matches(':').split(',');
        let is_name = |half: Option<&str>| {
            half.is_some_and(|half| {
                let half = half.trim();
                !half.is_empty()
                    && half
                        .chars()
                        .all(|c| c.is_alphanumeric() || "_.".contains(c))
            })
        };
        is_name(halves.next()) && is_name(halves.next()) && halves.next().is_none()
    });
    statement("print") || statement("exec") || except_comma
}

#[cfg(test)]
mod tests;
