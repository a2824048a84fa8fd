//! Walking a syntax tree: the children of a node, in the order of the source where it matters.

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::text_size::TextRange;
use crate::migrate::python::ast::{self, Expr, ExprContext, Ranged, Stmt};

/// A node of a tree.
#[derive(Debug, Clone, Copy)]
pub enum Node<'a> {
    /// A statement.
    Stmt(&'a Stmt),
    /// An expression.
    Expr(&'a Expr),
}

/// Whether to go on to the children of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descend {
    /// Visit the children.
    Into,
    /// Leave them out.
    Past,
}

/// The parts of a `try` statement, of either kind.
#[derive(Clone, Copy)]
pub(crate) struct Try<'a> {
    pub(crate) body: &'a [Stmt],
    pub(crate) handlers: &'a [ast::ExceptHandler],
    pub(crate) orelse: &'a [Stmt],
    pub(crate) finalbody: &'a [Stmt],
}

impl<'a> Try<'a> {
    /// None for any other statement.
    pub(crate) fn of(statement: &'a Stmt) -> Option<Self> {
        let (body, handlers, orelse, finalbody) = match statement {
            Stmt::Try(s) => (&s.body, &s.handlers, &s.orelse, &s.finalbody),
            Stmt::TryStar(s) => (&s.body, &s.handlers, &s.orelse, &s.finalbody),
            _ => return None,
        };
        Some(Self {
            body,
            handlers,
            orelse,
            finalbody,
        })
    }
}

/// The bytes of a node.
pub(crate) fn range_of(node: &impl Ranged) -> ByteRange {
    let range = node.range();
    ByteRange::new(range.start().to_usize(), range.end().to_usize())
}

/// Visits `node` and what is below it, parents first.
pub(crate) fn walk<'a>(node: Node<'a>, visit: &mut dyn FnMut(Node<'a>) -> Descend) {
    if visit(node) == Descend::Into {
        children(node, &mut |child| walk(child, visit));
    }
}

/// The names in an expression.
pub(crate) fn names(expression: &Expr) -> Vec<&str> {
    let mut names = Vec::new();
    walk(Node::Expr(expression), &mut |node| {
        if let Node::Expr(Expr::Name(name)) = node {
            names.push(name.id.as_str());
        }
        Descend::Into
    });
    names
}

/// Visits every statement of `body` and what is below it.
pub(crate) fn walk_body<'a>(body: &'a [Stmt], visit: &mut dyn FnMut(Node<'a>) -> Descend) {
    for statement in body {
        walk(Node::Stmt(statement), visit);
    }
}

/// Calls `visit` for every direct child of `node`.
pub(crate) fn children<'a>(node: Node<'a>, visit: &mut dyn FnMut(Node<'a>)) {
    match node {
        Node::Stmt(statement) => statement_children(statement, visit),
        Node::Expr(expression) => expression_children(expression, visit),
    }
}

/// The parameters of a function, in order, `*args` and `**kwargs` among them.
pub(crate) fn parameters(arguments: &ast::Arguments) -> impl Iterator<Item = &ast::Arg> {
    let plain = arguments.posonlyargs.iter().chain(&arguments.args);
    plain
        .map(|argument| &argument.def)
        .chain(arguments.vararg.as_deref())
        .chain(arguments.kwonlyargs.iter().map(|argument| &argument.def))
        .chain(arguments.kwarg.as_deref())
}

/// The parameters of a function that may have defaults, in order: all but `*args` and `**kwargs`.
pub(crate) fn plain_parameters(
    arguments: &ast::Arguments,
) -> impl Iterator<Item = &ast::ArgWithDefault> + Clone {
    positional_parameters(arguments).chain(&arguments.kwonlyargs)
}

/// The parameters of a function that may be given by their place.
pub(crate) fn positional_parameters(
    arguments: &ast::Arguments,
) -> impl Iterator<Item = &ast::ArgWithDefault> + Clone {
    arguments.posonlyargs.iter().chain(&arguments.args)
}

pub(crate) fn name_expression(name: &str) -> Expr {
    Expr::Name(ast::ExprName {
        id: ast::Identifier::new(name),
        ctx: ExprContext::Load,
        range: TextRange::default(),
    })
}

/// Whether an expression is the name `name`.
pub(crate) fn is_named(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Name(other) if other.id.as_str() == name)
}

/// The element and the `for` parts of a comprehension of a list or set, which runs where it stands.
pub(crate) fn comprehension(expression: &Expr) -> Option<(&Expr, &[ast::Comprehension])> {
    match expression {
        Expr::ListComp(ast::ExprListComp {
            elt, generators, ..
        })
        | Expr::SetComp(ast::ExprSetComp {
            elt, generators, ..
        }) => Some((elt, generators)),
        _ => None,
    }
}

