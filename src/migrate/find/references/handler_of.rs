//! The function behind what is registered: one that is decorated, or what a call is applied to: a
//! name, a method of an object or class, a `partial`, an instance with `__call__`, a call that gives one.
//!
//! Invariants: the parameters are those that the caller fills, without those that the object or the
//! `partial` fills; whoever else may call the function by a name on the way is noticed.

mod reached;

use self::reached::{MAX_STEPS, Reached};
use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::blocker::Blocker;
use crate::migrate::find::handler::{self, Handler, wrapper};
use crate::migrate::find::lookup;
use crate::migrate::find::lookup::turns::registrar::Turn;
use crate::migrate::find::model::{Callable, CallableKind, Form};
use crate::migrate::find::references::finder::Finder;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::{Definition, definition_at};
use crate::migrate::python::names::{Resolver, Scope};
use crate::migrate::python::tree::{self, Descend, Node, is_named, range_of};
use crate::routes::Dialect;
use crate::text;

/// What is registered.
pub(super) enum Target<'a> {
    /// A function under the decorator.
    Decorated(Definition<'a>),
    /// What the call is applied to.
    Applied(&'a Expr),
    /// What the result of the enclosing function is applied to, which gives the registration to its
    /// callers.
    Returned,
    /// What a name is applied to that the result of the call is given.
    Held(Held<'a>),
    /// Nothing that can be seen.
    Nothing,
}

/// `hook = plugin.mount_webhook_method(...)`, and the only use of `hook`.
pub(super) struct Held<'a> {
    pub(super) name: &'a str,
    /// What it is applied to.
    pub(super) handler: Expr,
    /// The decorator that it is, where it is one.
    pub(super) decorator: Option<ByteRange>,
}

impl<'a> Finder<'a> {
    /// The function behind `target` in one turn.
    pub(super) fn handler_of(
        &self,
        target: &Target<'a>,
        form: Form,
        call: &ast::ExprCall,
        turn: &Turn,
        of_path: &[&str],
    ) -> Option<(Option<Dialect>, Handler, Callable)> {
        let expression = match target {
            Target::Decorated(definition) => {
                return Some(self.decorated(*definition, form, of_path));
            }
            Target::Applied(expression) => expression,
            Target::Held(held) => &held.handler,
            Target::Returned => turn.applied_to.as_ref()?,
            Target::Nothing => return None,
        };
        let locals: Vec<Scope> = self.scopes.iter().chain(&turn.scopes).cloned().collect();
        let mut reached = self.reached(self.with_locals(&locals), expression, MAX_STEPS)?;
        let registering = match target {
            Target::Held(held) => held.decorator.as_slice(),
            _ => &turn.decorators,
        };
        let found = self.applied(&mut reached, range_of(call), registering, of_path)?;
        let kind = reached.kind;
        let callable = Callable {
            kind,
            expression: range_of(expression),
            place: reached.place,
            is_shared: kind == CallableKind::Made
                || self.is_shared(&reached)
                || matches!(target, Target::Applied(_)) && self.is_result_used
                // The registration itself is one.
                || matches!(expression, Expr::Name(name) if self.uses_around(&name.id) > 1),
        };
        Some((found.0, found.1, callable))
    }

    /// Whether a lambda is registered, also by a name.
    pub(super) fn is_lambda(&self, target: &Target<'_>) -> bool {
        let Target::Applied(expression) = target else {
            return false;
        };
        match expression {
            Expr::Lambda(_) => true,
            named => {
                let mut found = false;
                lookup::targets(self.resolver(), named, &mut |target| {
                    found |= matches!(target, lookup::Target::Expression(_, Expr::Lambda(_)));
                });
                found
            }
        }
    }

    fn decorated(
        &self,
        definition: Definition<'a>,
        form: Form,
        of_path: &[&str],
    ) -> (Option<Dialect>, Handler, Callable) {
        let locals = self.scopes_of_functions();
        let resolver = self.with_locals(&locals);
        let decorators = definition.decorators;
        let is_static = decorators.iter().find(|one| is_named(one, "staticmethod"));
        let first = tree::parameters(definition.arguments).next();
        let takes_object = first.is_some_and(|first| matches!(first.arg.as_str(), "self" | "cls"));
        let is_method = self.in_class && is_static.is_none() && takes_object;
        let (dialect, mut handler) = handler::handler(resolver, definition, is_method, of_path);
        let registered_at = match form {
            Form::Decorator(range) => range.end(),
            Form::Call => 0,
        };
        let is_inner = |decorator: &Expr| range_of(decorator).start() >= registered_at;
        let others = decorators
            .iter()
            .filter(|one| self.registration_call(one).is_none())
            .filter(|one| !is_named(one, "staticmethod"));
        for other in others {
            handler.is_decorated = true;
            if is_inner(other) {
                handler.is_wrapped = true;
                add_wrapper_problem(resolver, other, dialect, &mut handler);
            }
        }
        if self.in_class {
            // FastAPI would not await what the object gives that `@staticmethod` makes.
            handler.needs_reply_route |= is_static.is_some_and(is_inner);
            let of_class = |name: &str| {
                let class = self.scopes.last().filter(|scope| scope.is_class());
                class.is_some_and(|scope| !scope.bindings(name).is_empty())
            };
            let annotations = handler
                .parameters
                .iter()
                .filter_map(|p| p.annotation.as_ref());
            let unresolved = annotations
                .flat_map(|annotation| annotation.names.iter().map(move |name| (annotation, name)))
                .find(|(_, name)| of_class(&name.name));
            if dialect == Some(Dialect::Request)
                && let Some((annotation, name)) = unresolved
            {
                let problem = Blocker::manual(
                    Code::UnresolvedAnnotation,
                    annotation.range,
                    text!(
                        "`{}` in the annotation is a name of the class",
                        "注解中的 `{}` 是类中的名称",
                        name.name
                    ),
                );
                handler.problems.push(problem);
            }
        }
        let callable = Callable {
            kind: if self.in_class {
                CallableKind::Method
            } else {
                CallableKind::Function
            },
            expression: definition.range,
            place: handler.name_range,
            is_shared: self.uses_around(definition.name) > 0,
        };
        (dialect, handler, callable)
    }

    /// How often the function around this place uses a name, as in `return inner`.
    fn uses_around(&self, name: &str) -> usize {
        let mut uses = 0;
        if let Some(around) = self.functions.last() {
            tree::walk_body(around.definition.body, &mut |node| {
                if let Node::Expr(expression) = node {
                    uses += usize::from(is_named(expression, name));
                }
                Descend::Into
            });
        }
        uses
    }

    /// The scopes around without the bodies of classes, which functions do not see.
    fn scopes_of_functions(&self) -> Vec<Scope> {
        let scopes = self.scopes.iter().filter(|scope| !scope.is_class());
        scopes.cloned().collect()
    }

    /// What a function is as a handler, with the parameters that are not filled yet; `registering` are
    /// the decorators that do nothing but register it.
    fn applied(
        &self,
        reached: &mut Reached,
        here: ByteRange,
        registering: &[ByteRange],
        of_path: &[&str],
    ) -> Option<(Option<Dialect>, Handler)> {
        let is_here = reached.path == self.path();
        let other = (!is_here)
            .then(|| self.workspace.load(&reached.path).ok())
            .flatten();
        let loaded = match &other {
            Some(other) => other,
            None if is_here => self.loaded,
            None => return None,
        };
        let definition = definition_at(loaded.module.suite(), reached.range)?;
        let arguments = not_filled(definition.arguments, reached)?;
        let definition = Definition {
            arguments: &arguments,
            ..definition
        };
        // The enclosing functions the handler, which need not be those around the registration.
        let around = self
            .functions
            .iter()
            .zip(self.scopes.iter().filter(|scope| !scope.is_class()));
        let locals: Vec<Scope> = match reached.made_in {
            Some(factory) => {
                let factory = definition_at(loaded.module.suite(), factory)?;
                vec![Scope::of_function(factory.arguments, factory.body)]
            }
            None => around
                .filter(|(around, _)| is_here && around.definition.range.contains(definition.range))
                .map(|(_, scope)| scope.clone())
                .collect(),
        };
        let resolver = Resolver {
            workspace: self.workspace,
            loaded,
            locals: &locals,
        };
        let (dialect, mut handler) = handler::handler(resolver, definition, false, of_path);
        let others = definition
            .decorators
            .iter()
            .filter(|one| !is_named(one, "staticmethod") && !is_named(one, "classmethod"))
            .filter(|one| self.registration_call(one).is_none())
            .filter(|one| !is_here || !registering.contains(&range_of(*one)));
        for other in others {
            handler.is_decorated = true;
            add_wrapper_problem(resolver, other, dialect, &mut handler);
        }
        handler.is_wrapped = handler.is_decorated;
        handler.needs_reply_route |= is_misread(reached, &handler, loaded);
        if dialect == Some(Dialect::Context)
            && let Some(keyword) = &reached.first_keyword
        {
            handler.problems.push(Blocker::manual(
                Code::UnusualHandler,
                here,
                text!(
                    "`partial` fills `{keyword}`, the parameter that the context is given for",
                    "`partial` 已绑定 `{keyword}`，而上下文正是传给该参数的"
                ),
            ));
        }
        if !is_here {
            handler.is_elsewhere = true;
            // Ranges of problems are those of the other file; they are shown at the registration.
            let problems = handler.problems.iter_mut();
            for problem in problems
                .chain(&mut handler.refused_parameter)
                .chain(&mut handler.run_time_problem)
            {
                problem.range = here;
            }
            handler.name_range = here;
        }
        Some((dialect, handler))
    }

    /// Whether a name on the way to the function is used for anything else, so that the function may
    /// be called by it.
    fn is_shared(&self, reached: &Reached) -> bool {
        reached.names.iter().any(|name| {
            let (mut all, mut harmless) = (0usize, 0usize);
            let is_it = |expression: &Expr| tree::is_named(expression, name);
            tree::walk_body(self.loaded.module.suite(), &mut |node| {
                match node {
                    Node::Expr(expression @ Expr::Name(_)) => all += usize::from(is_it(expression)),
                    // `fn.__name__`
                    Node::Expr(Expr::Attribute(attribute)) => {
                        let is_word = match attribute.attr.as_str() {
                            "__name__" | "__doc__" => true,
                            "__call__" => false,
                            _ => reached.kind == CallableKind::Instance,
                        };
                        harmless += usize::from(is_word && is_it(&attribute.value));
                    }
                    // `mount(...)(fn)`
                    Node::Expr(Expr::Call(call)) if matches!(&*call.func, Expr::Call(_)) => {
                        harmless += call.args.iter().filter(|one| is_it(one)).count();
                    }
                    // What gives it its value.
                    Node::Stmt(Stmt::For(s)) => harmless += usize::from(binds(&s.target, name)),
                    Node::Stmt(Stmt::Assign(s)) => {
                        harmless += s.targets.iter().filter(|one| binds(one, name)).count();
                    }
                    _ => {}
                }
                Descend::Into
            });
            all > harmless
        })
    }
}

/// Notes what a decorator of the handler stands in the way of.
fn add_wrapper_problem(
    resolver: Resolver<'_>,
    decorator: &Expr,
    dialect: Option<Dialect>,
    handler: &mut Handler,
) {
    if dialect == Some(Dialect::Context) {
        handler
            .problems
            .extend(wrapper::context_problem(resolver, decorator));
    } else if handler.run_time_problem.is_none() {
        handler.run_time_problem = wrapper::problem(resolver, decorator);
    }
}

fn binds(target: &Expr, name: &str) -> bool {
    match target {
        Expr::Name(other) => other.id.as_str() == name,
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            elts.iter().any(|one| binds(one, name))
        }
        _ => false,
    }
}

