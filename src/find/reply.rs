//! What a handler of the request dialect returns, as far as it can be seen.
//!
//! The document of the old API says that `return body, status` answers with that status. Which
//! returned values are such replies is decided here:
//! - Only what the handler itself returns counts: not the tuples of functions inside it.
//! - A tuple of two whose second is a status, or of three whose third are headers, is a reply.
//!   One whose second can be seen to be no status (a string, a dict, a number that is no status)
//!   is a plain value and stays.
//! - Where it cannot be told, the handler is left by hand, with the place.

use std::collections::HashSet;

use rustpython_parser::ast::{self, Constant, Expr, Stmt};

use super::handler::Problem;
use crate::diagnostic::Code;
use crate::edit::{Applicability, ByteRange};
use crate::python::names::{BindingKind, Resolver, Scope, Value};
use crate::python::tokens::{TokenKind, Tokens};
use crate::python::tree::{Descend, Node, range_of, walk_body};
use crate::text;

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

/// The replies of a handler, and what stands in the way of changing them.
#[derive(Debug, Clone, Default)]
pub struct Replies {
    /// The tuples that are replies, by place.
    pub replies: Vec<Reply>,
    /// The returned conditional expressions that replies are in.
    pub conditionals: Vec<Conditional>,
    /// Why they cannot all be known.
    pub problems: Vec<Problem>,
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

/// The values that the function of `body` itself returns, with their statements.
fn returned(body: &[Stmt]) -> Vec<(ByteRange, &Expr)> {
    let mut values = Vec::new();
    walk_body(body, &mut |node| match node {
        Node::Stmt(Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_)) => {
            Descend::Past
        }
        Node::Stmt(Stmt::Return(statement)) => {
            if let Some(value) = &statement.value {
                values.push((range_of(statement), &**value));
            }
            Descend::Past
        }
        Node::Stmt(_) => Descend::Into,
        Node::Expr(_) => Descend::Past,
    });
    values
}

/// The names to which a tuple is assigned somewhere in `body`.
fn names_of_tuples(body: &[Stmt]) -> HashSet<String> {
    let mut names = HashSet::new();
    walk_body(body, &mut |node| {
        let (targets, value) = match node {
            Node::Stmt(Stmt::Assign(s)) => (s.targets.iter().collect::<Vec<_>>(), Some(&*s.value)),
            Node::Stmt(Stmt::AnnAssign(s)) => (vec![&*s.target], s.value.as_deref()),
            _ => return Descend::Into,
        };
        if value.is_some_and(has_tuple) {
            for target in targets {
                if let Expr::Name(name) = target {
                    names.insert(name.id.to_string());
                }
            }
        }
        Descend::Into
    });
    names
}

/// Whether the value of an expression may be a tuple that is written in it.
fn has_tuple(value: &Expr) -> bool {
    match value {
        Expr::Tuple(_) => true,
        Expr::IfExp(choice) => has_tuple(&choice.body) || has_tuple(&choice.orelse),
        Expr::BoolOp(operation) => operation.values.iter().any(has_tuple),
        Expr::NamedExpr(named) => has_tuple(&named.value),
        _ => false,
    }
}

/// Whether something is so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    No,
    Unknown,
    Yes,
}

enum Status {
    /// One of these.
    Known(Vec<i64>),
    /// Not a status: the tuple is a plain value.
    Other,
    Unknown,
}

struct Finder<'a> {
    resolver: Resolver<'a>,
    tokens: &'a Tokens,
    tuple_names: HashSet<String>,
    found: Replies,
}

