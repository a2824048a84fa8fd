//! What is taken of the request that FastAPI gives a handler, and what is surely a string.

use crate::migrate::find::reply::bindings::Bound;
use crate::migrate::find::reply::known;
use crate::migrate::find::reply::values::Values;
use crate::migrate::python::ast::{Constant, Expr, Operator};
use crate::migrate::python::names::Value;

impl Values<'_> {
    /// Whether an expression is the request that FastAPI gives to the handler.
    pub(super) fn is_request(&self, expression: &Expr) -> bool {
        let Expr::Name(name) = expression else {
            return false;
        };
        match self.bindings.of(&name.id) {
            Some([Bound::Parameter(parameter)]) if self.is_handler => {
                match parameter.def.annotation.as_deref() {
                    Some(annotation) => matches!(
                        self.lasting(annotation),
                        Value::External(name) if known::is_request_class(&name)
                    ),
                    // It gets this annotation when the handler is migrated.
                    None => parameter.default.is_none() && self.bindings.parameters() == 1,
                }
            }
            _ => false,
        }
    }

    /// Whether the class of requests, or that of a part of them, still has its own member `name`.
    pub(super) fn keeps_of_request(&self, name: &str) -> bool {
        let keeps = |dotted: &str| self.resolver.keeps_external(dotted);
        let mut parts = known::PARTS_OF_REQUEST.iter();
        keeps(&format!("starlette.requests.Request.{name}"))
            && keeps("fastapi.Request")
            && !parts.any(|part| self.resolver.is_set_in_repo(part))
    }

    /// `request.headers` and what is like it: texts by name.
    pub(super) fn is_part_of_request(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Attribute(attribute)
            if matches!(attribute.attr.as_str(), "headers" | "query_params")
                && self.keeps_of_request(&attribute.attr)
                && self.is_request(&attribute.value))
    }

    /// `request.method`, `request.headers["X"]`, `request.query_params.get("x")`: strings which JSON
    /// can always have, since they were read from bytes.
    pub(super) fn is_text_of_request(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Attribute(attribute) => {
                attribute.attr.as_str() == "method"
                    && self.keeps_of_request("method")
                    && self.is_request(&attribute.value)
            }
            Expr::Subscript(subscript) => {
                self.keeps_of_request("__getitem__") && self.is_part_of_request(&subscript.value)
            }
            Expr::Call(call) => match (&*call.func, call.args.as_slice()) {
                (Expr::Attribute(method), [_]) => {
                    method.attr.as_str() == "get"
                        && self.keeps_of_request("get")
                        && call.keywords.is_empty()
                        && self.is_part_of_request(&method.value)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether an expression is surely a string.
    pub(super) fn is_text(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Constant(constant) => matches!(constant.value, Constant::Str(_)),
            Expr::JoinedStr(_) => true,
            Expr::BinOp(operation) => {
                matches!(operation.op, Operator::Mod) && self.is_text(&operation.left)
            }
            Expr::Call(call) => match &*call.func {
                Expr::Name(name) => {
                    matches!(name.id.as_str(), "str" | "repr" | "format")
                        && self.is_builtin(&name.id)
                }
                Expr::Attribute(method) => {
                    known::TEXT_TO_TEXT.contains(&method.attr.as_str())
                        && self.is_text(&method.value)
                }
                _ => false,
            },
            _ => false,
        }
    }
}
