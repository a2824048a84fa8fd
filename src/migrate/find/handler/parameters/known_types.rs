//! The types outside the repo that FastAPI surely takes as parameters, by their dotted names, and
//! those that it surely refuses: tried with FastAPI 0.110 and 0.165, on Python 3.11 and 3.12.
//!
//! Invariant: a name that is in none of these tables is unknown.

/// What FastAPI makes of a parameter of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// FastAPI gives it itself, as it does a `Request`; it cannot be a part of another type.
    Special,
    /// One value that can stand in a query, a header or a path.
    Scalar,
    /// Several such values.
    Sequence,
    /// A pydantic model.
    Model,
    /// Anything else that a body can have.
    Body,
}

/// A generic type, by what its arguments mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generic {
    /// One of its arguments.
    Union,
    /// Its first argument; the others say more about it.
    Annotated,
    /// Its arguments are values.
    Literal,
    /// Several of its arguments.
    Sequence,
    /// A body of its arguments.
    Mapping,
    /// One value, made of its argument.
    Scalar,
    /// Its argument, as a field of a dict.
    Field,
}

/// A class of the repo is what its base is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// A pydantic model, whose fields pydantic has seen when the class was made.
    Model,
    /// An enumeration: a single value.
    Enum,
    /// A `TypedDict` that pydantic takes on all versions of Python.
    TypedDict,
    /// A `TypedDict` that pydantic refuses before Python 3.12.
    TypingTypedDict,
    /// A `NamedTuple`.
    NamedTuple,
    /// As [`Kind::Special`].
    Special,
    /// It says nothing: what the class is, another base or a decorator tells.
    Neutral,
}

/// The modules that offer the same names, without the name itself.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.')
}

fn is_typing(module: &str) -> bool {
    matches!(
        module,
        "typing" | "typing_extensions" | "collections.abc" | "collections"
    )
}

fn is_starlette(module: &str) -> bool {
    module == "fastapi"
        || module == "starlette"
        || module.starts_with("fastapi.")
        || module.starts_with("starlette.")
}

/// Whether a dotted name is that of something which FastAPI gives to a handler itself.
pub(super) fn is_special(name: &str) -> bool {
    let Some((module, last)) = split(name) else {
        return false;
    };
    is_starlette(module)
        && (matches!(
            last,
            "Request" | "HTTPConnection" | "BackgroundTasks" | "SecurityScopes"
        ) || is_response(last))
}

/// Whether a dotted name is that of a class of responses.
pub(super) fn is_response_class(name: &str) -> bool {
    split(name).is_some_and(|(module, last)| is_starlette(module) && is_response(last))
}

fn is_response(last: &str) -> bool {
    matches!(
        last,
        "Response"
            | "HTMLResponse"
            | "PlainTextResponse"
            | "JSONResponse"
            | "ORJSONResponse"
            | "UJSONResponse"
            | "RedirectResponse"
            | "StreamingResponse"
            | "FileResponse"
    )
}

/// What FastAPI makes of a built-in type.
pub(super) fn builtin(name: &str) -> Option<Kind> {
    Some(match name {
        "str" | "bytes" | "bool" | "int" | "float" | "complex" | "object" => Kind::Scalar,
        "list" | "tuple" | "set" | "frozenset" => Kind::Sequence,
        "dict" => Kind::Body,
        _ => return None,
    })
}

/// What FastAPI makes of a type outside the repo.
pub(super) fn external(name: &str) -> Option<Kind> {
    if is_special(name) {
        return Some(Kind::Special);
    }
    let (module, last) = split(name)?;
    if let ("builtins", last) = (module, last) {
        return builtin(last);
    }
    if is_typing(module) {
        return Some(match last {
            "Any" | "AnyStr" | "Text" | "Hashable" => Kind::Scalar,
            "List" | "Tuple" | "Set" | "FrozenSet" | "Deque" | "deque" | "Sequence"
            | "MutableSequence" | "AbstractSet" | "MutableSet" | "Iterable" => Kind::Sequence,
            "Dict" | "Mapping" | "MutableMapping" | "OrderedDict" | "Counter" => Kind::Body,
            "Pattern" => Kind::Scalar,
            _ => return None,
        });
    }
    if let Some(base) = base(name) {
        return match base {
            Base::Model => Some(Kind::Model),
            Base::Enum => Some(Kind::Scalar),
            _ => None,
        };
    }
    let is_scalar = match module {
        "datetime" => matches!(last, "datetime" | "date" | "time" | "timedelta"),
        "uuid" => last == "UUID",
        "decimal" => last == "Decimal",
        "fractions" => last == "Fraction",
        "pathlib" => matches!(last, "Path" | "PurePath"),
        "ipaddress" => matches!(
            last,
            "IPv4Address"
                | "IPv6Address"
                | "IPv4Network"
                | "IPv6Network"
                | "IPv4Interface"
                | "IPv6Interface"
        ),
        "re" => last == "Pattern",
        "zoneinfo" => last == "ZoneInfo",
        "http" => last == "HTTPStatus",
        "types" => last == "NoneType",
        "pydantic" | "pydantic.types" | "pydantic.networks" => PYDANTIC_SCALARS.contains(&last),
        _ => false,
    };
    if is_scalar {
        return Some(Kind::Scalar);
    }
    match name {
        "fastapi.UploadFile"
        | "fastapi.datastructures.UploadFile"
        | "pydantic.JsonValue"
        | "nekro_agent.api.schemas.WebhookRequest" => Some(Kind::Body),
        _ => None,
    }
}

