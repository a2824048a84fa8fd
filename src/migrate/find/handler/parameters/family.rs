//! What a type is to the arguments that limit its values: numbers have bounds, strings have patterns.
//!
//! Invariant: a type that is not known to be of a family is [`Family::Other`], for which no limit is taken.

use crate::migrate::find::handler::parameters::constants::is_none;
use crate::migrate::find::handler::parameters::known_types;
use crate::migrate::find::handler::parameters::known_types::Generic;
use crate::migrate::find::handler::parameters::question::Place;
use crate::migrate::find::lookup::{Target, targets};
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Constant, Expr, Operator};
use crate::migrate::python::names::Resolver;
use crate::migrate::python::parse;

/// What a type is to the arguments that limit its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Int,
    Float,
    Decimal,
    Text,
    Bytes,
    /// A list, tuple or set.
    Several,
    /// Without an annotation, or `Any`: it is compared when a request comes.
    Untyped,
    /// Anything else: no limit is taken for it.
    Other,
}

/// What `pydantic.conint(...)` and its like are.
pub(super) fn made_by(name: &str) -> Family {
    match name.rsplit_once('.') {
        Some(("pydantic" | "pydantic.types", last)) => match last {
            "conint" => Family::Int,
            "confloat" => Family::Float,
            "condecimal" => Family::Decimal,
            "conbytes" => Family::Bytes,
            "constr" => Family::Text,
            "conlist" | "conset" => Family::Several,
            _ => Family::Other,
        },
        _ => Family::Other,
    }
}

pub(super) fn builtin(name: &str) -> Family {
    match name {
        "int" => Family::Int,
        "float" => Family::Float,
        "str" => Family::Text,
        "bytes" => Family::Bytes,
        "list" | "tuple" | "set" | "frozenset" => Family::Several,
        _ => Family::Other,
    }
}

pub(super) fn builtin_generic(name: &str) -> Family {
    match builtin(name) {
        Family::Several => Family::Several,
        _ => Family::Other,
    }
}

/// As [`builtin`], of a type outside the repo.
pub(super) fn external(name: &str) -> Family {
    let Some((module, last)) = name.rsplit_once('.') else {
        return Family::Other;
    };
    match (module, last) {
        ("builtins", last) => builtin(last),
        ("decimal", "Decimal") => Family::Decimal,
        ("typing" | "typing_extensions", "Any") => Family::Untyped,
        ("typing" | "typing_extensions", "Text") => Family::Text,
        ("typing", _) => generic(name),
        ("pydantic" | "pydantic.types", last) => match last {
            "PositiveInt" | "NegativeInt" | "NonNegativeInt" | "NonPositiveInt" | "StrictInt" => {
                Family::Int
            }
            "PositiveFloat" | "NegativeFloat" | "NonNegativeFloat" | "NonPositiveFloat"
            | "StrictFloat" | "FiniteFloat" => Family::Float,
            "StrictStr" => Family::Text,
            "StrictBytes" => Family::Bytes,
            _ => Family::Other,
        },
        _ => Family::Other,
    }
}

/// As [`builtin`], of a generic type outside the repo.
pub(super) fn generic(name: &str) -> Family {
    match name.rsplit_once('.') {
        Some(("builtins", last)) => builtin_generic(last),
        Some(("typing" | "typing_extensions", "List" | "Set" | "FrozenSet" | "Tuple")) => {
            Family::Several
        }
        _ => Family::Other,
    }
}

/// What the arguments of a type are held against.
pub(super) fn family_of(resolver: Resolver<'_>, annotation: &Expr, place: Place<'_>) -> Family {
    let Some(place) = place.deeper() else {
        return Family::Other;
    };
    match annotation {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Str(text),
            ..
        }) => match parse::quoted(text) {
            Some(parsed) => family_of(resolver, &parsed, place),
            None => Family::Other,
        },
        Expr::BinOp(operation) if operation.op == Operator::BitOr => {
            of_members(resolver, &[&operation.left, &operation.right], place)
        }
        Expr::Subscript(subscript) => {
            let arguments = match &*subscript.slice {
                Expr::Tuple(tuple) => tuple.elts.iter().collect(),
                one => vec![one],
            };
            agreed(resolver, &subscript.value, &mut |target| match target {
                Target::Builtin(name) => builtin_generic(name),
                Target::External(name) => match known_types::generic(&name) {
                    Some(Generic::Union) => of_members(resolver, &arguments, place),
                    Some(Generic::Annotated) => match arguments.first() {
                        Some(first) => family_of(resolver, first, place),
                        None => Family::Other,
                    },
                    _ => generic(&name),
                },
                _ => Family::Other,
            })
        }
        Expr::Call(call) => made(resolver, call, place),
        Expr::Name(_) | Expr::Attribute(_) => {
            agreed(resolver, annotation, &mut |target| match target {
                Target::Builtin(name) => builtin(name),
                Target::External(name) => external(&name),
                Target::Expression(inside, value) => family_of(inside, value, place),
                Target::Class(..) | Target::Function(..) | Target::Unknown => Family::Other,
            })
        }
        _ => Family::Other,
    }
}

/// What all that an expression may stand for is.
fn agreed(
    resolver: Resolver<'_>,
    expression: &Expr,
    of: &mut dyn FnMut(Target<'_>) -> Family,
) -> Family {
    let mut answer = None;
    targets(resolver, expression, &mut |target| {
        let this = of(target);
        answer = Some(match answer {
            Some(before) if before != this => Family::Other,
            _ => this,
        });
    });
    answer.unwrap_or(Family::Other)
}

/// `X | None` is what `X` is.
fn of_members(resolver: Resolver<'_>, members: &[&Expr], place: Place<'_>) -> Family {
    let mut members = members.iter().filter(|member| !is_none(member));
    match (members.next(), members.next()) {
        (Some(only), None) => family_of(resolver, only, place),
        _ => Family::Other,
    }
}

fn made(resolver: Resolver<'_>, call: &ast::ExprCall, place: Place<'_>) -> Family {
    agreed(resolver, &call.func, &mut |target| match target {
        Target::External(name) if name.ends_with(".NewType") => match call.args.get(1) {
            Some(of) => family_of(resolver, of, place),
            None => Family::Other,
        },
        Target::External(name) => made_by(&name),
        _ => Family::Other,
    })
}
