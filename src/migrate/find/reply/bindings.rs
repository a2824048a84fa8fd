//! Every way in which the names of a function or module get their values.
//!
//! Invariant: a name that is bound in a form which is not an assignment of a whole value is
//! [`Bound::Unknown`]; no form of binding is overlooked, also not those of functions inside that
//! declare it `global` or `nonlocal`.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Expr, ExprContext, Stmt};
use crate::migrate::python::parse::Module;
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// One way in which a name gets a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound<'a> {
    /// It is assigned, also by `:=`.
    Value(&'a Expr),
    /// `name += value` and its like.
    Augmented(&'a Expr),
    /// It is a parameter.
    Parameter(&'a ast::ArgWithDefault),
    /// An import.
    Import,
    /// The definition of a function or class.
    Definition,
    /// Anything else: unpacking, a loop, `with`, `except`, a capture, `del`.
    Unknown,
}

/// The names that a function or module binds.
#[derive(Debug, Default)]
pub(super) struct Bindings<'a> {
    names: FxHashMap<&'a str, Vec<Bound<'a>>>,
    parameters: usize,
}

impl<'a> Bindings<'a> {
    /// What a function binds.
    pub(super) fn of_function(
        module: &'a Module,
        arguments: &'a ast::Arguments,
        body: &'a [Stmt],
    ) -> Self {
        let mut bindings = Self::of_body(module, body);
        let plain = tree::plain_parameters(arguments);
        for parameter in plain {
            bindings.bind(&parameter.def.arg, Bound::Parameter(parameter));
        }
        bindings.parameters = tree::parameters(arguments).count();
        for collected in arguments.vararg.iter().chain(&arguments.kwarg) {
            bindings.bind(&collected.arg, Bound::Unknown);
        }
        bindings
    }

    /// What a module, or the body of a function, binds.
    pub(super) fn of_body(module: &'a Module, body: &'a [Stmt]) -> Self {
        let mut bindings = Self::default();
        let Some((first, last)) = body.first().zip(body.last()) else {
            return bindings;
        };
        let range = ByteRange::new(range_of(first).start(), range_of(last).end());
        // Targets of assignments, which are understood; every other name that is stored to is not.
        let mut understood: FxHashSet<ByteRange> = FxHashSet::default();
        module.walk(body, range, &mut |node| {
            bindings.add(node, &mut understood);
            match node {
                // Only what reaches out of it matters.
                Node::Stmt(
                    Stmt::FunctionDef(ast::StmtFunctionDef { body, .. })
                    | Stmt::AsyncFunctionDef(ast::StmtAsyncFunctionDef { body, .. })
                    | Stmt::ClassDef(ast::StmtClassDef { body, .. }),
                ) => {
                    bindings.add_outer(body);
                    Descend::Past
                }
                _ => Descend::Into,
            }
        });
        bindings
    }

    /// How a name is bound; none when it is not.
    pub(super) fn of(&self, name: &str) -> Option<&[Bound<'a>]> {
        self.names.get(name).map(Vec::as_slice)
    }

    /// How many parameters there are.
    pub(super) fn parameters(&self) -> usize {
        self.parameters
    }

    fn bind(&mut self, name: &'a str, bound: Bound<'a>) {
        self.names.entry(name).or_default().push(bound);
    }

    fn assign(
        &mut self,
        target: &'a Expr,
        bound: Bound<'a>,
        understood: &mut FxHashSet<ByteRange>,
    ) {
        if let Expr::Name(name) = target {
            understood.insert(range_of(name));
            self.bind(&name.id, bound);
        }
    }

    fn add(&mut self, node: Node<'a>, understood: &mut FxHashSet<ByteRange>) {
        match node {
            Node::Expr(Expr::NamedExpr(named)) => {
                self.assign(&named.target, Bound::Value(&named.value), understood);
            }
            Node::Expr(Expr::Name(name)) => {
                if !matches!(name.ctx, ExprContext::Load) && !understood.contains(&range_of(name)) {
                    self.bind(&name.id, Bound::Unknown);
                }
            }
            Node::Expr(_) => {}
            Node::Stmt(statement) => self.add_statement(statement, understood),
        }
    }

    fn add_statement(&mut self, statement: &'a Stmt, understood: &mut FxHashSet<ByteRange>) {
        match statement {
            Stmt::Assign(s) => {
                for target in &s.targets {
                    self.assign(target, Bound::Value(&s.value), understood);
                }
            }
            Stmt::AnnAssign(s) => match &s.value {
                Some(value) => self.assign(&s.target, Bound::Value(value), understood),
                // It only says a type.
                None => {
                    understood.insert(range_of(&*s.target));
                }
            },
            Stmt::AugAssign(s) => self.assign(&s.target, Bound::Augmented(&s.value), understood),
            Stmt::FunctionDef(s) => self.bind(&s.name, Bound::Definition),
            Stmt::AsyncFunctionDef(s) => self.bind(&s.name, Bound::Definition),
            Stmt::ClassDef(s) => self.bind(&s.name, Bound::Definition),
            Stmt::Import(ast::StmtImport { names, .. })
            | Stmt::ImportFrom(ast::StmtImportFrom { names, .. }) => {
                for alias in names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    self.bind(name.split('.').next().unwrap_or(name), Bound::Import);
                }
            }
            Stmt::Try(ast::StmtTry { handlers, .. })
            | Stmt::TryStar(ast::StmtTryStar { handlers, .. }) => {
                for ast::ExceptHandler::ExceptHandler(handler) in handlers {
                    self.bind_all(handler.name.as_ref());
                }
            }
            Stmt::Match(s) => s
                .cases
                .iter()
                .for_each(|case| self.add_pattern(&case.pattern)),
            Stmt::Global(ast::StmtGlobal { names, .. })
            | Stmt::Nonlocal(ast::StmtNonlocal { names, .. }) => self.bind_all(names),
            _ => {}
        }
    }

    fn bind_all(&mut self, names: impl IntoIterator<Item = &'a ast::Identifier>) {
        for name in names {
            self.bind(name, Bound::Unknown);
        }
    }

    fn add_pattern(&mut self, pattern: &'a ast::Pattern) {
        match pattern {
            ast::Pattern::MatchAs(p) => {
                self.bind_all(p.name.as_ref());
                if let Some(inner) = &p.pattern {
                    self.add_pattern(inner);
                }
            }
            ast::Pattern::MatchStar(p) => self.bind_all(p.name.as_ref()),
            ast::Pattern::MatchMapping(p) => {
                self.bind_all(p.rest.as_ref());
                p.patterns.iter().for_each(|p| self.add_pattern(p));
            }
            ast::Pattern::MatchSequence(p) => p.patterns.iter().for_each(|p| self.add_pattern(p)),
            ast::Pattern::MatchClass(p) => {
                let patterns = p.patterns.iter().chain(&p.kwd_patterns);
                patterns.for_each(|p| self.add_pattern(p));
            }
            ast::Pattern::MatchOr(p) => p.patterns.iter().for_each(|p| self.add_pattern(p)),
            ast::Pattern::MatchValue(_) | ast::Pattern::MatchSingleton(_) => {}
        }
    }

    /// The names that functions and classes inside declare as those of the enclosing scope.
    fn add_outer(&mut self, body: &'a [Stmt]) {
        tree::walk_body(body, &mut |node| {
            if let Node::Stmt(
                Stmt::Global(ast::StmtGlobal { names, .. })
                | Stmt::Nonlocal(ast::StmtNonlocal { names, .. }),
            ) = node
            {
                self.bind_all(names);
            }
            Descend::Into
        });
    }
}
