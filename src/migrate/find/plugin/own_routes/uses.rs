//! Where the routers of a module go: each use of one is of a closed list, or hides routes.
//!
//! The list: a method is called that adds a route which is read, or none; it is included in another
//! router, or includes one that is known; it is returned, compared, printed, looked at; it gets
//! another name; it is handed to a function of the repo that uses its parameter in these ways only.

use crate::migrate::edit::ByteRange;
use crate::migrate::emit::is_as_written;
use crate::migrate::find::plugin::calls::plugin_of_call;
use crate::migrate::find::plugin::own_routes::model::{
    Hidden, OwnRoute, OwnRoutes, RouterId, UNKNOWN,
};
use crate::migrate::find::plugin::own_routes::routers::{routers, written};
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{BindingKind, Loaded, Resolver, Scope, Workspace};
use crate::migrate::python::tree::{self, Node, range_of};

/// How many functions a router is followed through.
const MAX_CALLS: usize = 4;

/// What is followed.
pub(super) enum Followed<'f> {
    /// Every router.
    Routers,
    /// The parameter of a function that a router is handed to.
    Parameter(&'f str),
}

/// What is done with the value of an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Nothing that could add a route.
    Harmless,
    /// It is known by the expression's name afterwards, or by that of the function.
    Named,
    /// It cannot be followed.
    Escapes,
}

pub(super) struct Walker<'w> {
    pub(super) workspace: &'w Workspace,
    pub(super) loaded: &'w Loaded,
    pub(super) scopes: Vec<Scope>,
    /// The enclosing functions, and whether each is one under `mount_router()`.
    pub(super) functions: Vec<(ByteRange, bool)>,
    pub(super) followed: Followed<'w>,
    pub(super) calls: usize,
    pub(super) own: &'w mut OwnRoutes,
}

/// Adds to `own` what becomes of the routers that `loaded` uses.
pub(super) fn of_routers(workspace: &Workspace, loaded: &Loaded, own: &mut OwnRoutes) {
    let mut walker = Walker {
        workspace,
        loaded,
        scopes: Vec::new(),
        functions: Vec::new(),
        followed: Followed::Routers,
        calls: MAX_CALLS,
        own,
    };
    walker.body(loaded.module.suite());
    for fragment in loaded.module.fragments(loaded.module.range()) {
        walker.expression(fragment, Use::Harmless);
    }
}