/// Types of pydantic that stand for single values.
const PYDANTIC_SCALARS: &[&str] = &[
    "AnyHttpUrl",
    "AnyUrl",
    "AnyWebsocketUrl",
    "AwareDatetime",
    "Base64Bytes",
    "Base64Str",
    "ByteSize",
    "DirectoryPath",
    "FilePath",
    "FileUrl",
    "FiniteFloat",
    "FutureDate",
    "FutureDatetime",
    "HttpUrl",
    "IPvAnyAddress",
    "IPvAnyInterface",
    "IPvAnyNetwork",
    "Json",
    "NaiveDatetime",
    "NegativeFloat",
    "NegativeInt",
    "NewPath",
    "NonNegativeFloat",
    "NonNegativeInt",
    "NonPositiveFloat",
    "NonPositiveInt",
    "PastDate",
    "PastDatetime",
    "PositiveFloat",
    "PositiveInt",
    "SecretBytes",
    "SecretStr",
    "StrictBool",
    "StrictBytes",
    "StrictFloat",
    "StrictInt",
    "StrictStr",
    "UUID1",
    "UUID3",
    "UUID4",
    "UUID5",
    "WebsocketUrl",
];

/// What a call outside the repo makes a type of, as in `pydantic.conint(gt=0)`.
pub(super) fn made_by(name: &str) -> Option<Kind> {
    Some(match name {
        "pydantic.conint"
        | "pydantic.confloat"
        | "pydantic.constr"
        | "pydantic.conbytes"
        | "pydantic.condecimal"
        | "pydantic.condate"
        | "typing.TypeVar"
        | "typing_extensions.TypeVar"
        | "enum.Enum"
        | "enum.IntEnum"
        | "enum.StrEnum" => Kind::Scalar,
        "pydantic.create_model" => Kind::Model,
        "collections.namedtuple" => Kind::Body,
        _ => return None,
    })
}

/// A generic type that is built in.
pub(super) fn builtin_generic(name: &str) -> Option<Generic> {
    Some(match name {
        "list" | "tuple" | "set" | "frozenset" => Generic::Sequence,
        "dict" => Generic::Mapping,
        _ => return None,
    })
}

/// A generic type outside the repo.
pub(super) fn generic(name: &str) -> Option<Generic> {
    let (module, last) = split(name)?;
    Some(match (module, last) {
        ("builtins", last) => return builtin_generic(last),
        ("typing" | "typing_extensions", "Union" | "Optional") => Generic::Union,
        ("typing" | "typing_extensions", "Annotated") => Generic::Annotated,
        ("typing" | "typing_extensions", "Literal") => Generic::Literal,
        ("typing" | "typing_extensions", "Required" | "NotRequired") => Generic::Field,
        ("collections.abc", "Set") => Generic::Sequence,
        ("re" | "typing", "Pattern") | ("pydantic" | "pydantic.types", "Json") => Generic::Scalar,
        (module, "defaultdict" | "DefaultDict") if is_typing(module) => Generic::Mapping,
        (module, _) if is_typing(module) => match external(name)? {
            Kind::Sequence => Generic::Sequence,
            Kind::Body => Generic::Mapping,
            _ => return None,
        },
        _ => return None,
    })
}

