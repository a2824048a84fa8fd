//! The routes that a plugin's own routers have: those that can be read, and the places where more
//! may be added that cannot be.
//!
//! A route of the plugin that comes to the path of a webhook would answer in its place, or the
//! other way round. So it matters that none is overlooked: a router is followed wherever its name
//! goes.
//!
//! Invariant: a use of a router that is not known to add no route, or to add one that is read, is
//! in [`OwnRoutes::hidden`].

mod uses;

use std::collections::BTreeSet;
use std::path::PathBuf;

use rustpython_parser::ast::{self, Expr, Stmt};

use super::is_router_class;
use crate::migrate::diagnostic::Related;
use crate::migrate::edit::ByteRange;
use crate::migrate::emit::{is_as_written, is_like_a_helper};
use crate::migrate::find::lookup::{Target, targets};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{BindingKind, Loaded, Resolver, Scope, Value, Workspace};
use crate::migrate::python::tree::{self, Descend, Node, range_of};
use crate::routes::REQUEST_METHODS;
use crate::text::Text;

/// The call that makes a router, which is what tells one from another.
pub(super) type RouterId = (PathBuf, ByteRange);

/// The routes that a module adds to routers, and the prefixes that it gives to routers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnRoutes {
    /// The routes.
    pub routes: Vec<OwnRoute>,
    /// The prefixes, of `APIRouter(prefix=...)` and `include_router(..., prefix=...)`; one that
    /// cannot be known is [`UNKNOWN`].
    pub prefixes: Vec<String>,
    /// Which routers are included in which; none stands for one that is not known.
    pub(super) includes: Vec<(Option<RouterId>, RouterId)>,
    /// Where routes may be added that cannot be read.
    pub(super) hidden: Vec<Hidden>,
    /// The modules of functions that a router is handed to: what they add is read there.
    pub(super) handed_to: BTreeSet<PathBuf>,
}

/// A place that may add routes which cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hidden {
    /// The router; none when it is not known which.
    pub(super) router: Option<RouterId>,
    /// The route that stands for all of them.
    pub(super) route: OwnRoute,
}

/// Stands for a piece of a path that cannot be known: it may be anything.
pub(super) const UNKNOWN: &str = "{unknown:path}";

/// A route that a plugin's own router has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRoute {
    /// The path, with the prefix of its router.
    pub path: String,
    /// The methods; empty stands for all.
    pub methods: Vec<String>,
    /// What adds it, as it is written, and where.
    pub added: Related,
}

impl OwnRoute {
    /// Whether its whole path could be seen.
    pub fn is_known(&self) -> bool {
        !self.path.contains(UNKNOWN)
    }

    /// Whether it would answer a request for `route`.
    pub(super) fn takes(&self, path: &str, methods: &[String]) -> bool {
        let shared =
            self.methods.is_empty() || methods.iter().any(|method| self.methods.contains(method));
        shared && path_matches(&self.path, path)
    }
}

/// Whether a path with parameters, as in `/a/{b}`, matches another path.
fn path_matches(pattern: &str, path: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else {
        return pattern == path;
    };
    let Some((parameter, after)) = rest.split_once('}') else {
        return pattern == path;
    };
    let Some(rest) = path.strip_prefix(before) else {
        return false;
    };
    let whole_path = parameter.ends_with(":path");
    let ends = (1..=rest.len()).filter(|&end| rest.is_char_boundary(end));
    let mut candidates = ends.take_while(|&end| whole_path || !rest[..end].contains('/'));
    candidates.any(|end| path_matches(after, &rest[end..]))
}

/// The routes that a module adds to routers, and the prefixes that it gives to them.
pub(super) fn own_routes_of(workspace: &Workspace, loaded: &Loaded) -> OwnRoutes {
    let mut own = OwnRoutes::default();
    let mut scopes: Vec<Scope> = Vec::new();
    let suite = loaded.module.suite();
    routes_in(workspace, loaded, suite, &mut scopes, &mut own);
    uses::of_routers(workspace, loaded, &mut own);
    own.prefixes.sort();
    own.prefixes.dedup();
    own
}

