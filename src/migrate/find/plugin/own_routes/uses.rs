//! Where the routers of a module go: each use of one is of a closed list, or hides routes.
//!
//! The list: a method is called that adds a route which is read, or none; it is included in another
//! router, or includes one that is known; it is returned, compared, printed, looked at; it gets
//! another name; it is handed to a function of the repo that uses its parameter in these ways only.

use rustpython_parser::ast::{self, Expr, Stmt};

use super::{Argument, Hidden, OwnRoute, OwnRoutes, RouterId, UNKNOWN, argument, routers, written};
use crate::migrate::edit::ByteRange;
use crate::migrate::emit::is_as_written;
use crate::migrate::find::lookup::{Target, targets};
use crate::migrate::find::plugin::{is_router_class, plugin_of_call};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{BindingKind, Loaded, Resolver, Scope, Workspace};
use crate::migrate::python::tree::{self, Node, range_of};

/// How many functions a router is followed through.
const MAX_CALLS: usize = 4;

/// The methods of a router that add no route to it, or one that is read.
const METHODS: &[&str] = &[
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "trace",
    "api_route",
    "add_api_route",
    "route",
    "add_route",
    "mount",
    "include_router",
    "websocket",
    "websocket_route",
    "add_websocket_route",
    "add_api_websocket_route",
    "on_event",
    "add_event_handler",
    "url_path_for",
];

/// The built-in functions that only look at what they are given.
const LOOKING: &[&str] = &[
    "bool",
    "hasattr",
    "hash",
    "id",
    "isinstance",
    "len",
    "print",
    "repr",
    "str",
    "type",
];

/// What is followed.
enum Followed<'f> {
    /// Every router.
    Routers,
    /// The parameter of a function that a router is handed to.
    Parameter(&'f str),
}

/// What is done with the value of an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Nothing that could add a route.
    Harmless,
    /// It is known by the expression's name afterwards, or by that of the function.
    Named,
    /// It cannot be followed.
    Escapes,
}

