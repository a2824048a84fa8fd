//! What is said of a parameter's value beside its type: the arguments of `Query(...)` and its like,
//! of pydantic's `Field`, `StringConstraints` and `conint`, and what else stands in `Annotated`.
//!
//! Pydantic looks at all of it when the route is made, and raises for a bound that is not a number, a
//! pattern that it cannot read, a validator that takes nothing.
//!
//! Invariant: an argument is taken only when its name, and a literal (or a constant that stays) of
//! its kind, are in the tables here for that type; everything else is an [`Objection`].

use std::path::Path;

use regex_automata::nfa::thompson::NFA;
use rustpython_parser::ast::{self, Constant, Expr, Operator, UnaryOp};

use super::known_types::{self, Generic};
use super::lookup::{self, Target, externals, targets};
use super::types::{self, ClassKind, Objection, Place, shown};
use super::{defaults, known_arguments};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{BindingKind, Resolver, Value};
use crate::migrate::python::parse;
use crate::text;

pub(super) use known_arguments::{Argument, Family};

/// How many names a constant may lead through.
const MAX_DEPTH: usize = 10;

/// How large a pattern may get, in bytes: pydantic refuses one from 10 MiB on, for each direction.
const MAX_PATTERN: usize = 4 << 20;

/// What the arguments of a type are held against.
pub(super) fn family(resolver: Resolver<'_>, annotation: &Expr, place: Place<'_>) -> Family {
    let Some(place) = place.deeper() else {
        return Family::Other;
    };
    match annotation {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Str(text),
            ..
        }) => match parse::quoted(text) {
            Some(parsed) => family(resolver, &parsed, place),
            None => Family::Other,
        },
        Expr::BinOp(operation) if operation.op == Operator::BitOr => {
            of_members(resolver, &[&operation.left, &operation.right], place)
        }
        Expr::Subscript(subscript) => {
            let arguments = match &*subscript.slice {
                Expr::Tuple(tuple) => tuple.elts.iter().collect(),
                one => vec![one],
            };
            agreed(resolver, &subscript.value, &mut |target| match target {
                Target::Builtin(name) => known_arguments::builtin_generic(name),
                Target::External(name) => match known_types::generic(&name) {
                    Some(Generic::Union) => of_members(resolver, &arguments, place),
                    Some(Generic::Annotated) => match arguments.first() {
                        Some(first) => family(resolver, first, place),
                        None => Family::Other,
                    },
                    _ => known_arguments::generic(&name),
                },
                _ => Family::Other,
            })
        }
        Expr::Call(call) => made(resolver, call, place),
        Expr::Name(_) | Expr::Attribute(_) => {
            agreed(resolver, annotation, &mut |target| match target {
                Target::Builtin(name) => known_arguments::builtin(name),
                Target::External(name) => known_arguments::external(&name),
                Target::Expression(inside, value) => family(inside, value, place),
                Target::Class(..) | Target::Function(..) | Target::Unknown => Family::Other,
            })
        }
        _ => Family::Other,
    }
}

/// What all that an expression may stand for is.
fn agreed(
    resolver: Resolver<'_>,
    expression: &Expr,
    of: &mut dyn FnMut(Target<'_>) -> Family,
) -> Family {
    let mut answer = None;
    targets(resolver, expression, &mut |target| {
        let this = of(target);
        answer = Some(match answer {
            Some(before) if before != this => Family::Other,
            _ => this,
        });
    });
    answer.unwrap_or(Family::Other)
}

/// `X | None` is what `X` is.
fn of_members(resolver: Resolver<'_>, members: &[&Expr], place: Place<'_>) -> Family {
    let mut members = members.iter().filter(|member| !is_none(member));
    match (members.next(), members.next()) {
        (Some(only), None) => family(resolver, only, place),
        _ => Family::Other,
    }
}

fn made(resolver: Resolver<'_>, call: &ast::ExprCall, place: Place<'_>) -> Family {
    agreed(resolver, &call.func, &mut |target| match target {
        Target::External(name) if name.ends_with(".NewType") => match call.args.get(1) {
            Some(of) => family(resolver, of, place),
            None => Family::Other,
        },
        Target::External(name) => known_arguments::made_by(&name),
        _ => Family::Other,
    })
}

/// A call with arguments that say more of a value.
pub(super) struct Call<'e> {
    /// What is called, without its module.
    pub(super) name: &'e str,
    pub(super) call: &'e ast::ExprCall,
    /// What the arguments without a name are, in order.
    pub(super) positional: &'static [Argument],
    /// What an argument with a name is.
    pub(super) named: fn(&str) -> Option<Argument>,
}

