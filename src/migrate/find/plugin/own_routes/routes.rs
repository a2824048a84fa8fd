//! The routes and prefixes that the calls of a module add.

use std::borrow::Cow;

use crate::migrate::emit::is_as_written;
use crate::migrate::find::lookup::turns::loops::{Loop, LoopReader, environments};
use crate::migrate::find::lookup::turns::registrar::{Registrar, ResultUse};
use crate::migrate::find::plugin::own_routes::model::{OwnRoute, OwnRoutes, UNKNOWN};
use crate::migrate::find::plugin::own_routes::routers::{
    Argument, Place, Receiver, argument, prefix_of_call, router_prefix, written,
};
use crate::migrate::find::plugin::own_routes::written_decorators::{
    prefix_in_helper, prefix_of_helper, route_of_helper,
};
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Loaded, Resolver, Scope, Workspace};
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, range_of};
use crate::routes::REQUEST_METHODS;

/// Adds to `own` the routes and prefixes of a module.
pub(super) fn of_module(workspace: &Workspace, loaded: &Loaded, own: &mut OwnRoutes) {
    let mut walker = Walker {
        workspace,
        loaded,
        scopes: Vec::new(),
        functions: Vec::new(),
        loops: Vec::new(),
        own,
    };
    walker.body(loaded.module.suite());
}

struct Walker<'w> {
    workspace: &'w Workspace,
    loaded: &'w Loaded,
    scopes: Vec<Scope>,
    /// The functions around the place that is looked at.
    functions: Vec<Definition<'w>>,
    loops: Vec<Loop>,
    own: &'w mut OwnRoutes,
}