impl Finder<'_> {
    fn problem(
        &mut self,
        code: Code,
        range: ByteRange,
        applicability: Applicability,
        detail: crate::lang::Text,
    ) {
        self.found.problems.push(Problem {
            code,
            range,
            applicability,
            detail,
        });
    }

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
            _ => match self.may_be_tuple(value, MAX_CALLS) {
                Answer::No => {}
                Answer::Yes => self.problem(
                    Code::UnknownReply,
                    range_of(value),
                    Applicability::Manual,
                    text!(
                        "what is returned here is a tuple that is made elsewhere",
                        "此处返回的是在别处构造的元组"
                    ),
                ),
                Answer::Unknown => self.problem(
                    Code::UnknownReply,
                    range_of(value),
                    Applicability::Unsafe,
                    text!(
                        "what is returned here may be a `body, status` tuple: it is made where rehook cannot see it",
                        "此处的返回值可能是 `body, status` 元组：rehook 看不到它是如何构造的"
                    ),
                ),
            },
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
            self.problem(
                Code::UnknownReply,
                range,
                Applicability::Manual,
                text!(
                    "the elements of this tuple cannot be counted",
                    "无法确定该元组有几个元素"
                ),
            );
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
                self.problem(
                    Code::UnknownStatus,
                    range_of(status),
                    Applicability::Manual,
                    text!(
                        "whether this is a status, and which, cannot be known",
                        "无法确定这是不是状态码，以及是哪个状态码"
                    ),
                );
                return;
            }
        };
        if let Some(headers) = headers {
            match self.may_be_headers(headers) {
                Answer::Yes => {}
                Answer::No => return,
                Answer::Unknown => {
                    self.problem(
                        Code::UnknownReply,
                        range_of(headers),
                        Applicability::Manual,
                        text!(
                            "whether these are headers cannot be known",
                            "无法确定这是不是响应头"
                        ),
                    );
                    return;
                }
            }
        }
        if self.is_response(body) {
            self.problem(
                Code::UnknownReply,
                range_of(body),
                Applicability::Manual,
                text!(
                    "the body is a Response already, and the document does not say which status it then has",
                    "响应体本身已是 Response，文档没有说明此时以哪个状态码为准"
                ),
            );
            return;
        }
        let empty = |status: &i64| matches!(status, 204 | 304 | 100..=199);
        let without_body = statuses.iter().all(empty);
        if !without_body && statuses.iter().any(empty) {
            self.problem(
                Code::UnknownStatus,
                range_of(status),
                Applicability::Manual,
                text!(
                    "the status may or may not be one that has no body",
                    "该状态码有的取值不允许带响应体，有的允许"
                ),
            );
            return;
        }
        if without_body && !is_free_of_effects(body) {
            self.problem(
                Code::UnknownReply,
                range_of(body),
                Applicability::Manual,
                text!(
                    "the reply has no body, but what stands in its place does something",
                    "该响应没有响应体，但此处的表达式会产生作用"
                ),
            );
            return;
        }
        let brackets = own_brackets(self.tokens, range);
        let inner = match brackets {
            Some((open, close)) => ByteRange::new(open.end(), close.start()),
            None => range,
        };
        let (elements, trailing_comma) = split_at_commas(self.tokens, inner);
        if elements.len() != tuple.elts.len() {
            self.problem(
                Code::UnknownReply,
                range,
                Applicability::Manual,
                text!("this tuple cannot be read", "无法读懂该元组"),
            );
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

    fn status(&self, expression: &Expr) -> Status {
        match expression {
            Expr::Constant(constant) => match &constant.value {
                Constant::Int(number) => match i64::try_from(number) {
                    Ok(status @ 100..=599) => Status::Known(vec![status]),
                    _ => Status::Other,
                },
                _ => Status::Other,
            },
            Expr::IfExp(choice) => match (self.status(&choice.body), self.status(&choice.orelse)) {
                (Status::Known(mut a), Status::Known(b)) => {
                    a.extend(b);
                    Status::Known(a)
                }
                (Status::Other, Status::Other) => Status::Other,
                _ => Status::Unknown,
            },
            Expr::Dict(_) | Expr::List(_) | Expr::Set(_) | Expr::Tuple(_) | Expr::JoinedStr(_) => {
                Status::Other
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::GeneratorExp(_) => {
                Status::Other
            }
            Expr::Lambda(_) | Expr::Compare(_) => Status::Other,
            Expr::Attribute(attribute) if attribute.attr.as_str() == "value" => {
                self.status(&attribute.value)
            }
            Expr::Call(call)
                if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "int")
                    && call.keywords.is_empty() =>
            {
                match call.args.as_slice() {
                    [argument] => self.status(argument),
                    _ => Status::Unknown,
                }
            }
            Expr::Name(name) => self.status_of_name(name),
            _ => match self.resolver.value(expression) {
                Value::External(name) => {
                    known_status(&name).map_or(Status::Unknown, |s| Status::Known(vec![s]))
                }
                Value::Number(status @ 100..=599) => Status::Known(vec![status]),
                Value::Text(_) | Value::Number(_) | Value::Other => Status::Other,
                _ => Status::Unknown,
            },
        }
    }

    /// The statuses that a name may stand for: those of all its assignments.
    fn status_of_name(&self, name: &ast::ExprName) -> Status {
        let mut statuses = Vec::new();
        let bindings = self.resolver.bindings(&name.id);
        for binding in bindings {
            let one = match &binding.kind {
                // A name that stands for itself is known to nobody.
                BindingKind::Value(value) if !mentions(value, &name.id) => self.status(value),
                BindingKind::From(..) => match self.resolver.value(&Expr::Name(name.clone())) {
                    Value::Number(status @ 100..=599) => Status::Known(vec![status]),
                    Value::External(name) => {
                        known_status(&name).map_or(Status::Unknown, |s| Status::Known(vec![s]))
                    }
                    Value::Text(_) | Value::Number(_) | Value::Other => Status::Other,
                    _ => Status::Unknown,
                },
                _ => Status::Unknown,
            };
            match one {
                Status::Known(known) => statuses.extend(known),
                Status::Other if bindings.len() == 1 => return Status::Other,
                _ => return Status::Unknown,
            }
        }
        if statuses.is_empty() {
            Status::Unknown
        } else {
            Status::Known(statuses)
        }
    }

    fn may_be_headers(&self, expression: &Expr) -> Answer {
        match expression {
            Expr::Dict(_) | Expr::DictComp(_) => Answer::Yes,
            Expr::Constant(constant) if matches!(constant.value, Constant::None) => Answer::Yes,
            Expr::Constant(_)
            | Expr::JoinedStr(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Set(_) => Answer::No,
            Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "dict") => {
                Answer::Yes
            }
            Expr::Name(name) => {
                let bindings = self.resolver.bindings(&name.id);
                let all_dicts = !bindings.is_empty()
                    && bindings.iter().all(|binding| match &binding.kind {
                        BindingKind::Value(value) => {
                            !matches!(**value, Expr::Name(_))
                                && self.may_be_headers(value) == Answer::Yes
                        }
                        _ => false,
                    });
                if all_dicts {
                    Answer::Yes
                } else {
                    Answer::Unknown
                }
            }
            _ => Answer::Unknown,
        }
    }

    fn is_response(&self, body: &Expr) -> bool {
        match self.resolver.value(body) {
            Value::CallOf(name) => is_response_class(&name),
            _ => false,
        }
    }

    /// Whether a value that is no tuple display may be a tuple.
    fn may_be_tuple(&self, value: &Expr, calls: usize) -> Answer {
        match value {
            Expr::Name(name) => self.name_may_be_tuple(name, calls),
            Expr::Await(awaited) => self.may_be_tuple(&awaited.value, calls),
            Expr::NamedExpr(named) => self.may_be_tuple(&named.value, calls),
            Expr::Tuple(_) => Answer::Yes,
            Expr::IfExp(choice) => {
                let body = self.may_be_tuple(&choice.body, calls);
                body.max(self.may_be_tuple(&choice.orelse, calls))
            }
            Expr::BoolOp(operation) => {
                let operands = operation.values.iter();
                operands
                    .map(|v| self.may_be_tuple(v, calls))
                    .max()
                    .unwrap_or(Answer::No)
            }
            Expr::Call(call) => self.call_may_be_tuple(call, calls),
            Expr::Subscript(subscript) => match &*subscript.value {
                // A table of replies at module level.
                Expr::Name(name) => {
                    let tuples = self.resolver.bindings(&name.id).iter().any(|binding| {
                        match &binding.kind {
                            BindingKind::Value(value) => match &**value {
                                Expr::Dict(dict) => dict.values.iter().any(has_tuple),
                                other => has_tuple(other),
                            },
                            _ => false,
                        }
                    });
                    if tuples { Answer::Yes } else { Answer::No }
                }
                _ => Answer::No,
            },
            _ => Answer::No,
        }
    }

    fn name_may_be_tuple(&self, name: &ast::ExprName, calls: usize) -> Answer {
        if self.tuple_names.contains(name.id.as_str()) {
            return Answer::Yes;
        }
        let Some(calls) = calls.checked_sub(1) else {
            return Answer::Unknown;
        };
        let of = |binding: &crate::python::names::Binding| match &binding.kind {
            BindingKind::Value(value) => self.may_be_tuple(value, calls),
            _ => Answer::No,
        };
        self.resolver
            .bindings(&name.id)
            .iter()
            .map(of)
            .max()
            .unwrap_or(Answer::No)
    }

    fn call_may_be_tuple(&self, call: &ast::ExprCall, calls: usize) -> Answer {
        if let Value::Function(path, range) = self.resolver.value(&call.func) {
            let (Some(calls), Ok(loaded)) =
                (calls.checked_sub(1), self.resolver.workspace.load(&path))
            else {
                return Answer::Unknown;
            };
            let mut answer = Answer::Unknown;
            walk_body(loaded.module.suite(), &mut |node| {
                let (arguments, body) = match node {
                    Node::Stmt(Stmt::FunctionDef(f)) if range_of(f) == range => (&f.args, &f.body),
                    Node::Stmt(Stmt::AsyncFunctionDef(f)) if range_of(f) == range => {
                        (&f.args, &f.body)
                    }
                    Node::Stmt(_) => return Descend::Into,
                    Node::Expr(_) => return Descend::Past,
                };
                let locals = [Scope::of_function(arguments, body)];
                let inside = Finder {
                    resolver: Resolver {
                        workspace: self.resolver.workspace,
                        loaded: &loaded,
                        locals: &locals,
                    },
                    tokens: loaded.module.tokens(),
                    tuple_names: names_of_tuples(body),
                    found: Replies::default(),
                };
                answer = returned(body)
                    .into_iter()
                    .map(|(_, value)| inside.may_be_tuple(value, calls))
                    .max()
                    .unwrap_or(Answer::No);
                Descend::Past
            });
            return answer;
        }
        if let Some(name) = self.resolver.external(&call.func) {
            let known = is_response_class(&name)
                || name.starts_with("json.")
                || name.starts_with("fastapi.")
                || name.starts_with("starlette.");
            return if known { Answer::No } else { Answer::Unknown };
        }
        match (&*call.func, self.resolver.value(&call.func)) {
            (_, Value::Class(..)) => Answer::No,
            (Expr::Name(name), _) if NO_TUPLE_FUNCTIONS.contains(&name.id.as_str()) => Answer::No,
            (Expr::Attribute(method), _) if NO_TUPLE_METHODS.contains(&method.attr.as_str()) => {
                Answer::No
            }
            _ => Answer::Unknown,
        }
    }
}

