//! Everything that a handler does with its context, in the order in which it is met.
//!
//! The walk decides nothing: it says what is used, what is done with it, and whether an `await` could
//! stand there. Invariant: what is done with a value is [`UsePosition::Passed`] unless it is one of the
//! others for sure.

use rustc_hash::FxHashSet;

use super::guards::Removals;
use super::names::{ContextPart, Names, descend_unless_nested, single_name};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, CmpOp, Constant, Expr, ExprContext, Ranged, Stmt};
use crate::migrate::python::names::Loaded;
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// What the walk meets.
pub(super) enum Use<'a> {
    /// The context or a part of it.
    Part(PartUse<'a>),
    /// A place where one of the names means something else.
    Rebound(ByteRange),
    /// The string [`RAW_CONTENT`].
    RawContent(ByteRange),
    /// The start of a name that is not a variable, or is one that stays: a keyword of a call, the target
    /// of `headers = ctx.webhook_request.headers`.
    NoVariable(usize),
}

/// A use of the context or a part of it.
pub(super) struct PartUse<'a> {
    pub(super) expression: &'a Expr,
    pub(super) part: ContextPart,
    pub(super) position: UsePosition,
    /// Whether it is read, and not set or deleted.
    pub(super) is_read: bool,
    /// Whether an `await` could stand here.
    pub(super) can_await: bool,
}

/// All uses of a function.
pub(super) struct Uses<'a> {
    /// In the order in which they are met.
    pub(super) all: Vec<Use<'a>>,
    /// Every name that is used as a variable.
    pub(super) variables: FxHashSet<&'a str>,
    /// The simple statements of several lines that headers or body are read in.
    pub(super) broken_lines: Vec<ByteRange>,
}

/// What is done with the value of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsePosition {
    /// A method of [`HEADER_METHODS`] is called on it.
    Method,
    /// One of its items is looked up.
    Lookup,
    /// An attribute is taken of it, it is called, an item is set.
    Base,
    /// It stands to the right of `in`.
    Container,
    /// It is iterated over.
    Iterated,
    /// It becomes part of a text.
    Shown,
    /// Only its truth matters.
    Truth,
    /// It is assigned to a name whose uses are all seen.
    Named,
    /// Anything else.
    Passed,
}

/// The methods of the headers that a dict and Starlette's `Headers` have alike.
const HEADER_METHODS: [&str; 4] = ["get", "items", "keys", "values"];

/// The key of the body that stands for a text which is not JSON.
pub(super) const RAW_CONTENT: &str = "raw_content";

/// The uses in a function with this body.
pub(super) fn uses<'a>(
    loaded: &'a Loaded,
    names: &Names<'a>,
    removals: &Removals<'a>,
    body: &'a [Stmt],
) -> Uses<'a> {
    let mut walker = Walker {
        loaded,
        names,
        removals,
        uses: Vec::new(),
        reads: 0,
        variables: FxHashSet::default(),
        broken_lines: Vec::new(),
        strings: FxHashSet::default(),
    };
    for statement in body {
        walker.statement(statement, true);
    }
    Uses {
        all: walker.uses,
        variables: walker.variables,
        broken_lines: walker.broken_lines,
    }
}

struct Walker<'n, 'a> {
    loaded: &'a Loaded,
    names: &'n Names<'a>,
    removals: &'n Removals<'a>,
    uses: Vec<Use<'a>>,
    /// How many of the uses read headers or body.
    reads: usize,
    variables: FxHashSet<&'a str>,
    broken_lines: Vec<ByteRange>,
    /// The starts of the f-strings of Python 3.12 that have been looked into.
    strings: FxHashSet<usize>,
}

