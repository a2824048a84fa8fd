//! What a handler of the request dialect returns, as far as it can be seen.
//!
//! The document of the old API says that `return body, status` answers with that status. Which
//! returned values are such replies is decided here:
//! - Only what the handler itself returns counts: not the tuples of functions inside it.
//! - A tuple of two whose second is a status, or of three whose third are headers, is a reply.
//!   One whose second can be seen to be no status (a string, a dict, a number that is no status)
//!   is a plain value and stays.
//! - Where it cannot be told, nothing is changed: what the handler returned is looked at at run time.

mod commas;
mod expression;
mod origin;
mod status;

use std::collections::HashSet;

use rustpython_parser::ast::{self, Expr, Stmt};

use expression::{is_free_of_effects, is_plain_json};
use origin::{Answer, names_of_tuples, returned};
use status::Status;

use commas::own_brackets;
pub use commas::split_at_commas;
pub(super) use origin::is_response_class;

use crate::edit::ByteRange;
use crate::python::names::Resolver;
use crate::python::tokens::Tokens;
use crate::python::tree::range_of;

/// How many calls of functions are followed to see what a handler returns.
const MAX_CALLS: usize = 4;

/// A returned tuple that is a reply with a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The `return` statement.
    pub statement: ByteRange,
    /// How the tuple stands in it.
    pub shape: ReplyShape,
    /// The tuple, with its own brackets.
    pub tuple: ByteRange,
    /// The tuple's own brackets.
    pub brackets: Option<(ByteRange, ByteRange)>,
    /// Body, status, and headers if there are any, each with brackets around it.
    pub elements: Vec<ByteRange>,
    /// Whether a comma follows the last element.
    pub trailing_comma: bool,
    /// What the body is made of.
    pub body: Body,
    /// Whether the status is one that has no body (204, 304): RFC 9110, section 6.4.1.
    pub without_body: bool,
}

/// How a tuple stands in its `return` statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyShape {
    /// It is all that is returned.
    Whole,
    /// It is a branch of a conditional expression.
    Conditional,
    /// It is an operand of `and` and `or`.
    Operand,
}

/// What a body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Strings, numbers, lists and dicts as JSON has them, to be seen from the source.
    Plain,
    /// Anything: FastAPI's encoder has to make JSON of it.
    Any,
}

/// A conditional expression that is all of what is returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional {
    /// The `return` statement.
    pub statement: ByteRange,
    /// The expression; no brackets are around it.
    pub value: ByteRange,
    /// The branches and conditions between `if` and `else`, in the order of the text.
    pub pieces: Vec<ByteRange>,
}

/// The replies of a handler, and whether all of them are understood.
#[derive(Debug, Clone, Default)]
pub struct Replies {
    /// The tuples that are replies, by place.
    pub replies: Vec<Reply>,
    /// The returned conditional expressions that replies are in.
    pub conditionals: Vec<Conditional>,
    /// Whether something is returned of which it cannot be seen whether it is a reply.
    pub(super) has_unknown: bool,
}

/// What a function returns: `resolver` sees its local names, `body` are its statements.
pub fn replies(resolver: Resolver<'_>, body: &[Stmt]) -> Replies {
    let mut finder = Finder {
        resolver,
        tokens: resolver.loaded.module.tokens(),
        tuple_names: HashSet::new(),
        found: Replies::default(),
    };
    finder.tuple_names = names_of_tuples(body);
    for (statement, value) in returned(body) {
        let before = finder.found.replies.len();
        finder.value(statement, value, ReplyShape::Whole);
        if finder.found.replies.len() > before
            && let Expr::IfExp(choice) = value
        {
            finder.conditional(statement, choice);
        }
    }
    finder.found.replies.sort_by_key(|reply| reply.tuple);
    finder.found
}

struct Finder<'a> {
    resolver: Resolver<'a>,
    tokens: &'a Tokens,
    tuple_names: HashSet<String>,
    found: Replies,
}