/// Built-in functions that give no tuple.
const NO_TUPLE_FUNCTIONS: &[&str] = &[
    "abs",
    "bool",
    "bytes",
    "dict",
    "float",
    "format",
    "frozenset",
    "hash",
    "hex",
    "id",
    "int",
    "len",
    "list",
    "repr",
    "round",
    "set",
    "sorted",
    "str",
];

/// Methods of requests, strings, dicts, models and dates that give no tuple.
const NO_TUPLE_METHODS: &[&str] = &[
    "body",
    "copy",
    "decode",
    "dict",
    "encode",
    "format",
    "get",
    "hexdigest",
    "isoformat",
    "items",
    "join",
    "json",
    "keys",
    "lower",
    "model_dump",
    "model_dump_json",
    "read",
    "replace",
    "setdefault",
    "split",
    "splitlines",
    "strftime",
    "strip",
    "timestamp",
    "title",
    "total_seconds",
    "upper",
    "values",
];

fn is_response_class(name: &str) -> bool {
    (name.starts_with("fastapi.") || name.starts_with("starlette.")) && name.ends_with("Response")
}

/// Whether the name occurs in the expression itself.
fn mentions(expression: &Expr, name: &str) -> bool {
    let mut found = false;
    crate::python::tree::walk(Node::Expr(expression), &mut |node| {
        if let Node::Expr(Expr::Name(other)) = node {
            found |= other.id.as_str() == name;
        }
        Descend::Into
    });
    found
}

