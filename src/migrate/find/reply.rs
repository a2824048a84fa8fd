//! What a handler of the request dialect returns, as far as it can be seen.
//!
//! The document of the old API says that `return body, status` answers with that status. Which
//! returned values are such replies is decided here:
//! - Only what the handler itself returns counts: not the tuples of functions inside it.
//! - A tuple of two whose second is a status from 200 to 599, or of three whose third are headers,
//!   is a reply. One whose second can be seen to be no status (a string, a dict, a number that is no
//!   status) is a plain value and stays.
//! - Where it cannot be told, nothing is changed: what the handler returned is looked at at run time.

mod bindings;
mod classes;
mod expression;
mod known;
mod origin;
mod protection;
mod request;
mod status;
mod values;

use expression::{is_fixed, is_free_of_effects, is_plain_json};
use protection::{Protection, returned};
use status::Status;
use values::{Origin, Values};

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::names::Resolver;
use crate::migrate::python::tokens::{Token, TokenKind, Tokens};
use crate::migrate::python::tree::range_of;

pub(super) use known::is_response_class;

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
    /// Whether the status is one that has no body (204, 205, 304): RFC 9110, section 6.4.1.
    pub without_body: bool,
}

/// How a tuple stands in its `return` statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyShape {
    /// It is all that is returned.
    Whole,
    /// It is a branch of a conditional expression, or one of several operands that are laid out together.
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

/// An expression of several operators that is all of what is returned: a conditional one, or one of `and`
/// and `or`. Formatters give each of its pieces a line when one is not enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional {
    /// The `return` statement.
    pub statement: ByteRange,
    /// The expression; no brackets are around it.
    pub value: ByteRange,
    /// The pieces in the order of the text, each with the operator before it; the first has none.
    pub pieces: Vec<(&'static str, ByteRange)>,
}

/// The replies of a handler, and whether all of them are understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replies {
    /// The tuples that are replies, by place.
    pub replies: Vec<Reply>,
    /// The returned conditional expressions that replies are in.
    pub conditionals: Vec<Conditional>,
    /// Whether something is returned of which it cannot be seen whether it is a reply.
    pub(super) has_unknown: bool,
}

/// What a handler returns: `resolver` sees its local names, `body` are its statements.
pub(super) fn replies(
    resolver: Resolver<'_>,
    arguments: &ast::Arguments,
    body: &[Stmt],
) -> Replies {
    let steps = values::steps();
    let mut finder = Finder {
        values: Values::of_handler(resolver, arguments, body, &steps),
        tokens: resolver.loaded.module.tokens(),
        found: Replies::default(),
    };
    for (statement, value, protection) in returned(body) {
        let before = finder.found.replies.len();
        finder.value(statement, value, ReplyShape::Whole, protection);
        if finder.found.replies.len() == before {
            continue;
        }
        match value {
            Expr::IfExp(choice) => finder.conditional(statement, choice),
            Expr::BoolOp(operation) if finder.operands(statement, range_of(operation)) => {
                for reply in &mut finder.found.replies[before..] {
                    reply.shape = ReplyShape::Conditional;
                }
            }
            _ => {}
        }
    }
    finder.found.replies.sort_by_key(|reply| reply.tuple);
    finder.found
}

struct Finder<'a> {
    values: Values<'a>,
    tokens: &'a Tokens,
    found: Replies,
}

/// It cannot be seen whether a tuple is a reply, or it could not be changed as it stands.
struct NotUnderstood;

