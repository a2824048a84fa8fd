//! The parameters that FastAPI takes: by their annotations, what marks them (`Query(...)`,
//! `Depends(...)`), and what their dependencies take in turn.
//!
//! FastAPI looks at all of it when the route is made. What it refuses there ends the import of the
//! plugin's module, so a handler with such a parameter must not become a route.
//!
//! Invariant: a handler without a problem here has only parameters that are understood.

mod classes;
mod constants;
mod constraints;
mod defaults;
mod dependencies;
mod family;
pub(super) mod known_arguments;
pub(crate) mod known_types;
mod question;
mod types;

use self::defaults::{DefaultValue, Marked};
use self::family::Family;
use self::known_types::{Kind, Marker};
use self::question::{Objection, Place, Question, shown};
use self::types::kind;
use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::blocker::Blocker;
use crate::migrate::find::lookup::{Target, externals, targets};
use crate::migrate::python::ast::{self, Expr};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::Resolver;
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
        let objection = {
            let annotation = parameter.def.annotation.as_deref();
            let default = parameter.default.as_deref();
            field_objection(resolver, annotation, default, question.parameter()).err()?
        };
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
                if default.is_some() && marked.keyword("default_factory").is_some() {
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

fn is_ellipsis(value: &Expr) -> bool {
    matches!(value, Expr::Constant(constant) if constant.value == ast::Constant::Ellipsis)
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
            DefaultValue::Marker(inside, marked) => visit(inside, marked),
            DefaultValue::Value => Ok(()),
            DefaultValue::Unknown(written) => Err(text!(
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
            return match marked.dependency() {
                Some(dependency) => {
                    dependencies::check(inside, dependency, place, &field_objection)
                }
                None => {
                    let annotated = annotated_type(annotation);
                    dependencies::check(resolver, annotated, place, &field_objection)
                }
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
    let family = family::family_of(resolver, annotation, place);
    constraint_objection(inside, marked, family)?;
    if in_annotated && marked.marker == Marker::Field && marked.default().is_some() {
        return Err(text!(
            "whether FastAPI takes the default of `{name}(…)` inside of `Annotated` cannot be known",
            "无法确定 FastAPI 能否接受 `Annotated` 内 `{name}(…)` 给出的默认值"
        ));
    }
    // That it needs a value may be said anywhere.
    if in_annotated && marked.default().is_some_and(|value| !is_ellipsis(value)) {
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

/// A parameter that is marked, and has no annotation.
fn unannotated_objection(
    inside: Resolver<'_>,
    marked: &Marked<'_>,
    place: Place<'_>,
) -> Result<(), Objection> {
    match (marked.marker, marked.dependency()) {
        (Marker::Dependency, Some(dependency)) => {
            constraint_objection(inside, marked, Family::Other)?;
            dependencies::check(inside, dependency, place, &field_objection)
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
        Some(signature) => constraints::check(&signature, marked.call, inside, family),
        None => {
            let name = &marked.name;
            Err(text!(
                "what `{name}(…)` says of the value cannot be known",
                "无法确定 `{name}(…)` 对取值有何限制"
            ))
        }
    }
}

#[cfg(test)]
mod tests;
