//! Which expressions are statuses.

use super::bindings::Bound;
use crate::migrate::find::reply::values::Values;
use crate::migrate::python::ast::{CmpOp, Constant, Expr, UnaryOp};
use crate::migrate::python::names::Value;

pub(super) enum Status {
    /// One of these.
    Known(Vec<i64>),
    /// Surely not a status: the tuple is a plain value.
    Other,
    Unknown,
}

/// How many names may lead to each other.
const MAX_NAMES: usize = 6;

impl Values<'_> {
    pub(super) fn status(&self, expression: &Expr) -> Status {
        self.status_within(expression, MAX_NAMES)
    }

    fn status_within(&self, expression: &Expr, names: usize) -> Status {
        match expression {
            Expr::Constant(constant) => match &constant.value {
                Constant::Int(number) => number.try_into().map_or(Status::Other, of_number),
                _ => Status::Other,
            },
            Expr::IfExp(choice) => {
                let body = self.status_within(&choice.body, names);
                let orelse = self.status_within(&choice.orelse, names);
                match (body, orelse) {
                    (Status::Known(mut a), Status::Known(b)) => {
                        a.extend(b);
                        Status::Known(a)
                    }
                    (Status::Other, Status::Other) => Status::Other,
                    _ => Status::Unknown,
                }
            }
            Expr::Dict(_) | Expr::List(_) | Expr::Set(_) | Expr::Tuple(_) | Expr::JoinedStr(_) => {
                Status::Other
            }
            Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::GeneratorExp(_)
            | Expr::Lambda(_) => Status::Other,
            // These give a bool, whatever they are applied to.
            Expr::UnaryOp(operation) if operation.op == UnaryOp::Not => Status::Other,
            Expr::Compare(comparison)
                if comparison.ops.iter().all(|op| {
                    matches!(op, CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn)
                }) =>
            {
                Status::Other
            }
            Expr::Attribute(attribute) => {
                // `HTTPStatus.CREATED.value`
                if attribute.attr.as_str() == "value"
                    && let Some(status) = self.external_status(&attribute.value)
                {
                    return status;
                }
                if let Some(status) = self.external_status(expression) {
                    return status;
                }
                // A constant of another module; that of a class may be a member of an enumeration.
                match (self.known(&attribute.value), self.known(expression)) {
                    (Value::Module(_), Value::Number(number)) => of_number(number),
                    _ => Status::Unknown,
                }
            }
            Expr::Call(call) => match (&*call.func, call.args.as_slice()) {
                (Expr::Name(name), [argument])
                    if name.id.as_str() == "int"
                        && call.keywords.is_empty()
                        && self.is_builtin(&name.id) =>
                {
                    match self.status_within(argument, names) {
                        Status::Known(known) => Status::Known(known),
                        // `int("201")` is one.
                        Status::Other | Status::Unknown => Status::Unknown,
                    }
                }
                _ => Status::Unknown,
            },
            Expr::Name(name) => self.status_of_name(expression, &name.id, names),
            _ => Status::Unknown,
        }
    }

    /// The statuses that a name may stand for: those of all its assignments.
    fn status_of_name(&self, expression: &Expr, name: &str, names: usize) -> Status {
        let Some(names) = names.checked_sub(1) else {
            return Status::Unknown;
        };
        let Some((inside, bound)) = self.bound(name) else {
            return Status::Unknown;
        };
        let mut statuses = Vec::new();
        for one in bound {
            let status = match one {
                Bound::Value(value) => inside.status_within(value, names),
                Bound::Import => match self.lasting(expression) {
                    Value::Number(number) => of_number(number),
                    _ => self.external_status(expression).unwrap_or(Status::Unknown),
                },
                Bound::Augmented(_) | Bound::Parameter(_) | Bound::Definition | Bound::Unknown => {
                    Status::Unknown
                }
            };
            match status {
                Status::Known(known) => statuses.extend(known),
                Status::Other if bound.len() == 1 => return Status::Other,
                Status::Other | Status::Unknown => return Status::Unknown,
            }
        }
        Status::Known(statuses)
    }

    fn external_status(&self, expression: &Expr) -> Option<Status> {
        match self.known(expression) {
            Value::External(name) => known_status(&name).map(of_number),
            _ => None,
        }
    }
}