impl Call<'_> {
    /// Whether pydantic takes all arguments for a type of that family.
    pub(super) fn check(&self, resolver: Resolver<'_>, family: Family) -> Result<(), Objection> {
        for (index, value) in self.call.args.iter().enumerate() {
            let is_understood = match self.positional.get(index) {
                Some(argument) if !matches!(value, Expr::Starred(_)) => {
                    is_taken(resolver, *argument, value, family)
                }
                _ => false,
            };
            if !is_understood {
                return Err(self.objection(&shown(resolver, value)));
            }
        }
        for keyword in &self.call.keywords {
            let value = shown(resolver, &keyword.value);
            let Some(name) = keyword.arg.as_deref() else {
                return Err(self.objection(&format!("**{value}")));
            };
            match (self.named)(name) {
                Some(argument) if is_taken(resolver, argument, &keyword.value, family) => {}
                Some(Argument::Pattern) if cannot_be_read(resolver, &keyword.value) => {
                    return Err(text!(
                        "pydantic cannot read the pattern `{value}`: its regular expressions have no look-around and no backreferences, brackets must match, and the size is limited",
                        "pydantic 无法解析正则表达式 `{value}`：它不支持环视和反向引用，括号必须成对，且大小有限制"
                    ));
                }
                _ => return Err(self.objection(&format!("{name}={value}"))),
            }
        }
        Ok(())
    }

    fn objection(&self, argument: &str) -> Objection {
        let name = self.name;
        text!(
            "whether FastAPI takes `{argument}` in `{name}(…)` for this type cannot be known",
            "无法确定对于该类型，FastAPI 能否接受 `{name}(…)` 中的 `{argument}`"
        )
    }
}

/// Whether a value surely does for an argument.
fn is_taken(resolver: Resolver<'_>, argument: Argument, value: &Expr, family: Family) -> bool {
    match argument {
        Argument::Any => true,
        Argument::Words if is_words(resolver, value) => true,
        Argument::Factory => is_factory(resolver, value),
        argument => each_constant(resolver, value, MAX_DEPTH, &mut |inside, value| {
            is_none(value) || is_constant_taken(inside, argument, value, family)
        }),
    }
}

fn is_constant_taken(
    inside: Resolver<'_>,
    argument: Argument,
    value: &Expr,
    family: Family,
) -> bool {
    match argument {
        Argument::Any => true,
        Argument::Nothing | Argument::Factory => false,
        Argument::Name | Argument::Words => as_text(value).is_some(),
        Argument::Names => match value {
            Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
                elts.iter().all(|value| {
                    each_constant(inside, value, MAX_DEPTH, &mut |_, value| {
                        as_text(value).is_some()
                    })
                })
            }
            _ => false,
        },
        Argument::Flag => as_flag(value).is_some(),
        Argument::FlagOrWords => as_flag(value).is_some() || as_text(value).is_some(),
        Argument::Strict => {
            as_flag(value).is_some()
                && matches!(
                    family,
                    Family::Int | Family::Float | Family::Text | Family::Bytes
                )
        }
        Argument::Finite => {
            as_flag(value).is_some() && matches!(family, Family::Float | Family::Decimal)
        }
        Argument::TextFlag => as_flag(value).is_some() && family == Family::Text,
        Argument::Bound => number(value).is_some_and(|number| match family {
            Family::Int => number.is_whole,
            Family::Float | Family::Decimal | Family::Untyped => true,
            _ => false,
        }),
        Argument::Step => number(value).is_some_and(|number| {
            number.is_positive
                && match family {
                    Family::Int => number.is_whole,
                    Family::Float | Family::Decimal => true,
                    _ => false,
                }
        }),
        Argument::Length => {
            is_size(value)
                && matches!(
                    family,
                    Family::Text | Family::Bytes | Family::Several | Family::Untyped
                )
        }
        Argument::Digits => is_size(value) && family == Family::Decimal,
        Argument::Pattern => family == Family::Text && as_text(value).is_some_and(is_readable),
        Argument::Json => is_json(inside, value),
    }
}

