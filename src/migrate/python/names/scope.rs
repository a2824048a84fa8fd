//! The names that a module, a class or a function binds, and how.

use rustc_hash::FxHashMap;

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// A module as it is written after `from` or `import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleName {
    /// How many dots stand in front.
    pub level: usize,
    /// The dotted name after them; may be empty.
    pub dotted: String,
}

impl ModuleName {
    /// The module that `from module import …` names.
    pub(crate) fn of_from(statement: &ast::StmtImportFrom) -> Self {
        let module = statement.module.as_ref();
        Self {
            level: statement.level.map_or(0, |level| level.to_usize()),
            dotted: module.map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// The module `name` in this package.
    pub(crate) fn submodule(&self, name: &str) -> Self {
        let dotted = [self.dotted.as_str(), name].join(".");
        Self {
            level: self.level,
            dotted: dotted.trim_start_matches('.').to_owned(),
        }
    }
}

/// How a name gets its value.
#[derive(Debug, Clone)]
pub enum BindingKind {
    /// `import a.b as name`; without `as` it is the first part that is bound.
    Module(ModuleName),
    /// `from module import original as name`.
    From(ModuleName, String),
    /// `name = expression`, where the expression is one that can be followed.
    Value(Box<Expr>),
    /// `def` or `async def`.
    Function,
    /// `class`, with its bases and what is bound in its body.
    Class(Vec<Expr>, Box<Scope>),
    /// The parameter of a function, with its annotation.
    Parameter(Option<Box<Expr>>),
    /// Anything else: a loop variable, an unpacked tuple, a display of many values.
    Other,
}

/// One place that binds a name.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The statement, or the parameter.
    pub range: ByteRange,
    /// Whether it stands under `if TYPE_CHECKING:`, so that nothing is bound at run time.
    pub type_checking_only: bool,
    /// How.
    pub kind: BindingKind,
}

/// The names that a module, a class or a function binds in its own body.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    bindings: FxHashMap<String, Vec<Binding>>,
    stars: Vec<ModuleName>,
    /// Where the names hold; none for everywhere.
    extent: Option<ByteRange>,
    is_class: bool,
}

impl Scope {
    /// What `body` binds; the bodies of functions and classes in it are scopes of their own.
    pub fn of_body(body: &[Stmt]) -> Self {
        let mut scope = Self::default();
        scope.add_body(body, false);
        scope
    }

    /// What a module binds: its body, and the functions in it that say `global`.
    pub fn of_module(body: &[Stmt], text: &str) -> Self {
        let mut scope = Self::of_body(body);
        if memchr::memmem::find(text.as_bytes(), b"global ").is_some() {
            tree::walk_body(body, &mut |node| match node {
                Node::Stmt(Stmt::Global(global)) => {
                    for name in &global.names {
                        scope.bind(name, range_of(global), false, BindingKind::Other);
                    }
                    Descend::Past
                }
                Node::Stmt(_) => Descend::Into,
                Node::Expr(_) => Descend::Past,
            });
        }
        scope
    }

    /// What the body of a class binds, for expressions in that body. `name = name` in it means the
    /// name outside.
    pub fn of_class(body: &[Stmt]) -> Self {
        let mut scope = Self::of_body(body);
        scope.is_class = true;
        scope.bindings.retain(|name, bindings| {
            !bindings.iter().all(|binding| match &binding.kind {
                BindingKind::Value(value) => tree::is_named(value, name),
                _ => false,
            })
        });
        scope
    }

    /// The names that stand for `values` within `extent`, as in one turn of a loop, and those that
    /// are `unknown` there.
    pub fn of_values(extent: ByteRange, values: &[(String, Expr)], unknown: &[String]) -> Self {
        let mut scope = Self {
            extent: Some(extent),
            ..Self::default()
        };
        for (name, value) in values {
            let kind = BindingKind::Value(Box::new(value.clone()));
            scope.bind(name, extent, false, kind);
        }
        for name in unknown {
            scope.bind(name, extent, false, BindingKind::Other);
        }
        scope
    }

    /// Whether it is the body of a class, whose names functions in it do not see.
    pub fn is_class(&self) -> bool {
        self.is_class
    }

    /// Whether its names hold at `place`.
    pub fn holds_at(&self, place: ByteRange) -> bool {
        self.extent.is_none_or(|extent| extent.contains(place))
    }

    /// What a function binds: its parameters and its body.
    pub fn of_function(arguments: &ast::Arguments, body: &[Stmt]) -> Self {
        let mut scope = Self::default();
        for parameter in tree::parameters(arguments) {
            let annotation = parameter.annotation.clone();
            scope.bind(
                &parameter.arg,
                range_of(parameter),
                false,
                BindingKind::Parameter(annotation),
            );
        }
        scope.add_body(body, false);
        scope
    }