/// The status behind `http.HTTPStatus.CREATED` and `fastapi.status.HTTP_201_CREATED`.
fn known_status(dotted: &str) -> Option<i64> {
    let (module, name) = dotted.rsplit_once('.')?;
    match module {
        "http.HTTPStatus" => HTTP_STATUS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, status)| *status),
        "fastapi.status" | "starlette.status" => {
            let digits = name.strip_prefix("HTTP_")?.get(..3)?;
            digits
                .parse()
                .ok()
                .filter(|status| (100..=599).contains(status))
        }
        _ => None,
    }
}

/// The members of `http.HTTPStatus` in Python 3.11 and 3.12, with the names added in 3.13.
#[rustfmt::skip]
const HTTP_STATUS: &[(&str, i64)] = &[
    ("CONTINUE", 100), ("SWITCHING_PROTOCOLS", 101), ("PROCESSING", 102), ("EARLY_HINTS", 103),
    ("OK", 200), ("CREATED", 201), ("ACCEPTED", 202), ("NON_AUTHORITATIVE_INFORMATION", 203),
    ("NO_CONTENT", 204), ("RESET_CONTENT", 205), ("PARTIAL_CONTENT", 206), ("MULTI_STATUS", 207),
    ("ALREADY_REPORTED", 208), ("IM_USED", 226),
    ("MULTIPLE_CHOICES", 300), ("MOVED_PERMANENTLY", 301), ("FOUND", 302), ("SEE_OTHER", 303),
    ("NOT_MODIFIED", 304), ("USE_PROXY", 305), ("TEMPORARY_REDIRECT", 307), ("PERMANENT_REDIRECT", 308),
    ("BAD_REQUEST", 400), ("UNAUTHORIZED", 401), ("PAYMENT_REQUIRED", 402), ("FORBIDDEN", 403),
    ("NOT_FOUND", 404), ("METHOD_NOT_ALLOWED", 405), ("NOT_ACCEPTABLE", 406),
    ("PROXY_AUTHENTICATION_REQUIRED", 407), ("REQUEST_TIMEOUT", 408), ("CONFLICT", 409), ("GONE", 410),
    ("LENGTH_REQUIRED", 411), ("PRECONDITION_FAILED", 412), ("REQUEST_ENTITY_TOO_LARGE", 413),
    ("CONTENT_TOO_LARGE", 413), ("REQUEST_URI_TOO_LONG", 414), ("URI_TOO_LONG", 414),
    ("UNSUPPORTED_MEDIA_TYPE", 415), ("REQUESTED_RANGE_NOT_SATISFIABLE", 416), ("RANGE_NOT_SATISFIABLE", 416),
    ("EXPECTATION_FAILED", 417), ("IM_A_TEAPOT", 418), ("MISDIRECTED_REQUEST", 421),
    ("UNPROCESSABLE_ENTITY", 422), ("UNPROCESSABLE_CONTENT", 422), ("LOCKED", 423), ("FAILED_DEPENDENCY", 424),
    ("TOO_EARLY", 425), ("UPGRADE_REQUIRED", 426), ("PRECONDITION_REQUIRED", 428), ("TOO_MANY_REQUESTS", 429),
    ("REQUEST_HEADER_FIELDS_TOO_LARGE", 431), ("UNAVAILABLE_FOR_LEGAL_REASONS", 451),
    ("INTERNAL_SERVER_ERROR", 500), ("NOT_IMPLEMENTED", 501), ("BAD_GATEWAY", 502),
    ("SERVICE_UNAVAILABLE", 503), ("GATEWAY_TIMEOUT", 504), ("HTTP_VERSION_NOT_SUPPORTED", 505),
    ("VARIANT_ALSO_NEGOTIATES", 506), ("INSUFFICIENT_STORAGE", 507), ("LOOP_DETECTED", 508),
    ("NOT_EXTENDED", 510), ("NETWORK_AUTHENTICATION_REQUIRED", 511),
];