/// Calls `visit` with each expression that a value may be, where none of the names on the way can
/// get another value; whether there is one, and all of them do.
fn each_constant(
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
    let inside = Resolver {
        workspace: resolver.workspace,
        loaded: &loaded,
        locals: &[],
    };
    each_constant(inside, &lookup::name_expression(name), depth, visit)
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

fn is_none(value: &Expr) -> bool {
    matches!(value, Expr::Constant(constant) if constant.value == Constant::None)
}

fn as_text(value: &Expr) -> Option<&str> {
    match value {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

fn as_flag(value: &Expr) -> Option<bool> {
    match value {
        Expr::Constant(ast::ExprConstant {
            value: Constant::Bool(flag),
            ..
        }) => Some(*flag),
        _ => None,
    }
}

struct Number {
    is_whole: bool,
    is_positive: bool,
}

fn number(value: &Expr) -> Option<Number> {
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
fn is_size(value: &Expr) -> bool {
    whole(value).is_some_and(|number| u32::try_from(number).is_ok())
}

/// Whether a value is a string, whatever stands in it.
fn is_words(resolver: Resolver<'_>, value: &Expr) -> bool {
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
fn is_json(resolver: Resolver<'_>, value: &Expr) -> bool {
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

fn is_readable(pattern: &str) -> bool {
    let limits = NFA::config().nfa_size_limit(Some(MAX_PATTERN));
    NFA::compiler().configure(limits).build(pattern).is_ok()
}

/// Whether a value is a pattern that pydantic's engine has no way to read.
fn cannot_be_read(resolver: Resolver<'_>, value: &Expr) -> bool {
    each_constant(resolver, value, MAX_DEPTH, &mut |_, value| {
        as_text(value).is_some_and(|pattern| !is_readable(pattern))
    })
}

/// Whether a value is a function that can be called without arguments.
fn is_factory(resolver: Resolver<'_>, value: &Expr) -> bool {
    let takes_nothing = |arguments: &ast::Arguments| {
        arguments.posonlyargs.is_empty()
            && arguments.args.is_empty()
            && arguments.kwonlyargs.is_empty()
    };
    each_target(resolver, value, &mut |target| match target {
        Target::Builtin(name) => matches!(
            name,
            "list" | "dict" | "set" | "frozenset" | "tuple" | "str" | "int" | "float" | "bool"
        ),
        Target::External(name) => matches!(name.as_str(), "uuid.uuid4" | "time.time"),
        Target::Function(_, function) => {
            function.decorators.is_empty() && takes_nothing(function.arguments)
        }
        Target::Expression(_, Expr::Lambda(lambda)) => takes_nothing(&lambda.args),
        Target::Class(..) | Target::Expression(..) | Target::Unknown => false,
    })
}

/// Whether there is something that an expression stands for, and all of it `holds`.
fn each_target(
    resolver: Resolver<'_>,
    expression: &Expr,
    holds: &mut dyn FnMut(Target<'_>) -> bool,
) -> bool {
    let mut answer = None;
    targets(resolver, expression, &mut |target| {
        answer = Some(answer.unwrap_or(true) && holds(target));
    });
    answer.unwrap_or(false)
}

/// Whether pydantic takes what stands in `Annotated` beside a type of that family.
pub(super) fn metadata(
    resolver: Resolver<'_>,
    data: &Expr,
    family: Family,
    place: Place<'_>,
) -> Result<(), Objection> {
    let unknown = || {
        let written = shown(resolver, data);
        text!(
            "what `{written}` says of the value, in `Annotated`, cannot be known",
            "无法确定 `Annotated` 中的 `{written}` 对取值有何限制"
        )
    };
    let mut answer = None;
    targets(resolver, data, &mut |target| {
        let this = match target {
            // It says nothing to pydantic.
            Target::Expression(inside, value) if is_json(inside, value) => Ok(()),
            Target::Class(inside, class) if is_plain(inside, class, place) => Ok(()),
            Target::Expression(inside, Expr::Call(call)) => {
                called(inside, call, family, place).unwrap_or_else(|| Err(unknown()))
            }
            _ => Err(unknown()),
        };
        answer = Some(answer.take().unwrap_or(Ok(())).and(this));
    });
    answer.unwrap_or_else(|| Err(unknown()))
}

fn is_plain(resolver: Resolver<'_>, class: &ast::StmtClassDef, place: Place<'_>) -> bool {
    types::class_kind(resolver, class, place) == Ok(ClassKind::Plain) && has_no_base(class)
}

/// Whether a class has no base, from which it could have what pydantic looks for.
fn has_no_base(class: &ast::StmtClassDef) -> bool {
    class.bases.is_empty() && class.keywords.is_empty()
}

/// A call in `Annotated`; none when it is not known.
fn called(
    inside: Resolver<'_>,
    call: &ast::ExprCall,
    family: Family,
    place: Place<'_>,
) -> Option<Result<(), Objection>> {
    if each_target(
        inside,
        &call.func,
        &mut |target| matches!(target, Target::Class(inside, class) if is_plain(inside, class, place)),
    ) {
        return Some(Ok(()));
    }
    let names = externals(inside, &call.func)?;
    let [name] = names.as_slice() else {
        return None;
    };
    if let Some((marker, name)) = known_types::marker(name) {
        let signature = known_arguments::marker(marker, name)?;
        return Some(signature.of(call).check(inside, family));
    }
    if let Some(signature) = known_arguments::metadata(name) {
        return Some(signature.of(call).check(inside, family));
    }
    if known_arguments::is_validator(name) {
        return Some(validator(inside, call));
    }
    None
}

/// `AfterValidator(f)`: pydantic asks `f` how many arguments it takes.
fn validator(inside: Resolver<'_>, call: &ast::ExprCall) -> Result<(), Objection> {
    let written = shown(inside, &call.func);
    let [function] = call.args.as_slice() else {
        return Err(text!(
            "what `{written}(…)` checks with cannot be known",
            "无法确定 `{written}(…)` 使用的校验函数"
        ));
    };
    let one_argument = |arguments: &ast::Arguments| {
        arguments.posonlyargs.len() + arguments.args.len() == 1
            && arguments.vararg.is_none()
            && arguments.kwonlyargs.iter().all(|one| one.default.is_some())
    };
    let is_function = |target: Target<'_>| match target {
        Target::Function(
            _,
            Definition {
                arguments,
                decorators,
                ..
            },
        ) => decorators.is_empty() && one_argument(arguments),
        Target::Expression(_, Expr::Lambda(lambda)) => one_argument(&lambda.args),
        Target::Builtin(name) => known_arguments::builtin_validator(name),
        Target::External(_) | Target::Class(..) | Target::Expression(..) | Target::Unknown => false,
    };
    // A method is given its object besides.
    let is_name = matches!(function, Expr::Name(_) | Expr::Lambda(_));
    let is_method_of_str = || {
        matches!(function, Expr::Attribute(attribute)
            if known_arguments::str_validator(&attribute.attr)
                && each_target(inside, &attribute.value, &mut |target|
                    matches!(target, Target::Builtin("str"))))
    };
    if call.keywords.is_empty()
        && (is_name && each_target(inside, function, &mut { is_function }) || is_method_of_str())
    {
        return Ok(());
    }
    let function = shown(inside, function);
    Err(text!(
        "whether `{function}`, in `{written}(…)`, is a function of one argument cannot be known",
        "无法确定 `{written}(…)` 中的 `{function}` 是否为只有一个参数的函数"
    ))
}