/// Whether a statement defines a function or class, whose body is another scope.
pub(crate) fn is_definition(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_)
    )
}

fn argument_children<'a>(arguments: &'a ast::Arguments, visit: &mut dyn FnMut(Node<'a>)) {
    for parameter in parameters(arguments) {
        optional(parameter.annotation.as_deref(), visit);
    }
    let with_default = arguments
        .posonlyargs
        .iter()
        .chain(&arguments.args)
        .chain(&arguments.kwonlyargs);
    for argument in with_default {
        optional(argument.default.as_deref(), visit);
    }
}

fn optional<'a>(expression: Option<&'a Expr>, visit: &mut dyn FnMut(Node<'a>)) {
    if let Some(expression) = expression {
        visit(Node::Expr(expression));
    }
}

fn expressions<'a>(all: impl IntoIterator<Item = &'a Expr>, visit: &mut dyn FnMut(Node<'a>)) {
    for expression in all {
        visit(Node::Expr(expression));
    }
}

fn statements<'a>(all: &'a [Stmt], visit: &mut dyn FnMut(Node<'a>)) {
    for statement in all {
        visit(Node::Stmt(statement));
    }
}

fn handlers<'a>(all: &'a [ast::ExceptHandler], visit: &mut dyn FnMut(Node<'a>)) {
    for ast::ExceptHandler::ExceptHandler(handler) in all {
        optional(handler.type_.as_deref(), visit);
        statements(&handler.body, visit);
    }
}

fn with_items<'a>(all: &'a [ast::WithItem], visit: &mut dyn FnMut(Node<'a>)) {
    for item in all {
        visit(Node::Expr(&item.context_expr));
        optional(item.optional_vars.as_deref(), visit);
    }
}

fn pattern_children<'a>(pattern: &'a ast::Pattern, visit: &mut dyn FnMut(Node<'a>)) {
    match pattern {
        ast::Pattern::MatchValue(value) => visit(Node::Expr(&value.value)),
        ast::Pattern::MatchSequence(sequence) => {
            sequence
                .patterns
                .iter()
                .for_each(|p| pattern_children(p, visit));
        }
        ast::Pattern::MatchMapping(mapping) => {
            expressions(&mapping.keys, visit);
            mapping
                .patterns
                .iter()
                .for_each(|p| pattern_children(p, visit));
        }
        ast::Pattern::MatchClass(class) => {
            visit(Node::Expr(&class.cls));
            let patterns = class.patterns.iter().chain(&class.kwd_patterns);
            patterns.for_each(|p| pattern_children(p, visit));
        }
        ast::Pattern::MatchAs(inner) => {
            if let Some(pattern) = &inner.pattern {
                pattern_children(pattern, visit);
            }
        }
        ast::Pattern::MatchOr(or) => or.patterns.iter().for_each(|p| pattern_children(p, visit)),
        ast::Pattern::MatchSingleton(_) | ast::Pattern::MatchStar(_) => {}
    }
}

fn statement_children<'a>(statement: &'a Stmt, visit: &mut dyn FnMut(Node<'a>)) {
    match statement {
        Stmt::FunctionDef(f) => {
            expressions(&f.decorator_list, visit);
            argument_children(&f.args, visit);
            optional(f.returns.as_deref(), visit);
            statements(&f.body, visit);
        }
        Stmt::AsyncFunctionDef(f) => {
            expressions(&f.decorator_list, visit);
            argument_children(&f.args, visit);
            optional(f.returns.as_deref(), visit);
            statements(&f.body, visit);
        }
        Stmt::ClassDef(class) => {
            expressions(&class.decorator_list, visit);
            expressions(&class.bases, visit);
            expressions(class.keywords.iter().map(|keyword| &keyword.value), visit);
            statements(&class.body, visit);
        }
        Stmt::Return(s) => optional(s.value.as_deref(), visit),
        Stmt::Delete(s) => expressions(&s.targets, visit),
        Stmt::Assign(s) => {
            expressions(&s.targets, visit);
            visit(Node::Expr(&s.value));
        }
        Stmt::TypeAlias(s) => visit(Node::Expr(&s.value)),
        Stmt::AugAssign(s) => expressions([&*s.target, &*s.value], visit),
        Stmt::AnnAssign(s) => {
            expressions([&*s.target, &*s.annotation], visit);
            optional(s.value.as_deref(), visit);
        }
        Stmt::For(s) => {
            expressions([&*s.target, &*s.iter], visit);
            statements(&s.body, visit);
            statements(&s.orelse, visit);
        }
        Stmt::AsyncFor(s) => {
            expressions([&*s.target, &*s.iter], visit);
            statements(&s.body, visit);
            statements(&s.orelse, visit);
        }
        Stmt::While(s) => {
            visit(Node::Expr(&s.test));
            statements(&s.body, visit);
            statements(&s.orelse, visit);
        }
        Stmt::If(s) => {
            visit(Node::Expr(&s.test));
            statements(&s.body, visit);
            statements(&s.orelse, visit);
        }
        Stmt::With(s) => {
            with_items(&s.items, visit);
            statements(&s.body, visit);
        }
        Stmt::AsyncWith(s) => {
            with_items(&s.items, visit);
            statements(&s.body, visit);
        }
        Stmt::Match(s) => {
            visit(Node::Expr(&s.subject));
            for case in &s.cases {
                pattern_children(&case.pattern, visit);
                optional(case.guard.as_deref(), visit);
                statements(&case.body, visit);
            }
        }
        Stmt::Raise(s) => {
            optional(s.exc.as_deref(), visit);
            optional(s.cause.as_deref(), visit);
        }
        Stmt::Try(s) => {
            statements(&s.body, visit);
            handlers(&s.handlers, visit);
            statements(&s.orelse, visit);
            statements(&s.finalbody, visit);
        }
        Stmt::TryStar(s) => {
            statements(&s.body, visit);
            handlers(&s.handlers, visit);
            statements(&s.orelse, visit);
            statements(&s.finalbody, visit);
        }
        Stmt::Assert(s) => {
            visit(Node::Expr(&s.test));
            optional(s.msg.as_deref(), visit);
        }
        Stmt::Expr(s) => visit(Node::Expr(&s.value)),
        Stmt::Import(_)
        | Stmt::ImportFrom(_)
        | Stmt::Global(_)
        | Stmt::Nonlocal(_)
        | Stmt::Pass(_)
        | Stmt::Break(_)
        | Stmt::Continue(_) => {}
    }
}

