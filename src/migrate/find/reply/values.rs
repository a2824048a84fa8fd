//! The names of a function or module, and what is known of their values.
//!
//! Invariant: a name that anything but its own statements may give a value stands for nothing that is
//! known.

use std::cell::{Cell, OnceCell};

use crate::migrate::find::reply::bindings::{Bindings, Bound};
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::names::{Resolver, Value};
use crate::migrate::python::parse::Module;

/// How many steps one handler may lead to.
const MAX_STEPS: usize = 5_000;

/// What a value is. Of several that it may be, the last in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A value of a built-in type that is not a tuple; sums and the like of such values are too.
    Plain,
    /// Another object that is neither a tuple nor a response.
    Object,
    /// A response, or one of the above.
    Response,
    /// It may be anything.
    Unknown,
}

/// The names of a function or module, and what their values are.
pub(super) struct Values<'a> {
    pub(super) resolver: Resolver<'a>,
    pub(super) bindings: Bindings<'a>,
    /// Whether FastAPI fills the parameters, so that they are what their annotations say.
    pub(super) is_handler: bool,
    /// The names of the module around a function, once they are asked for.
    pub(super) module: OnceCell<Option<Box<Self>>>,
    pub(super) is_module: bool,
    pub(super) steps: &'a Cell<usize>,
}

/// What the questions about one handler may still cost.
pub(super) fn steps() -> Cell<usize> {
    Cell::new(MAX_STEPS)
}

/// What makes an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MadeBy {
    /// A call of the class.
    Call,
    /// The validation of a parameter: what validators of the model return is taken in its place.
    Validation,
}

impl<'a> Values<'a> {
    /// The names of a handler; `resolver` sees those of the function.
    pub(super) fn of_handler(
        resolver: Resolver<'a>,
        arguments: &'a ast::Arguments,
        body: &'a [Stmt],
        steps: &'a Cell<usize>,
    ) -> Self {
        Self {
            resolver,
            bindings: Bindings::of_function(&resolver.loaded.module, arguments, body),
            is_handler: true,
            module: OnceCell::new(),
            is_module: false,
            steps,
        }
    }

    /// The names at the level of a module, which is that of `resolver`.
    pub(super) fn of_module(
        resolver: Resolver<'a>,
        module: &'a Module,
        steps: &'a Cell<usize>,
    ) -> Self {
        Self {
            resolver,
            bindings: Bindings::of_body(module, module.suite()),
            is_handler: false,
            module: OnceCell::new(),
            is_module: true,
            steps,
        }
    }

    fn module(&self) -> Option<&Self> {
        let of_module = || {
            let module = &self.resolver.loaded.module;
            (!self.is_module).then(|| {
                let resolver = self.resolver.with_locals(&[]);
                Box::new(Self::of_module(resolver, module, self.steps))
            })
        };
        self.module.get_or_init(of_module).as_deref()
    }

    /// How a name is bound, and where its values are to be read; none when nothing binds it.
    pub(super) fn bound(&self, name: &str) -> Option<(&Self, &[Bound<'a>])> {
        if let Some(bound) = self.bindings.of(name) {
            return Some((self, self.as_long_as_kept(name, bound)));
        }
        let around = self.resolver.locals.split_last().map(|(_, around)| around);
        let mut around = around.unwrap_or_default().iter();
        if around.any(|scope| !scope.bindings(name).is_empty()) {
            // Of an enclosing function, which may bind it again at any time.
            return Some((self, &[Bound::Unknown]));
        }
        let module = self.module()?;
        let bound = module.bindings.of(name)?;
        Some((module, module.as_long_as_kept(name, bound)))
    }

    /// How a name is bound, if nothing but the statements that do so gives it a value.
    fn as_long_as_kept<'b>(&self, name: &str, bound: &'b [Bound<'a>]) -> &'b [Bound<'a>] {
        // What is imported is asked where it comes from.
        let is_imported = || bound.iter().all(|one| matches!(one, Bound::Import));
        if !self.is_module || is_imported() || self.resolver.keeps(name) {
            bound
        } else {
            &[Bound::Unknown]
        }
    }

    /// Whether nothing binds the name, so that it is the built-in one.
    pub(super) fn is_builtin(&self, name: &str) -> bool {
        self.bound(name).is_none()
            && self.resolver.loaded.scope.stars().is_empty()
            && self.resolver.keeps_builtins()
    }

    /// What an expression stands for, if the name that it starts with is only bound in forms that
    /// the resolver sees.
    pub(super) fn known(&self, expression: &Expr) -> Value {
        let mut root = expression;
        loop {
            root = match root {
                Expr::Attribute(attribute) => &attribute.value,
                Expr::Call(call) => &call.func,
                Expr::Name(name) => {
                    let is_seen = self.bound(&name.id).is_none_or(|(_, bound)| {
                        bound.iter().all(|one| {
                            matches!(one, Bound::Value(_) | Bound::Import | Bound::Definition)
                        })
                    });
                    return if is_seen {
                        self.lasting(expression)
                    } else {
                        Value::Unknown
                    };
                }
                _ => return Value::Unknown,
            }
        }
    }

    /// What an expression stands for, if no file of the repo gives it another value: also not what is
    /// outside of the repo.
    pub(super) fn lasting(&self, expression: &Expr) -> Value {
        match self.resolver.lasting_value(expression) {
            Value::External(name) | Value::CallOf(name) if !self.resolver.keeps_external(&name) => {
                Value::Unknown
            }
            value => value,
        }
    }
}