/// The places among `own` where routes may be added to one of `mounted` that cannot be read.
pub(super) fn hidden_from(
    own: &[&OwnRoutes],
    mounted: BTreeSet<RouterId>,
    modules: &BTreeSet<PathBuf>,
) -> OwnRoutes {
    let mut reached = mounted;
    let includes: Vec<_> = own.iter().flat_map(|own| &own.includes).collect();
    loop {
        let before = reached.len();
        for (outer, inner) in &includes {
            if outer.as_ref().is_none_or(|outer| reached.contains(outer)) {
                reached.insert(inner.clone());
            }
        }
        if reached.len() == before {
            break;
        }
    }
    let mut routes: Vec<OwnRoute> = own
        .iter()
        .flat_map(|own| &own.hidden)
        .filter(|hidden| {
            let router = hidden.router.as_ref();
            router.is_none_or(|router| reached.contains(router))
        })
        .map(|hidden| hidden.route.clone())
        .collect();
    // A module that does not belong to the plugin has not been read for its sake.
    let elsewhere = reached.iter().map(|(path, _)| path);
    let handed_to = own.iter().flat_map(|own| &own.handed_to);
    for path in elsewhere.chain(handed_to) {
        if !modules.contains(path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            routes.push(OwnRoute {
                path: UNKNOWN.to_owned(),
                methods: Vec::new(),
                added: Related {
                    path: path.clone(),
                    position: (1, 1),
                    says: Text::verbatim(name),
                },
            });
        }
    }
    OwnRoutes {
        routes,
        ..OwnRoutes::default()
    }
}

/// The calls that make the router that an expression stands for.
pub(super) fn routers(resolver: Resolver<'_>, expression: &Expr) -> Vec<RouterId> {
    let mut found = Vec::new();
    targets(resolver, expression, &mut |target| {
        if let Target::Expression(inside, Expr::Call(call)) = target
            && is_router_class(inside, &call.func)
        {
            let path = inside.loaded.module.source().path().to_owned();
            found.push((path, range_of(call)));
        }
    });
    found
}

/// What is written at `range`, on one line and not too long.
fn written(loaded: &Loaded, range: ByteRange) -> Related {
    const MOST: usize = 60;
    let source = loaded.module.source();
    let text = source.slice(range).split_whitespace();
    let mut text = text.collect::<Vec<_>>().join(" ");
    if text.chars().count() > MOST {
        text = text.chars().take(MOST - 1).collect::<String>() + "…";
    }
    Related {
        path: source.path().to_owned(),
        position: source.position(range.start()),
        says: Text::verbatim(text),
    }
}

/// The argument of a call by keyword or position (0-based).
fn argument<'a>(call: &'a ast::ExprCall, keyword: &str, position: usize) -> Argument<'a> {
    super::argument(call, keyword, position).map_or_else(
        || {
            let has_more = call.keywords.iter().any(|keyword| keyword.arg.is_none())
                || call.args.iter().any(|arg| matches!(arg, Expr::Starred(_)));
            if has_more {
                Argument::Unknown
            } else {
                Argument::Missing
            }
        },
        |value| match value {
            Expr::Starred(_) => Argument::Unknown,
            value => Argument::Given(value),
        },
    )
}

enum Argument<'a> {
    Given(&'a Expr),
    Missing,
    /// It may be among those that `*` or `**` unpacks.
    Unknown,
}

/// The prefix that `APIRouter(...)` or `include_router(...)` gives.
fn prefix_of_call(resolver: Resolver<'_>, call: &ast::ExprCall) -> Option<String> {
    let is_include =
        matches!(&*call.func, Expr::Attribute(a) if a.attr.as_str() == "include_router");
    if !is_include && !is_router_class(resolver, &call.func) {
        return None;
    }
    match argument(call, "prefix", usize::MAX) {
        Argument::Given(prefix) => {
            Some(resolver.text(prefix).unwrap_or_else(|| UNKNOWN.to_owned()))
        }
        Argument::Missing => None,
        Argument::Unknown => Some(UNKNOWN.to_owned()),
    }
}