impl Finder<'_> {
    fn value(&mut self, statement: ByteRange, value: &Expr, shape: ReplyShape) {
        match value {
            Expr::Tuple(tuple) => self.tuple(statement, tuple, shape),
            Expr::IfExp(choice) => {
                self.value(statement, &choice.body, ReplyShape::Conditional);
                self.value(statement, &choice.orelse, ReplyShape::Conditional);
            }
            Expr::BoolOp(operation) => {
                for operand in &operation.values {
                    self.value(statement, operand, ReplyShape::Operand);
                }
            }
            _ => self.found.has_unknown |= self.may_be_tuple(value, MAX_CALLS) != Answer::No,
        }
    }

    fn conditional(&mut self, statement: ByteRange, choice: &ast::ExprIfExp) {
        let value = range_of(choice);
        if value.end() != statement.end() {
            // There are brackets around it.
            return;
        }
        let source = self.resolver.loaded.module.source();
        let mut pieces = Vec::new();
        let mut start = value.start();
        let mut one = Some(choice);
        while let Some(choice) = one {
            let gaps = [
                (range_of(&*choice.body), range_of(&*choice.test), "if"),
                (range_of(&*choice.test), range_of(&*choice.orelse), "else"),
            ];
            for (before, after, word) in gaps {
                let gap = ByteRange::new(before.end(), after.start());
                let Some(token) = self
                    .tokens
                    .within(gap)
                    .iter()
                    .find(|t| source.slice(t.range) == word)
                else {
                    return;
                };
                let end = self
                    .tokens
                    .previous(token.range.start())
                    .map_or(start, |t| t.range.end());
                pieces.push(ByteRange::new(start, end.max(start)));
                start = self
                    .tokens
                    .next(token.range.end())
                    .map_or(end, |t| t.range.start());
            }
            one = match &*choice.orelse {
                Expr::IfExp(next) if range_of(next).start() == start => Some(next),
                _ => None,
            };
        }
        pieces.push(ByteRange::new(start, value.end()));
        self.found.conditionals.push(Conditional {
            statement,
            value,
            pieces,
        });
    }

    fn tuple(&mut self, statement: ByteRange, tuple: &ast::ExprTuple, shape: ReplyShape) {
        let range = range_of(tuple);
        if tuple
            .elts
            .iter()
            .any(|element| matches!(element, Expr::Starred(_)))
        {
            self.found.has_unknown = true;
            return;
        }
        let (body, status, headers) = match tuple.elts.as_slice() {
            [body, status] => (body, status, None),
            [body, status, headers] => (body, status, Some(headers)),
            _ => return,
        };
        let statuses = match self.status(status) {
            Status::Known(statuses) => statuses,
            Status::Other => return,
            Status::Unknown => {
                self.found.has_unknown = true;
                return;
            }
        };
        if let Some(headers) = headers {
            match self.may_be_headers(headers) {
                Answer::Yes => {}
                Answer::No => return,
                Answer::Unknown => {
                    self.found.has_unknown = true;
                    return;
                }
            }
        }
        if self.is_response(body) {
            self.found.has_unknown = true;
            return;
        }
        let empty = |status: &i64| matches!(status, 204 | 304 | 100..=199);
        let without_body = statuses.iter().all(empty);
        if !without_body && statuses.iter().any(empty) {
            self.found.has_unknown = true;
            return;
        }
        if without_body && !is_free_of_effects(body) {
            self.found.has_unknown = true;
            return;
        }
        let brackets = own_brackets(self.tokens, range);
        let inner = match brackets {
            Some((open, close)) => ByteRange::new(open.end(), close.start()),
            None => range,
        };
        let (elements, trailing_comma) = split_at_commas(self.tokens, inner);
        if elements.len() != tuple.elts.len() {
            self.found.has_unknown = true;
            return;
        }
        self.found.replies.push(Reply {
            statement,
            shape,
            tuple: range,
            brackets,
            elements,
            trailing_comma,
            body: if is_plain_json(body) {
                Body::Plain
            } else {
                Body::Any
            },
            without_body,
        });
    }
}
