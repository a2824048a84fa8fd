//! The parameters that FastAPI takes: by their annotations, what marks them (`Query(...)`,
//! `Depends(...)`), and what their dependencies take in turn.
//!
//! FastAPI looks at all of it when the route is made. What it refuses there ends the import of the
//! plugin's module, so a handler with such a parameter must not become a route.
//!
//! Invariant: a handler without a problem here has only parameters that are understood.

use rustpython_parser::ast::{self, Expr};

use super::constraints::{self, Family};
use super::defaults::{self, Given, Marked};
use super::known_types::{self, Kind, Marker};
use super::lookup::{Target, externals, targets};
use super::types::{self, ClassKind, Objection, Place, Question, kind, shown};
use super::{Blocker, known_arguments};
use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::python::function::{Definition, each_return};
use crate::migrate::python::names::{Resolver, Scope, Value};
use crate::migrate::python::parse;
use crate::migrate::python::tree::{plain_parameters, range_of};
use crate::text;

/// What is known of a handler's parameters.
pub(super) struct Parameters {
    /// What FastAPI would refuse of them.
    pub(super) problem: Option<Blocker>,
    /// Whether the handler or a dependency may be given the Response: what is set on it is added by
    /// FastAPI only to replies that it makes itself.
    pub(super) take_response: bool,
}

/// Looks at the parameters of a handler; `resolver` sees what is outside of it.
pub(super) fn look_at(
    resolver: Resolver<'_>,
    definition: Definition<'_>,
    name_range: ByteRange,
) -> Parameters {
    let question = Question::new();
    let problem = problem(resolver, definition, name_range, &question);
    Parameters {
        take_response: problem.is_some() || question.takes_response(),
        problem,
    }
}

fn problem(
    resolver: Resolver<'_>,
    definition: Definition<'_>,
    name_range: ByteRange,
    question: &Question,
) -> Option<Blocker> {
    plain_parameters(definition.arguments).find_map(|parameter| {
        let objection = parameter_objection(resolver, parameter, question.parameter())?;
        let (en, zh) = objection.both();
        let name = parameter.def.arg.as_str();
        let range = match (&parameter.def.annotation, &parameter.default) {
            (Some(annotation), _) => range_of(&**annotation),
            (None, Some(default)) => range_of(&**default),
            (None, None) => name_range,
        };
        let detail = text!("parameter `{name}`: {en}", "参数 `{name}`：{zh}");
        Some(Blocker::manual(Code::RefusedParameter, range, detail))
    })
}

fn parameter_objection(
    resolver: Resolver<'_>,
    parameter: &ast::ArgWithDefault,
    place: Place<'_>,
) -> Option<Objection> {
    let annotation = parameter.def.annotation.as_deref();
    let default = parameter.default.as_deref();
    field_objection(resolver, annotation, default, place).err()
}

