//! A question about the parameters of one handler: how far it may lead, and what is said when it fails.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use rustc_hash::FxHashSet;

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::names::Resolver;
use crate::migrate::python::tree::range_of;
use crate::text;
use crate::text::Text;

/// Why FastAPI would not take a type, or why that cannot be known.
pub(super) type Objection = Text;

/// How many types may be inside each other.
const MAX_DEPTH: usize = 24;

/// How many types one handler may lead to: those of classes that refer to each other could be more
/// than there is time for.
const MAX_STEPS: usize = 2_000;

/// What the question about one handler has led to.
pub(super) struct Question {
    steps: Cell<usize>,
    /// The classes whose fields have been looked at, or are being so.
    seen: RefCell<FxHashSet<(PathBuf, ByteRange)>>,
    /// Whether one of the parameters is a Response, or that cannot be known.
    takes_response: Cell<bool>,
}

impl Question {
    pub(super) fn new() -> Self {
        Self {
            steps: Cell::new(MAX_STEPS),
            seen: RefCell::default(),
            takes_response: Cell::new(false),
        }
    }

    /// Whether the handler or a dependency may be given the Response, on which it can set headers.
    pub(super) fn takes_response(&self) -> bool {
        self.takes_response.get()
    }

    /// The place of a parameter's type.
    pub(super) fn parameter(&self) -> Place<'_> {
        Place {
            question: self,
            depth: MAX_DEPTH,
            in_class: false,
            is_part: false,
        }
    }
}

/// Where a type stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'q> {
    question: &'q Question,
    depth: usize,
    /// Whether pydantic resolves types in quotes here, as it does in the fields of a class.
    pub(super) in_class: bool,
    /// Whether it is a part of another type.
    pub(super) is_part: bool,
}

impl Place<'_> {
    /// One level deeper; none where that is too deep.
    pub(super) fn deeper(self) -> Option<Self> {
        let steps = self.question.steps.get().checked_sub(1)?;
        self.question.steps.set(steps);
        let depth = self.depth.checked_sub(1)?;
        Some(Self { depth, ..self })
    }

    /// Notes that a parameter is, or may be, the Response.
    pub(super) fn note_response(self) {
        self.question.takes_response.set(true);
    }

    pub(super) fn part(self) -> Self {
        Self {
            is_part: true,
            ..self
        }
    }

    pub(super) fn field(self) -> Self {
        Self {
            in_class: true,
            is_part: true,
            ..self
        }
    }

    /// Whether the fields of a class are asked about for the first time.
    pub(super) fn is_new(self, resolver: Resolver<'_>, definition: &ast::StmtClassDef) -> bool {
        let path = resolver.loaded.module.source().path().to_owned();
        let mut seen = self.question.seen.borrow_mut();
        seen.insert((path, range_of(definition)))
    }
}

/// A piece of source, on one line; of what stands in quotes, which has no place there, its head.
pub(super) fn shown(resolver: Resolver<'_>, expression: &Expr) -> String {
    let text = resolver.loaded.module.source().slice(range_of(expression));
    match expression {
        Expr::Name(name) => name.id.to_string(),
        Expr::Attribute(attribute) => attribute.attr.to_string(),
        Expr::Subscript(subscript) if text.is_empty() => shown(resolver, &subscript.value) + "[…]",
        Expr::Call(call) if text.is_empty() => shown(resolver, &call.func) + "(…)",
        _ if text.is_empty() => "…".to_owned(),
        _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

pub(super) fn unknown(name: &str) -> Objection {
    text!(
        "whether FastAPI can read `{name}` from a request cannot be known",
        "无法确定 FastAPI 能否从请求中读取 `{name}`"
    )
}

pub(super) fn refused(name: &str) -> Objection {
    text!(
        "FastAPI cannot read `{name}` from a request, and refuses to make the route",
        "FastAPI 无法从请求中读取 `{name}`，会拒绝创建路由"
    )
}
