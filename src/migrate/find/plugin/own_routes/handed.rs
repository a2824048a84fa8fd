//! Calls that a router is given to: it is included, looked at, or handed to a function of the repo, which
//! is followed as far as its parameter goes.

use crate::migrate::find::lookup::{Target, targets};
use crate::migrate::find::plugin::calls::is_router_class;
use crate::migrate::find::plugin::own_routes::model::{OwnRoutes, RouterId, UNKNOWN};
use crate::migrate::find::plugin::own_routes::routers::{Argument, argument, prefix_of_call};
use crate::migrate::find::plugin::own_routes::uses::{Followed, Use, Walker};
use crate::migrate::python::ast;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Resolver, Scope};
use crate::migrate::python::tree;
use crate::migrate::python::tree::range_of;

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

impl Walker<'_> {
    pub(super) fn call(&mut self, call: &ast::ExprCall) {
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
            Argument::Value(inner) => self.included(inner),
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
                let prefix = prefix_of_call(self.resolver(), call).unwrap_or_default();
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

/// Whether what `include_router` is called on is surely not a router of the plugin, but an application.
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
