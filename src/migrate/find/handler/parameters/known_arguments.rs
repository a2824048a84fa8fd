//! The arguments that FastAPI and pydantic surely take, by what they are called with: tried with
//! FastAPI 0.110 and 0.165.
//!
//! Invariant: what is in none of these tables is not understood.

use super::known_types::{self, Marker};

/// What an argument has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// Nobody looks at it when the route is made.
    Any,
    /// `None` alone.
    Nothing,
    /// A string that is used.
    Name,
    /// A list of strings.
    Names,
    /// A string that is shown.
    Words,
    /// `True` or `False`.
    Flag,
    FlagOrWords,
    /// A flag for types that can be read strictly.
    Strict,
    /// A flag for numbers with infinity.
    Finite,
    /// A flag for strings.
    TextFlag,
    /// What a number is compared with.
    Bound,
    /// What a number is a multiple of.
    Step,
    Length,
    Digits,
    Pattern,
    /// Something that JSON has.
    Json,
    /// A function without arguments.
    Factory,
}

/// The arguments that a call takes.
pub(super) struct Signature {
    /// What is called, without its module.
    pub(super) name: &'static str,
    /// What the arguments without a name are, in order.
    pub(super) positional: &'static [Argument],
    /// What an argument with a name is.
    pub(super) named: fn(&str) -> Option<Argument>,
}

/// The type's own limits.
fn limit(name: &str) -> Option<Argument> {
    Some(match name {
        "gt" | "ge" | "lt" | "le" => Argument::Bound,
        "multiple_of" => Argument::Step,
        "min_length" | "max_length" => Argument::Length,
        "max_digits" | "decimal_places" => Argument::Digits,
        "pattern" => Argument::Pattern,
        "strict" => Argument::Strict,
        "allow_inf_nan" => Argument::Finite,
        _ => return None,
    })
}

fn described(name: &str) -> Option<Argument> {
    limit(name).or_else(|| {
        Some(match name {
            "alias" | "validation_alias" | "serialization_alias" => Argument::Name,
            "title" | "description" => Argument::Words,
            "examples" | "json_schema_extra" => Argument::Json,
            "default" => Argument::Any,
            "default_factory" => Argument::Factory,
            "discriminator" => Argument::Nothing,
            _ => return None,
        })
    })
}

/// What all functions of FastAPI take that mark a parameter.
fn parameter(name: &str) -> Option<Argument> {
    described(name).or_else(|| {
        Some(match name {
            "regex" => Argument::Pattern,
            "example" | "openapi_examples" => Argument::Json,
            "deprecated" => Argument::FlagOrWords,
            "include_in_schema" => Argument::Flag,
            _ => return None,
        })
    })
}

fn header(name: &str) -> Option<Argument> {
    match name {
        "convert_underscores" => Some(Argument::Flag),
        _ => parameter(name),
    }
}

fn form(name: &str) -> Option<Argument> {
    match name {
        "media_type" => Some(Argument::Name),
        _ => parameter(name),
    }
}

fn body(name: &str) -> Option<Argument> {
    match name {
        "embed" => Some(Argument::Flag),
        _ => form(name),
    }
}

fn strings(name: &str) -> Option<Argument> {
    match name {
        "strip_whitespace" | "to_upper" | "to_lower" => Some(Argument::TextFlag),
        "min_length" | "max_length" | "pattern" | "strict" => limit(name),
        _ => None,
    }
}

fn dependency(name: &str) -> Option<Argument> {
    match name {
        "dependency" => Some(Argument::Any),
        "use_cache" => Some(Argument::Flag),
        "scopes" => Some(Argument::Names),
        _ => None,
    }
}

fn nothing(_: &str) -> Option<Argument> {
    None
}

