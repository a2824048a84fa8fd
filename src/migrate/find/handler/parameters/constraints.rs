//! What is said of a parameter's value beside its type: the arguments of `Query(...)` and its like,
//! of pydantic's `Field`, `StringConstraints` and `conint`, and what else stands in `Annotated`.
//!
//! Pydantic looks at all of it when the route is made, and raises for a bound that is not a number, a
//! pattern that it cannot read, a validator that takes nothing.
//!
//! Invariant: an argument is taken only when its name, and a literal (or a constant that stays) of
//! its kind, are in the tables here for that type; everything else is an [`Objection`].

use regex_automata::nfa::thompson::NFA;

use super::classes::{self, ClassKind, has_no_base};
use super::constants::{
    MAX_DEPTH, as_flag, as_text, each_constant, is_json, is_none, is_size, is_words, number,
};
use super::family::Family;
use super::known_arguments::{Argument, Signature};
use super::question::{Objection, Place, shown};
use super::{known_arguments, known_types};
use crate::migrate::find::lookup::{Target, all_targets, externals, targets};
use crate::migrate::python::ast::{self, Expr};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::Resolver;
use crate::text;

/// How large a pattern may get, in bytes: pydantic refuses one from 10 MiB on, for each direction.
const MAX_PATTERN: usize = 4 << 20;

/// Whether pydantic takes all arguments of a call, which are those of `signature`, for a type of that
/// family.
pub(super) fn check(
    signature: &Signature,
    call: &ast::ExprCall,
    resolver: Resolver<'_>,
    family: Family,
) -> Result<(), Objection> {
    let name = signature.name;
    let objection = |argument: &str| -> Objection {
        text!(
            "whether FastAPI takes `{argument}` in `{name}(…)` for this type cannot be known",
            "无法确定对于该类型，FastAPI 能否接受 `{name}(…)` 中的 `{argument}`"
        )
    };
    for (index, value) in call.args.iter().enumerate() {
        let is_understood = match signature.positional.get(index) {
            Some(argument) if !matches!(value, Expr::Starred(_)) => {
                is_taken(resolver, *argument, value, family)
            }
            _ => false,
        };
        if !is_understood {
            return Err(objection(&shown(resolver, value)));
        }
    }
    for keyword in &call.keywords {
        let value = shown(resolver, &keyword.value);
        let Some(name) = keyword.arg.as_deref() else {
            return Err(objection(&format!("**{value}")));
        };
        match (signature.named)(name) {
            Some(argument) if is_taken(resolver, argument, &keyword.value, family) => {}
            Some(Argument::Pattern) if cannot_be_read(resolver, &keyword.value) => {
                return Err(text!(
                    "pydantic cannot read the pattern `{value}`: its regular expressions have no look-around and no backreferences, brackets must match, and the size is limited",
                    "pydantic 无法解析正则表达式 `{value}`：它不支持环视和反向引用，括号必须成对，且大小有限制"
                ));
            }
            _ => return Err(objection(&format!("{name}={value}"))),
        }
    }
    Ok(())
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
    all_targets(resolver, value, &mut |target| match target {
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
    classes::class_kind(resolver, class, place) == Ok(ClassKind::Plain) && has_no_base(class)
}

/// A call in `Annotated`; none when it is not known.
fn called(
    inside: Resolver<'_>,
    call: &ast::ExprCall,
    family: Family,
    place: Place<'_>,
) -> Option<Result<(), Objection>> {
    if all_targets(
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
        return Some(check(&signature, call, inside, family));
    }
    if let Some(signature) = known_arguments::metadata(name) {
        return Some(check(&signature, call, inside, family));
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
                && all_targets(inside, &attribute.value, &mut |target|
                    matches!(target, Target::Builtin("str"))))
    };
    if call.keywords.is_empty()
        && (is_name && all_targets(inside, function, &mut { is_function }) || is_method_of_str())
    {
        return Ok(());
    }
    let function = shown(inside, function);
    Err(text!(
        "whether `{function}`, in `{written}(…)`, is a function of one argument cannot be known",
        "无法确定 `{written}(…)` 中的 `{function}` 是否为只有一个参数的函数"
    ))
}
