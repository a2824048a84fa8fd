//! The statements that have no meaning any more once a handler takes the request: a name for
//! `ctx.webhook_request`, and a test whether there is one.
//!
//! Invariants: a statement goes only with its whole lines, where it is alone on them, no comment is
//! lost, and something stays after it in its block; the last use of a local variable stays.

use rustc_hash::FxHashSet;

use super::model::Removal;
use super::names::{ContextPart, Names, plain_root, single_name};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, CmpOp, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Loaded, Scope};
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// The statements of a function that go.
pub(super) struct Removals<'a> {
    loaded: &'a Loaded,
    definition: Definition<'a>,
    pub(super) all: Vec<Removal>,
    /// The starts of those that are the first of their block.
    leading: FxHashSet<usize>,
}

impl<'a> Removals<'a> {
    pub(super) fn new(loaded: &'a Loaded, definition: Definition<'a>) -> Self {
        Self {
            loaded,
            definition,
            all: Vec::new(),
            leading: FxHashSet::default(),
        }
    }

    /// Whether a place is in a statement that goes.
    pub(super) fn contain(&self, range: ByteRange) -> bool {
        let mut all = self.all.iter();
        all.any(|removal| removal.statement.contains(range))
    }

    /// Takes the statements of the function itself that give the webhook request a name, and adds those
    /// names.
    pub(super) fn add_request_names(&mut self, names: &mut Names<'a>) {
        let body = self.definition.body;
        // In a block of its own the name would be there on some ways only.
        for (index, statement) in body.iter().enumerate() {
            if let Some((name, value)) = single_name(statement)
                && names.part(value) == Some(ContextPart::WebhookRequest)
                && plain_root(self.loaded, value).is_some()
                && let Some(lines) = removable(self.loaded, body, index)
            {
                names.requests.push(name);
                self.add(index, range_of(statement), lines, Vec::new());
            }
        }
    }

    /// Takes the statements of `block` and the blocks in it that only test whether there is a webhook
    /// request: a route always has one.
    pub(super) fn add_guards(&mut self, names: &Names<'_>, block: &[Stmt]) {
        for (index, statement) in block.iter().enumerate() {
            // Nothing in a guard is looked at: what it does never happens in a route, which always has a
            // request.
            if let Some(used) = self.guard(names, statement) {
                if let Some(lines) = removable(self.loaded, block, index) {
                    self.add(index, range_of(statement), lines, used);
                }
                continue;
            }
            match statement {
                Stmt::If(s) => {
                    self.add_guards(names, &s.body);
                    self.add_guards(names, &s.orelse);
                }
                Stmt::For(ast::StmtFor { body, .. })
                | Stmt::AsyncFor(ast::StmtAsyncFor { body, .. })
                | Stmt::While(ast::StmtWhile { body, .. })
                | Stmt::With(ast::StmtWith { body, .. })
                | Stmt::AsyncWith(ast::StmtAsyncWith { body, .. })
                | Stmt::Try(ast::StmtTry { body, .. }) => self.add_guards(names, body),
                // A guard that stands elsewhere stays; for its sake the handler keeps the context.
                _ => {}
            }
        }
    }

    fn add(&mut self, index: usize, statement: ByteRange, lines: ByteRange, names: Vec<String>) {
        if index == 0 {
            self.leading.insert(statement.start());
        }
        self.all.push(Removal {
            statement,
            lines,
            names,
        });
    }