/// Whether FastAPI would not take a `partial` for what it is: a request could set what is bound by
/// keyword, and annotations that are strings are read in the module of the function, which a
/// `partial` does not name.
fn is_misread(
    reached: &Reached,
    handler: &Handler,
    loaded: &crate::migrate::python::names::Loaded,
) -> bool {
    let has_annotation = || {
        let mut parameters = handler.parameters.iter();
        parameters.any(|one| one.annotation.is_some())
    };
    let is_future = || crate::migrate::python::imports::Imports::of(loaded).future_annotations;
    !reached.keywords.is_empty()
        || reached.kind == CallableKind::Partial && has_annotation() && is_future()
}

/// The parameters that are left to a caller; none when a call would fail.
fn not_filled(arguments: &ast::Arguments, reached: &mut Reached) -> Option<ast::Arguments> {
    let mut left = arguments.clone();
    for _ in 0..reached.filled {
        if !left.posonlyargs.is_empty() {
            left.posonlyargs.remove(0);
        } else if !left.args.is_empty() {
            left.args.remove(0);
        } else if left.vararg.is_none() {
            return None;
        }
    }
    for keyword in &reached.keywords {
        let is_it = |one: &ast::ArgWithDefault| one.def.arg.as_str() == keyword;
        if let Some(index) = left.args.iter().position(is_it) {
            if index == 0 && left.posonlyargs.is_empty() {
                reached.first_keyword = Some(keyword.clone());
            }
            left.args.remove(index);
        } else if let Some(index) = left.kwonlyargs.iter().position(is_it) {
            left.kwonlyargs.remove(index);
        } else if left.kwarg.is_none() {
            return None;
        }
    }
    Some(left)
}