    /// Where and how `name` is bound.
    pub fn bindings(&self, name: &str) -> &[Binding] {
        self.bindings.get(name).map_or(&[], Vec::as_slice)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.bindings.keys().map(String::as_str)
    }

    /// The class that is defined at `range`: its bases, and what is bound in its body.
    pub fn class_at(&self, range: ByteRange) -> Option<(&[Expr], &Self)> {
        let bindings = self.bindings.values().flatten();
        bindings
            .filter(|binding| binding.range == range)
            .find_map(|binding| match &binding.kind {
                BindingKind::Class(bases, scope) => Some((bases.as_slice(), &**scope)),
                _ => None,
            })
    }

    /// The modules of `from module import *`.
    pub fn stars(&self) -> &[ModuleName] {
        &self.stars
    }

    fn bind(&mut self, name: &str, range: ByteRange, type_checking_only: bool, kind: BindingKind) {
        self.bindings
            .entry(name.to_owned())
            .or_default()
            .push(Binding {
                range,
                type_checking_only,
                kind,
            });
    }

    /// Binds what is assigned to `target`.
    fn bind_target(&mut self, target: &Expr, range: ByteRange, guard: bool, value: Option<&Expr>) {
        match target {
            Expr::Name(name) => {
                let kind = match value {
                    Some(value) if can_be_followed(value) => {
                        BindingKind::Value(Box::new(value.clone()))
                    }
                    _ => BindingKind::Other,
                };
                self.bind(&name.id, range, guard, kind);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let values = value.and_then(|value| unpacked(elts, value));
                for (index, element) in elts.iter().enumerate() {
                    let value = values.map(|values| &values[index]);
                    self.bind_target(element, range, guard, value);
                }
            }
            Expr::Starred(starred) => self.bind_target(&starred.value, range, guard, None),
            _ => {}
        }
    }

    fn add_body(&mut self, body: &[Stmt], guard: bool) {
        for statement in body {
            self.add_statement(statement, guard);
        }
    }

    /// Binds the names that `:=` gives values in an expression of a statement at `range`.
    fn bind_named(&mut self, expression: &Expr, range: ByteRange, guard: bool) {
        tree::walk(Node::Expr(expression), &mut |node| match node {
            Node::Expr(Expr::NamedExpr(named)) => {
                self.bind_target(&named.target, range, guard, Some(&named.value));
                Descend::Into
            }
            // Its value is made of names that only the comprehension has, again and again.
            Node::Expr(
                comprehension @ (Expr::ListComp(_)
                | Expr::SetComp(_)
                | Expr::DictComp(_)
                | Expr::GeneratorExp(_)),
            ) => {
                tree::walk(Node::Expr(comprehension), &mut |node| match node {
                    Node::Expr(Expr::NamedExpr(named)) => {
                        self.bind_target(&named.target, range, guard, None);
                        Descend::Into
                    }
                    Node::Expr(Expr::Lambda(_)) => Descend::Past,
                    _ => Descend::Into,
                });
                Descend::Past
            }
            Node::Expr(Expr::Lambda(_)) => Descend::Past,
            _ => Descend::Into,
        });
    }