    /// The names that are used in a statement, when it does nothing where there is a webhook
    /// request, and binds nothing.
    fn guard(&self, names: &Names<'_>, statement: &Stmt) -> Option<Vec<String>> {
        let is_guard = match statement {
            Stmt::If(s) => {
                let is_plain = |inner: &Stmt| {
                    matches!(
                        inner,
                        Stmt::Raise(_) | Stmt::Return(_) | Stmt::Expr(_) | Stmt::Pass(_)
                    )
                };
                s.orelse.is_empty() && s.body.iter().all(is_plain) && is_absence(names, &s.test)
            }
            Stmt::Assert(s) => is_presence(names, &s.test),
            _ => false,
        };
        if !is_guard {
            return None;
        }
        let scope = Scope::of_function(self.definition.arguments, self.definition.body);
        let mut used = Vec::new();
        // What the f-strings of Python 3.12 bind is not in the tree.
        let mut binds = self.loaded.module.is_blanked(range_of(statement));
        tree::walk(Node::Stmt(statement), &mut |node| {
            match node {
                Node::Expr(Expr::Name(name)) => {
                    let name = name.id.as_str();
                    let is_known = name == names.parameter || names.requests.contains(&name);
                    // The last use of a local variable must not go.
                    binds |= !is_known && !scope.bindings(name).is_empty();
                    if !is_known {
                        used.push(name.to_owned());
                    }
                }
                Node::Expr(Expr::NamedExpr(_) | Expr::Yield(_) | Expr::YieldFrom(_)) => {
                    binds = true;
                }
                _ => {}
            }
            Descend::Into
        });
        (!binds).then_some(used)
    }

    /// Adds the blank lines after removed statements that would be too many: at the start of a
    /// block, and after other blank lines.
    pub(super) fn close_gaps(&mut self) {
        let source = self.loaded.module.source();
        self.all.sort_by_key(|removal| removal.statement);
        let mut before: Option<(usize, bool)> = None;
        for removal in &mut self.all {
            let lines = removal.lines;
            let above = source.line_at(lines.start().saturating_sub(1));
            // Of statements that go one after the other, all have the same lines above them.
            let continues = before.is_some_and(|(end, no_gap)| end == lines.start() && no_gap);
            let no_gap = continues
                || self.leading.contains(&removal.statement.start())
                || source.slice(above).trim().is_empty();
            let mut end = lines.end();
            while no_gap && end < source.text().len() {
                let next = source.line_at(end);
                if next.is_empty() || !source.slice(next).trim().is_empty() {
                    break;
                }
                end = next.end();
            }
            removal.lines = ByteRange::new(lines.start(), end);
            before = Some((end, no_gap));
        }
    }
}

/// Whether a test is true where there is a webhook request.
fn is_presence(names: &Names<'_>, test: &Expr) -> bool {
    match test {
        Expr::Compare(compare) => is_none_test(names, compare, CmpOp::IsNot),
        _ => names.part(test) == Some(ContextPart::WebhookRequest),
    }
}

/// Whether a test is false where there is a webhook request.
fn is_absence(names: &Names<'_>, test: &Expr) -> bool {
    match test {
        Expr::UnaryOp(unary) => unary.op == ast::UnaryOp::Not && is_presence(names, &unary.operand),
        Expr::Compare(compare) => is_none_test(names, compare, CmpOp::Is),
        _ => false,
    }
}

fn is_none_test(names: &Names<'_>, compare: &ast::ExprCompare, operator: CmpOp) -> bool {
    let is_none = |value: &Expr| matches!(value, Expr::Constant(c) if c.value.is_none());
    compare.ops.as_slice() == [operator]
        && compare.comparators.iter().all(is_none)
        && names.part(&compare.left) == Some(ContextPart::WebhookRequest)
}

/// The lines of a statement, when they can go: something stays after it in its block, nothing
/// else stands on them, and no comment is lost or parted from what it speaks of.
fn removable(loaded: &Loaded, block: &[Stmt], index: usize) -> Option<ByteRange> {
    let statement = range_of(block.get(index)?);
    block.get(index + 1)?;
    let module = &loaded.module;
    let source = module.source();
    let first = source.line_at(statement.start());
    let last = source.line_at(statement.end());
    let lines = ByteRange::new(first.start(), last.end());
    let is_alone = source
        .slice(ByteRange::new(first.start(), statement.start()))
        .trim()
        .is_empty()
        && source
            .slice(ByteRange::new(statement.end(), last.end()))
            .trim()
            .is_empty();
    let above = source.slice(source.line_at(first.start().checked_sub(1)?));
    if !is_alone || module.tokens().has_comment(lines) || above.trim_start().starts_with('#') {
        return None;
    }
    Some(lines)
}