/// What a class is that derives from a class outside the repo.
pub(super) fn base(name: &str) -> Option<Base> {
    if is_special(name) {
        return Some(Base::Special);
    }
    Some(match name {
        "pydantic.BaseModel"
        | "pydantic.main.BaseModel"
        | "pydantic.RootModel"
        | "pydantic.root_model.RootModel"
        | "pydantic_settings.BaseSettings"
        | "sqlmodel.SQLModel"
        | "nekro_agent.api.plugin.ConfigBase" => Base::Model,
        "enum.Enum" | "enum.IntEnum" | "enum.StrEnum" | "enum.Flag" | "enum.IntFlag" => Base::Enum,
        "typing_extensions.TypedDict" => Base::TypedDict,
        "typing.TypedDict" => Base::TypingTypedDict,
        "typing.NamedTuple" | "typing_extensions.NamedTuple" => Base::NamedTuple,
        "typing.Generic" | "typing_extensions.Generic" | "abc.ABC" => Base::Neutral,
        _ => return None,
    })
}

/// Whether a decorator of a class leaves it what it is.
pub(super) fn keeps_class(name: &str) -> bool {
    matches!(
        name,
        "typing.final"
            | "typing_extensions.final"
            | "functools.total_ordering"
            | "enum.unique"
            | "typing_extensions.deprecated"
            | "warnings.deprecated"
    )
}

/// Whether a decorator makes a class a dataclass.
pub(super) fn is_dataclass(name: &str) -> bool {
    matches!(
        name,
        "dataclasses.dataclass" | "pydantic.dataclasses.dataclass"
    )
}

/// Whether a dotted name is that of `Annotated`.
pub(super) fn is_annotated(name: &str) -> bool {
    generic(name) == Some(Generic::Annotated)
}

/// A type that FastAPI takes, but that the agent's OpenAPI document cannot describe.
pub(super) fn breaks_openapi(name: &str) -> bool {
    matches!(
        name,
        "typing.Callable" | "typing_extensions.Callable" | "collections.abc.Callable"
    )
}

/// A type that FastAPI surely refuses, or never has a value for.
pub(super) fn is_refused(name: &str) -> bool {
    let top_level = name.split('.').next().unwrap_or(name);
    // What of the standard library and of the agent is taken stands above.
    crate::migrate::python::stdlib::is_stdlib(top_level)
        || matches!(top_level, "fastapi" | "starlette" | "nekro_agent")
}

/// A function that marks a parameter, as in `fastapi.Query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// Single values and lists of them.
    Values,
    /// Single values alone.
    OneValue,
    /// Anything that a body has.
    Body,
    /// What a function gives.
    Dependency,
    /// Pydantic's own, which FastAPI refuses in the place of a default.
    Field,
}

/// The marker that a call outside the repo makes, with its name.
pub(super) fn marker(name: &str) -> Option<(Marker, &str)> {
    let (module, last) = split(name)?;
    if matches!(module, "pydantic" | "pydantic.fields") && last == "Field" {
        return Some((Marker::Field, last));
    }
    if !is_starlette(module) {
        return None;
    }
    let marker = match last {
        "Query" | "Header" => Marker::Values,
        "Path" | "Cookie" => Marker::OneValue,
        "Body" | "Form" | "File" => Marker::Body,
        "Depends" | "Security" => Marker::Dependency,
        _ => return None,
    };
    Some((marker, last))
}

/// Whether FastAPI surely takes something outside the repo as a dependency.
pub(super) fn is_dependency(name: &str) -> bool {
    let is_function = |(_, last): (&str, &str)| last.starts_with(|c: char| c.is_lowercase());
    name.starts_with("fastapi.security.")
        || name.starts_with("nekro_agent.") && split(name).is_some_and(is_function)
}

/// Whether all that a module gives to `from module import *` is in the tables here, or cannot be
/// taken for something that is.
pub(crate) fn has_known_names(module: &str) -> bool {
    is_starlette(module)
        || is_typing(module)
        || module.starts_with("nekro_agent.api.")
        || matches!(
            module,
            "pydantic" | "enum" | "dataclasses" | "datetime" | "uuid" | "decimal"
        )
}

/// Whether a module surely gives `name` to `from module import *`.
pub(crate) fn offers(module: &str, name: &str) -> bool {
    let dotted = format!("{module}.{name}");
    external(&dotted).is_some()
        || generic(&dotted).is_some()
        || base(&dotted).is_some()
        || marker(&dotted).is_some()
        || made_by(&dotted).is_some()
        || is_dataclass(&dotted)
        || breaks_openapi(&dotted)
}