fn comprehensions<'a>(all: &'a [ast::Comprehension], visit: &mut dyn FnMut(Node<'a>)) {
    for one in all {
        expressions([&one.target, &one.iter], visit);
        expressions(&one.ifs, visit);
    }
}

fn expression_children<'a>(expression: &'a Expr, visit: &mut dyn FnMut(Node<'a>)) {
    match expression {
        Expr::BoolOp(e) => expressions(&e.values, visit),
        Expr::NamedExpr(e) => expressions([&*e.target, &*e.value], visit),
        Expr::BinOp(e) => expressions([&*e.left, &*e.right], visit),
        Expr::UnaryOp(e) => visit(Node::Expr(&e.operand)),
        Expr::Lambda(e) => {
            argument_children(&e.args, visit);
            visit(Node::Expr(&e.body));
        }
        Expr::IfExp(e) => expressions([&*e.test, &*e.body, &*e.orelse], visit),
        Expr::Dict(e) => {
            for (key, value) in e.keys.iter().zip(&e.values) {
                optional(key.as_ref(), visit);
                visit(Node::Expr(value));
            }
        }
        Expr::Set(e) => expressions(&e.elts, visit),
        Expr::ListComp(e) => {
            visit(Node::Expr(&e.elt));
            comprehensions(&e.generators, visit);
        }
        Expr::SetComp(e) => {
            visit(Node::Expr(&e.elt));
            comprehensions(&e.generators, visit);
        }
        Expr::DictComp(e) => {
            expressions([&*e.key, &*e.value], visit);
            comprehensions(&e.generators, visit);
        }
        Expr::GeneratorExp(e) => {
            visit(Node::Expr(&e.elt));
            comprehensions(&e.generators, visit);
        }
        Expr::Await(e) => visit(Node::Expr(&e.value)),
        Expr::Yield(e) => optional(e.value.as_deref(), visit),
        Expr::YieldFrom(e) => visit(Node::Expr(&e.value)),
        Expr::Compare(e) => {
            visit(Node::Expr(&e.left));
            expressions(&e.comparators, visit);
        }
        Expr::Call(e) => {
            visit(Node::Expr(&e.func));
            expressions(&e.args, visit);
            expressions(e.keywords.iter().map(|keyword| &keyword.value), visit);
        }
        Expr::FormattedValue(e) => {
            visit(Node::Expr(&e.value));
            optional(e.format_spec.as_deref(), visit);
        }
        Expr::JoinedStr(e) => expressions(&e.values, visit),
        Expr::Attribute(e) => visit(Node::Expr(&e.value)),
        Expr::Subscript(e) => expressions([&*e.value, &*e.slice], visit),
        Expr::Starred(e) => visit(Node::Expr(&e.value)),
        Expr::List(e) => expressions(&e.elts, visit),
        Expr::Tuple(e) => expressions(&e.elts, visit),
        Expr::Slice(e) => {
            optional(e.lower.as_deref(), visit);
            optional(e.upper.as_deref(), visit);
            optional(e.step.as_deref(), visit);
        }
        Expr::Constant(_) | Expr::Name(_) => {}
    }
}
