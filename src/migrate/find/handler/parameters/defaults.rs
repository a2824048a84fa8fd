//! What stands in the place of a parameter's default, or beside its type in `Annotated`: a call that
//! marks the parameter (`Query(...)`, `Depends(...)`), or a plain value.
//!
//! Invariant: something is a plain value only when its form or where it comes from says so; what is
//! not understood is [`DefaultValue::Unknown`], as it may be a marker from elsewhere.

use super::classes::{self, ClassKind};
use super::known_types::{self, Marker};
use super::question::{Place, Question, shown};
use crate::migrate::find::lookup::{self, Target, all_targets, targets};
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Resolver, Value};
use crate::migrate::python::stdlib::is_stdlib;
use crate::migrate::python::tree;

/// How many values may be inside each other.
const MAX_DEPTH: usize = 10;

/// A call that marks a parameter.
pub(super) struct Marked<'e> {
    pub(super) marker: Marker,
    pub(super) name: String,
    pub(super) call: &'e ast::ExprCall,
}

impl<'e> Marked<'e> {
    /// What it is given by the keyword `name`.
    pub(super) fn keyword(&self, name: &str) -> Option<&'e Expr> {
        let mut keywords = self.call.keywords.iter();
        let named = keywords.find(|keyword| keyword.arg.as_deref() == Some(name));
        named.map(|keyword| &keyword.value)
    }

    /// The default that it is given.
    pub(super) fn default(&self) -> Option<&'e Expr> {
        self.call.args.first().or_else(|| self.keyword("default"))
    }

    /// What is given to `Depends`.
    pub(super) fn dependency(&self) -> Option<&'e Expr> {
        self.keyword("dependency").or(self.call.args.first())
    }
}

/// One thing that a default may be.
pub(super) enum DefaultValue<'t> {
    /// A marker, and what sees its names.
    Marker(Resolver<'t>, Marked<'t>),
    /// A plain value.
    Value,
    /// It cannot be known; as it is written.
    Unknown(String),
}