impl Finder<'_> {
    fn value(
        &mut self,
        statement: ByteRange,
        value: &Expr,
        shape: ReplyShape,
        protection: Protection,
    ) {
        match value {
            Expr::Tuple(tuple) => match self.tuple(statement, tuple, shape, protection) {
                Ok(reply) => self.found.replies.extend(reply),
                Err(NotUnderstood) => self.found.has_unknown = true,
            },
            Expr::IfExp(choice) => {
                let shape = ReplyShape::Conditional;
                self.value(statement, &choice.body, shape, protection);
                self.value(statement, &choice.orelse, shape, protection);
            }
            Expr::BoolOp(operation) => {
                for operand in &operation.values {
                    self.value(statement, operand, ReplyShape::Operand, protection);
                }
            }
            _ => self.found.has_unknown |= self.values.origin(value) == Origin::Unknown,
        }
    }

    fn conditional(&mut self, statement: ByteRange, choice: &ast::ExprIfExp) {
        let value = range_of(choice);
        if value.end() != statement.end() {
            // There are brackets around it.
            return;
        }
        let source = self.values.resolver.loaded.module.source();
        let mut pieces = Vec::new();
        let mut start = value.start();
        let mut operator = "";
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
                pieces.push((operator, ByteRange::new(start, end.max(start))));
                operator = word;
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
        pieces.push((operator, ByteRange::new(start, value.end())));
        self.found.conditionals.push(Conditional {
            statement,
            value,
            pieces,
        });
    }

    /// `a and b or c`: whether each operand gets a line; around a single operator formatters put no
    /// brackets.
    fn operands(&mut self, statement: ByteRange, value: ByteRange) -> bool {
        const OPERATORS: &[&str] = &["and", "or"];
        let source = self.values.resolver.loaded.module.source();
        let inside = self.tokens.within(value);
        let outermost = inside.iter().map(|token| token.depth).min();
        let word = |token: &Token| {
            (Some(token.depth) == outermost && token.kind == TokenKind::Name)
                .then(|| source.slice(token.range))
        };
        let has_lambda = inside.iter().any(|token| word(token) == Some("lambda"));
        if value.end() != statement.end() || has_lambda {
            return false;
        }
        let mut pieces = Vec::new();
        let (mut start, mut end) = (value.start(), value.start());
        let mut operator = "";
        for token in inside {
            let next = OPERATORS.iter().find(|one| word(token) == Some(one));
            if let Some(next) = next {
                pieces.push((operator, ByteRange::new(start, end.max(start))));
                operator = next;
                start = self
                    .tokens
                    .next(token.range.end())
                    .map_or(value.end(), |token| token.range.start());
            } else {
                end = token.range.end();
            }
        }
        pieces.push((operator, ByteRange::new(start, value.end().max(start))));
        let has_several = pieces.len() > 2;
        if has_several {
            self.found.conditionals.push(Conditional {
                statement,
                value,
                pieces,
            });
        }
        has_several
    }

    /// The reply that a returned tuple is; none when it is a plain value.
    fn tuple(
        &self,
        statement: ByteRange,
        tuple: &ast::ExprTuple,
        shape: ReplyShape,
        protection: Protection,
    ) -> Result<Option<Reply>, NotUnderstood> {
        let range = range_of(tuple);
        let mut elements = tuple.elts.iter();
        if elements.any(|element| matches!(element, Expr::Starred(_))) {
            return Err(NotUnderstood);
        }
        let (body, status, headers) = match tuple.elts.as_slice() {
            [body, status] => (body, status, None),
            [body, status, headers] => (body, status, Some(headers)),
            _ => return Ok(None),
        };
        let statuses = match self.values.status(status) {
            Status::Known(statuses) => statuses,
            Status::Other => return Ok(None),
            Status::Unknown => return Err(NotUnderstood),
        };
        match headers.map(|headers| self.headers(headers)) {
            None | Some(Headers::Texts) => {}
            Some(Headers::Other) => return Ok(None),
            Some(Headers::Unknown) => return Err(NotUnderstood),
        }
        // A response would be sent with the status, not as JSON.
        let may_be_response =
            || !matches!(body, Expr::Tuple(_)) && self.values.origin(body) > Origin::Object;
        let is_empty = |status: &i64| matches!(status, 204 | 205 | 304);
        let without_body = statuses.iter().all(is_empty);
        if !without_body && (statuses.iter().any(is_empty) || may_be_response())
            || without_body && (!is_free_of_effects(body) || may_be_response())
        {
            return Err(NotUnderstood);
        }
        // It is encoded where it is returned: that must not fail there, nor may it change later.
        let is_fixed = |value: &Expr| is_fixed(&self.values, value, protection);
        if !is_fixed(body) && !without_body || !headers.is_none_or(is_fixed) {
            return Err(NotUnderstood);
        }
        let brackets = self.tokens.own_brackets(range);
        let inner = match brackets {
            Some((open, close)) => ByteRange::new(open.end(), close.start()),
            None => range,
        };
        let (elements, trailing_comma) = self.tokens.split_at_commas(inner);
        if elements.len() != tuple.elts.len() {
            return Err(NotUnderstood);
        }
        Ok(Some(Reply {
            statement,
            shape,
            tuple: range,
            brackets,
            elements,
            trailing_comma,
            body: if is_plain_json(&self.values, body) {
                Body::Plain
            } else {
                Body::Any
            },
            without_body,
        }))
    }

    /// Whether a third element are headers.
    fn headers(&self, expression: &Expr) -> Headers {
        match expression {
            Expr::Constant(constant) if matches!(constant.value, Constant::None) => Headers::Texts,
            Expr::Dict(dict) => {
                // A number would have to be made a string.
                let is_text = |value: &Expr| self.values.is_text(value);
                let keys = dict.keys.iter();
                if keys.map(Option::as_ref).all(|key| key.is_some_and(is_text))
                    && dict.values.iter().all(is_text)
                {
                    Headers::Texts
                } else {
                    Headers::Unknown
                }
            }
            Expr::Constant(_) | Expr::JoinedStr(_) | Expr::Set(_) | Expr::SetComp(_) => {
                Headers::Other
            }
            // Pairs are headers too.
            Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
                let is_no_pair = |one: &Expr| {
                    matches!(
                        one,
                        Expr::Constant(_) | Expr::JoinedStr(_) | Expr::Dict(_) | Expr::List(_)
                    )
                };
                if elts.iter().any(is_no_pair) {
                    Headers::Other
                } else {
                    Headers::Unknown
                }
            }
            _ => Headers::Unknown,
        }
    }
}

/// What a third element is.
enum Headers {
    /// `None`, or a dict of strings.
    Texts,
    /// Surely neither a mapping nor pairs.
    Other,
    Unknown,
}
