//! What can be said of an expression from its text alone.

use rustpython_parser::ast::{self, Constant, Expr};

/// Whether JSON can be made of an expression without FastAPI's encoder, to be seen from it alone.
pub(super) fn is_plain_json(expression: &Expr) -> bool {
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
        Expr::List(list) => list.elts.iter().all(is_plain_json),
        Expr::Dict(dict) => {
            let key_is_text = |key: &Option<Expr>| matches!(key, Some(Expr::Constant(constant)) if matches!(constant.value, Constant::Str(_)));
            dict.keys.iter().all(key_is_text) && dict.values.iter().all(is_plain_json)
        }
        Expr::Call(call) => match &*call.func {
            Expr::Name(name) => {
                matches!(name.id.as_str(), "str" | "len" | "bool") && call.keywords.is_empty()
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
