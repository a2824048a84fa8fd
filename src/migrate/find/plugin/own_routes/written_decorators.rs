//! The decorators that an earlier run wrote: their routes are those of the calls of them.

use crate::migrate::edit::ByteRange;
use crate::migrate::emit::{PATH, is_like_a_helper};
use crate::migrate::find::plugin::own_routes::model::{OwnRoute, UNKNOWN};
use crate::migrate::find::plugin::own_routes::routers::{Argument, Place, argument, written};
use crate::migrate::python::ast;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{BindingKind, Loaded, Resolver, Value};
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, range_of};

/// What stands before the path that a decorator is given which an earlier run wrote and somebody edited
/// since; none where an expression is not made of that path. Those routes are read where it is called.
pub(super) fn prefix_in_helper(resolver: Resolver<'_>, path: &Expr) -> Option<String> {
    match path {
        Expr::BinOp(sum) if sum.op == ast::Operator::Add => {
            let prefix = resolver.text(&sum.left)?;
            is_path_of_helper(resolver, &sum.right).then_some(prefix)
        }
        path => is_path_of_helper(resolver, path).then(String::new),
    }
}

/// The prefix that an edited decorator of an earlier run gives its routes.
pub(super) fn prefix_of_helper(resolver: Resolver<'_>, call: &ast::ExprCall) -> Option<String> {
    if !matches!(&*call.func, Expr::Attribute(_)) {
        return None;
    }
    match argument(call, "path", 0) {
        Argument::Value(path) => prefix_in_helper(resolver, path),
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
pub(super) fn route_of_helper(place: Place<'_>, call: &ast::ExprCall) -> Option<OwnRoute> {
    let resolver = place.resolver;
    let Value::Function(path, range) = resolver.value(&call.func) else {
        return None;
    };
    let loaded = resolver.workspace.load(&path).ok()?;
    if !is_like_a_helper(loaded.module.source().slice(range)) {
        return None;
    }
    let path = match argument(call, PATH, 0) {
        Argument::Value(path) => place.text(path),
        Argument::Unknown | Argument::Missing => None,
    };
    Some(OwnRoute {
        path: path.unwrap_or_else(|| UNKNOWN.to_owned()),
        methods: Vec::new(),
        added: written(resolver.loaded, range_of(call)),
    })
}
