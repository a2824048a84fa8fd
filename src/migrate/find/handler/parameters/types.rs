//! Whether FastAPI takes a type as that of a parameter, and as what.
//!
//! FastAPI makes a field of each parameter when the route is made, which is while the plugin is
//! imported: a type that pydantic has no schema for raises there, and the whole plugin is lost.
//!
//! Invariant: what is accepted is in a closed list, of types outside the repo ([`known_types`]) and
//! of forms here; everything else is an [`Objection`].

use super::defaults::{self, DefaultValue};
use super::known_types::{self, Generic, Kind};
use super::{constraints, known_arguments};
use crate::migrate::find::handler::parameters::classes::{ClassKind, class_kind, fields};
use crate::migrate::find::handler::parameters::constants::is_none;
use crate::migrate::find::handler::parameters::family;
use crate::migrate::find::handler::parameters::question::{
    Objection, Place, refused, shown, unknown,
};
use crate::migrate::find::lookup::{Target, externals, targets};
use crate::migrate::python::ast::{self, Constant, Expr, Operator};
use crate::migrate::python::names::Resolver;
use crate::migrate::python::parse;
use crate::text;

/// What FastAPI makes of a parameter that is annotated with `expression`.
///
/// # Errors
/// An [`Objection`] when it refuses it, or that cannot be known.
pub(super) fn kind(
    resolver: Resolver<'_>,
    expression: &Expr,
    place: Place<'_>,
) -> Result<Kind, Objection> {
    let written = || shown(resolver, expression);
    let Some(place) = place.deeper() else {
        return Err(unknown(&written()));
    };
    match expression {
        Expr::Constant(constant) => match &constant.value {
            Constant::None => Ok(Kind::Scalar),
            Constant::Str(text) if !place.is_part || place.in_class => {
                quoted(resolver, text, place)
            }
            Constant::Str(text) => Err(text!(
                "FastAPI does not resolve the name in quotes, `{text}`, inside of another type",
                "FastAPI 不会解析嵌在其他类型中的带引号的名称 `{text}`"
            )),
            _ => Err(refused(&written())),
        },
        Expr::BinOp(operation) if operation.op == Operator::BitOr => {
            let mut members = Vec::new();
            members_of_union(expression, &mut members);
            union(resolver, &members, place)
        }
        Expr::Subscript(subscript) => subscripted(resolver, subscript, place),
        Expr::Call(call) => made(resolver, call, place),
        Expr::Name(_) | Expr::Attribute(_) => {
            let mut answer: Option<Result<Kind, Objection>> = None;
            targets(resolver, expression, &mut |target| {
                let this = of_target(resolver, expression, target, place);
                answer = Some(match (answer.take(), this) {
                    (None, this) => this,
                    (Some(Ok(before)), Ok(this)) if before == this => Ok(this),
                    (Some(Ok(_)), Ok(_)) => Err(unknown(&written())),
                    (Some(Err(objection)), _) | (_, Err(objection)) => Err(objection),
                });
            });
            answer.unwrap_or_else(|| Err(unknown(&written())))
        }
        _ => Err(unknown(&written())),
    }
}

fn quoted(resolver: Resolver<'_>, text: &str, place: Place<'_>) -> Result<Kind, Objection> {
    match parse::quoted(text) {
        Some(parsed) => kind(resolver, &parsed, place),
        None => Err(unknown(text)),
    }
}

fn of_target(
    resolver: Resolver<'_>,
    expression: &Expr,
    target: Target<'_>,
    place: Place<'_>,
) -> Result<Kind, Objection> {
    let written = shown(resolver, expression);
    match target {
        Target::External(name) => external(&name, &written, place),
        Target::Builtin(name) => known_types::builtin(name).ok_or_else(|| refused(name)),
        Target::Class(inside, definition) => class(inside, definition, place),
        Target::Expression(inside, value) => kind(inside, value, place),
        Target::Function(..) | Target::Unknown => Err(unknown(&written)),
    }
}

fn external(name: &str, written: &str, place: Place<'_>) -> Result<Kind, Objection> {
    match known_types::external(name) {
        Some(Kind::Special) if place.is_part => Err(text!(
            "FastAPI takes `{written}` only by itself, not as a part of another type: annotate it with `{written}` alone",
            "FastAPI 只接受单独的 `{written}`，不接受它作为其他类型的一部分：请直接标注为 `{written}`"
        )),
        Some(kind) => {
            if known_types::is_response_class(name) {
                place.note_response();
            }
            Ok(kind)
        }
        None if known_types::breaks_openapi(name) => Err(text!(
            "`{written}` cannot stand in the agent's OpenAPI document",
            "`{written}` 无法写入 Agent 的 OpenAPI 文档"
        )),
        None if name == "starlette.datastructures.UploadFile" => Err(text!(
            "`{written}` has to be the one that is imported from `fastapi`",
            "`{written}` 必须从 `fastapi` 导入"
        )),
        None if known_types::is_refused(name) => Err(refused(written)),
        None => Err(unknown(written)),
    }
}

