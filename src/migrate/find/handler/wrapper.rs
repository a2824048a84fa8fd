//! The decorators between a registration and its handler: FastAPI reads the parameters of what they
//! return, and looks the names in its annotations up in the module where that is defined.
//!
//! What a decorator from outside the repo returns is not looked at; such ones keep the signature of
//! what they wrap. One of the repo has to be understood, or its webhook needs a manual change.

use super::annotations::annotation;
use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::blocker::Blocker;
use crate::migrate::find::lookup::{Target, targets};
use crate::migrate::python::ast::{self, Constant, Expr};
use crate::migrate::python::function::{Definition, each_return};
use crate::migrate::python::imports::Imports;
use crate::migrate::python::names::{BindingKind, Resolver, Scope};
use crate::migrate::python::tree::{self, Descend, Node, range_of};
use crate::routes::Dialect;
use crate::text;
use crate::text::Text;

/// How many functions may return each other.
const MAX_DEPTH: usize = 10;

/// Why FastAPI could not read the parameters of what `decorator` returns.
pub(crate) fn problem(resolver: Resolver<'_>, decorator: &Expr) -> Option<Blocker> {
    look(resolver, decorator, Dialect::Request)
}

/// Why a handler of a context could not be called through what `decorator` returns: that is surely
/// written for FastAPI.
pub(crate) fn context_problem(resolver: Resolver<'_>, decorator: &Expr) -> Option<Blocker> {
    look(resolver, decorator, Dialect::Context)
}

fn look(resolver: Resolver<'_>, decorator: &Expr, dialect: Dialect) -> Option<Blocker> {
    let look = Look {
        registration: resolver,
        decorator: range_of(decorator),
        dialect,
    };
    let answer = look.decorator(resolver, decorator, MAX_DEPTH);
    answer.err().map(|problem| *problem)
}

/// What stands in the way.
type Answer = Result<(), Box<Blocker>>;

struct Look<'a> {
    registration: Resolver<'a>,
    decorator: ByteRange,
    /// That of the function under the decorator.
    dialect: Dialect,
}