/// Calls `visit` with all that `expression` may give.
pub(super) fn each(
    resolver: Resolver<'_>,
    expression: &Expr,
    visit: &mut dyn FnMut(DefaultValue<'_>),
) {
    each_within(resolver, expression, MAX_DEPTH, visit);
}

fn each_within(
    resolver: Resolver<'_>,
    expression: &Expr,
    depth: usize,
    visit: &mut dyn FnMut(DefaultValue<'_>),
) {
    let unknown = || DefaultValue::Unknown(shown(resolver, expression));
    let Some(depth) = depth.checked_sub(1) else {
        return visit(unknown());
    };
    if let Expr::Attribute(attribute) = expression
        && is_plain_attribute(resolver, attribute)
    {
        return visit(DefaultValue::Value);
    }
    targets(resolver, expression, &mut |target| match target {
        Target::External(name) if is_known_outside(&name) => visit(DefaultValue::Value),
        Target::Class(..) | Target::Function(..) | Target::Builtin(_) => visit(DefaultValue::Value),
        Target::External(_) | Target::Unknown => visit(unknown()),
        Target::Expression(inside, value) => match value {
            Expr::Call(call) => visit(match called(inside, &call.func) {
                Called::Marker(marker, name) => {
                    DefaultValue::Marker(inside, Marked { marker, name, call })
                }
                Called::Value => DefaultValue::Value,
                Called::Unknown => DefaultValue::Unknown(shown(inside, &call.func) + "(…)"),
            }),
            Expr::IfExp(choice) => {
                each_within(inside, &choice.body, depth, visit);
                each_within(inside, &choice.orelse, depth, visit);
            }
            Expr::BoolOp(operation) => {
                for value in &operation.values {
                    each_within(inside, value, depth, visit);
                }
            }
            value if is_plain_form(value) => visit(DefaultValue::Value),
            _ => visit(unknown()),
        },
    });
}

/// Whether an expression of this form is never a marker.
pub(super) fn is_plain_form(value: &Expr) -> bool {
    matches!(
        value,
        Expr::Constant(_)
            | Expr::UnaryOp(_)
            | Expr::BinOp(_)
            | Expr::Compare(_)
            | Expr::JoinedStr(_)
            | Expr::Lambda(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Set(_)
            | Expr::Dict(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
    )
}

/// Whether something outside the repo is surely not a marker, when it is not a known one.
fn is_known_outside(name: &str) -> bool {
    let top_level = name.split('.').next().unwrap_or(name);
    is_stdlib(top_level)
        || matches!(
            top_level,
            "nekro_agent" | "fastapi" | "starlette" | "pydantic"
        )
}

/// What a call gives.
enum Called {
    Marker(Marker, String),
    /// A plain value.
    Value,
    Unknown,
}

fn called(resolver: Resolver<'_>, function: &Expr) -> Called {
    if is_method_of_plain(resolver, function) {
        return Called::Value;
    }
    let mut answer: Option<Called> = None;
    targets(resolver, function, &mut |target| {
        let this = match target {
            Target::External(name) => match known_types::marker(&name) {
                Some((marker, name)) => Called::Marker(marker, name.to_owned()),
                None if gives_value(&name) => Called::Value,
                None => Called::Unknown,
            },
            Target::Class(inside, class) if is_plain_class(inside, class) => Called::Value,
            Target::Builtin(name) if is_plain_builtin(name) => Called::Value,
            Target::Builtin(_)
            | Target::Class(..)
            | Target::Function(..)
            | Target::Expression(..)
            | Target::Unknown => Called::Unknown,
        };
        answer = Some(match (answer.take(), this) {
            (None, this) | (Some(Called::Value), this @ Called::Value) => this,
            (Some(Called::Marker(before, name)), Called::Marker(marker, _)) if before == marker => {
                Called::Marker(marker, name)
            }
            _ => Called::Unknown,
        });
    });
    answer.unwrap_or(Called::Unknown)
}

/// Whether a call of something built in gives a plain value, and none of those that it is given.
fn is_plain_builtin(name: &str) -> bool {
    matches!(
        name,
        "abs"
            | "bool"
            | "bytes"
            | "chr"
            | "complex"
            | "dict"
            | "float"
            | "frozenset"
            | "int"
            | "len"
            | "list"
            | "object"
            | "ord"
            | "range"
            | "repr"
            | "round"
            | "set"
            | "sorted"
            | "str"
            | "tuple"
    )
}

/// Whether a call of something outside the repo gives a plain value.
fn gives_value(name: &str) -> bool {
    let top_level = name.split('.').next().unwrap_or(name);
    match top_level {
        // They hand out what they were given.
        "copy" | "functools" | "operator" | "dataclasses" => false,
        "nekro_agent" => true,
        "annotated_types" => true,
        "typing_extensions" => true,
        "fastapi" | "starlette" => known_types::external(name).is_some(),
        "pydantic" => !name.starts_with("pydantic.fields."),
        top_level => is_stdlib(top_level),
    }
}

/// Whether a function is a method of what a plain form or call gives, as in `",".join(…)`.
fn is_method_of_plain(resolver: Resolver<'_>, function: &Expr) -> bool {
    let Expr::Attribute(attribute) = function else {
        return false;
    };
    match &*attribute.value {
        Expr::Constant(_) | Expr::JoinedStr(_) => true,
        Expr::Call(call) => all_targets(resolver, &call.func, &mut |target| {
            matches!(target, Target::External(name)
                    if known_types::marker(&name).is_none() && gives_value(&name))
        }),
        _ => false,
    }
}

/// Whether what a class of the repo makes is surely not a marker.
fn is_plain_class(resolver: Resolver<'_>, class: &ast::StmtClassDef) -> bool {
    let question = Question::new();
    classes::class_kind(resolver, class, question.parameter()).is_ok()
        && !derives_from_marker(resolver, class, question.parameter())
}

fn derives_from_marker(
    resolver: Resolver<'_>,
    class: &ast::StmtClassDef,
    place: Place<'_>,
) -> bool {
    let Some(place) = place.deeper() else {
        return true;
    };
    let mut derives = false;
    for base in &class.bases {
        let base = match base {
            Expr::Subscript(subscript) => &subscript.value,
            other => other,
        };
        targets(resolver, base, &mut |target| {
            derives |= match target {
                Target::Builtin(_) => false,
                Target::External(name) => {
                    known_types::base(&name).is_none() && !is_stdlib_name(&name)
                }
                Target::Class(inside, base) => derives_from_marker(inside, base, place),
                _ => true,
            };
        });
    }
    derives
}

fn is_stdlib_name(name: &str) -> bool {
    is_stdlib(name.split('.').next().unwrap_or(name))
}

/// Whether an attribute is a member of an enumeration, a setting of the plugin, or a plain value that
/// a class of the repo gives it.
fn is_plain_attribute(resolver: Resolver<'_>, attribute: &ast::ExprAttribute) -> bool {
    let (value, is_instance) = match resolver.value(&attribute.value) {
        Value::Class(path, range) => ((path, range), false),
        Value::Instance(path, range) => ((path, range), true),
        _ => return is_setting(resolver, &attribute.value),
    };
    let mut is_plain = false;
    lookup::class_at(resolver, (&value.0, value.1), &mut |inside, class| {
        let question = Question::new();
        let kind = classes::class_kind(inside, class, question.parameter());
        is_plain = match kind {
            Ok(ClassKind::Enum) => true,
            Ok(ClassKind::Model) if is_instance => true,
            Ok(_) => gives_plain(class, &attribute.attr),
            Err(_) => false,
        };
    });
    is_plain
}

/// Whether all that the body of a class gives a name are plain forms.
fn gives_plain(class: &ast::StmtClassDef, name: &str) -> bool {
    let mut given = given(class, name);
    let is_plain = |value: Option<&Expr>| value.is_some_and(is_plain_form);
    given.next().is_some_and(is_plain) && given.all(is_plain)
}

/// What the statements in the body of a class assign to a name; none where that cannot be seen.
pub(super) fn given<'c>(
    class: &'c ast::StmtClassDef,
    name: &str,
) -> impl Iterator<Item = Option<&'c Expr>> {
    let is_name = move |target: &Expr| tree::is_named(target, name);
    class
        .body
        .iter()
        .filter_map(move |statement| match statement {
            Stmt::Assign(assign) if assign.targets.iter().any(is_name) => {
                Some(Some(&*assign.value))
            }
            Stmt::Assign(assign) if assign.targets.iter().all(Expr::is_name_expr) => None,
            Stmt::AnnAssign(assign) if is_name(&assign.target) => Some(assign.value.as_deref()),
            Stmt::AnnAssign(_) | Stmt::Expr(_) | Stmt::Pass(_) => None,
            Stmt::ClassDef(inner) if inner.name.as_str() != name => None,
            other => match Definition::of(other) {
                Some(method) if method.name != name => None,
                // It may bind the name in a way that is not looked at.
                _ => Some(None),
            },
        })
}

/// Whether an expression is what the plugin's own `get_config()` gives.
fn is_setting(resolver: Resolver<'_>, settings: &Expr) -> bool {
    let gives_config = |target: Target<'_>| matches!(target, Target::External(name) if name == "nekro_agent.get_config");
    all_targets(resolver, settings, &mut |target| match target {
        Target::Expression(inside, Expr::Call(call)) => {
            all_targets(inside, &call.func, &mut { gives_config })
        }
        _ => false,
    })
}