/// The arguments of a function that marks a parameter; none where they are not looked at here.
pub(super) fn marker(marker: Marker, name: &str) -> Option<Signature> {
    const DEFAULT: &[Argument] = &[Argument::Any];
    let (name, positional, named): (_, _, fn(&str) -> Option<Argument>) = match (marker, name) {
        (Marker::Field, _) => ("Field", DEFAULT, described),
        (Marker::Values, "Query") => ("Query", DEFAULT, parameter),
        (Marker::Values, "Header") => ("Header", DEFAULT, header),
        (Marker::OneValue, "Path") => ("Path", DEFAULT, parameter),
        (Marker::OneValue, "Cookie") => ("Cookie", DEFAULT, parameter),
        (Marker::Body, "Body") => ("Body", DEFAULT, body),
        (Marker::Body, "Form") => ("Form", DEFAULT, form),
        (Marker::Body, "File") => ("File", DEFAULT, form),
        // What it depends on is asked elsewhere; pydantic never sees it.
        (Marker::Dependency, "Security") => ("Security", DEFAULT, dependency),
        (Marker::Dependency, _) => ("Depends", DEFAULT, dependency),
        _ => return None,
    };
    Some(Signature {
        name,
        positional,
        named,
    })
}

/// What else says more of a value in `Annotated`, by its dotted name.
pub(super) fn metadata(name: &str) -> Option<Signature> {
    const BOUND: &[Argument] = &[Argument::Bound];
    const LENGTH: &[Argument] = &[Argument::Length];
    let (name, positional, named): (_, _, fn(&str) -> Option<Argument>) = match name {
        "annotated_types.Gt" => ("Gt", BOUND, limit),
        "annotated_types.Ge" => ("Ge", BOUND, limit),
        "annotated_types.Lt" => ("Lt", BOUND, limit),
        "annotated_types.Le" => ("Le", BOUND, limit),
        "annotated_types.Interval" => ("Interval", &[], limit),
        "annotated_types.MultipleOf" => ("MultipleOf", &[Argument::Step], limit),
        "annotated_types.MinLen" => ("MinLen", LENGTH, limit),
        "annotated_types.MaxLen" => ("MaxLen", LENGTH, limit),
        "annotated_types.Len" => ("Len", &[Argument::Length, Argument::Length], limit),
        "pydantic.StringConstraints" | "pydantic.types.StringConstraints" => {
            ("StringConstraints", &[], strings)
        }
        "typing_extensions.Doc" => ("Doc", &[Argument::Words], nothing),
        _ => return None,
    };
    Some(Signature {
        name,
        positional,
        named,
    })
}

/// What makes a type of its arguments, as `pydantic.conint`.
pub(super) fn maker(name: &str) -> Option<Signature> {
    let (module, last) = name.rsplit_once('.')?;
    if !matches!(module, "pydantic" | "pydantic.types") {
        return None;
    }
    let (name, positional, named): (_, _, fn(&str) -> Option<Argument>) = match last {
        "conint" => ("conint", &[][..], limit),
        "confloat" => ("confloat", &[], limit),
        "condecimal" => ("condecimal", &[], limit),
        "condate" => ("condate", &[], limit),
        "conbytes" => ("conbytes", &[], limit),
        "constr" => ("constr", &[], strings),
        "conlist" => ("conlist", &[Argument::Any], limit),
        "conset" => ("conset", &[Argument::Any], limit),
        _ => return None,
    };
    Some(Signature {
        name,
        positional,
        named,
    })
}

/// Whether something of pydantic takes one function, which is given the value.
pub(super) fn is_validator(name: &str) -> bool {
    matches!(
        known_types::split(name),
        Some((
            "pydantic" | "pydantic.functional_validators",
            "AfterValidator" | "BeforeValidator"
        ))
    )
}

/// Whether pydantic takes a built-in function as a validator.
pub(crate) fn builtin_validator(name: &str) -> bool {
    matches!(
        name,
        "str" | "int" | "float" | "bool" | "list" | "set" | "tuple" | "dict" | "len" | "abs"
    )
}

/// Whether pydantic takes a method of `str` as a validator.
pub(super) fn str_validator(name: &str) -> bool {
    matches!(name, "strip" | "lower" | "upper")
}