impl<'a> Walker<'_, 'a> {
    /// `can_await`: whether an `await` could stand here.
    fn statement(&mut self, statement: &'a Stmt, can_await: bool) {
        let range = range_of(statement);
        // What goes uses nothing.
        let mut removals = self.removals.all.iter();
        if removals.any(|removal| removal.statement == range) {
            return;
        }
        if let Some((name, value)) = single_name(statement)
            && self.names.is_of_headers(name)
            && self.names.part(value) == Some(ContextPart::Headers)
        {
            self.uses.push(Use::NoVariable(range.start()));
            self.variables.insert(name);
            self.expression(value, can_await, UsePosition::Named);
            return;
        }
        let reads_before = self.reads;
        // In a function inside, an `await` would be that function's, which may be a plain one.
        let can_await = can_await && descend_unless_nested(statement) == Descend::Into;
        tree::children(Node::Stmt(statement), &mut |child| match child {
            Node::Stmt(inner) => self.statement(inner, can_await),
            Node::Expr(expression) => {
                let is = |other: &Expr| std::ptr::eq(expression, other);
                let position = match statement {
                    Stmt::For(s) if is(&s.iter) => UsePosition::Iterated,
                    Stmt::If(s) if is(&s.test) => UsePosition::Truth,
                    Stmt::While(s) if is(&s.test) => UsePosition::Truth,
                    Stmt::Assert(s) if is(&s.test) => UsePosition::Truth,
                    _ => UsePosition::Passed,
                };
                self.expression(expression, can_await, position);
            }
        });
        // Headers and body are written shorter in a request, so that what only the width broke may be on one
        // line again. Compound statements have lines of their own.
        let is_simple = matches!(
            statement,
            Stmt::Assign(_)
                | Stmt::AnnAssign(_)
                | Stmt::AugAssign(_)
                | Stmt::Expr(_)
                | Stmt::Return(_)
        );
        let written = self.loaded.module.source().slice(range);
        if is_simple && self.reads > reads_before && written.contains('\n') {
            self.broken_lines.push(range);
        }
    }

    fn expression(&mut self, expression: &'a Expr, can_await: bool, position: UsePosition) {
        let Some(part) = self.names.part(expression) else {
            return self.below(expression, can_await, position);
        };
        let is_read = match expression {
            Expr::Attribute(attribute) => attribute.ctx == ExprContext::Load,
            Expr::Name(name) => name.ctx == ExprContext::Load,
            _ => true,
        };
        self.reads += usize::from(matches!(part, ContextPart::Headers | ContextPart::Body));
        self.uses.push(Use::Part(PartUse {
            expression,
            part,
            position,
            is_read,
            can_await,
        }));
    }

    /// Looks at what is below an expression that is not itself a part of the context.
    fn below(&mut self, expression: &'a Expr, can_await: bool, position: UsePosition) {
        match expression {
            Expr::Name(name) => {
                self.variables.insert(name.id.as_str());
            }
            Expr::Attribute(e) => self.expression(&e.value, can_await, UsePosition::Base),
            Expr::Await(e) => self.expression(&e.value, can_await, UsePosition::Base),
            Expr::Subscript(e) => {
                let looked_up = match e.ctx {
                    ExprContext::Load => UsePosition::Lookup,
                    _ => UsePosition::Base,
                };
                self.expression(&e.value, can_await, looked_up);
                self.expression(&e.slice, can_await, UsePosition::Passed);
            }
            Expr::Call(e) => self.call(e, can_await),
            Expr::Compare(e) => {
                self.expression(&e.left, can_await, UsePosition::Passed);
                for comparator in &e.comparators {
                    // In a chain it is compared with what follows, too.
                    let is_container = matches!(e.ops.as_slice(), [CmpOp::In | CmpOp::NotIn]);
                    let position = if is_container {
                        UsePosition::Container
                    } else {
                        UsePosition::Passed
                    };
                    self.expression(comparator, can_await, position);
                }
            }
            Expr::UnaryOp(e) if e.op == ast::UnaryOp::Not => {
                self.expression(&e.operand, can_await, UsePosition::Truth);
            }
            Expr::BoolOp(e) => {
                // The value of `a or b` is that of one of them: only where it is a test, only the truth matters.
                let inner = if position == UsePosition::Truth {
                    UsePosition::Truth
                } else {
                    UsePosition::Passed
                };
                for value in &e.values {
                    self.expression(value, can_await, inner);
                }
            }
            Expr::IfExp(e) => {
                self.expression(&e.test, can_await, UsePosition::Truth);
                self.expression(&e.body, can_await, UsePosition::Passed);
                self.expression(&e.orelse, can_await, UsePosition::Passed);
            }
            Expr::FormattedValue(e) => {
                self.expression(&e.value, can_await, UsePosition::Shown);
                if let Some(format) = &e.format_spec {
                    self.expression(format, can_await, UsePosition::Passed);
                }
            }
            Expr::ListComp(e) => self.comprehension(&e.generators, &[&*e.elt], can_await),
            Expr::SetComp(e) => self.comprehension(&e.generators, &[&*e.elt], can_await),
            Expr::GeneratorExp(e) => self.comprehension(&e.generators, &[&*e.elt], can_await),
            Expr::DictComp(e) => {
                self.comprehension(&e.generators, &[&*e.key, &*e.value], can_await);
            }
            Expr::Lambda(e) => {
                let names = tree::parameters(&e.args).map(|parameter| parameter.arg.as_str());
                // In a string its parameters are not tokens.
                if names.into_iter().any(|name| self.names.is_of_context(name)) {
                    self.uses.push(Use::Rebound(range_of(expression)));
                }
                self.every_child(expression, false);
            }
            Expr::JoinedStr(_) | Expr::Constant(_) => {
                if let Expr::Constant(constant) = expression
                    && matches!(&constant.value, Constant::Str(text) if text == RAW_CONTENT)
                {
                    self.uses.push(Use::RawContent(range_of(expression)));
                }
                self.modern_strings(range_of(expression), can_await);
                self.every_child(expression, can_await);
            }
            _ => self.every_child(expression, can_await),
        }
    }

    fn every_child(&mut self, expression: &'a Expr, can_await: bool) {
        tree::children(Node::Expr(expression), &mut |child| {
            if let Node::Expr(child) = child {
                self.expression(child, can_await, UsePosition::Passed);
            }
        });
    }

    fn call(&mut self, call: &'a ast::ExprCall, can_await: bool) {
        match &*call.func {
            Expr::Attribute(method) if HEADER_METHODS.contains(&method.attr.as_str()) => {
                self.expression(&method.value, can_await, UsePosition::Method);
            }
            function => self.expression(function, can_await, UsePosition::Base),
        }
        let position = if shows_arguments(&call.func) {
            UsePosition::Shown
        } else {
            UsePosition::Passed
        };
        for argument in &call.args {
            self.expression(argument, can_await, position);
        }
        for keyword in &call.keywords {
            if keyword.arg.is_some() {
                let start = keyword.range().start().to_usize();
                self.uses.push(Use::NoVariable(start));
            }
            self.expression(&keyword.value, can_await, UsePosition::Passed);
        }
    }

    fn comprehension(
        &mut self,
        generators: &'a [ast::Comprehension],
        elements: &[&'a Expr],
        can_await: bool,
    ) {
        for (index, generator) in generators.iter().enumerate() {
            // The first is evaluated where the comprehension stands, the others inside it.
            self.expression(
                &generator.iter,
                can_await && index == 0,
                UsePosition::Iterated,
            );
            self.expression(&generator.target, false, UsePosition::Passed);
            for test in &generator.ifs {
                self.expression(test, false, UsePosition::Truth);
            }
        }
        for element in elements {
            self.expression(element, false, UsePosition::Passed);
        }
    }

    /// Looks into the f-strings of Python 3.12 in a string, which the tree has blank.
    fn modern_strings(&mut self, range: ByteRange, can_await: bool) {
        let module = &self.loaded.module;
        if !module.is_blanked(range) || !self.strings.insert(range.start()) {
            return;
        }
        for fragment in module.fragments(range) {
            self.expression(fragment, can_await, UsePosition::Shown);
        }
    }
}

/// Whether a function is one that makes a text of its arguments: `print`, or a logger's.
fn shows_arguments(function: &Expr) -> bool {
    let is_logger = |name: &str| matches!(name, "logger" | "log" | "logging" | "_logger");
    match function {
        Expr::Name(name) => name.id.as_str() == "print",
        Expr::Attribute(method) => match &*method.value {
            Expr::Name(owner) => is_logger(&owner.id),
            Expr::Attribute(owner) => is_logger(&owner.attr),
            _ => false,
        },
        _ => false,
    }
}
