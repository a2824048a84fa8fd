//! The key of a plugin, `author.module_name`.

use rustpython_parser::ast::Expr;

use crate::migrate::find::plugin::calls::argument;
use crate::migrate::python::names::{PluginId, Resolver, Workspace};
use crate::migrate::python::tree::{Descend, Node, is_definition, range_of, walk_body};

/// The key of a plugin, `author.module_name`, wherever it is made; none when it cannot be known.
pub fn key(workspace: &Workspace, id: &PluginId) -> Option<String> {
    let loaded = workspace.load(&id.module).ok()?;
    let resolver = Resolver {
        workspace,
        loaded: &loaded,
        locals: &[],
    };
    let mut key = None;
    walk_body(loaded.module.suite(), &mut |node| match node {
        Node::Expr(expression) if range_of(expression) == id.call => {
            key = key.take().or_else(|| parts_of_key(resolver, expression));
            Descend::Past
        }
        // Decorators stand before the statement that they belong to.
        Node::Stmt(statement)
            if !is_definition(statement) && !range_of(statement).contains(id.call) =>
        {
            Descend::Past
        }
        Node::Stmt(_) | Node::Expr(_) => Descend::Into,
    });
    let (author, module_name) = key?;
    Some(format!("{author}.{module_name}"))
}

/// The author and the module name that `NekroPlugin(...)` is given.
pub(super) fn parts_of_key(resolver: Resolver<'_>, value: &Expr) -> Option<(String, String)> {
    let Expr::Call(call) = value else {
        return None;
    };
    let text_of = |keyword, position| {
        let given = argument(call, keyword, position)?;
        resolver.text(given)
    };
    Some((text_of("author", 4)?, text_of("module_name", 1)?))
}
