//! The functions that give the agent a plugin's router, and what they return.

use std::sync::Arc;

use crate::migrate::edit::ByteRange;
use crate::migrate::find::plugin::calls::is_router_class;
use crate::migrate::find::plugin::own_routes;
use crate::migrate::find::plugin::own_routes::model::RouterId;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::function::{Definition, each_return, raises};
use crate::migrate::python::names::{BindingKind, Loaded, PluginId, Resolver, Scope, Value};
use crate::migrate::python::tree::range_of;

/// A function under `@plugin.mount_router()`.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    /// The module in which it is defined.
    pub loaded: Arc<Loaded>,
    /// Its name, for messages.
    pub name: String,
    /// What it returns, in order; none when that cannot be understood.
    pub returns: Option<Vec<RouterReturn>>,
}

/// A `return` of a function under `mount_router()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouterReturn {
    /// The statement.
    pub statement: ByteRange,
    /// What is returned.
    pub value: ByteRange,
    /// Whether it is made by `APIRouter()` without arguments, so that what is included in it gets
    /// no prefix and no dependencies.
    pub is_plain: bool,
    /// Whether it is a plain name.
    pub is_name: bool,
    /// Whether it can be seen where the router is made: only then its routes are known.
    pub is_known: bool,
    /// The name, when it stands for a plain router at the level of the plugin's module.
    pub module_level_name: Option<String>,
    /// The calls that make it.
    pub(super) routers: Vec<RouterId>,
}

/// What a function under `mount_router()` returns; none when that cannot be understood.
pub(super) fn router_returns(
    resolver: Resolver<'_>,
    id: &PluginId,
    definition: Definition<'_>,
) -> Option<Vec<RouterReturn>> {
    let locals = [Scope::of_function(definition.arguments, definition.body)];
    let inside = resolver.with_locals(&locals);
    let source = resolver.loaded.module.source();
    let mut returns = Some(Vec::new());
    each_return(definition.body, &mut |statement| {
        let range = range_of(statement);
        let starts_line = source
            .slice(ByteRange::new(
                source.line_at(range.start()).start(),
                range.start(),
            ))
            .trim()
            .is_empty();
        let one_line = source.line_at(range.start()).end() >= range.end();
        match (&statement.value, &mut returns) {
            (Some(value), Some(all)) if starts_line && one_line => {
                all.push(router_return(inside, id, range, value));
            }
            _ => returns = None,
        }
    });
    if raises(definition.body) {
        return None;
    }
    returns.filter(|returns| !returns.is_empty() && returns.iter().all(|one| one.is_known))
}

fn router_return(
    inside: Resolver<'_>,
    id: &PluginId,
    statement: ByteRange,
    value: &Expr,
) -> RouterReturn {
    let name = match value {
        Expr::Name(name) => Some(name.id.to_string()),
        _ => None,
    };
    let is_plain = match &name {
        Some(name) => {
            let bindings = inside.bindings(name);
            !bindings.is_empty()
                && bindings.iter().all(|binding| match &binding.kind {
                    BindingKind::Value(value) => is_plain_router(inside, value),
                    _ => false,
                })
        }
        None => false,
    };
    let is_local = name.as_ref().is_some_and(|name| {
        inside
            .locals
            .iter()
            .any(|scope| !scope.bindings(name).is_empty())
    });
    let in_plugin_module = inside.loaded.module.source().path() == id.module;
    RouterReturn {
        statement,
        value: range_of(value),
        is_plain,
        is_name: name.is_some(),
        is_known: is_known_router(inside, value, own_routes::MAX_BUILDERS),
        module_level_name: name.filter(|_| is_plain && !is_local && in_plugin_module),
        routers: own_routes::routers(inside, value),
    }
}

/// Whether an expression is a router that the repo makes, also in a function that gives it.
fn is_known_router(resolver: Resolver<'_>, expression: &Expr, builders: usize) -> bool {
    let is_router = |value: &Expr| match (resolver.value(value), value) {
        (Value::CallOf(name), _) => name.starts_with("fastapi.") && name.ends_with("APIRouter"),
        (_, Expr::Call(call)) => {
            let builders = builders.checked_sub(1);
            builders.is_some_and(|builders| {
                own_routes::each_built(resolver, call, &mut |within, value| {
                    is_known_router(within, value, builders)
                })
            })
        }
        _ => false,
    };
    match expression {
        // A name that is bound in several branches is known when it is a router in all of them.
        Expr::Name(name) => {
            let bindings = resolver.bindings(&name.id);
            let of_value = |kind: &BindingKind| match kind {
                BindingKind::Value(value) => is_router(value),
                BindingKind::From(..) => is_router(expression),
                _ => false,
            };
            !bindings.is_empty() && bindings.iter().all(|binding| of_value(&binding.kind))
        }
        _ => is_router(expression),
    }
}

/// Whether an expression is `APIRouter()` without arguments.
fn is_plain_router(resolver: Resolver<'_>, expression: &Expr) -> bool {
    match expression {
        Expr::Call(call) => {
            call.args.is_empty()
                && call.keywords.is_empty()
                && is_router_class(resolver, &call.func)
        }
        _ => false,
    }
}
