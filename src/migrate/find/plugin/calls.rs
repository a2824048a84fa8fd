//! The calls that plugins and routers are made with and set up by.

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::names::{PluginId, Resolver, Value};
use crate::migrate::python::tree::range_of;

/// The argument of a call by keyword or position (0-based).
pub(super) fn argument<'a>(
    call: &'a ast::ExprCall,
    keyword: &str,
    position: usize,
) -> Option<&'a Expr> {
    let named = call
        .keywords
        .iter()
        .find(|k| k.arg.as_ref().is_some_and(|arg| arg.as_str() == keyword));
    named.map(|k| &k.value).or_else(|| call.args.get(position))
}

/// The plugin that a decorator calls `method` on, and where it takes the method of it.
pub(super) fn plugin_of_call(
    resolver: Resolver<'_>,
    expression: &Expr,
    method: &str,
) -> Option<(PluginId, ByteRange)> {
    let Expr::Call(call) = expression else {
        return None;
    };
    let Expr::Attribute(attribute) = &*call.func else {
        return None;
    };
    if attribute.attr.as_str() != method {
        return None;
    }
    match resolver.value(&attribute.value) {
        Value::Plugin(id) => Some((id, range_of(attribute))),
        _ => None,
    }
}

pub(super) fn is_router_class(resolver: Resolver<'_>, expression: &Expr) -> bool {
    resolver
        .external(expression)
        .is_some_and(|name| name.starts_with("fastapi.") && name.ends_with("APIRouter"))
}