impl Look<'_> {
    /// The answer where it cannot be seen what the decorator returns: whatever calls a handler of a
    /// context passes one argument, which needs no parameter to be read.
    fn unseen(&self) -> Answer {
        if self.dialect == Dialect::Context {
            return Ok(());
        }
        let source = self.registration.loaded.module.source();
        let problem = Blocker::manual(
            Code::UnresolvedAnnotation,
            self.decorator,
            text!(
                "what the decorator `{}` returns cannot be seen, nor whether FastAPI can read its parameters",
                "无法确定装饰器 `{}` 返回什么，也无法确定 FastAPI 能否读取其参数",
                source.slice(self.decorator)
            ),
        );
        Err(Box::new(problem.with_hint(hint())))
    }

    /// Calls `look` with all that an expression may stand for.
    fn each(
        resolver: Resolver<'_>,
        expression: &Expr,
        look: &mut dyn FnMut(Target<'_>) -> Answer,
    ) -> Answer {
        let mut answer = Ok(());
        targets(resolver, expression, &mut |target| {
            let this = look(target);
            if answer.is_ok() {
                answer = this;
            }
        });
        answer
    }

    fn decorator(&self, resolver: Resolver<'_>, expression: &Expr, depth: usize) -> Answer {
        let Some(depth) = depth.checked_sub(1) else {
            return self.unseen();
        };
        Self::each(resolver, expression, &mut |target| match target {
            Target::External(_) | Target::Builtin(_) | Target::Unknown => Ok(()),
            Target::Function(inside, function) => {
                self.returned(inside, function, &mut |inside, value| {
                    self.wrapper(inside, value, depth)
                })
            }
            Target::Class(inside, class) => match method(class, "__call__") {
                Some(method) => self.parameters(inside, method),
                None => self.unseen(),
            },
            Target::Expression(inside, Expr::Call(call)) => {
                Self::each(inside, &call.func, &mut |target| match target {
                    Target::External(name) if name == "functools.partial" => {
                        match call.args.first() {
                            Some(function) => self.decorator(inside, function, depth),
                            None => self.unseen(),
                        }
                    }
                    Target::External(_) | Target::Builtin(_) | Target::Unknown => Ok(()),
                    // It is used as a decorator, and says then what it wraps.
                    Target::Function(inside, function) if is_context_manager(inside, function) => {
                        Ok(())
                    }
                    Target::Class(inside, class) if is_context_decorator(inside, class, depth) => {
                        Ok(())
                    }
                    Target::Function(inside, function) => {
                        self.returned(inside, function, &mut |inside, value| match value {
                            // `return decorator(f)`, for where it is used without a call.
                            Expr::Call(call) if is_called_here(inside, call) => {
                                self.made(inside, call, depth)
                            }
                            _ => self.decorator(inside, value, depth),
                        })
                    }
                    Target::Class(inside, class) => match method(class, "__call__") {
                        Some(method) => self.returned(inside, method, &mut |inside, value| {
                            self.wrapper(inside, value, depth)
                        }),
                        None => self.unseen(),
                    },
                    Target::Expression(..) => self.unseen(),
                })
            }
            Target::Expression(..) => self.unseen(),
        })
    }

    /// Looks at each value that a function returns.
    fn returned(
        &self,
        resolver: Resolver<'_>,
        function: Definition<'_>,
        look: &mut dyn FnMut(Resolver<'_>, &Expr) -> Answer,
    ) -> Answer {
        if function.is_async || !function.decorators.is_empty() {
            return self.unseen();
        }
        let mut locals = resolver.locals.to_vec();
        locals.push(Scope::of_function(function.arguments, function.body));
        let inside = resolver.with_locals(&locals);
        let mut answer: Option<Answer> = None;
        each_return(function.body, &mut |returned| {
            let this = match returned.value.as_deref() {
                Some(value) => look(inside, value),
                None => self.unseen(),
            };
            answer = Some(answer.take().unwrap_or(Ok(())).and(this));
        });
        answer.unwrap_or_else(|| self.unseen())
    }

    /// What a decorator returns in the place of the handler.
    fn wrapper(&self, inside: Resolver<'_>, value: &Expr, depth: usize) -> Answer {
        let Some(depth) = depth.checked_sub(1) else {
            return self.unseen();
        };
        match value {
            Expr::Name(name) if is_parameter(inside, &name.id) => return Ok(()),
            Expr::IfExp(choice) => {
                self.wrapper(inside, &choice.body, depth)?;
                return self.wrapper(inside, &choice.orelse, depth);
            }
            Expr::Call(call) => return self.made(inside, call, depth),
            _ => {}
        }
        Self::each(inside, value, &mut |target| match target {
            Target::Function(inside, function) => self.parameters(inside, function),
            // It has no annotations.
            Target::Expression(_, Expr::Lambda(lambda)) => self.takes_no_others(&lambda.args),
            Target::Expression(inside, Expr::Call(call)) => self.made(inside, call, depth),
            _ => self.unseen(),
        })
    }

    /// What a call gives in the place of the handler.
    fn made(&self, inside: Resolver<'_>, call: &ast::ExprCall, depth: usize) -> Answer {
        if is_wraps(inside, &call.func) {
            return Ok(());
        }
        match inside.external(&call.func).as_deref() {
            Some("functools.update_wrapper") => Ok(()),
            Some("functools.partial") => match call.args.first() {
                Some(function) => self.wrapper(inside, function, depth),
                None => self.unseen(),
            },
            Some(_) => self.unseen(),
            None => Self::each(inside, &call.func, &mut |target| match target {
                Target::Class(inside, class) => match method(class, "__call__") {
                    Some(method) => self.parameters(inside, method),
                    None => self.unseen(),
                },
                Target::Function(inside, function) => {
                    let Some(depth) = depth.checked_sub(1) else {
                        return self.unseen();
                    };
                    self.returned(inside, function, &mut |inside, value| {
                        self.wrapper(inside, value, depth)
                    })
                }
                _ => self.unseen(),
            }),
        }
    }

    /// Whether a wrapper takes named parameters alone: FastAPI reads `*args` and `**kwargs` as two parameters
    /// of the query, and refuses every request without them.
    fn takes_no_others(&self, arguments: &ast::Arguments) -> Answer {
        let (args, kwargs) = (arguments.vararg.as_ref(), arguments.kwarg.as_ref());
        let Some(other) = args.or(kwargs).filter(|_| self.dialect == Dialect::Request) else {
            return Ok(());
        };
        let problem = Blocker::manual(
            Code::UnusualHandler,
            self.decorator,
            text!(
                "FastAPI takes `{}` of what the decorator returns for a parameter of the query, and refuses requests without it",
                "FastAPI 会把装饰器返回的函数的 `{}` 当作查询参数，并拒绝不带该参数的请求",
                other.arg
            ),
        );
        Err(Box::new(problem.with_hint(text!(
            "put `@functools.wraps(...)` above the function that the decorator returns",
            "请在装饰器返回的函数上方加上 `@functools.wraps(...)`"
        ))))
    }

    /// Whether a wrapper takes nothing that the other dialect gives: it is registered, whatever it wraps.
    fn is_of_dialect(&self, around: Resolver<'_>, arguments: &ast::Arguments) -> Answer {
        let is_other = |parameter: &&ast::Arg| {
            let annotation = parameter.annotation.as_deref();
            let name = annotation.and_then(|annotation| around.external(annotation));
            name.is_some_and(|name| match self.dialect {
                Dialect::Request => name.ends_with(".AgentCtx"),
                Dialect::Context => name.starts_with("fastapi.") || name.starts_with("starlette."),
            })
        };
        let Some(parameter) = tree::parameters(arguments).find(is_other) else {
            return Ok(());
        };
        let name = &parameter.arg;
        let detail = match self.dialect {
            Dialect::Request => text!(
                "what the decorator returns takes an AgentCtx (`{name}`), and the function under it does not",
                "装饰器返回的函数接收 AgentCtx（`{name}`），而被装饰的函数并不接收"
            ),
            Dialect::Context => text!(
                "what the decorator returns is written for FastAPI (`{name}`), and the function under it takes an AgentCtx",
                "装饰器返回的函数是为 FastAPI 编写的（`{name}`），而被装饰的函数接收 AgentCtx"
            ),
        };
        Err(Box::new(Blocker::manual(
            Code::UnknownDialect,
            self.decorator,
            detail,
        )))
    }

    /// Whether the annotations of a wrapper resolve in its module; those of one that says what it
    /// wraps are not looked at.
    fn parameters(&self, around: Resolver<'_>, function: Definition<'_>) -> Answer {
        let decorators = function.decorators;
        if decorators.iter().any(|one| is_wraps(around, one)) {
            return Ok(());
        }
        self.is_of_dialect(around, function.arguments)?;
        if self.dialect == Dialect::Context {
            return Ok(());
        }
        self.takes_no_others(function.arguments)?;
        let is_here =
            around.loaded.module.source().path() == self.registration.loaded.module.source().path();
        let mut is_lazy = None;
        for parameter in tree::parameters(function.arguments) {
            let Some(expression) = parameter.annotation.as_deref() else {
                continue;
            };
            if !holds_string(expression)
                && !*is_lazy.get_or_insert_with(|| Imports::of(around.loaded).future_annotations)
            {
                // It was evaluated when the function was defined.
                continue;
            }
            let annotation = annotation(around, expression);
            let is_later = |from: usize| is_here && from > self.decorator.start();
            let unresolved = annotation.names.iter().find(|name| {
                name.is_local
                    || name.type_checking_only
                    || !name.is_bound
                    || name.bound_from.is_some_and(is_later)
            });
            if let Some(name) = unresolved {
                let problem = Blocker::manual(
                    Code::UnresolvedAnnotation,
                    self.decorator,
                    text!(
                        "FastAPI cannot resolve `{}`, an annotation of what the decorator returns",
                        "FastAPI 无法解析装饰器返回的函数的注解 `{}`",
                        name.name
                    ),
                );
                let says = text!("`{}` is annotated here", "`{}` 的注解在这里", parameter.arg);
                return Err(Box::new(problem.with_hint(hint()).with_related(
                    around.loaded,
                    annotation.range,
                    says,
                )));
            }
        }
        Ok(())
    }
}

/// What to do about a decorator whose function FastAPI could not read.
fn hint() -> Text {
    text!(
        "let the decorator return a function whose annotations are names of the decorator's own module, or do its work in the handler",
        "请让装饰器返回的函数只用装饰器所在模块中的名称作注解，或把它的工作移到处理函数中"
    )
}

/// Whether a call is one of a function that is defined in the innermost function around it.
fn is_called_here(inside: Resolver<'_>, call: &ast::ExprCall) -> bool {
    let Expr::Name(name) = &*call.func else {
        return false;
    };
    let scope = inside.locals.last();
    scope.is_some_and(|scope| {
        let mut bindings = scope.bindings(&name.id).iter();
        bindings.any(|binding| matches!(binding.kind, BindingKind::Function))
    })
}

fn method<'c>(class: &'c ast::StmtClassDef, name: &str) -> Option<Definition<'c>> {
    let mut methods = class.body.iter().rev().filter_map(Definition::of);
    methods.find(|function| function.name == name)
}