fn members_of_union<'e>(expression: &'e Expr, members: &mut Vec<&'e Expr>) {
    match expression {
        Expr::BinOp(operation) if operation.op == Operator::BitOr => {
            members_of_union(&operation.left, members);
            members_of_union(&operation.right, members);
        }
        other => members.push(other),
    }
}

fn union(resolver: Resolver<'_>, members: &[&Expr], place: Place<'_>) -> Result<Kind, Objection> {
    let kinds: Result<Vec<Kind>, Objection> = members
        .iter()
        .filter(|member| !is_none(member))
        .map(|member| kind(resolver, member, place.part()))
        .collect();
    Ok(match kinds?.as_slice() {
        [] => Kind::Scalar,
        [first, rest @ ..] if rest.iter().all(|kind| kind == first) && *first != Kind::Model => {
            *first
        }
        [only] => *only,
        kinds
            if kinds
                .iter()
                .all(|k| matches!(k, Kind::Scalar | Kind::Sequence)) =>
        {
            Kind::Sequence
        }
        _ => Kind::Body,
    })
}

fn arguments(subscript: &ast::ExprSubscript) -> Vec<&Expr> {
    match &*subscript.slice {
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        one => vec![one],
    }
}

fn is_text(expression: &Expr) -> bool {
    matches!(expression, Expr::Constant(constant) if matches!(constant.value, Constant::Str(_)))
}

fn is_ellipsis(expression: &Expr) -> bool {
    matches!(expression, Expr::Constant(constant) if matches!(constant.value, Constant::Ellipsis))
}

/// What a name in front of square brackets makes of what is in them.
enum Subscripted {
    Generic(Generic),
    Kind(Kind),
}

fn subscripted(
    resolver: Resolver<'_>,
    subscript: &ast::ExprSubscript,
    place: Place<'_>,
) -> Result<Kind, Objection> {
    let arguments = arguments(subscript);
    let parts = || -> Result<Vec<Kind>, Objection> {
        let parts = arguments.iter().filter(|part| !is_ellipsis(part));
        parts
            .map(|part| kind(resolver, part, place.part()))
            .collect()
    };
    match head(resolver, &subscript.value, place)? {
        Subscripted::Kind(kind) => Ok(kind),
        Subscripted::Generic(Generic::Union) => union(resolver, &arguments, place),
        Subscripted::Generic(Generic::Literal) if !arguments.is_empty() => Ok(Kind::Scalar),
        Subscripted::Generic(Generic::Literal) => Err(refused(&shown(resolver, &subscript.value))),
        Subscripted::Generic(Generic::Annotated) => match arguments.first() {
            Some(first) => {
                let family = family::family_of(resolver, first, place);
                for data in &arguments[1..] {
                    constraints::metadata(resolver, data, family, place)?;
                }
                // A name in quotes is one inside of another type; the rest is as if it stood alone.
                let place = if is_text(first) { place.part() } else { place };
                kind(resolver, first, place)
            }
            None => Err(unknown(&shown(resolver, &subscript.value))),
        },
        Subscripted::Generic(Generic::Sequence) => {
            let are_scalars = parts()?.iter().all(|kind| *kind == Kind::Scalar);
            Ok(if are_scalars {
                Kind::Sequence
            } else {
                Kind::Body
            })
        }
        Subscripted::Generic(Generic::Mapping) => parts().map(|_| Kind::Body),
        Subscripted::Generic(Generic::Scalar) => parts().map(|_| Kind::Scalar),
        Subscripted::Generic(Generic::Field) if place.in_class => {
            parts().map(|parts| parts.first().copied().unwrap_or(Kind::Body))
        }
        Subscripted::Generic(Generic::Field) => Err(refused(&shown(resolver, &subscript.value))),
    }
}

/// What stands in front of square brackets.
fn head(
    resolver: Resolver<'_>,
    expression: &Expr,
    place: Place<'_>,
) -> Result<Subscripted, Objection> {
    let written = shown(resolver, expression);
    let mut answer: Option<Result<Subscripted, Objection>> = None;
    targets(resolver, expression, &mut |target| {
        let this = match target {
            Target::Builtin(name) => known_types::builtin_generic(name)
                .map(Subscripted::Generic)
                .ok_or_else(|| refused(&written)),
            Target::External(name) => match known_types::generic(&name) {
                Some(generic) => Ok(Subscripted::Generic(generic)),
                None => external(&name, &written, place).and_then(|kind| match kind {
                    // `RootModel[list[int]]`
                    Kind::Model => Ok(Subscripted::Kind(kind)),
                    _ => Err(unknown(&written)),
                }),
            },
            Target::Class(inside, definition) => {
                class(inside, definition, place).map(Subscripted::Kind)
            }
            Target::Expression(..) | Target::Function(..) | Target::Unknown => {
                Err(unknown(&written))
            }
        };
        let is_same = |before: &Result<Subscripted, Objection>| match (before, &this) {
            (Ok(Subscripted::Generic(a)), Ok(Subscripted::Generic(b))) => a == b,
            (Ok(Subscripted::Kind(a)), Ok(Subscripted::Kind(b))) => a == b,
            _ => false,
        };
        answer = Some(match answer.take() {
            None => this,
            Some(before) if is_same(&before) => this,
            Some(_) => Err(unknown(&written)),
        });
    });
    answer.unwrap_or_else(|| Err(unknown(&written)))
}

