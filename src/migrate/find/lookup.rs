//! What a name in an annotation, a default or a dependency leads to: the definition itself, in
//! whatever module of the repo it stands, and not only what it is called.
//!
//! Invariant: a name that is bound several times leads to all of its definitions, so that who asks
//! has to be content with each of them; what is not followed is [`Target::Unknown`].

pub(super) mod turns;

use std::path::Path;

use super::handler::parameters::known_types;
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Binding, BindingKind, ModuleName, Resolver, Value};
use crate::migrate::python::tree::{self, Descend, Node, name_expression, range_of};

/// Built-in names that annotations are made of.
pub(super) const BUILTIN_TYPES: &[&str] = &[
    "bool",
    "bytes",
    "bytearray",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "set",
    "str",
    "tuple",
    "type",
];

/// How many names may lead to each other.
const MAX_DEPTH: usize = 20;

/// One thing that an expression may stand for; what is of the repo comes with a resolver that sees
/// the names where it is defined.
pub(super) enum Target<'t> {
    /// Something outside the repo, by its dotted name.
    External(String),
    /// A name that nothing binds: a built-in.
    Builtin(&'t str),
    /// A class of the repo.
    Class(Resolver<'t>, &'t ast::StmtClassDef),
    /// A function of the repo.
    Function(Resolver<'t>, Definition<'t>),
    /// What is assigned to the name, or the expression itself when it is not a name.
    Expression(Resolver<'t>, &'t Expr),
    /// It is not followed.
    Unknown,
}