impl<'w> Walker<'w> {
    fn loop_reader(&self) -> LoopReader<'_> {
        LoopReader {
            resolver: Resolver {
                workspace: self.workspace,
                loaded: self.loaded,
                locals: &self.scopes,
            },
            is_in_function: !self.functions.is_empty(),
        }
    }

    fn body(&mut self, body: &'w [Stmt]) {
        tree::walk_body(body, &mut |node| self.node(node));
    }

    fn node(&mut self, node: Node<'w>) -> Descend {
        match node {
            Node::Expr(Expr::Call(call)) => {
                // router.get("/x")(f)
                if let Expr::Call(inner) = &*call.func {
                    self.call(inner, true);
                }
                self.call(call, false);
                Descend::Into
            }
            Node::Expr(whole) => match tree::comprehension(whole) {
                Some((element, generators)) => {
                    self.comprehended(whole, element, generators);
                    Descend::Past
                }
                None => Descend::Into,
            },
            Node::Stmt(Stmt::ClassDef(class)) => {
                self.scopes.push(Scope::of_body(&class.body));
                self.body(&class.body);
                self.scopes.pop();
                Descend::Past
            }
            Node::Stmt(Stmt::For(statement)) => {
                tree::walk(Node::Expr(&statement.iter), &mut |node| self.node(node));
                let one = self.loop_reader().for_loop(statement);
                self.loops.push(one);
                self.body(&statement.body);
                self.loops.pop();
                self.body(&statement.orelse);
                Descend::Past
            }
            Node::Stmt(statement) => match Definition::of(statement) {
                Some(definition) => {
                    self.function(definition);
                    Descend::Past
                }
                None => Descend::Into,
            },
        }
    }

    /// `[element for target in values]`.
    fn comprehended(
        &mut self,
        whole: &'w Expr,
        element: &'w Expr,
        generators: &'w [ast::Comprehension],
    ) {
        let outside = self.loops.len();
        for one in generators {
            for inside in std::iter::once(&one.iter).chain(&one.ifs) {
                tree::walk(Node::Expr(inside), &mut |node| self.node(node));
            }
            let turns = self.loop_reader().comprehension(range_of(whole), one);
            self.loops.push(turns);
        }
        tree::walk(Node::Expr(element), &mut |node| self.node(node));
        self.loops.truncate(outside);
    }

    fn function(&mut self, definition: Definition<'w>) {
        // What an earlier run wrote adds the routes of the calls of it, which are read there.
        if is_as_written(self.loaded, definition.range) {
            return;
        }
        for decorator in definition.decorators {
            tree::walk(Node::Expr(decorator), &mut |node| {
                if let Node::Expr(Expr::Call(call)) = node {
                    self.call(call, true);
                }
                Descend::Into
            });
        }
        self.scopes
            .push(Scope::of_function(definition.arguments, definition.body));
        self.functions.push(definition);
        let loops = std::mem::take(&mut self.loops);
        self.body(definition.body);
        self.loops = loops;
        self.functions.pop();
        self.scopes.pop();
    }

    /// A call each time that it runs; `is_applied` is whether what it gives is applied to a function.
    fn call(&mut self, call: &ast::ExprCall, is_applied: bool) {
        let of_loops = environments(&self.loops, range_of(call));
        let mut added = Added::default();
        for turn in of_loops.unwrap_or_else(|| vec![Vec::new()]) {
            self.add(call, is_applied, &turn, &mut added);
        }
        // A router that is handed over is followed elsewhere: which one it is in a turn is not asked.
        if !added.is_known()
            && self.loops.is_empty()
            && !self.is_of_parameter(call)
            && let Some(registrar) = Registrar::of(self.loop_reader().resolver, &self.functions)
        {
            let uses = [ResultUse::Returned, ResultUse::Inside].into_iter();
            let mut turns = uses.filter_map(|result| registrar.turns(range_of(call), result).ok());
            if let Some(turns) = turns.next() {
                added = Added::default();
                for turn in &turns {
                    self.add(call, is_applied, &turn.scopes, &mut added);
                }
                let place = written(self.loaded, range_of(call));
                let name = registrar.name().to_owned();
                self.own.registrars.push((name, place));
            }
        }
        self.own.routes.append(&mut added.routes);
        self.own.prefixes.append(&mut added.prefixes);
    }

    /// Whether the method that is called may be one of a parameter.
    fn is_of_parameter(&self, call: &ast::ExprCall) -> bool {
        let mut owner = &*call.func;
        while let Expr::Attribute(attribute) = owner {
            owner = &attribute.value;
        }
        match owner {
            Expr::Name(name) => {
                let resolver = self.loop_reader().resolver;
                resolver.parameter_annotation(&name.id).is_some()
            }
            // An item of one, or what a call gives.
            _ => true,
        }
    }

    /// What a call adds in one turn.
    fn add(&self, call: &ast::ExprCall, is_applied: bool, turn: &[Scope], added: &mut Added) {
        let loops = self.loop_reader();
        let locals: Cow<'_, [Scope]> = if turn.is_empty() {
            Cow::Borrowed(&self.scopes)
        } else {
            Cow::Owned(self.scopes.iter().chain(turn).cloned().collect())
        };
        let place = Place {
            resolver: loops.resolver.with_locals(&locals),
            loops,
        };
        // A function may hand the decorator to its callers, who apply it.
        let may_be_applied = is_applied || !self.functions.is_empty();
        let of_helper = may_be_applied
            .then(|| route_of_helper(place, call))
            .flatten();
        added.routes.extend(route_of_call(place, call, is_applied));
        added.routes.extend(of_helper);
        added.prefixes.extend(prefix_of_call(place.resolver, call));
        added
            .prefixes
            .extend(prefix_of_helper(place.resolver, call));
    }
}

/// What a call adds.
#[derive(Default)]
struct Added {
    routes: Vec<OwnRoute>,
    prefixes: Vec<String>,
}

impl Added {
    fn is_known(&self) -> bool {
        self.routes.iter().all(OwnRoute::is_known)
    }
}

/// The route that `router.get("/x")` and its like add; `is_applied` is whether what the call gives
/// is applied to a function.
fn route_of_call(place: Place<'_>, call: &ast::ExprCall, is_applied: bool) -> Option<OwnRoute> {
    let Expr::Attribute(attribute) = &*call.func else {
        return None;
    };
    let resolver = place.resolver;
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
        Argument::Value(path) => place.text(path),
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