/// `NewType("Id", int)`, `conint(gt=0)`, `namedtuple(…)`.
fn made(resolver: Resolver<'_>, call: &ast::ExprCall, place: Place<'_>) -> Result<Kind, Objection> {
    let written = shown(resolver, &call.func);
    let names = externals(resolver, &call.func).unwrap_or_default();
    if let [name] = names.as_slice()
        && let Some(signature) = known_arguments::maker(name)
    {
        let family = family::made_by(name);
        constraints::check(&signature, call, resolver, family)?;
    }
    match names.first().map(String::as_str) {
        Some(_) if names.len() > 1 => Err(unknown(&written)),
        Some("typing.NewType" | "typing_extensions.NewType") => match call.args.get(1) {
            Some(of) => kind(resolver, of, place.part()),
            None => Err(unknown(&written)),
        },
        Some("pydantic.conlist" | "pydantic.conset") => match call.args.first() {
            Some(of) => match kind(resolver, of, place.part())? {
                Kind::Scalar => Ok(Kind::Sequence),
                _ => Ok(Kind::Body),
            },
            None => Err(unknown(&written)),
        },
        Some("typing.TypeVar" | "typing_extensions.TypeVar") => {
            type_variable(resolver, call, place)
        }
        Some(name) => known_types::made_by(name).ok_or_else(|| unknown(&written)),
        None => Err(unknown(&written)),
    }
}

/// `TypeVar("T")`, which is what it is bound to.
fn type_variable(
    resolver: Resolver<'_>,
    call: &ast::ExprCall,
    place: Place<'_>,
) -> Result<Kind, Objection> {
    for constraint in call.args.iter().skip(1) {
        kind(resolver, constraint, place.part())?;
    }
    for keyword in &call.keywords {
        match keyword.arg.as_deref() {
            Some("bound") => {
                kind(resolver, &keyword.value, place.part())?;
            }
            Some("covariant" | "contravariant" | "infer_variance") => {}
            _ => return Err(unknown(&shown(resolver, &call.func))),
        }
    }
    Ok(Kind::Scalar)
}

fn class(
    resolver: Resolver<'_>,
    definition: &ast::StmtClassDef,
    place: Place<'_>,
) -> Result<Kind, Objection> {
    let name = definition.name.as_str();
    match class_kind(resolver, definition, place)? {
        ClassKind::Model => Ok(Kind::Model),
        ClassKind::Enum => Ok(Kind::Scalar),
        ClassKind::Special if place.is_part => Err(text!(
            "FastAPI takes `{name}` only by itself, not as a part of another type: annotate it with `{name}` alone",
            "FastAPI 只接受单独的 `{name}`，不接受它作为其他类型的一部分：请直接标注为 `{name}`"
        )),
        ClassKind::Special => Ok(Kind::Special),
        ClassKind::Fields if !place.is_new(resolver, definition) => Ok(Kind::Body),
        ClassKind::Fields => {
            let mut objection = None;
            fields(
                resolver,
                definition,
                place,
                &mut |inside, annotation, default| {
                    if objection.is_none() {
                        objection = kind(inside, annotation, place.field())
                            .and_then(|_| field_default(inside, annotation, default, place))
                            .err();
                    }
                },
            );
            objection.map_or(Ok(Kind::Body), Err)
        }
        ClassKind::Plain => Err(refused(name)),
    }
}

/// Whether pydantic takes the default of a dataclass's field, which may limit its values.
fn field_default(
    resolver: Resolver<'_>,
    annotation: &Expr,
    default: Option<&Expr>,
    place: Place<'_>,
) -> Result<(), Objection> {
    let mut answer = Ok(());
    let Some(default) = default else {
        return answer;
    };
    let family = family::family_of(resolver, annotation, place);
    defaults::each(resolver, default, &mut |given| {
        let this = match given {
            DefaultValue::Value => Ok(()),
            DefaultValue::Marker(inside, marked) => {
                match known_arguments::marker(marked.marker, &marked.name) {
                    Some(signature) => constraints::check(&signature, marked.call, inside, family),
                    None => Err(unknown(&marked.name)),
                }
            }
            DefaultValue::Unknown(written) => Err(unknown(&written)),
        };
        if answer.is_ok() {
            answer = this;
        }
    });
    answer
}
