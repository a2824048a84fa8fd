//! What is given to `Depends`: FastAPI makes parameters of all that it takes, and looks at them as at
//! those of the handler.
//!
//! Invariant: a dependency is taken only where it is known what FastAPI would call, and with what.

use crate::migrate::find::handler::parameters::classes::ClassKind;
use crate::migrate::find::handler::parameters::question::{Objection, Place, shown};
use crate::migrate::find::handler::parameters::{classes, known_types};
use crate::migrate::find::lookup::{Target, targets};
use crate::migrate::python::ast;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::function::{Definition, each_return};
use crate::migrate::python::names::{Resolver, Scope, Value};
use crate::migrate::python::tree::plain_parameters;
use crate::text;

/// Asks about a parameter: by its annotation and its default, and what sees their names.
pub(super) type Take<'t> =
    &'t dyn Fn(Resolver<'_>, Option<&Expr>, Option<&Expr>, Place<'_>) -> Result<(), Objection>;

/// A question about one dependency.
#[derive(Clone, Copy)]
struct Asked<'d> {
    /// The dependency, as it is written.
    written: &'d str,
    take: Take<'d>,
}

impl Asked<'_> {
    fn unknown(self) -> Objection {
        let written = self.written;
        text!(
            "which parameters the dependency `{written}` takes cannot be known",
            "无法确定依赖 `{written}` 需要哪些参数"
        )
    }
}

/// Whether FastAPI takes what is given to `Depends`: it makes parameters of all that it takes.
pub(super) fn check(
    resolver: Resolver<'_>,
    dependency: &Expr,
    place: Place<'_>,
    take: Take<'_>,
) -> Result<(), Objection> {
    let written = shown(resolver, dependency);
    let asked = Asked {
        written: &written,
        take,
    };
    let Some(place) = place.deeper() else {
        return Err(asked.unknown());
    };
    let mut answer = Ok(());
    let mut seen = false;
    targets(resolver, dependency, &mut |target| {
        seen = true;
        let this = match target {
            Target::External(name) if known_types::is_dependency(&name) => {
                // What a function of the agent takes is not looked at.
                if !name.starts_with("fastapi.") {
                    place.note_response();
                }
                Ok(())
            }
            Target::External(_) | Target::Builtin(_) | Target::Unknown => Err(asked.unknown()),
            Target::Function(inside, function) => {
                let is_method = matches!(dependency, Expr::Attribute(attribute)
                    if matches!(resolver.value(&attribute.value), Value::Instance(..)));
                arguments_objection(inside, function.arguments, is_method, asked, place)
            }
            Target::Class(inside, class) => class_objection(inside, class, asked, place),
            Target::Expression(inside, Expr::Lambda(lambda)) => {
                arguments_objection(inside, &lambda.args, false, asked, place)
            }
            Target::Expression(inside, Expr::Call(call)) => {
                call_objection(inside, call, asked, place)
            }
            Target::Expression(..) => Err(asked.unknown()),
        };
        if answer.is_ok() {
            answer = this;
        }
    });
    if seen { answer } else { Err(asked.unknown()) }
}

fn arguments_objection(
    resolver: Resolver<'_>,
    arguments: &ast::Arguments,
    is_method: bool,
    asked: Asked<'_>,
    place: Place<'_>,
) -> Result<(), Objection> {
    plain_parameters(arguments)
        .skip(usize::from(is_method))
        .try_for_each(|parameter| {
            let annotation = parameter.def.annotation.as_deref();
            (asked.take)(resolver, annotation, parameter.default.as_deref(), place)
        })
}

/// A class as a dependency: what it is made with.
fn class_objection(
    resolver: Resolver<'_>,
    class: &ast::StmtClassDef,
    asked: Asked<'_>,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut answer = match classes::class_kind(resolver, class, place)? {
        ClassKind::Enum | ClassKind::Special => return Err(asked.unknown()),
        ClassKind::Plain => {
            return instance_method_objection(resolver, class, "__init__", asked, place)
                .unwrap_or(Ok(()));
        }
        ClassKind::Model | ClassKind::Fields => Ok(()),
    };
    if let Some(own) = instance_method_objection(resolver, class, "__init__", asked, place) {
        return own;
    }
    classes::fields(
        resolver,
        class,
        place,
        &mut |inside, annotation, default| {
            let this = (asked.take)(inside, Some(annotation), default, place);
            if answer.is_ok() {
                answer = this;
            }
        },
    );
    answer
}

/// What the method `name` of a class, or of its bases of the repo, takes; none when no such method
/// is there.
fn instance_method_objection(
    resolver: Resolver<'_>,
    class: &ast::StmtClassDef,
    name: &str,
    asked: Asked<'_>,
    place: Place<'_>,
) -> Option<Result<(), Objection>> {
    let Some(place) = place.deeper() else {
        return Some(Err(asked.unknown()));
    };
    let own = class.body.iter().rev().filter_map(Definition::of);
    if let Some(method) = own.into_iter().find(|function| function.name == name) {
        return Some(arguments_objection(
            resolver,
            method.arguments,
            true,
            asked,
            place,
        ));
    }
    let mut answer = None;
    for base in &class.bases {
        let base = match base {
            Expr::Subscript(subscript) => &subscript.value,
            other => other,
        };
        targets(resolver, base, &mut |target| {
            let this = match target {
                Target::Class(inside, base) => {
                    instance_method_objection(inside, base, name, asked, place)
                }
                Target::Builtin("object") => None,
                Target::External(external) if known_types::base(&external).is_some() => None,
                _ => Some(Err(asked.unknown())),
            };
            answer = answer.take().or(this);
        });
    }
    answer
}

/// `Depends(HTTPBearer())`, `Depends(Limit(5))`, `Depends(require("admin"))`, `Depends(partial(…))`.
fn call_objection(
    resolver: Resolver<'_>,
    call: &ast::ExprCall,
    asked: Asked<'_>,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut answer = Ok(());
    let mut seen = false;
    targets(resolver, &call.func, &mut |target| {
        seen = true;
        let this = match target {
            Target::External(name) if known_types::is_dependency(&name) => Ok(()),
            Target::External(name) if name == "functools.partial" => match call.args.first() {
                Some(function) => check(resolver, function, place, asked.take),
                None => Err(asked.unknown()),
            },
            Target::Class(inside, class) => {
                instance_method_objection(inside, class, "__call__", asked, place)
                    .unwrap_or_else(|| Err(asked.unknown()))
            }
            Target::Function(inside, function) if !function.is_async => {
                returned_objection(inside, function, asked, place)
            }
            _ => Err(asked.unknown()),
        };
        if answer.is_ok() {
            answer = this;
        }
    });
    if seen { answer } else { Err(asked.unknown()) }
}

/// A function that makes dependencies: what it returns.
fn returned_objection(
    resolver: Resolver<'_>,
    function: Definition<'_>,
    asked: Asked<'_>,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut locals = resolver.locals.to_vec();
    locals.push(Scope::of_function(function.arguments, function.body));
    let inside = resolver.with_locals(&locals);
    let mut answer: Option<Result<(), Objection>> = None;
    if !function.decorators.is_empty() {
        return Err(asked.unknown());
    }
    each_return(function.body, &mut |returned| {
        let this = match returned.value.as_deref() {
            Some(value) => check(inside, value, place, asked.take),
            None => Err(asked.unknown()),
        };
        answer = Some(answer.take().unwrap_or(Ok(())).and(this));
    });
    answer.unwrap_or_else(|| Err(asked.unknown()))
}
