//! The function that an expression leads to: by names, methods of objects and classes, `partial`s, and
//! functions that define and return one.

use std::path::{Path, PathBuf};

use crate::migrate::edit::ByteRange;
use crate::migrate::find::model::CallableKind;
use crate::migrate::find::references::finder::Finder;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::{Definition, definition_at, each_return, yields};
use crate::migrate::python::names::{BindingKind, Resolver, Scope, Value};
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, is_named, range_of};

/// How many names, bases and `partial`s may lead to a function.
pub(super) const MAX_STEPS: usize = 8;

/// A function, and how it is reached.
pub(super) struct Reached {
    pub(super) path: PathBuf,
    pub(super) range: ByteRange,
    pub(super) kind: CallableKind,
    /// How many of its parameters are filled already, from the left.
    pub(super) filled: usize,
    /// The parameters that are filled by keyword.
    pub(super) keywords: Vec<String>,
    /// Where it is named last on the way.
    pub(super) place: ByteRange,
    /// The names on the way.
    pub(super) names: Vec<String>,
    /// The keyword that fills the parameter that a caller would fill first.
    pub(super) first_keyword: Option<String>,
    /// The function that defines and returns it, where one does.
    pub(super) made_in: Option<ByteRange>,
}

impl Reached {
    pub(super) fn function(path: PathBuf, range: ByteRange, place: ByteRange) -> Self {
        Self {
            path,
            range,
            kind: CallableKind::Function,
            filled: 0,
            keywords: Vec::new(),
            place,
            names: Vec::new(),
            first_keyword: None,
            made_in: None,
        }
    }
}

/// Whether something may have made another class of the one that is defined at `range`: a decorator
/// that is not known to keep its methods, or a metaclass.
pub(super) fn is_changed(suite: &[Stmt], range: ByteRange) -> bool {
    let mut changed = false;
    tree::walk_body(suite, &mut |node| {
        if let Node::Stmt(Stmt::ClassDef(class)) = node
            && range_of(class) == range
        {
            let keeps = |decorator: &Expr| {
                let called = match decorator {
                    Expr::Call(call) => &*call.func,
                    other => other,
                };
                match called {
                    Expr::Name(name) => {
                        matches!(name.id.as_str(), "dataclass" | "final" | "define")
                    }
                    Expr::Attribute(attribute) => {
                        matches!(attribute.attr.as_str(), "dataclass" | "final" | "define")
                    }
                    _ => false,
                }
            };
            changed = !class.keywords.is_empty() || !class.decorator_list.iter().all(keeps);
        }
        Descend::Into
    });
    changed
}

