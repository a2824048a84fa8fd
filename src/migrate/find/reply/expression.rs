//! What can be said of the body of a reply.

use super::protection::Protection;
use crate::migrate::find::reply::values::Values;
use crate::migrate::python::ast::{self, Constant, Expr};

/// Whether JSON can be made of an expression without FastAPI's encoder, to be seen from it alone.
pub(super) fn is_plain_json(values: &Values<'_>, expression: &Expr) -> bool {
    let is_plain = |inner: &Expr| is_plain_json(values, inner);
    match expression {
        Expr::Constant(constant) => matches!(
            constant.value,
            Constant::Str(_)
                | Constant::Int(_)
                | Constant::Float(_)
                | Constant::Bool(_)
                | Constant::None
        ),
        Expr::JoinedStr(_) => true,
        Expr::List(list) => list.elts.iter().all(is_plain),
        Expr::Dict(dict) => {
            // FastAPI's encoder leaves out what SQLAlchemy keeps under such keys.
            let is_kept = |key: &Option<Expr>| matches!(key, Some(Expr::Constant(constant)) if matches!(&constant.value, Constant::Str(text) if !text.starts_with("_sa")));
            dict.keys.iter().all(is_kept) && dict.values.iter().all(is_plain)
        }
        Expr::Call(call) => match &*call.func {
            Expr::Name(name) => {
                matches!(name.id.as_str(), "str" | "len" | "bool")
                    && call.keywords.is_empty()
                    && values.is_builtin(&name.id)
            }
            _ => false,
        },
        Expr::UnaryOp(operation) => matches!(operation.op, ast::UnaryOp::Not),
        _ => false,
    }
}

/// Whether leaving an expression out changes nothing: it only names and displays values.
pub(super) fn is_free_of_effects(expression: &Expr) -> bool {
    match expression {
        Expr::Constant(_) | Expr::Name(_) => true,
        Expr::Attribute(attribute) => is_free_of_effects(&attribute.value),
        Expr::List(list) => list.elts.iter().all(is_free_of_effects),
        Expr::Dict(dict) => {
            dict.keys.iter().flatten().all(is_free_of_effects)
                && dict.values.iter().all(is_free_of_effects)
        }
        _ => false,
    }
}

/// Whether encoding a body where it is returned gives what encoding it later would, whatever stands
/// around the `return`.
pub(super) fn is_fixed(values: &Values<'_>, body: &Expr, protection: Protection) -> bool {
    if !protection.catches && !protection.runs_code {
        return true;
    }
    match body {
        Expr::Constant(constant) => match &constant.value {
            Constant::Str(_) | Constant::Int(_) | Constant::Bool(_) | Constant::None => true,
            Constant::Float(number) => number.is_finite(),
            _ => false,
        },
        // They cannot change, but a string may be one that cannot be encoded.
        Expr::JoinedStr(_) => !protection.catches,
        Expr::Call(call) if values.is_text(body) => !protection.catches && call.keywords.is_empty(),
        Expr::Call(call) => match &*call.func {
            Expr::Name(name) => {
                matches!(name.id.as_str(), "len" | "bool") && values.is_builtin(&name.id)
            }
            _ => values.is_text_of_request(body),
        },
        Expr::UnaryOp(operation) => matches!(operation.op, ast::UnaryOp::Not),
        Expr::Attribute(_) | Expr::Subscript(_) => values.is_text_of_request(body),
        Expr::List(list) => list
            .elts
            .iter()
            .all(|inner| is_fixed(values, inner, protection)),
        Expr::Dict(dict) => {
            let keys = dict.keys.iter().map(Option::as_ref);
            keys.chain(dict.values.iter().map(Some))
                .all(|inner| inner.is_some_and(|inner| is_fixed(values, inner, protection)))
        }
        _ => false,
    }
}