fn routes_in(
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
                Argument::Given(
                    Expr::List(ast::ExprList { elts, .. })
                    | Expr::Tuple(ast::ExprTuple { elts, .. }),
                ) => {
                    let names: Option<Vec<String>> =
                        elts.iter().map(|element| resolver.text(element)).collect();
                    names.map_or_else(all_methods, |names| {
                        names.iter().map(|name| name.to_uppercase()).collect()
                    })
                }
                Argument::Given(_) | Argument::Unknown => all_methods(),
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
        Argument::Given(path)
            if prefix.is_empty() && prefix_in_helper(resolver, path).is_some() =>
        {
            return None;
        }
        Argument::Given(path) => resolver.text(path),
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

/// The parameter that the decorators of an earlier run take the path by.
const PATH: &str = "path";

/// What stands before the path that a decorator is given which an earlier run wrote and somebody edited
/// since; none where an expression is not made of that path. Those routes are read where it is called.
fn prefix_in_helper(resolver: Resolver<'_>, path: &Expr) -> Option<String> {
    match path {
        Expr::BinOp(sum) if sum.op == ast::Operator::Add => {
            let prefix = resolver.text(&sum.left)?;
            is_path_of_helper(resolver, &sum.right).then_some(prefix)
        }
        path => is_path_of_helper(resolver, path).then(String::new),
    }
}

/// The prefix that an edited decorator of an earlier run gives its routes.
fn prefix_of_helper(resolver: Resolver<'_>, call: &ast::ExprCall) -> Option<String> {
    if !matches!(&*call.func, Expr::Attribute(_)) {
        return None;
    }
    match argument(call, "path", 0) {
        Argument::Given(path) => prefix_in_helper(resolver, path),
        Argument::Unknown | Argument::Missing => None,
    }
    .filter(|prefix| !prefix.is_empty())
}

fn is_path_of_helper(resolver: Resolver<'_>, path: &Expr) -> bool {
    let Expr::Name(name) = path else {
        return false;
    };
    let [binding] = resolver.bindings(&name.id) else {
        return false;
    };
    let mut is_it = false;
    if name.id.as_str() == PATH && matches!(binding.kind, BindingKind::Parameter(_)) {
        tree::walk_body(resolver.loaded.module.suite(), &mut |node| {
            if let Node::Stmt(statement) = node
                && let Some(definition) = Definition::of(statement)
                && definition.range.contains(binding.range)
            {
                is_it |= takes_path(resolver.loaded, definition, binding.range);
            }
            Descend::Into
        });
    }
    is_it
}

/// Whether a function is like a decorator of an earlier run, and `parameter` its first one.
fn takes_path(loaded: &Loaded, definition: Definition<'_>, parameter: ByteRange) -> bool {
    let arguments = definition.arguments;
    let mut plain = tree::positional_parameters(arguments);
    plain
        .next()
        .is_some_and(|first| range_of(&first.def) == parameter)
        && is_like_a_helper(loaded.module.source().slice(definition.range))
}

/// The route that a call of a decorator adds which an earlier run wrote.
fn route_of_helper(resolver: Resolver<'_>, call: &ast::ExprCall) -> Option<OwnRoute> {
    let Value::Function(path, range) = resolver.value(&call.func) else {
        return None;
    };
    let loaded = resolver.workspace.load(&path).ok()?;
    if !is_like_a_helper(loaded.module.source().slice(range)) {
        return None;
    }
    let path = match argument(call, PATH, 0) {
        Argument::Given(path) => resolver.text(path),
        Argument::Unknown | Argument::Missing => None,
    };
    Some(OwnRoute {
        path: path.unwrap_or_else(|| UNKNOWN.to_owned()),
        methods: Vec::new(),
        added: written(resolver.loaded, range_of(call)),
    })
}

fn all_methods() -> Vec<String> {
    REQUEST_METHODS.iter().map(|&m| m.to_owned()).collect()
}

/// What a method like `get` is called on.
enum Receiver {
    /// A router, with its prefix.
    Router(String),
    /// It may be one.
    Unknown,
    /// It is none.
    Other,
}

fn router_prefix(resolver: Resolver<'_>, router: &Expr) -> Receiver {
    let mut receiver = Receiver::Other;
    targets(resolver, router, &mut |target| {
        let this = match target {
            Target::Expression(inside, Expr::Call(call)) => match inside.value(&call.func) {
                Value::External(_) if is_router_class(inside, &call.func) => {
                    Receiver::Router(prefix_of_call(inside, call).unwrap_or_default())
                }
                Value::External(_) => Receiver::Other,
                // A class of the repo may be a router's.
                _ => Receiver::Unknown,
            },
            Target::Expression(..) => Receiver::Unknown,
            Target::External(_) | Target::Builtin(_) => Receiver::Other,
            Target::Class(..) | Target::Function(..) => Receiver::Other,
            Target::Unknown => match resolver.value(router) {
                Value::Unknown => Receiver::Unknown,
                _ => Receiver::Other,
            },
        };
        match (&receiver, &this) {
            (Receiver::Router(_), _) | (Receiver::Unknown, Receiver::Other) => {}
            _ => receiver = this,
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_path_match_as_starlette_has_them() {
        assert!(path_matches("/a", "/a"));
        assert!(!path_matches("/a", "/a/b"));
        assert!(path_matches("/{x}", "/a"));
        assert!(!path_matches("/{x}", "/a/b"));
        assert!(path_matches("/{x:path}", "/a/b"));
        assert!(path_matches("/a/{x}/c", "/a/é/c"));
        assert!(!path_matches("/{x}", "/"));
    }
}