impl Finder<'_> {
    /// The function that an expression leads to.
    pub(super) fn reached(
        &self,
        resolver: Resolver<'_>,
        expression: &Expr,
        steps: usize,
    ) -> Option<Reached> {
        let steps = steps.checked_sub(1)?;
        let place = range_of(expression);
        let value = resolver.value(expression);
        match (expression, value) {
            // By the name of the function itself, or by another name for it.
            (Expr::Name(_) | Expr::Attribute(_), Value::Function(..))
                if !resolver.lasts(expression) =>
            {
                None
            }
            (Expr::Name(name), value) => {
                if let [binding] = resolver.bindings(&name.id)
                    && let BindingKind::Value(other) = &binding.kind
                    && !matches!(value, Value::Instance(..))
                {
                    let mut reached = self.reached(resolver, other, steps)?;
                    reached.names.push(name.id.to_string());
                    return Some(reached);
                }
                match value {
                    Value::Function(path, range) => Some(Reached::function(path, range, place)),
                    Value::Instance(path, range) => self.instance(&path, range, place, steps),
                    _ => None,
                }
            }
            (Expr::Attribute(attribute), value) => {
                match (resolver.value(&attribute.value), value) {
                    (Value::Instance(path, range), _) => {
                        self.method(&path, range, &attribute.attr, true, place, steps)
                    }
                    (Value::Class(path, range), _) => {
                        self.method(&path, range, &attribute.attr, false, place, steps)
                    }
                    (_, Value::Function(path, range)) => {
                        Some(Reached::function(path, range, place))
                    }
                    (_, Value::Instance(path, range)) => self.instance(&path, range, place, steps),
                    _ => None,
                }
            }
            (Expr::Call(call), Value::CallOf(name)) if name == "functools.partial" => {
                let [function, filled @ ..] = call.args.as_slice() else {
                    return None;
                };
                if call.args.iter().any(|one| matches!(one, Expr::Starred(_))) {
                    return None;
                }
                let keywords: Option<Vec<String>> = call
                    .keywords
                    .iter()
                    .map(|keyword| keyword.arg.as_ref().map(ToString::to_string))
                    .collect();
                let mut reached = self.reached(resolver, function, steps)?;
                reached.filled += filled.len();
                for keyword in keywords? {
                    // The outer `partial` fills it again.
                    if !reached.keywords.contains(&keyword) {
                        reached.keywords.push(keyword);
                    }
                }
                reached.kind = CallableKind::Partial;
                Some(reached)
            }
            (Expr::Call(_), Value::Instance(path, range)) => {
                self.instance(&path, range, place, steps)
            }
            (Expr::Call(call), _) => self.made(resolver, call, place),
            _ => None,
        }
    }

    /// The function that the called one defines and returns: `make("a")`.
    fn made(
        &self,
        resolver: Resolver<'_>,
        call: &ast::ExprCall,
        place: ByteRange,
    ) -> Option<Reached> {
        let Value::Function(path, range) = resolver.value(&call.func) else {
            return None;
        };
        if !resolver.lasts(&call.func) {
            return None;
        }
        // What is given a function may be a decorator: then it is that function which is registered.
        let is_function = |value: &Expr| {
            matches!(value, Expr::Lambda(_))
                || matches!(
                    resolver.value(value),
                    Value::Function(..) | Value::Class(..)
                )
        };
        let keywords = call.keywords.iter().map(|keyword| &keyword.value);
        if call.args.iter().chain(keywords).any(is_function) {
            return None;
        }
        let loaded = self.workspace.load(&path).ok()?;
        let suite = loaded.module.suite();
        let factory = suite.iter().find(|one| range_of(*one) == range)?;
        let factory = Definition::of(factory)?;
        let Some(Stmt::Return(ast::StmtReturn {
            value: Some(value), ..
        })) = factory.body.last()
        else {
            return None;
        };
        let Expr::Name(name) = &**value else {
            return None;
        };
        let (mut returns, mut uses) = (0, 0);
        each_return(factory.body, &mut |_| returns += 1);
        tree::walk_body(factory.body, &mut |node| {
            match node {
                Node::Expr(expression) => uses += usize::from(is_named(expression, &name.id)),
                // A function inside may give the name to another one.
                Node::Stmt(Stmt::Nonlocal(_)) => uses += 2,
                Node::Stmt(_) => {}
            }
            Descend::Into
        });
        let is_plain = !factory.is_async && factory.decorators.is_empty() && !yields(factory.body);
        let scope = Scope::of_function(factory.arguments, factory.body);
        let [binding] = scope.bindings(&name.id) else {
            return None;
        };
        let is_made = matches!(binding.kind, BindingKind::Function)
            && factory
                .body
                .iter()
                .any(|one| range_of(one) == binding.range);
        (is_plain && is_made && (returns, uses) == (1, 1)).then(|| Reached {
            kind: CallableKind::Made,
            made_in: Some(range),
            ..Reached::function(path, binding.range, place)
        })
    }

    fn instance(
        &self,
        path: &Path,
        class: ByteRange,
        place: ByteRange,
        steps: usize,
    ) -> Option<Reached> {
        let mut reached = self.method(path, class, "__call__", true, place, steps)?;
        reached.kind = CallableKind::Instance;
        reached.names = vec![self.loaded.module.source().slice(place).to_owned()];
        Some(reached)
    }

    /// A method of a class of the repo, taken of an object or of the class.
    fn method(
        &self,
        path: &Path,
        class: ByteRange,
        name: &str,
        of_object: bool,
        place: ByteRange,
        steps: usize,
    ) -> Option<Reached> {
        let steps = steps.checked_sub(1)?;
        let loaded = self.workspace.load(path).ok()?;
        let resolver = Resolver::of_module(self.workspace, &loaded);
        let (bases, scope) = loaded.scope.class_at(class)?;
        // An object may have another one of that name, and the class be another one.
        if resolver.sets_attribute(name) || is_changed(loaded.module.suite(), class) {
            return None;
        }
        match scope.bindings(name) {
            [] => {
                let [base] = bases else {
                    return None;
                };
                match resolver.value(base) {
                    Value::Class(path, range) => {
                        self.method(&path, range, name, of_object, place, steps)
                    }
                    _ => None,
                }
            }
            [binding] if matches!(binding.kind, BindingKind::Function) => {
                let definition = definition_at(loaded.module.suite(), binding.range)?;
                let is_filled = match definition.decorators {
                    [] => of_object,
                    [one] if is_named(one, "staticmethod") => false,
                    [one] if is_named(one, "classmethod") => true,
                    _ => return None,
                };
                Some(Reached {
                    filled: usize::from(is_filled),
                    kind: CallableKind::Method,
                    ..Reached::function(path.to_owned(), binding.range, place)
                })
            }
            _ => None,
        }
    }
}