/// Whether JSON can be made of an expression without FastAPI's encoder, to be seen from it alone.
fn is_plain_json(expression: &Expr) -> bool {
    match expression {
        Expr::Constant(constant) => matches!(
            constant.value,
            Constant::Str(_)
                | Constant::Int(_)
                | Constant::Float(_)
                | Constant::Bool(_)
                | Constant::None
        ),
        Expr::JoinedStr(_) => true,
        Expr::List(list) => list.elts.iter().all(is_plain_json),
        Expr::Dict(dict) => {
            let key_is_text = |key: &Option<Expr>| matches!(key, Some(Expr::Constant(constant)) if matches!(constant.value, Constant::Str(_)));
            dict.keys.iter().all(key_is_text) && dict.values.iter().all(is_plain_json)
        }
        Expr::Call(call) => match &*call.func {
            Expr::Name(name) => {
                matches!(name.id.as_str(), "str" | "len" | "bool") && call.keywords.is_empty()
            }
            _ => false,
        },
        Expr::UnaryOp(operation) => matches!(operation.op, ast::UnaryOp::Not),
        _ => false,
    }
}

/// Whether leaving an expression out changes nothing: it only names and displays values.
fn is_free_of_effects(expression: &Expr) -> bool {
    match expression {
        Expr::Constant(_) | Expr::Name(_) => true,
        Expr::Attribute(attribute) => is_free_of_effects(&attribute.value),
        Expr::List(list) => list.elts.iter().all(is_free_of_effects),
        Expr::Dict(dict) => {
            dict.keys.iter().flatten().all(is_free_of_effects)
                && dict.values.iter().all(is_free_of_effects)
        }
        _ => false,
    }
}

/// The brackets that a tuple stands in itself, not those of its elements.
fn own_brackets(tokens: &Tokens, tuple: ByteRange) -> Option<(ByteRange, ByteRange)> {
    let inside = tokens.within(tuple);
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
pub fn split_at_commas(tokens: &Tokens, range: ByteRange) -> (Vec<ByteRange>, bool) {
    let inside: Vec<_> = tokens
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