/// Whether a function is a generator that `contextlib` makes context managers of.
fn is_context_manager(inside: Resolver<'_>, function: Definition<'_>) -> bool {
    let [decorator] = function.decorators else {
        return false;
    };
    matches!(
        inside.external(decorator).as_deref(),
        Some("contextlib.contextmanager" | "contextlib.asynccontextmanager")
    )
}

/// Whether the instances of a class are decorators as `contextlib` makes them, which keep the signature
/// of what they wrap.
fn is_context_decorator(inside: Resolver<'_>, class: &ast::StmtClassDef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let is_one = |base: &Expr| {
        let mut found = false;
        targets(inside, base, &mut |target| {
            found = match target {
                Target::External(name) => matches!(
                    name.as_str(),
                    "contextlib.ContextDecorator" | "contextlib.AsyncContextDecorator"
                ),
                Target::Class(inside, class) => is_context_decorator(inside, class, depth),
                _ => false,
            };
        });
        found
    };
    method(class, "__call__").is_none()
        && method(class, "__new__").is_none()
        && class.keywords.is_empty()
        && class.bases.first().is_some_and(is_one)
}

/// Whether a name stands for a parameter alone.
fn is_parameter(inside: Resolver<'_>, name: &str) -> bool {
    let bindings = inside.bindings(name);
    !bindings.is_empty()
        && bindings
            .iter()
            .all(|binding| matches!(binding.kind, BindingKind::Parameter(_)))
}

/// Whether an expression is `functools.wraps(f)`: FastAPI then reads the signature of `f`.
fn is_wraps(resolver: Resolver<'_>, expression: &Expr) -> bool {
    matches!(expression, Expr::Call(call)
        if resolver.external(&call.func).as_deref() == Some("functools.wraps"))
}

/// Whether a string is in an annotation, which is read only when it is asked for.
fn holds_string(expression: &Expr) -> bool {
    let mut holds = false;
    tree::walk(Node::Expr(expression), &mut |node| {
        holds |= matches!(node, Node::Expr(Expr::Constant(constant))
            if matches!(constant.value, Constant::Str(_)));
        Descend::Into
    });
    holds
}