    fn add_statement(&mut self, statement: &Stmt, guard: bool) {
        let range = range_of(statement);
        tree::children(Node::Stmt(statement), &mut |child| {
            if let Node::Expr(expression) = child {
                self.bind_named(expression, range, guard);
            }
        });
        match statement {
            Stmt::Import(s) => {
                for alias in &s.names {
                    let full = alias.name.as_str();
                    let (name, dotted) = match &alias.asname {
                        Some(name) => (name.as_str(), full),
                        None => {
                            let first = full.split('.').next().unwrap_or(full);
                            (first, first)
                        }
                    };
                    let module = ModuleName {
                        level: 0,
                        dotted: dotted.to_owned(),
                    };
                    self.bind(name, range, guard, BindingKind::Module(module));
                }
            }
            Stmt::ImportFrom(s) => {
                let module = ModuleName::of_from(s);
                for alias in &s.names {
                    if alias.name.as_str() == "*" {
                        self.stars.push(module.clone());
                        continue;
                    }
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    let kind = BindingKind::From(module.clone(), alias.name.to_string());
                    self.bind(name, range, guard, kind);
                }
            }
            Stmt::Assign(s) => {
                for target in &s.targets {
                    self.bind_target(target, range, guard, Some(&s.value));
                }
            }
            Stmt::AnnAssign(s) if s.value.is_some() => {
                self.bind_target(&s.target, range, guard, s.value.as_deref());
            }
            Stmt::AugAssign(s) => self.bind_target(&s.target, range, guard, None),
            Stmt::FunctionDef(s) => self.bind(&s.name, range, guard, BindingKind::Function),
            Stmt::AsyncFunctionDef(s) => self.bind(&s.name, range, guard, BindingKind::Function),
            Stmt::ClassDef(s) => {
                let kind = BindingKind::Class(s.bases.clone(), Box::new(Self::of_body(&s.body)));
                self.bind(&s.name, range, guard, kind);
            }
            // Behind it the name stands for nothing, and which code runs behind it is not known.
            Stmt::Delete(s) => {
                for target in &s.targets {
                    self.bind_target(target, range, guard, None);
                }
            }
            Stmt::TypeAlias(s) => self.bind_target(&s.name, range, guard, None),
            Stmt::For(s) => {
                self.bind_target(&s.target, range, guard, None);
                self.add_body(&s.body, guard);
                self.add_body(&s.orelse, guard);
            }
            Stmt::AsyncFor(s) => {
                self.bind_target(&s.target, range, guard, None);
                self.add_body(&s.body, guard);
                self.add_body(&s.orelse, guard);
            }
            Stmt::While(s) => {
                self.add_body(&s.body, guard);
                self.add_body(&s.orelse, guard);
            }
            Stmt::If(s) => {
                self.add_body(&s.body, guard || is_type_checking(&s.test));
                self.add_body(&s.orelse, guard);
            }
            Stmt::With(ast::StmtWith { items, body, .. })
            | Stmt::AsyncWith(ast::StmtAsyncWith { items, body, .. }) => {
                for item in items {
                    if let Some(target) = &item.optional_vars {
                        self.bind_target(target, range, guard, None);
                    }
                }
                self.add_body(body, guard);
            }
            Stmt::Match(s) => {
                for case in &s.cases {
                    self.bind_pattern(&case.pattern, range, guard);
                    self.add_body(&case.body, guard);
                }
            }
            Stmt::Try(_) | Stmt::TryStar(_) => {
                if let Some(tree::Try {
                    body,
                    handlers,
                    orelse,
                    finalbody,
                }) = tree::Try::of(statement)
                {
                    self.add_body(body, guard);
                    for ast::ExceptHandler::ExceptHandler(handler) in handlers {
                        if let Some(name) = &handler.name {
                            self.bind(name, range, guard, BindingKind::Other);
                        }
                        self.add_body(&handler.body, guard);
                    }
                    self.add_body(orelse, guard);
                    self.add_body(finalbody, guard);
                }
            }
            _ => {}
        }
    }

    fn bind_pattern(&mut self, pattern: &ast::Pattern, range: ByteRange, guard: bool) {
        let mut name = |name: &Option<ast::Identifier>| {
            if let Some(name) = name {
                self.bind(name, range, guard, BindingKind::Other);
            }
        };
        match pattern {
            ast::Pattern::MatchAs(p) => {
                name(&p.name);
                if let Some(inner) = &p.pattern {
                    self.bind_pattern(inner, range, guard);
                }
            }
            ast::Pattern::MatchStar(p) => name(&p.name),
            ast::Pattern::MatchMapping(p) => {
                name(&p.rest);
                p.patterns
                    .iter()
                    .for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchSequence(p) => {
                p.patterns
                    .iter()
                    .for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchClass(p) => {
                let patterns = p.patterns.iter().chain(&p.kwd_patterns);
                patterns.for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchOr(p) => {
                p.patterns
                    .iter()
                    .for_each(|p| self.bind_pattern(p, range, guard));
            }
            ast::Pattern::MatchValue(_) | ast::Pattern::MatchSingleton(_) => {}
        }
    }
}

/// Whether the test of an `if` is `TYPE_CHECKING`, however it was imported.
pub fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// The values that `targets` are given one by one; none where that cannot be seen.
fn unpacked<'e>(targets: &[Expr], value: &'e Expr) -> Option<&'e [Expr]> {
    let (Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })) = value
    else {
        return None;
    };
    let is_starred = |one: &Expr| matches!(one, Expr::Starred(_));
    let is_one_by_one = targets.len() == elts.len() && !targets.iter().chain(elts).any(is_starred);
    is_one_by_one.then_some(elts.as_slice())
}

/// How many values a display may have whose values are of interest.
pub(super) const MAX_DISPLAY: usize = 32;

/// Whether an assigned value is worth keeping: large displays of data are not.
fn can_be_followed(value: &Expr) -> bool {
    match value {
        Expr::Constant(_)
        | Expr::JoinedStr(_)
        | Expr::Name(_)
        | Expr::Attribute(_)
        | Expr::IfExp(_) => true,
        Expr::BinOp(_) | Expr::Call(_) | Expr::NamedExpr(_) | Expr::Await(_) => true,
        Expr::Tuple(ast::ExprTuple { elts, .. })
        | Expr::List(ast::ExprList { elts, .. })
        | Expr::Set(ast::ExprSet { elts, .. }) => elts.len() <= MAX_DISPLAY,
        Expr::Dict(dict) => dict.values.len() <= MAX_DISPLAY,
        _ => false,
    }
}