/// Calls `visit` with everything that `expression` may stand for.
pub(super) fn targets(
    resolver: Resolver<'_>,
    expression: &Expr,
    visit: &mut dyn FnMut(Target<'_>),
) {
    expression_targets(resolver, expression, MAX_DEPTH, visit);
}

/// The dotted names that `expression` may stand for, each once, when all of them are outside the repo.
pub(super) fn externals(resolver: Resolver<'_>, expression: &Expr) -> Option<Vec<String>> {
    let mut names = Some(Vec::new());
    targets(
        resolver,
        expression,
        &mut |target| match (target, &mut names) {
            (Target::External(name), Some(names)) if names.contains(&name) => {}
            (Target::External(name), Some(names)) => names.push(name),
            _ => names = None,
        },
    );
    names.filter(|names| !names.is_empty())
}

/// Whether there is something that an expression stands for, and all of it `holds`.
pub(super) fn all_targets(
    resolver: Resolver<'_>,
    expression: &Expr,
    holds: &mut dyn FnMut(Target<'_>) -> bool,
) -> bool {
    let mut answer = None;
    targets(resolver, expression, &mut |target| {
        answer = Some(answer.unwrap_or(true) && holds(target));
    });
    answer.unwrap_or(false)
}

fn expression_targets(
    resolver: Resolver<'_>,
    expression: &Expr,
    depth: usize,
    visit: &mut dyn FnMut(Target<'_>),
) {
    let Some(depth) = depth.checked_sub(1) else {
        return visit(Target::Unknown);
    };
    match expression {
        Expr::Name(name) => name_targets(resolver, &name.id, depth, visit),
        Expr::Attribute(attribute) => match resolver.value(&attribute.value) {
            Value::External(name) => visit(Target::External(format!("{name}.{}", attribute.attr))),
            Value::Module(path) => of_module(resolver, &path, &attribute.attr, depth, visit),
            Value::Class(path, range) => {
                member(resolver, (&path, range), &attribute.attr, depth, visit);
            }
            Value::Instance(path, range) => {
                member(resolver, (&path, range), &attribute.attr, depth, visit);
            }
            // The settings of the plugin, which it gives without asking anything of a request.
            Value::Plugin(_) if attribute.attr.as_str() == "get_config" => {
                visit(Target::External("nekro_agent.get_config".to_owned()));
            }
            _ => visit(Target::Unknown),
        },
        other => visit(Target::Expression(resolver, other)),
    }
}

fn name_targets(
    resolver: Resolver<'_>,
    name: &str,
    depth: usize,
    visit: &mut dyn FnMut(Target<'_>),
) {
    let all = resolver.bindings(name);
    let at_run_time: Vec<&Binding> = all.iter().filter(|b| !b.type_checking_only).collect();
    if all.is_empty() {
        return unbound(resolver, name, depth, visit);
    }
    // Only under TYPE_CHECKING: it stands for what it stands for to a type checker.
    let bindings = if at_run_time.is_empty() {
        all.iter().collect()
    } else {
        at_run_time
    };
    for binding in bindings {
        match &binding.kind {
            BindingKind::Module(module) => {
                match resolver.workspace.locate(path_of(resolver), module) {
                    Some(_) => visit(Target::Unknown),
                    None => visit(Target::External(module.dotted.clone())),
                }
            }
            BindingKind::From(module, original) => {
                imported(resolver, module, original, depth, visit);
            }
            BindingKind::Value(_)
            | BindingKind::Other
            | BindingKind::Class(..)
            | BindingKind::Function => at_statement(resolver, name, binding.range, depth, visit),
            BindingKind::Parameter(_) => visit(Target::Unknown),
        }
    }
}

fn path_of<'t>(resolver: Resolver<'t>) -> &'t Path {
    resolver.loaded.module.source().path()
}

/// A name that no statement here binds: from a `*` import, or built in.
fn unbound(resolver: Resolver<'_>, name: &str, depth: usize, visit: &mut dyn FnMut(Target<'_>)) {
    let stars = resolver.loaded.scope.stars();
    if BUILTIN_TYPES.contains(&name) || stars.is_empty() {
        return visit(Target::Builtin(name));
    }
    let mut known = None;
    let are_outside = stars.iter().all(|star| {
        let is_here = resolver.workspace.locate(path_of(resolver), star).is_some();
        if !is_here && known_types::offers(&star.dotted, name) {
            known = Some(format!("{}.{name}", star.dotted));
        }
        !is_here && known_types::has_known_names(&star.dotted)
    });
    if are_outside && let Some(name) = known {
        return visit(Target::External(name));
    }
    match resolver.value(&name_expression(name)) {
        Value::External(name) => visit(Target::External(name)),
        Value::Class(path, range) | Value::Function(path, range) => {
            let found = in_file(resolver, &path, &mut |inside| {
                at_statement(inside, name, range, depth, visit);
            });
            if found.is_none() {
                visit(Target::Unknown);
            }
        }
        _ => visit(Target::Unknown),
    }
}

/// Calls `then` with the names of another module of the repo; none when it cannot be read.
fn in_file(resolver: Resolver<'_>, path: &Path, then: &mut dyn FnMut(Resolver<'_>)) -> Option<()> {
    if path == path_of(resolver) {
        then(resolver);
        return Some(());
    }
    let loaded = resolver.workspace.load(path).ok()?;
    then(Resolver::of_module(resolver.workspace, &loaded));
    Some(())
}