impl Walker<'_> {
    pub(super) fn resolver(&self) -> Resolver<'_> {
        Resolver {
            workspace: self.workspace,
            loaded: self.loaded,
            locals: &self.scopes,
        }
    }

    /// The routers that an expression stands for, `None` in the place of one that is not known;
    /// empty when it is not followed.
    pub(super) fn followed(&self, expression: &Expr) -> Vec<Option<RouterId>> {
        match self.followed {
            Followed::Routers => match expression {
                Expr::Name(_) | Expr::Attribute(_) => {
                    let routers = routers(self.resolver(), expression);
                    routers.into_iter().map(Some).collect()
                }
                _ => Vec::new(),
            },
            Followed::Parameter(parameter) => match expression {
                Expr::Name(name) if name.id.as_str() == parameter => {
                    let mut bindings = self.resolver().bindings(parameter).iter();
                    let is_it = bindings.any(|b| matches!(b.kind, BindingKind::Parameter(_)));
                    if is_it { vec![None] } else { Vec::new() }
                }
                _ => Vec::new(),
            },
        }
    }

    pub(super) fn hide(&mut self, routers: Vec<Option<RouterId>>, path: &str, range: ByteRange) {
        for router in routers {
            let route = OwnRoute {
                path: path.to_owned(),
                methods: Vec::new(),
                added: written(self.loaded, range),
            };
            self.own.hidden.push(Hidden { router, route });
        }
    }

    pub(super) fn body(&mut self, body: &[Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        if let Some(definition) = Definition::of(statement) {
            return self.function(definition);
        }
        let is_name = |target: &Expr| matches!(target, Expr::Name(_));
        let named_if = |named: bool| if named { Use::Named } else { Use::Escapes };
        match statement {
            Stmt::ClassDef(class) => {
                for decorator in &class.decorator_list {
                    self.expression(decorator, Use::Harmless);
                }
                for base in &class.bases {
                    self.expression(base, Use::Escapes);
                }
                self.scopes.push(Scope::of_body(&class.body));
                self.body(&class.body);
                self.scopes.pop();
            }
            Stmt::Assign(assign) => {
                let use_of_value = named_if(assign.targets.iter().all(is_name));
                self.expression(&assign.value, use_of_value);
                for target in &assign.targets {
                    self.target(target);
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.expression(value, named_if(is_name(&assign.target)));
                }
                self.target(&assign.target);
            }
            Stmt::AugAssign(assign) => {
                self.target(&assign.target);
                self.expression(&assign.value, Use::Escapes);
            }
            Stmt::Return(returned) => {
                if let Some(value) = &returned.value {
                    self.returned(value);
                }
            }
            Stmt::Expr(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_) | Stmt::For(_) => {
                self.inside(statement, Use::Harmless);
            }
            _ => self.inside(statement, Use::Escapes),
        }
    }

    fn inside(&mut self, statement: &Stmt, usage: Use) {
        let mut children: Vec<Node<'_>> = Vec::new();
        tree::children(Node::Stmt(statement), &mut |child| children.push(child));
        for child in children {
            match child {
                Node::Stmt(inner) => self.statement(inner),
                Node::Expr(inner) => self.expression(inner, usage),
            }
        }
    }

    /// A function that gives a router of the module to whoever calls it is not followed, unless it
    /// is the one under `mount_router()`, or has made the router itself.
    fn returned(&mut self, value: &Expr) {
        // Whoever gets `router.get(path)` applies it where it is not read.
        if let (Followed::Parameter(_), Expr::Call(call)) = (&self.followed, value)
            && let Expr::Attribute(attribute) = &*call.func
        {
            let routers = self.followed(&attribute.value);
            self.hide(routers, UNKNOWN, range_of(value));
        }
        let routers = self.followed(value);
        if routers.is_empty() {
            return self.expression(value, Use::Named);
        }
        let (function, is_mount) = self
            .functions
            .last()
            .copied()
            .unwrap_or((ByteRange::at(0), false));
        let is_made_elsewhere = |router: &Option<RouterId>| {
            router.as_ref().is_some_and(|(path, made)| {
                path != self.loaded.module.source().path()
                    || made.start() < function.start()
                    || function.end() < made.end()
            })
        };
        if !is_mount && routers.iter().any(is_made_elsewhere) {
            self.hide(routers, UNKNOWN, range_of(value));
        }
    }

    fn function(&mut self, definition: Definition<'_>) {
        if is_as_written(self.loaded, definition.range) {
            return;
        }
        for decorator in definition.decorators {
            self.expression(decorator, Use::Harmless);
        }
        let arguments = definition.arguments;
        let plain = tree::positional_parameters(arguments);
        for parameter in plain.chain(&arguments.kwonlyargs) {
            if let Some(default) = &parameter.default {
                self.expression(default, Use::Escapes);
            }
        }
        let is_mount = definition
            .decorators
            .iter()
            .any(|decorator| plugin_of_call(self.resolver(), decorator, "mount_router").is_some());
        self.functions.push((definition.range, is_mount));
        self.scopes
            .push(Scope::of_function(definition.arguments, definition.body));
        self.body(definition.body);
        self.scopes.pop();
        self.functions.pop();
    }

    /// What something is assigned to: `router.routes = …` replaces its routes.
    fn target(&mut self, target: &Expr) {
        match target {
            Expr::Attribute(attribute) => {
                let routers = self.followed(&attribute.value);
                self.hide(routers, UNKNOWN, range_of(target));
                self.expression(&attribute.value, Use::Harmless);
            }
            Expr::Subscript(subscript) => {
                self.expression(&subscript.value, Use::Escapes);
                self.expression(&subscript.slice, Use::Harmless);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|element| self.target(element));
            }
            Expr::Starred(starred) => self.target(&starred.value),
            _ => {}
        }
    }

    pub(super) fn expression(&mut self, expression: &Expr, usage: Use) {
        let routers = self.followed(expression);
        if !routers.is_empty() {
            if usage == Use::Escapes {
                self.hide(routers, UNKNOWN, range_of(expression));
            }
            return;
        }
        match expression {
            Expr::Call(call) => self.call(call),
            Expr::Attribute(attribute) => {
                let routers = self.followed(&attribute.value);
                if routers.is_empty() {
                    return self.expression(&attribute.value, Use::Harmless);
                }
                let is_read = match attribute.attr.as_str() {
                    "prefix" | "tags" => true,
                    "routes" => usage == Use::Harmless,
                    _ => false,
                };
                if !is_read {
                    self.hide(routers, UNKNOWN, range_of(expression));
                }
            }
            Expr::NamedExpr(named) => self.expression(&named.value, usage),
            Expr::Compare(_) | Expr::JoinedStr(_) | Expr::FormattedValue(_) | Expr::UnaryOp(_) => {
                self.parts(expression, Use::Harmless);
            }
            Expr::BoolOp(_) if usage == Use::Harmless => self.parts(expression, usage),
            _ => self.parts(expression, Use::Escapes),
        }
    }

    fn parts(&mut self, expression: &Expr, usage: Use) {
        let mut children: Vec<Node<'_>> = Vec::new();
        tree::children(Node::Expr(expression), &mut |child| children.push(child));
        for child in children {
            if let Node::Expr(inner) = child {
                self.expression(inner, usage);
            }
        }
    }
}
