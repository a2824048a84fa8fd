//! A function as it is defined, `def` and `async def` alike, and what it returns or yields itself.
//!
//! Invariant: what functions and classes inside of it return or yield is not counted as its own.

use super::tree::{self, Descend, Node, is_definition, range_of, walk_body};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Expr, Stmt};

/// The parts of a function definition that matter here.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'a> {
    /// Its name.
    pub name: &'a str,
    /// From `def` or `async` to its end.
    pub range: ByteRange,
    /// Its parameters.
    pub arguments: &'a ast::Arguments,
    /// Its statements.
    pub body: &'a [Stmt],
    /// Its decorators.
    pub decorators: &'a [Expr],
    /// Its return annotation.
    pub returns: Option<&'a Expr>,
    /// Whether it is an `async def`.
    pub is_async: bool,
}

impl<'a> Definition<'a> {
    /// The definition in a statement, if it is one.
    pub(crate) fn of(statement: &'a Stmt) -> Option<Self> {
        match statement {
            Stmt::FunctionDef(f) => Some(Self {
                name: &f.name,
                range: range_of(f),
                arguments: &f.args,
                body: &f.body,
                decorators: &f.decorator_list,
                returns: f.returns.as_deref(),
                is_async: false,
            }),
            Stmt::AsyncFunctionDef(f) => Some(Self {
                name: &f.name,
                range: range_of(f),
                arguments: &f.args,
                body: &f.body,
                decorators: &f.decorator_list,
                returns: f.returns.as_deref(),
                is_async: true,
            }),
            _ => None,
        }
    }
}

/// The function that is defined at `range`.
pub(crate) fn definition_at(suite: &[Stmt], range: ByteRange) -> Option<Definition<'_>> {
    let mut found = None;
    tree::walk_body(suite, &mut |node| match node {
        Node::Stmt(statement) => {
            if range_of(statement) == range {
                found = Definition::of(statement);
            }
            Descend::Into
        }
        Node::Expr(_) => Descend::Past,
    });
    found
}

/// The enclosing functions and at `range`, the innermost last; empty when no function is there.
///
/// Statements of a body are in the order of the text, so that only those are entered that the
/// place can be in.
pub(crate) fn definitions_at(suite: &[Stmt], range: ByteRange) -> Vec<Definition<'_>> {
    let before = |body: &'_ [Stmt]| {
        body.partition_point(|statement| range_of(statement).start() <= range.start())
            .checked_sub(1)
    };
    let mut chain = Vec::new();
    let mut next = before(suite).and_then(|index| suite.get(index));
    while let Some(statement) = next {
        if let Some(definition) = Definition::of(statement) {
            chain.push(definition);
            if definition.range == range {
                return chain;
            }
            next = before(definition.body).and_then(|index| definition.body.get(index));
            continue;
        }
        next = None;
        tree::children(Node::Stmt(statement), &mut |child| {
            if let Node::Stmt(inner) = child
                && range_of(inner).contains(range)
            {
                next = Some(inner);
            }
        });
    }
    Vec::new()
}

/// Whether a function is a generator.
pub(crate) fn yields(body: &[Stmt]) -> bool {
    let mut found = false;
    walk_body(body, &mut |node| match node {
        Node::Stmt(statement) if is_definition(statement) => Descend::Past,
        Node::Expr(Expr::Lambda(_)) => Descend::Past,
        Node::Expr(Expr::Yield(_) | Expr::YieldFrom(_)) => {
            found = true;
            Descend::Past
        }
        _ => Descend::Into,
    });
    found
}

/// Whether a function with this body may end by an error of its own.
pub(crate) fn raises(body: &[Stmt]) -> bool {
    let mut found = false;
    walk_body(body, &mut |node| match node {
        Node::Stmt(Stmt::Raise(_) | Stmt::Assert(_)) => {
            found = true;
            Descend::Past
        }
        Node::Stmt(statement) if is_definition(statement) => Descend::Past,
        Node::Stmt(_) => Descend::Into,
        Node::Expr(_) => Descend::Past,
    });
    found
}

/// Calls `visit` with each `return` of the function that has this body.
pub(crate) fn each_return<'a>(body: &'a [Stmt], visit: &mut dyn FnMut(&'a ast::StmtReturn)) {
    walk_body(body, &mut |node| match node {
        Node::Stmt(Stmt::Return(statement)) => {
            visit(statement);
            Descend::Past
        }
        Node::Stmt(statement) if is_definition(statement) => Descend::Past,
        Node::Stmt(_) => Descend::Into,
        Node::Expr(_) => Descend::Past,
    });
}
