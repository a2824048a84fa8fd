//! Constants: what a name or an attribute surely stands for, and which kind of value that is.
//!
//! Invariant: a name is a constant only where everything that it may stand for is known, and no
//! statement of another module can give it another value.

use std::path::Path;

use super::classes::has_no_base;
use super::defaults;
use crate::migrate::find::lookup;
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Constant, Expr, Operator, UnaryOp};
use crate::migrate::python::names::{BindingKind, Resolver, Value};
use crate::migrate::python::tree;

/// How many names a constant may lead through.
pub(super) const MAX_DEPTH: usize = 10;

/// Calls `visit` with each expression that a value may be, where none of the names on the way can
/// get another value; whether there is one, and all of them do.
pub(super) fn each_constant(
    resolver: Resolver<'_>,
    value: &Expr,
    depth: usize,
    visit: &mut dyn FnMut(Resolver<'_>, &Expr) -> bool,
) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let name = match value {
        Expr::Name(name) => name,
        Expr::Attribute(attribute) => return each_member(resolver, attribute, depth, visit),
        value => return visit(resolver, value),
    };
    let name = name.id.as_str();
    let bindings = resolver.bindings(name);
    if bindings.is_empty() || !resolver.keeps(name) {
        return false;
    }
    bindings.iter().all(|binding| match &binding.kind {
        BindingKind::From(module, original) => {
            let Some(path) = resolver
                .workspace
                .locate(resolver.loaded.module.source().path(), module)
            else {
                return false;
            };
            each_of_module(resolver, &path, original, depth, visit)
        }
        _ => lookup::assigned(resolver, name, binding.range)
            .is_some_and(|value| each_constant(resolver, value, depth, visit)),
    })
}

/// As [`each_constant`], of what the module at `path` gives a name.
fn each_of_module(
    resolver: Resolver<'_>,
    path: &Path,
    name: &str,
    depth: usize,
    visit: &mut dyn FnMut(Resolver<'_>, &Expr) -> bool,
) -> bool {
    let Ok(loaded) = resolver.workspace.load(path) else {
        return false;
    };
    let inside = Resolver::of_module(resolver.workspace, &loaded);
    each_constant(inside, &tree::name_expression(name), depth, visit)
}

/// As [`each_constant`], of what a module or a class of the repo gives a name.
fn each_member(
    resolver: Resolver<'_>,
    attribute: &ast::ExprAttribute,
    depth: usize,
    visit: &mut dyn FnMut(Resolver<'_>, &Expr) -> bool,
) -> bool {
    let name = attribute.attr.as_str();
    match resolver.value(&attribute.value) {
        Value::Module(path) => each_of_module(resolver, &path, name, depth, visit),
        Value::Class(path, range) => {
            let mut is_taken = false;
            lookup::class_at(resolver, (&path, range), &mut |inside, class| {
                let given: Vec<Option<&Expr>> = defaults::given(class, name).collect();
                is_taken = has_no_base(class)
                    && class.decorator_list.is_empty()
                    && inside.keeps(name)
                    && !given.is_empty()
                    && given.into_iter().all(|value| {
                        value.is_some_and(|value| {
                            defaults::is_plain_form(value) && visit(inside, value)
                        })
                    });
            });
            is_taken
        }
        _ => false,
    }
}

pub(super) fn is_none(value: &Expr) -> bool {
    matches!(value, Expr::Constant(constant) if constant.value == Constant::None)
}

pub(super) fn as_text(value: &Expr) -> Option<&str> {
    match value {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

pub(super) fn as_flag(value: &Expr) -> Option<bool> {
    match value {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Bool(flag),
            ..
        }) => Some(*flag),
        _ => None,
    }
}

pub(super) struct Number {
    pub(super) is_whole: bool,
    pub(super) is_positive: bool,
}

pub(super) fn number(value: &Expr) -> Option<Number> {
    if let Some(number) = whole(value) {
        return Some(Number {
            is_whole: true,
            is_positive: number > 0,
        });
    }
    match value {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Float(number),
            ..
        }) if number.is_finite() => Some(Number {
            is_whole: false,
            is_positive: *number > 0.0,
        }),
        Expr::UnaryOp(operation) if operation.op == UnaryOp::USub => number(&operation.operand)
            .map(|number| Number {
                is_positive: false,
                ..number
            }),
        _ => None,
    }
}

/// A whole number, or what is put together of such ones, as in `64 * 1024`.
fn whole(value: &Expr) -> Option<i64> {
    match value {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Int(number),
            ..
        }) => number.to_string().parse().ok(),
        Expr::UnaryOp(operation) if operation.op == UnaryOp::USub => {
            whole(&operation.operand)?.checked_neg()
        }
        Expr::BinOp(operation) => {
            let (left, right) = (whole(&operation.left)?, whole(&operation.right)?);
            match operation.op {
                Operator::Add => left.checked_add(right),
                Operator::Sub => left.checked_sub(right),
                Operator::Mult => left.checked_mul(right),
                Operator::Pow => left.checked_pow(u32::try_from(right).ok()?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a value is a length, or a count of digits.
pub(super) fn is_size(value: &Expr) -> bool {
    whole(value).is_some_and(|number| u32::try_from(number).is_ok())
}

/// Whether a value is a string, whatever stands in it.
pub(super) fn is_words(resolver: Resolver<'_>, value: &Expr) -> bool {
    match value {
        Expr::JoinedStr(_) => true,
        Expr::BinOp(operation) if matches!(operation.op, Operator::Add | Operator::Mod) => {
            is_words(resolver, &operation.left)
        }
        // `"…".format(…)`
        Expr::Call(call) => matches!(&*call.func, Expr::Attribute(attribute)
            if matches!(attribute.attr.as_str(), "format" | "strip" | "replace" | "join")
                && is_words(resolver, &attribute.value)),
        other => each_constant(resolver, other, MAX_DEPTH, &mut |_, value| {
            as_text(value).is_some()
        }),
    }
}

/// Whether a value is one that JSON has, which is what pydantic makes of examples.
pub(super) fn is_json(resolver: Resolver<'_>, value: &Expr) -> bool {
    match value {
        Expr::Constant(constant) => match constant.value {
            Constant::Str(_) | Constant::Bool(_) | Constant::None | Constant::Int(_) => true,
            Constant::Float(number) => number.is_finite(),
            _ => false,
        },
        Expr::UnaryOp(_) => number(value).is_some(),
        Expr::List(list) => list.elts.iter().all(|value| is_json(resolver, value)),
        Expr::Tuple(tuple) => tuple.elts.iter().all(|value| is_json(resolver, value)),
        Expr::Dict(dict) => {
            let mut keys = dict.keys.iter();
            keys.all(|key| key.as_ref().is_some_and(|key| as_text(key).is_some()))
                && dict.values.iter().all(|value| is_json(resolver, value))
        }
        Expr::Name(_) => each_constant(resolver, value, MAX_DEPTH, &mut |inside, value| {
            matches!(value, Expr::Constant(_)) && is_json(inside, value)
        }),
        _ => false,
    }
}
