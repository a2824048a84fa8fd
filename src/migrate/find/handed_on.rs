//! Whether a plugin may be known by a name that does not lead to it: as an argument, an item, a result.
//!
//! Invariant: what only asks for the plugin's attributes hands nothing on; everything else does.

use rustc_hash::FxHashSet;

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::names::{Loaded, PluginId, Resolver, Value, Workspace};
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{Descend, Node, range_of};

/// What finds a plugin by the name of its variable.
const BY_NAME: &[&str] = &[
    "__import__",
    "eval",
    "exec",
    "globals",
    "import_module",
    "locals",
    "modules",
];

/// Whether a module does anything with a plugin but ask for its attributes and give it another name at
/// module level.
pub(crate) fn hands_on(workspace: &Workspace, loaded: &Loaded, plugin: &PluginId) -> bool {
    let module = &loaded.module;
    let resolver = Resolver::of_module(workspace, loaded);
    let mut names = module.tokens().all().iter();
    if names.any(|token| {
        token.kind == TokenKind::Name && BY_NAME.contains(&module.source().slice(token.range))
    }) {
        return true;
    }
    let is_name = |target: &Expr| matches!(target, Expr::Name(_));
    let mut understood: FxHashSet<ByteRange> = FxHashSet::default();
    for statement in module.suite() {
        match statement {
            Stmt::Assign(assign) if assign.targets.iter().all(is_name) => {
                understood.extend(assign.targets.iter().map(range_of));
                understood.insert(range_of(&*assign.value));
            }
            Stmt::AnnAssign(assign) if is_name(&assign.target) => {
                understood.insert(range_of(&*assign.target));
                understood.extend(assign.value.as_deref().map(range_of));
            }
            _ => {}
        }
    }
    let mut found = false;
    module.walk(module.suite(), module.range(), &mut |node| {
        if let Node::Expr(expression) = node {
            if let Expr::Attribute(attribute) = expression {
                understood.insert(range_of(&*attribute.value));
            }
            // What is looked up on the plugin itself is seen where it stands.
            if let Expr::Call(call) = expression
                && matches!(&*call.func, Expr::Name(name)
                    if matches!(name.id.as_str(), "getattr" | "hasattr" | "print" | "vars"))
            {
                understood.extend(call.args.first().map(range_of));
            }
            if matches!(expression, Expr::Name(_) | Expr::Attribute(_))
                && !understood.contains(&range_of(expression))
            {
                found |= resolver.value(expression) == Value::Plugin(plugin.clone());
            }
        }
        Descend::Into
    });
    found
}