fn of_module(
    resolver: Resolver<'_>,
    path: &Path,
    name: &str,
    depth: usize,
    visit: &mut dyn FnMut(Target<'_>),
) {
    let found = in_file(resolver, path, &mut |inside| {
        // The enclosing functions the place that asks see nothing of this module.
        let inside = inside.with_locals(&[]);
        expression_targets(inside, &name_expression(name), depth, visit);
    });
    if found.is_none() {
        visit(Target::Unknown);
    }
}

fn imported(
    resolver: Resolver<'_>,
    module: &ModuleName,
    original: &str,
    depth: usize,
    visit: &mut dyn FnMut(Target<'_>),
) {
    match resolver.workspace.locate(path_of(resolver), module) {
        Some(path) if path != path_of(resolver) => {
            of_module(resolver, &path, original, depth, visit);
        }
        None if module.level == 0 && !module.dotted.is_empty() => {
            visit(Target::External(format!("{}.{original}", module.dotted)));
        }
        _ => visit(Target::Unknown),
    }
}

/// What the statement at `range` gives the name.
fn at_statement(
    resolver: Resolver<'_>,
    name: &str,
    range: ByteRange,
    depth: usize,
    visit: &mut dyn FnMut(Target<'_>),
) {
    let Some(statement) = statement_at(resolver.loaded.module.suite(), range) else {
        return visit(Target::Unknown);
    };
    let is_name = |target: &Expr| tree::is_named(target, name);
    match statement {
        Stmt::ClassDef(class) => visit(Target::Class(resolver, class)),
        Stmt::Assign(assign) if assign.targets.iter().any(is_name) => {
            expression_targets(resolver, &assign.value, depth, visit);
        }
        Stmt::AnnAssign(ast::StmtAnnAssign {
            target,
            value: Some(value),
            ..
        }) if is_name(target) => expression_targets(resolver, value, depth, visit),
        statement => match Definition::of(statement) {
            Some(definition) => visit(Target::Function(resolver, definition)),
            None => visit(Target::Unknown),
        },
    }
}

/// The expression that the statement at `range` assigns to the name alone.
pub(super) fn assigned<'t>(
    resolver: Resolver<'t>,
    name: &str,
    range: ByteRange,
) -> Option<&'t Expr> {
    let is_name = |target: &Expr| tree::is_named(target, name);
    match statement_at(resolver.loaded.module.suite(), range)? {
        Stmt::Assign(assign) if assign.targets.iter().any(is_name) => Some(&assign.value),
        Stmt::AnnAssign(assign) if is_name(&assign.target) => assign.value.as_deref(),
        _ => None,
    }
}

/// Calls `then` with the class that is defined at `range`, when it is found.
pub(super) fn class_at(
    resolver: Resolver<'_>,
    (path, range): (&Path, ByteRange),
    then: &mut dyn FnMut(Resolver<'_>, &ast::StmtClassDef),
) {
    // Who finds nothing is not called.
    let _ = in_file(resolver, path, &mut |inside| {
        if let Some(Stmt::ClassDef(class)) = statement_at(inside.loaded.module.suite(), range) {
            then(inside, class);
        }
    });
}

/// A class or function that is defined in the body of a class.
fn member(
    resolver: Resolver<'_>,
    (path, range): (&Path, ByteRange),
    name: &str,
    depth: usize,
    visit: &mut dyn FnMut(Target<'_>),
) {
    let found = in_file(resolver, path, &mut |inside| {
        let class = match statement_at(inside.loaded.module.suite(), range) {
            Some(Stmt::ClassDef(class)) => class,
            _ => return visit(Target::Unknown),
        };
        let is_named = |statement: &&Stmt| match statement {
            Stmt::ClassDef(class) => class.name.as_str() == name,
            other => Definition::of(other).is_some_and(|function| function.name == name),
        };
        match class.body.iter().find(is_named) {
            Some(statement) => at_statement(inside, name, range_of(statement), depth, visit),
            None => visit(Target::Unknown),
        }
    });
    if found.is_none() {
        visit(Target::Unknown);
    }
}

/// The statement at `range`.
fn statement_at(suite: &[Stmt], range: ByteRange) -> Option<&Stmt> {
    let mut found = None;
    tree::walk_body(suite, &mut |node| match node {
        Node::Stmt(statement) if range_of(statement) == range => {
            found = Some(statement);
            Descend::Past
        }
        Node::Stmt(statement) if contains(range_of(statement), range) => Descend::Into,
        _ => Descend::Past,
    });
    found
}

fn contains(outer: ByteRange, inner: ByteRange) -> bool {
    outer.start() <= inner.start() && inner.end() <= outer.end()
}
