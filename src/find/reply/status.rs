//! Which expressions are statuses.

use rustpython_parser::ast::{self, Constant, Expr};

use super::Finder;
use crate::python::names::{BindingKind, Value};
use crate::python::tree::{Descend, Node};

pub(super) enum Status {
    /// One of these.
    Known(Vec<i64>),
    /// Not a status: the tuple is a plain value.
    Other,
    Unknown,
}

impl Finder<'_> {
    pub(super) fn status(&self, expression: &Expr) -> Status {
        match expression {
            Expr::Constant(constant) => match &constant.value {
                Constant::Int(number) => match i64::try_from(number) {
                    Ok(status @ 100..=599) => Status::Known(vec![status]),
                    _ => Status::Other,
                },
                _ => Status::Other,
            },
            Expr::IfExp(choice) => match (self.status(&choice.body), self.status(&choice.orelse)) {
                (Status::Known(mut a), Status::Known(b)) => {
                    a.extend(b);
                    Status::Known(a)
                }
                (Status::Other, Status::Other) => Status::Other,
                _ => Status::Unknown,
            },
            Expr::Dict(_) | Expr::List(_) | Expr::Set(_) | Expr::Tuple(_) | Expr::JoinedStr(_) => {
                Status::Other
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::GeneratorExp(_) => {
                Status::Other
            }
            Expr::Lambda(_) | Expr::Compare(_) => Status::Other,
            Expr::Attribute(attribute) if attribute.attr.as_str() == "value" => {
                self.status(&attribute.value)
            }
            Expr::Call(call)
                if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "int")
                    && call.keywords.is_empty() =>
            {
                match call.args.as_slice() {
                    [argument] => self.status(argument),
                    _ => Status::Unknown,
                }
            }
            Expr::Name(name) => self.status_of_name(name),
            _ => match self.resolver.value(expression) {
                Value::External(name) => {
                    known_status(&name).map_or(Status::Unknown, |s| Status::Known(vec![s]))
                }
                Value::Number(status @ 100..=599) => Status::Known(vec![status]),
                Value::Text(_) | Value::Number(_) | Value::Other => Status::Other,
                _ => Status::Unknown,
            },
        }
    }

    /// The statuses that a name may stand for: those of all its assignments.
    pub(super) fn status_of_name(&self, name: &ast::ExprName) -> Status {
        let mut statuses = Vec::new();
        let bindings = self.resolver.bindings(&name.id);
        for binding in bindings {
            let one = match &binding.kind {
                // A name that stands for itself is known to nobody.
                BindingKind::Value(value) if !mentions(value, &name.id) => self.status(value),
                BindingKind::From(..) => match self.resolver.value(&Expr::Name(name.clone())) {
                    Value::Number(status @ 100..=599) => Status::Known(vec![status]),
                    Value::External(name) => {
                        known_status(&name).map_or(Status::Unknown, |s| Status::Known(vec![s]))
                    }
                    Value::Text(_) | Value::Number(_) | Value::Other => Status::Other,
                    _ => Status::Unknown,
                },
                _ => Status::Unknown,
            };
            match one {
                Status::Known(known) => statuses.extend(known),
                Status::Other if bindings.len() == 1 => return Status::Other,
                _ => return Status::Unknown,
            }
        }
        if statuses.is_empty() {
            Status::Unknown
        } else {
            Status::Known(statuses)
        }
    }
}

/// Whether the name occurs in the expression itself.
pub(super) fn mentions(expression: &Expr, name: &str) -> bool {
    let mut found = false;
    crate::python::tree::walk(Node::Expr(expression), &mut |node| {
        if let Node::Expr(Expr::Name(other)) = node {
            found |= other.id.as_str() == name;
        }
        Descend::Into
    });
    found
}

/// The status behind `http.HTTPStatus.CREATED` and `fastapi.status.HTTP_201_CREATED`.
pub(super) fn known_status(dotted: &str) -> Option<i64> {
    let (module, name) = dotted.rsplit_once('.')?;
    match module {
        "http.HTTPStatus" => HTTP_STATUS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, status)| *status),
        "fastapi.status" | "starlette.status" => {
            let digits = name.strip_prefix("HTTP_")?.get(..3)?;
            digits
                .parse()
                .ok()
                .filter(|status| (100..=599).contains(status))
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