/// Whether FastAPI takes a parameter, or a field that stands for one.
fn field_objection(
    resolver: Resolver<'_>,
    annotation: Option<&Expr>,
    default: Option<&Expr>,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut answer = Ok(());
    let mut metadata_markers = 0;
    if let Some(annotation) = annotation {
        each_annotated(resolver, annotation, place, &mut |inside, data| {
            let this = each_marker(inside, data, &mut |inside, marked| {
                metadata_markers += 1;
                if default.is_some() && has_keyword(marked.call, "default_factory") {
                    return Err(text!(
                        "FastAPI refuses `default_factory` in `Annotated` beside a default behind `=`",
                        "`=` 之后已有默认值时，FastAPI 不允许在 `Annotated` 中使用 `default_factory`"
                    ));
                }
                marked_objection(inside, resolver, annotation, &marked, true, place)
            });
            if answer.is_ok() {
                answer = this;
            }
        });
    }
    answer?;
    let mut default_markers = 0;
    if let Some(default) = default {
        each_marker(resolver, default, &mut |inside, marked| {
            default_markers += 1;
            if metadata_markers > 0 {
                let name = &marked.name;
                return Err(text!(
                    "FastAPI refuses `{name}` both in `Annotated` and as a default",
                    "FastAPI 不允许同时在 `Annotated` 与默认值中使用 `{name}` 这类声明"
                ));
            }
            match annotation {
                Some(annotation) => {
                    marked_objection(inside, resolver, annotation, &marked, false, place)
                }
                None => unannotated_objection(inside, &marked, place),
            }
        })?;
    }
    match annotation {
        // What marks it has been asked about the type as well.
        Some(annotation) if metadata_markers + default_markers == 0 => {
            kind(resolver, annotation, place).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// Calls `visit` with what stands in `Annotated[…]` beside the type, also where the annotation is a
/// name for that.
fn each_annotated(
    resolver: Resolver<'_>,
    annotation: &Expr,
    place: Place<'_>,
    visit: &mut dyn FnMut(Resolver<'_>, &Expr),
) {
    let Some(place) = place.deeper() else {
        return;
    };
    match annotation {
        Expr::Subscript(subscript) => {
            let is_annotated = externals(resolver, &subscript.value)
                .is_some_and(|names| names.iter().all(|name| known_types::is_annotated(name)));
            if let (true, Expr::Tuple(parts)) = (is_annotated, &*subscript.slice)
                && let [first, data @ ..] = parts.elts.as_slice()
            {
                each_annotated(resolver, first, place, visit);
                data.iter().for_each(|data| visit(resolver, data));
            }
        }
        Expr::Constant(ast::ExprConstant {
            value: ast::Constant::Str(text),
            ..
        }) => {
            if let Some(parsed) = parse::quoted(text) {
                each_annotated(resolver, &parsed, place, visit);
            }
        }
        Expr::Name(_) | Expr::Attribute(_) => targets(resolver, annotation, &mut |target| {
            if let Target::Expression(inside, value) = target {
                each_annotated(inside, value, place, visit);
            }
        }),
        _ => {}
    }
}

/// Calls `visit` where an expression is a call that marks a parameter.
///
/// # Errors
/// Those of `visit`, and one where it might be such a call.
fn each_marker(
    resolver: Resolver<'_>,
    expression: &Expr,
    visit: &mut dyn FnMut(Resolver<'_>, Marked<'_>) -> Result<(), Objection>,
) -> Result<(), Objection> {
    let mut answer = Ok(());
    defaults::each(resolver, expression, &mut |given| {
        let this = match given {
            Given::Marker(inside, marked) => visit(inside, marked),
            Given::Value => Ok(()),
            Given::Unknown(written) => Err(text!(
                "whether `{written}` is a dependency, or limits the value, cannot be known",
                "无法确定 `{written}` 是不是依赖，也无法确定它是否限制取值"
            )),
        };
        if answer.is_ok() {
            answer = this;
        }
    });
    answer
}

/// `inside` sees the names of the marker, `resolver` those of the annotation.
fn marked_objection(
    inside: Resolver<'_>,
    resolver: Resolver<'_>,
    annotation: &Expr,
    marked: &Marked<'_>,
    in_annotated: bool,
    place: Place<'_>,
) -> Result<(), Objection> {
    let name = &marked.name;
    let written = shown(resolver, annotation);
    let beside_special = || {
        text!(
            "FastAPI refuses `{name}` on a parameter that it fills itself, `{written}`",
            "`{written}` 由 FastAPI 自己提供，不允许再标注 `{name}`"
        )
    };
    match marked.marker {
        Marker::Dependency => {
            if kind(resolver, annotation, place) == Ok(Kind::Special) {
                return Err(beside_special());
            }
            constraint_objection(inside, marked, Family::Other)?;
            return match dependency(marked.call) {
                Some(dependency) => dependency_objection(inside, dependency, place),
                None => dependency_objection(resolver, annotated_type(annotation), place),
            };
        }
        Marker::Field if in_annotated => {}
        Marker::Field => {
            return Err(text!(
                "FastAPI refuses pydantic's `Field` in the place of a default",
                "FastAPI 不允许把 pydantic 的 `Field` 用作默认值"
            ));
        }
        _ => {}
    }
    let family = constraints::family(resolver, annotation, place);
    constraint_objection(inside, marked, family)?;
    if in_annotated && marked.marker == Marker::Field && given_default(marked.call).is_some() {
        return Err(text!(
            "whether FastAPI takes the default of `{name}(…)` inside of `Annotated` cannot be known",
            "无法确定 FastAPI 能否接受 `Annotated` 内 `{name}(…)` 给出的默认值"
        ));
    }
    // That it needs a value may be said anywhere.
    if in_annotated && given_default(marked.call).is_some_and(|value| !is_ellipsis(value)) {
        return Err(text!(
            "FastAPI refuses a default in `{name}(…)` inside of `Annotated`: it belongs behind `=`",
            "FastAPI 不允许在 `Annotated` 内的 `{name}(…)` 中给出默认值，应写在 `=` 之后"
        ));
    }
    match (marked.marker, kind(resolver, annotation, place)?) {
        (_, Kind::Special) => Err(beside_special()),
        (Marker::Body | Marker::Field | Marker::Dependency, _)
        | (Marker::Values | Marker::OneValue, Kind::Scalar)
        | (Marker::Values, Kind::Sequence) => Ok(()),
        (Marker::Values | Marker::OneValue, Kind::Model) => Err(text!(
            "FastAPI takes a model in `{name}` from release 0.115 on only, and refuses it before",
            "FastAPI 从 0.115 版起才允许在 `{name}` 中使用模型，更早的版本会拒绝"
        )),
        (Marker::Values | Marker::OneValue, Kind::Sequence | Kind::Body) => Err(text!(
            "FastAPI does not read `{written}` from a `{name}`",
            "FastAPI 不会从 `{name}` 中读取 `{written}`"
        )),
    }
}

/// The default that is given to a marker.
fn given_default(call: &ast::ExprCall) -> Option<&Expr> {
    let mut keywords = call.keywords.iter();
    let named = keywords.find(|keyword| keyword.arg.as_deref() == Some("default"));
    call.args.first().or(named.map(|keyword| &keyword.value))
}

fn is_ellipsis(value: &Expr) -> bool {
    matches!(value, Expr::Constant(constant) if constant.value == ast::Constant::Ellipsis)
}

fn has_keyword(call: &ast::ExprCall, name: &str) -> bool {
    let mut keywords = call.keywords.iter();
    keywords.any(|keyword| keyword.arg.as_deref() == Some(name))
}

/// A parameter that is marked, and has no annotation.
fn unannotated_objection(
    inside: Resolver<'_>,
    marked: &Marked<'_>,
    place: Place<'_>,
) -> Result<(), Objection> {
    match (marked.marker, dependency(marked.call)) {
        (Marker::Dependency, Some(dependency)) => {
            constraint_objection(inside, marked, Family::Other)?;
            dependency_objection(inside, dependency, place)
        }
        (Marker::Field, _) => Err(text!(
            "FastAPI refuses pydantic's `Field` in the place of a default",
            "FastAPI 不允许把 pydantic 的 `Field` 用作默认值"
        )),
        _ => constraint_objection(inside, marked, Family::Untyped),
    }
}

/// What a marker says of the value beside its type, which pydantic looks at when the route is made.
fn constraint_objection(
    inside: Resolver<'_>,
    marked: &Marked<'_>,
    family: Family,
) -> Result<(), Objection> {
    match known_arguments::marker(marked.marker, &marked.name) {
        Some(signature) => signature.of(marked.call).check(inside, family),
        None => {
            let name = &marked.name;
            Err(text!(
                "what `{name}(…)` says of the value cannot be known",
                "无法确定 `{name}(…)` 对取值有何限制"
            ))
        }
    }
}

/// What is given to `Depends`.
fn dependency(call: &ast::ExprCall) -> Option<&Expr> {
    let named = call
        .keywords
        .iter()
        .find(|keyword| keyword.arg.as_deref() == Some("dependency"));
    named.map(|keyword| &keyword.value).or(call.args.first())
}

/// The type in front of what `Annotated` says more.
fn annotated_type(annotation: &Expr) -> &Expr {
    match annotation {
        Expr::Subscript(subscript) => match &*subscript.slice {
            Expr::Tuple(parts) => parts.elts.first().unwrap_or(annotation),
            _ => annotation,
        },
        other => other,
    }
}

/// Whether FastAPI takes what is given to `Depends`: it makes parameters of all that it takes.
fn dependency_objection(
    resolver: Resolver<'_>,
    dependency: &Expr,
    place: Place<'_>,
) -> Result<(), Objection> {
    let written = shown(resolver, dependency);
    let unknown = || {
        text!(
            "which parameters the dependency `{written}` takes cannot be known",
            "无法确定依赖 `{written}` 需要哪些参数"
        )
    };
    let Some(place) = place.deeper() else {
        return Err(unknown());
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
            Target::External(_) | Target::Builtin(_) | Target::Unknown => Err(unknown()),
            Target::Function(inside, function) => {
                let is_method = matches!(dependency, Expr::Attribute(attribute)
                    if matches!(resolver.value(&attribute.value), Value::Instance(..)));
                function_objection(inside, function, is_method, place)
            }
            Target::Class(inside, class) => class_objection(inside, class, &unknown, place),
            Target::Expression(inside, Expr::Lambda(lambda)) => {
                arguments_objection(inside, &lambda.args, false, place)
            }
            Target::Expression(inside, Expr::Call(call)) => {
                call_objection(inside, call, &unknown, place)
            }
            Target::Expression(..) => Err(unknown()),
        };
        if answer.is_ok() {
            answer = this;
        }
    });
    if seen { answer } else { Err(unknown()) }
}

fn arguments_objection(
    resolver: Resolver<'_>,
    arguments: &ast::Arguments,
    is_method: bool,
    place: Place<'_>,
) -> Result<(), Objection> {
    plain_parameters(arguments)
        .skip(usize::from(is_method))
        .find_map(|parameter| parameter_objection(resolver, parameter, place))
        .map_or(Ok(()), Err)
}

fn function_objection(
    resolver: Resolver<'_>,
    function: Definition<'_>,
    is_method: bool,
    place: Place<'_>,
) -> Result<(), Objection> {
    arguments_objection(resolver, function.arguments, is_method, place)
}

/// A class as a dependency: what it is made with.
fn class_objection(
    resolver: Resolver<'_>,
    class: &ast::StmtClassDef,
    unknown: &dyn Fn() -> Objection,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut answer = match types::class_kind(resolver, class, place)? {
        ClassKind::Enum | ClassKind::Special => return Err(unknown()),
        ClassKind::Plain => {
            return instance_method_objection(resolver, class, "__init__", unknown, place)
                .unwrap_or(Ok(()));
        }
        ClassKind::Model | ClassKind::Fields => Ok(()),
    };
    if let Some(own) = instance_method_objection(resolver, class, "__init__", unknown, place) {
        return own;
    }
    types::fields(
        resolver,
        class,
        place,
        &mut |inside, annotation, default| {
            let this = field_objection(inside, Some(annotation), default, place);
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
    unknown: &dyn Fn() -> Objection,
    place: Place<'_>,
) -> Option<Result<(), Objection>> {
    let Some(place) = place.deeper() else {
        return Some(Err(unknown()));
    };
    let own = class.body.iter().rev().filter_map(Definition::of);
    if let Some(method) = own.into_iter().find(|function| function.name == name) {
        return Some(function_objection(resolver, method, true, place));
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
                    instance_method_objection(inside, base, name, unknown, place)
                }
                Target::Builtin("object") => None,
                Target::External(external) if known_types::base(&external).is_some() => None,
                _ => Some(Err(unknown())),
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
    unknown: &dyn Fn() -> Objection,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut answer = Ok(());
    let mut seen = false;
    targets(resolver, &call.func, &mut |target| {
        seen = true;
        let this = match target {
            Target::External(name) if known_types::is_dependency(&name) => Ok(()),
            Target::External(name) if name == "functools.partial" => match call.args.first() {
                Some(function) => dependency_objection(resolver, function, place),
                None => Err(unknown()),
            },
            Target::Class(inside, class) => {
                instance_method_objection(inside, class, "__call__", unknown, place)
                    .unwrap_or_else(|| Err(unknown()))
            }
            Target::Function(inside, function) if !function.is_async => {
                returned_objection(inside, function, unknown, place)
            }
            _ => Err(unknown()),
        };
        if answer.is_ok() {
            answer = this;
        }
    });
    if seen { answer } else { Err(unknown()) }
}

/// A function that makes dependencies: what it returns.
fn returned_objection(
    resolver: Resolver<'_>,
    function: Definition<'_>,
    unknown: &dyn Fn() -> Objection,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut locals = resolver.locals.to_vec();
    locals.push(Scope::of_function(function.arguments, function.body));
    let inside = Resolver {
        locals: &locals,
        ..resolver
    };
    let mut answer: Option<Result<(), Objection>> = None;
    if !function.decorators.is_empty() {
        return Err(unknown());
    }
    each_return(function.body, &mut |returned| {
        let this = match returned.value.as_deref() {
            Some(value) => dependency_objection(inside, value, place),
            None => Err(unknown()),
        };
        answer = Some(answer.take().unwrap_or(Ok(())).and(this));
    });
    answer.unwrap_or_else(|| Err(unknown()))
}

#[cfg(test)]
mod tests;