struct Walker<'w> {
    workspace: &'w Workspace,
    loaded: &'w Loaded,
    scopes: Vec<Scope>,
    /// The functions around, and whether each is one under `mount_router()`.
    functions: Vec<(ByteRange, bool)>,
    followed: Followed<'w>,
    calls: usize,
    own: &'w mut OwnRoutes,
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
    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            workspace: self.workspace,
            loaded: self.loaded,
            locals: &self.scopes,
        }
    }

    /// The routers that an expression stands for, `None` in the place of one that is not known;
    /// empty when it is not followed.
    fn followed(&self, expression: &Expr) -> Vec<Option<RouterId>> {
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

    fn hide(&mut self, routers: Vec<Option<RouterId>>, path: &str, range: ByteRange) {
        for router in routers {
            let route = OwnRoute {
                path: path.to_owned(),
                methods: Vec::new(),
                added: written(self.loaded, range),
            };
            self.own.hidden.push(Hidden { router, route });
        }
    }

    fn body(&mut self, body: &[Stmt]) {
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

    fn expression(&mut self, expression: &Expr, usage: Use) {
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

    fn call(&mut self, call: &ast::ExprCall) {
        let range = range_of(call);
        let is_made = matches!(self.followed, Followed::Routers)
            && is_router_class(self.resolver(), &call.func);
        // Routes that it is made with.
        if is_made
            && ["routes", "default"]
                .iter()
                .any(|keyword| !matches!(argument(call, keyword, usize::MAX), Argument::Missing))
        {
            let path = self.loaded.module.source().path().to_owned();
            self.hide(vec![Some((path, range))], UNKNOWN, range);
        }
        let mut is_harmless = false;
        match &*call.func {
            Expr::Attribute(attribute) => {
                let routers = self.followed(&attribute.value);
                let method = attribute.attr.as_str();
                if method == "include_router" {
                    self.include(call, &routers);
                    is_harmless = true;
                }
                if let Expr::Attribute(base) = &*attribute.value
                    && !matches!(base.attr.as_str(), "prefix" | "tags")
                    && let routers = self.followed(&base.value)
                    && !routers.is_empty()
                {
                    // router.routes.append(…)
                    self.hide(routers, UNKNOWN, range);
                } else if routers.is_empty() {
                    self.expression(&attribute.value, Use::Escapes);
                } else if !METHODS.contains(&method) {
                    self.hide(routers, UNKNOWN, range);
                }
            }
            Expr::Name(name) => {
                is_harmless = LOOKING.contains(&name.id.as_str())
                    && self.resolver().bindings(&name.id).is_empty();
            }
            function => self.expression(function, Use::Harmless),
        }
        for (index, argument) in call.args.iter().enumerate() {
            self.argument(call, argument, Some(index), None, is_harmless);
        }
        for keyword in &call.keywords {
            let name = keyword.arg.as_deref();
            self.argument(call, &keyword.value, None, name, is_harmless);
        }
    }

    /// An argument of a call: by its position or its keyword.
    fn argument(
        &mut self,
        call: &ast::ExprCall,
        argument: &Expr,
        index: Option<usize>,
        keyword: Option<&str>,
        is_harmless: bool,
    ) {
        let routers = self.followed(argument);
        if is_harmless {
            return self.expression(argument, Use::Harmless);
        }
        if routers.is_empty() {
            return self.expression(argument, Use::Escapes);
        }
        match self.handed(call, index, keyword) {
            Some(found) => {
                self.own.handed_to.extend(found.handed_to);
                for router in routers {
                    for (outer, inner) in &found.includes {
                        let outer = outer.clone().or_else(|| router.clone());
                        self.own.includes.push((outer, inner.clone()));
                    }
                    for hidden in &found.hidden {
                        let mut hidden = hidden.clone();
                        hidden.router = hidden.router.or_else(|| router.clone());
                        self.own.hidden.push(hidden);
                    }
                }
            }
            None => self.hide(routers, UNKNOWN, range_of(call)),
        }
    }

    /// What the function that is called does with an argument; none when it is not followed.
    fn handed(
        &self,
        call: &ast::ExprCall,
        index: Option<usize>,
        keyword: Option<&str>,
    ) -> Option<OwnRoutes> {
        let calls = self.calls.checked_sub(1)?;
        let mut found = Some(OwnRoutes::default());
        let mut is_empty = true;
        targets(self.resolver(), &call.func, &mut |target| {
            is_empty = false;
            let parameter = match &target {
                Target::Function(_, definition) if definition.decorators.is_empty() => {
                    parameter(*definition, index, keyword)
                }
                _ => None,
            };
            let (Target::Function(inside, definition), Some(parameter), Some(own)) =
                (target, parameter, &mut found)
            else {
                found = None;
                return;
            };
            let path = inside.loaded.module.source().path();
            own.handed_to.insert(path.to_owned());
            let mut scopes = inside.locals.to_vec();
            scopes.push(Scope::of_function(definition.arguments, definition.body));
            let mut walker = Walker {
                workspace: inside.workspace,
                loaded: inside.loaded,
                scopes,
                functions: vec![(definition.range, false)],
                followed: Followed::Parameter(parameter),
                calls,
                own,
            };
            walker.body(definition.body);
        });
        found.filter(|_| !is_empty)
    }

    /// `outer.include_router(inner, prefix=…)`.
    fn include(&mut self, call: &ast::ExprCall, outer: &[Option<RouterId>]) {
        if outer.is_empty() && is_surely_no_router(self.resolver(), &call.func) {
            return;
        }
        let outer = match outer {
            [] => vec![None],
            outer => outer.to_vec(),
        };
        let inner = match argument(call, "router", 0) {
            Argument::Given(inner) => self.included(inner),
            Argument::Missing | Argument::Unknown => None,
        };
        match inner {
            Some(inner) => {
                for outer in outer {
                    let pairs = inner.iter().map(|inner| (outer.clone(), inner.clone()));
                    self.own.includes.extend(pairs);
                }
            }
            None => {
                let prefix = super::prefix_of_call(self.resolver(), call).unwrap_or_default();
                self.hide(outer, &format!("{prefix}{UNKNOWN}"), range_of(call));
            }
        }
    }

    /// The routers that an included expression stands for; none when they are not known.
    fn included(&self, expression: &Expr) -> Option<Vec<RouterId>> {
        // What is followed as a parameter is known to who has handed it over.
        if matches!(self.followed, Followed::Parameter(_)) && !self.followed(expression).is_empty()
        {
            return Some(Vec::new());
        }
        let mut routers: Option<Vec<RouterId>> = Some(Vec::new());
        targets(self.resolver(), expression, &mut |target| {
            let this = match target {
                Target::Expression(inside, Expr::Call(call))
                    if is_router_class(inside, &call.func) =>
                {
                    let path = inside.loaded.module.source().path().to_owned();
                    Some((path, range_of(call)))
                }
                _ => None,
            };
            match (this, &mut routers) {
                (Some(this), Some(routers)) => routers.push(this),
                _ => routers = None,
            }
        });
        routers.filter(|routers| !routers.is_empty())
    }
}

/// Whether what `include_router` is called on is surely no router of the plugin, but an application.
fn is_surely_no_router(resolver: Resolver<'_>, function: &Expr) -> bool {
    let Expr::Attribute(attribute) = function else {
        return false;
    };
    let mut is_other = false;
    targets(resolver, &attribute.value, &mut |target| {
        is_other = match target {
            Target::Expression(inside, Expr::Call(call)) => {
                inside.external(&call.func).is_some() && !is_router_class(inside, &call.func)
            }
            Target::External(_) => true,
            _ => false,
        };
    });
    is_other
}

/// The parameter that gets an argument of a call of a plain function.
fn parameter<'d>(
    definition: Definition<'d>,
    index: Option<usize>,
    keyword: Option<&str>,
) -> Option<&'d str> {
    let arguments = definition.arguments;
    let mut positional = tree::positional_parameters(arguments);
    // A method has its object first.
    let first = positional.clone().next();
    if first.is_some_and(|first| matches!(first.def.arg.as_str(), "self" | "cls")) {
        return None;
    }
    let found = match (index, keyword) {
        (Some(index), _) => positional.nth(index),
        (None, Some(keyword)) => {
            let mut named = arguments.args.iter().chain(&arguments.kwonlyargs);
            named.find(|parameter| parameter.def.arg.as_str() == keyword)
        }
        (None, None) => None,
    };
    found.map(|parameter| parameter.def.arg.as_str())
}
