//! The key of a plugin, `author.module_name`.

use crate::migrate::edit::ByteRange;
use crate::migrate::find::plugin::calls::argument;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::names::{Loaded, PluginId, Resolver, Workspace};
use crate::migrate::python::tree::{Descend, Node, is_definition, range_of, walk_body};

/// The key of a plugin, `author.module_name`, wherever it is made; none when it cannot be known.
pub(crate) fn key(workspace: &Workspace, id: &PluginId) -> Option<String> {
    let loaded = workspace.load(&id.module).ok()?;
    let resolver = Resolver::of_module(workspace, &loaded);
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
        resolver.text(given).filter(|_| resolver.lasts(given))
    };
    Some((text_of("author", 4)?, text_of("module_name", 1)?))
}

/// Where a module sets the key of the plugin in `variable` again: by its initializer, or the attribute in
/// which release 2.4.0 of the agent keeps it (`author` and `module_name` are read once).
pub(super) fn sets_key(loaded: &Loaded, variable: &str) -> Option<ByteRange> {
    const SETTERS: &[&str] = &["__init__", "_key"];
    let source = loaded.module.source();
    if !SETTERS.iter().any(|name| source.text().contains(name)) {
        return None;
    }
    let text = |range| source.slice(range);
    let mut tokens = loaded.module.tokens().all().windows(3);
    tokens.find_map(|window| match window {
        [owner, dot, name] if text(owner.range) == variable && text(dot.range) == "." => {
            SETTERS.contains(&text(name.range)).then_some(name.range)
        }
        _ => None,
    })
}
