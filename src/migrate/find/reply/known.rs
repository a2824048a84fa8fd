//! What is surely known of built-in functions and of names outside the repo: closed lists.

use crate::migrate::find::reply::values::Origin;
use crate::migrate::python::ast;

/// Built-in functions and types whose calls give a built-in value that is not a tuple.
pub(super) const PLAIN_FUNCTIONS: &[&str] = &[
    "all",
    "any",
    "ascii",
    "bin",
    "bool",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "complex",
    "dict",
    "float",
    "format",
    "frozenset",
    "hash",
    "hasattr",
    "hex",
    "id",
    "int",
    "isinstance",
    "issubclass",
    "len",
    "list",
    "oct",
    "ord",
    "repr",
    "set",
    "sorted",
    "str",
];

/// Built-in types of parameters of which FastAPI gives a value.
pub(super) const PLAIN_TYPES: &[&str] = &["bool", "bytes", "dict", "float", "int", "list", "str"];

/// Built-in bases of a class whose instances are not tuples.
pub(super) const PLAIN_BASES: &[&str] = &[
    "BaseException",
    "Exception",
    "ValueError",
    "dict",
    "float",
    "int",
    "list",
    "object",
    "str",
];

/// Methods of strings that give a string.
pub(super) const TEXT_TO_TEXT: &[&str] = &[
    "capitalize",
    "casefold",
    "format",
    "join",
    "lower",
    "lstrip",
    "removeprefix",
    "removesuffix",
    "replace",
    "rstrip",
    "strip",
    "title",
    "upper",
];

/// Other methods of strings that give no tuple.
const TEXT_TO_OTHER: &[&str] = &[
    "encode",
    "endswith",
    "isdigit",
    "split",
    "splitlines",
    "startswith",
];

/// Whether a method of strings gives no tuple.
pub(super) fn is_text_method(name: &str) -> bool {
    TEXT_TO_TEXT.contains(&name) || TEXT_TO_OTHER.contains(&name)
}

/// Whether a dotted name is that of a class of responses.
pub(crate) fn is_response_class(name: &str) -> bool {
    (name.starts_with("fastapi.") || name.starts_with("starlette.")) && name.ends_with("Response")
}

/// Whether a dotted name is that of the class of requests.
pub(super) fn is_request_class(name: &str) -> bool {
    matches!(
        name,
        "fastapi.Request" | "fastapi.requests.Request" | "starlette.requests.Request"
    )
}

/// Whether a dotted name is that of something which says where FastAPI takes a parameter from.
pub(super) fn is_marker(name: &str) -> bool {
    let last = name
        .strip_prefix("fastapi.")
        .map(|name| name.strip_prefix("param_functions.").unwrap_or(name));
    matches!(
        last,
        Some("Body" | "Cookie" | "File" | "Form" | "Header" | "Path" | "Query")
    )
}

/// Whether instances of a class outside the repo are neither tuples nor responses.
pub(super) fn is_plain_base(name: &str) -> bool {
    matches!(
        name,
        "abc.ABC"
            | "pydantic.BaseModel"
            | "pydantic.main.BaseModel"
            | "typing.TypedDict"
            | "typing_extensions.TypedDict"
    )
}

/// Names with `__` that a class may bind without being called or taken for something else.
pub(super) const HARMLESS_SPECIAL: &[&str] = &[
    "__aenter__",
    "__aexit__",
    "__bool__",
    "__contains__",
    "__delitem__",
    "__doc__",
    "__enter__",
    "__eq__",
    "__exit__",
    "__ge__",
    "__getitem__",
    "__gt__",
    "__hash__",
    "__init__",
    "__iter__",
    "__le__",
    "__len__",
    "__lt__",
    "__match_args__",
    "__ne__",
    "__post_init__",
    "__repr__",
    "__setitem__",
    "__slots__",
    "__str__",
];

/// What changes the calls of a class, or what its instances are taken for, where it is set from
/// outside of the class.
pub(super) const CHANGE_CLASSES: &[&str] = &[
    "__base__",
    "__bases__",
    "__call__",
    "__class__",
    "__getattribute__",
    "__instancecheck__",
    "__new__",
];

/// Where a request keeps what its methods and properties give.
pub(super) const PARTS_OF_REQUEST: &[&str] = &[
    "_body",
    "_form",
    "_headers",
    "_json",
    "_query_params",
    "_receive",
    "_stream_consumed",
    "scope",
];

/// Whether what decorates a method makes something that leaves the class alone.
pub(super) fn is_plain_decorator(name: &str) -> bool {
    matches!(
        name,
        "abc.abstractmethod"
            | "functools.cached_property"
            | "pydantic.computed_field"
            | "pydantic.field_serializer"
            | "pydantic.field_validator"
            | "pydantic.model_serializer"
            | "pydantic.model_validator"
            | "pydantic.root_validator"
            | "pydantic.validator"
            | "typing.override"
            | "typing_extensions.override"
    )
}

/// Whether a call in the body of a class only describes an attribute.
pub(super) fn describes_attribute(name: &str) -> bool {
    matches!(
        name,
        "dataclasses.field"
            | "pydantic.ConfigDict"
            | "pydantic.Field"
            | "pydantic.PrivateAttr"
            | "pydantic.fields.Field"
    )
}

/// What a call of something outside the repo gives.
pub(super) fn gives(name: &str, call: &ast::ExprCall) -> Origin {
    let has_keyword = |wanted: &str| {
        let mut keywords = call.keywords.iter();
        keywords.any(|keyword| keyword.arg.as_ref().is_none_or(|arg| arg == wanted))
    };
    match name {
        "json.dumps" => Origin::Plain,
        // Hooks may make anything of what they read.
        "json.load" | "json.loads" if call.args.len() == 1 && call.keywords.is_empty() => {
            Origin::Plain
        }
        "fastapi.encoders.jsonable_encoder" if !has_keyword("custom_encoder") => Origin::Plain,
        "secrets.token_hex" | "secrets.token_urlsafe" | "time.time" => Origin::Plain,
        "datetime.datetime.now"
        | "datetime.datetime.utcnow"
        | "datetime.date.today"
        | "uuid.uuid4" => Origin::Object,
        _ => Origin::Unknown,
    }
}

/// Whether a method gives a built-in value that is not a tuple, of what a call of `made_by` gave.
pub(super) fn method_gives_plain(made_by: &str, method: &str) -> bool {
    match made_by {
        "datetime.datetime.now" | "datetime.datetime.utcnow" | "datetime.date.today" => {
            matches!(method, "isoformat" | "strftime" | "timestamp")
        }
        "hmac.new" | "hashlib.md5" | "hashlib.sha1" | "hashlib.sha256" | "hashlib.sha512" => {
            matches!(method, "digest" | "hexdigest")
        }
        _ => false,
    }
}
