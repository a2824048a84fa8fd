//! What a class is to pydantic, and the fields that it has.

use crate::migrate::find::handler::parameters::known_types;
use crate::migrate::find::handler::parameters::known_types::Base;
use crate::migrate::find::handler::parameters::question::{Objection, Place, unknown};
use crate::migrate::find::lookup::{Target, externals, targets};
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::Resolver;
use crate::text;

/// What a class is, as far as its bases and decorators say it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClassKind {
    Model,
    Enum,
    Special,
    /// Its fields are to be taken by pydantic, each for itself.
    Fields,
    /// A class like any other, which pydantic knows nothing of.
    Plain,
}

/// What a class is.
///
/// # Errors
/// When a base or a decorator of it is not understood.
pub(super) fn class_kind(
    resolver: Resolver<'_>,
    definition: &ast::StmtClassDef,
    place: Place<'_>,
) -> Result<ClassKind, Objection> {
    let name = definition.name.as_str();
    let Some(place) = place.deeper() else {
        return Err(unknown(name));
    };
    let mut found: Option<ClassKind> = None;
    let mut objection: Option<Objection> = None;
    for base in &definition.bases {
        let base = match base {
            Expr::Subscript(subscript) => &subscript.value,
            other => other,
        };
        targets(resolver, base, &mut |target| {
            let this = match target {
                // What it is besides, a `str` or an exception, says nothing to pydantic.
                Target::Builtin(_) => Ok(None),
                Target::External(external) => match known_types::base(&external) {
                    Some(Base::Model) => Ok(Some(ClassKind::Model)),
                    Some(Base::Enum) => Ok(Some(ClassKind::Enum)),
                    Some(Base::Special) => {
                        place.note_response();
                        Ok(Some(ClassKind::Special))
                    }
                    Some(Base::TypedDict | Base::NamedTuple) => Ok(Some(ClassKind::Fields)),
                    Some(Base::TypingTypedDict) => Err(text!(
                        "pydantic refuses the `TypedDict` of `typing` before Python 3.12 (that of `typing_extensions` is taken): `{name}`",
                        "Python 3.12 之前，pydantic 不接受 `typing` 的 `TypedDict`（接受 `typing_extensions` 的）：`{name}`"
                    )),
                    Some(Base::Neutral) => Ok(None),
                    None if known_types::is_refused(&external) => Ok(None),
                    None => Err(unknown(name)),
                },
                Target::Class(inside, base) => {
                    class_kind(inside, base, place).map(|kind| match kind {
                        ClassKind::Plain => None,
                        kind => Some(kind),
                    })
                }
                Target::Expression(..) | Target::Function(..) | Target::Unknown => {
                    Err(unknown(name))
                }
            };
            match this {
                Ok(kind) => found = found.or(kind),
                Err(why) => objection = objection.take().or(Some(why)),
            }
        });
    }
    let has_metaclass = definition
        .keywords
        .iter()
        .any(|keyword| keyword.arg.as_deref().is_none_or(|arg| arg == "metaclass"));
    for decorator in &definition.decorator_list {
        let called = match decorator {
            Expr::Call(call) => &call.func,
            other => other,
        };
        match externals(resolver, called) {
            Some(names) if names.iter().all(|name| known_types::is_dataclass(name)) => {
                found = found.or(Some(ClassKind::Fields));
            }
            Some(names) if names.iter().all(|name| known_types::keeps_class(name)) => {}
            _ => return Err(unknown(name)),
        }
    }
    if matches!(found, Some(ClassKind::Model | ClassKind::Enum)) {
        return Ok(found.unwrap_or(ClassKind::Plain));
    }
    if let Some(objection) = objection {
        return Err(objection);
    }
    let has_own_schema = definition.body.iter().any(|statement| {
        Definition::of(statement).is_some_and(|function| {
            matches!(
                function.name,
                "__get_pydantic_core_schema__" | "__get_validators__"
            )
        })
    });
    if has_metaclass || has_own_schema {
        return Err(unknown(name));
    }
    Ok(found.unwrap_or(ClassKind::Plain))
}

/// Calls `visit` with the annotation and the default of each field of a class and of its bases of
/// the repo.
pub(super) fn fields(
    resolver: Resolver<'_>,
    definition: &ast::StmtClassDef,
    place: Place<'_>,
    visit: &mut dyn FnMut(Resolver<'_>, &Expr, Option<&Expr>),
) {
    let Some(place) = place.deeper() else {
        return;
    };
    for base in &definition.bases {
        targets(resolver, base, &mut |target| {
            if let Target::Class(inside, base) = target {
                fields(inside, base, place, visit);
            }
        });
    }
    for statement in &definition.body {
        if let Stmt::AnnAssign(field) = statement
            && !is_class_variable(resolver, &field.annotation)
        {
            let default = field.value.as_deref();
            visit(
                resolver,
                &field.annotation,
                default.and_then(|value| plain_default(resolver, value)),
            );
        }
    }
}

/// The default of a dataclass's field: what `dataclasses.field` is given as such.
fn plain_default<'e>(resolver: Resolver<'_>, value: &'e Expr) -> Option<&'e Expr> {
    if let Expr::Call(call) = value
        && externals(resolver, &call.func)
            .is_some_and(|names| names.iter().all(|name| name == "dataclasses.field"))
    {
        let mut keywords = call.keywords.iter();
        let default = keywords.find(|keyword| keyword.arg.as_deref() == Some("default"));
        return default.map(|keyword| &keyword.value);
    }
    Some(value)
}

fn is_class_variable(resolver: Resolver<'_>, annotation: &Expr) -> bool {
    let name = match annotation {
        Expr::Subscript(subscript) => &subscript.value,
        other => other,
    };
    externals(resolver, name).is_some_and(|names| {
        let is_marker = |name: &String| name.ends_with(".ClassVar");
        names.iter().all(is_marker)
    })
}

/// Whether a class has no base, from which it could have what pydantic looks for.
pub(super) fn has_no_base(class: &ast::StmtClassDef) -> bool {
    class.bases.is_empty() && class.keywords.is_empty()
}