/// What a number is as a status.
fn of_number(number: i64) -> Status {
    if (200..=599).contains(&number) {
        Status::Known(vec![number])
    } else {
        Status::Other
    }
}

/// The status behind `http.HTTPStatus.CREATED` and `fastapi.status.HTTP_201_CREATED`.
fn known_status(dotted: &str) -> Option<i64> {
    let (module, name) = dotted.rsplit_once('.')?;
    match module {
        "http.HTTPStatus" => HTTP_STATUS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, status)| *status),
        "fastapi.status" | "starlette.status" => {
            let digits = name.strip_prefix("HTTP_")?.get(..3)?;
            digits.parse().ok()
        }
        _ => None,
    }
}

/// The members of `http.HTTPStatus` in Python 3.11 and 3.12, with the names added in 3.13.
#[rustfmt::skip]
const HTTP_STATUS: &[(&str, i64)] = &[
    ("CONTINUE", 100), ("SWITCHING_PROTOCOLS", 101), ("PROCESSING", 102), ("EARLY_HINTS", 103),
    ("OK", 200), ("CREATED", 201), ("ACCEPTED", 202), ("NON_AUTHORITATIVE_INFORMATION", 203),
    ("NO_CONTENT", 204), ("RESET_CONTENT", 205), ("PARTIAL_CONTENT", 206), ("MULTI_STATUS", 207),
    ("ALREADY_REPORTED", 208), ("IM_USED", 226),
    ("MULTIPLE_CHOICES", 300), ("MOVED_PERMANENTLY", 301), ("FOUND", 302), ("SEE_OTHER", 303),
    ("NOT_MODIFIED", 304), ("USE_PROXY", 305), ("TEMPORARY_REDIRECT", 307), ("PERMANENT_REDIRECT", 308),
    ("BAD_REQUEST", 400), ("UNAUTHORIZED", 401), ("PAYMENT_REQUIRED", 402), ("FORBIDDEN", 403),
    ("NOT_FOUND", 404), ("METHOD_NOT_ALLOWED", 405), ("NOT_ACCEPTABLE", 406),
    ("PROXY_AUTHENTICATION_REQUIRED", 407), ("REQUEST_TIMEOUT", 408), ("CONFLICT", 409), ("GONE", 410),
    ("LENGTH_REQUIRED", 411), ("PRECONDITION_FAILED", 412), ("REQUEST_ENTITY_TOO_LARGE", 413),
    ("CONTENT_TOO_LARGE", 413), ("REQUEST_URI_TOO_LONG", 414), ("URI_TOO_LONG", 414),
    ("UNSUPPORTED_MEDIA_TYPE", 415), ("REQUESTED_RANGE_NOT_SATISFIABLE", 416), ("RANGE_NOT_SATISFIABLE", 416),
    ("EXPECTATION_FAILED", 417), ("IM_A_TEAPOT", 418), ("MISDIRECTED_REQUEST", 421),
    ("UNPROCESSABLE_ENTITY", 422), ("UNPROCESSABLE_CONTENT", 422), ("LOCKED", 423), ("FAILED_DEPENDENCY", 424),
    ("TOO_EARLY", 425), ("UPGRADE_REQUIRED", 426), ("PRECONDITION_REQUIRED", 428), ("TOO_MANY_REQUESTS", 429),
    ("REQUEST_HEADER_FIELDS_TOO_LARGE", 431), ("UNAVAILABLE_FOR_LEGAL_REASONS", 451),
    ("INTERNAL_SERVER_ERROR", 500), ("NOT_IMPLEMENTED", 501), ("BAD_GATEWAY", 502),
    ("SERVICE_UNAVAILABLE", 503), ("GATEWAY_TIMEOUT", 504), ("HTTP_VERSION_NOT_SUPPORTED", 505),
    ("VARIANT_ALSO_NEGOTIATES", 506), ("INSUFFICIENT_STORAGE", 507), ("LOOP_DETECTED", 508),
    ("NOT_EXTENDED", 510), ("NETWORK_AUTHENTICATION_REQUIRED", 511),
];
