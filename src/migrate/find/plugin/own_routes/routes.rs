//! The routes and prefixes that the calls of a module add.

use rustpython_parser::ast;
use rustpython_parser::ast::{Expr, Stmt};

use crate::migrate::emit::is_as_written;
use crate::migrate::find::plugin::own_routes::model::{OwnRoute, OwnRoutes, UNKNOWN};
use crate::migrate::find::plugin::own_routes::routers::{
    Argument, Receiver, argument, prefix_of_call, router_prefix, written,
};
use crate::migrate::find::plugin::own_routes::written_decorators::{
    prefix_in_helper, prefix_of_helper, route_of_helper,
};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Loaded, Resolver, Scope, Workspace};
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, range_of};
use crate::routes::REQUEST_METHODS;

pub(super) fn routes_in(
    workspace: &Workspace,
    loaded: &Loaded,
    body: &[Stmt],
    scopes: &mut Vec<Scope>,
    own: &mut OwnRoutes,
) {
    tree::walk_body(body, &mut |node| {
        let resolver = Resolver {
            workspace,
            loaded,
            locals: scopes,
        };
        if let Node::Expr(Expr::Call(call)) = node {
            // router.get("/x")(f)
            if let Expr::Call(inner) = &*call.func {
                own.routes.extend(route_of_call(resolver, inner, true));
                own.routes.extend(route_of_helper(resolver, inner));
            }
            own.routes.extend(route_of_call(resolver, call, false));
            own.prefixes.extend(prefix_of_call(resolver, call));
            own.prefixes.extend(prefix_of_helper(resolver, call));
        }
        if let Node::Stmt(Stmt::ClassDef(class)) = node {
            scopes.push(Scope::of_body(&class.body));
            routes_in(workspace, loaded, &class.body, scopes, own);
            scopes.pop();
            return Descend::Past;
        }
        if let Node::Stmt(statement) = node
            && let Some(definition) = Definition::of(statement)
        {
            // What an earlier run wrote adds the routes of the calls of it, which are read there.
            if is_as_written(loaded, definition.range) {
                return Descend::Past;
            }
            for decorator in definition.decorators {
                tree::walk(Node::Expr(decorator), &mut |node| {
                    if let Node::Expr(Expr::Call(call)) = node {
                        own.routes.extend(route_of_call(resolver, call, true));
                        own.routes.extend(route_of_helper(resolver, call));
                        own.prefixes.extend(prefix_of_helper(resolver, call));
                    }
                    Descend::Into
                });
            }
            scopes.push(Scope::of_function(definition.arguments, definition.body));
            routes_in(workspace, loaded, definition.body, scopes, own);
            scopes.pop();
            return Descend::Past;
        }
        Descend::Into
    });
}

/// The route that `router.get("/x")` and its like add; `is_applied` is whether what the call gives
/// is applied to a function.
fn route_of_call(
    resolver: Resolver<'_>,
    call: &ast::ExprCall,
    is_applied: bool,
) -> Option<OwnRoute> {
    let Expr::Attribute(attribute) = &*call.func else {
        return None;
    };
    let method = attribute.attr.as_str();
    let is_verb = matches!(
        method,
        "get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "trace"
    );
    let methods = match method {
        _ if is_verb => vec![method.to_uppercase()],
        "api_route" | "add_api_route" | "route" | "add_route" => {
            match argument(call, "methods", usize::MAX) {
                Argument::Value(
                    Expr::List(ast::ExprList { elts, .. })
                    | Expr::Tuple(ast::ExprTuple { elts, .. }),
                ) => {
                    let names: Option<Vec<String>> =
                        elts.iter().map(|element| resolver.text(element)).collect();
                    names.map_or_else(all_methods, |names| {
                        names.iter().map(|name| name.to_uppercase()).collect()
                    })
                }
                Argument::Value(_) | Argument::Unknown => all_methods(),
                Argument::Missing => vec!["GET".to_owned()],
            }
        }
        // An application of its own answers all that is below the path.
        "mount" => Vec::new(),
        _ => return None,
    };
    let prefix = match router_prefix(resolver, &attribute.value) {
        Receiver::Router(prefix) => prefix,
        // A parameter, or what a call gives: a router perhaps, where it is used as one.
        Receiver::Unknown if is_applied || (!is_verb && method != "mount") => String::new(),
        Receiver::Unknown | Receiver::Other => return None,
    };
    let path = match argument(call, "path", 0) {
        Argument::Value(path)
            if prefix.is_empty() && prefix_in_helper(resolver, path).is_some() =>
        {
            return None;
        }
        Argument::Value(path) => resolver.text(path),
        Argument::Unknown => None,
        Argument::Missing => return None,
    };
    let path = match path {
        // FastAPI refuses such a path: this is something else's.
        Some(path) if !path.is_empty() && !path.starts_with('/') => return None,
        Some(path) if method == "mount" => format!("{}{UNKNOWN}", path.trim_end_matches('/')),
        Some(path) => path,
        None => UNKNOWN.to_owned(),
    };
    Some(OwnRoute {
        path: format!("{prefix}{path}"),
        methods,
        added: written(resolver.loaded, range_of(call)),
    })
}

fn all_methods() -> Vec<String> {
    REQUEST_METHODS.iter().map(|&m| m.to_owned()).collect()
}
