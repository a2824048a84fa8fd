//! Routers as expressions stand for them, and the arguments of the calls that make and fill them.

use crate::migrate::diagnostic::Related;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::lookup::turns::loops::LoopReader;
use crate::migrate::find::lookup::{Target, all_targets, targets};
use crate::migrate::find::plugin::calls;
use crate::migrate::find::plugin::calls::is_router_class;
use crate::migrate::find::plugin::own_routes::model::{RouterId, UNKNOWN};
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::function::{each_return, raises, yields};
use crate::migrate::python::names::{Loaded, Resolver, Scope, Value};
use crate::migrate::python::tree::range_of;
use crate::text::Text;

/// The names at a call, in one turn of the loops around it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// It knows what the names of the loops stand for.
    pub(super) resolver: Resolver<'a>,
    pub(super) loops: LoopReader<'a>,
}

impl Place<'_> {
    pub(super) fn text(&self, expression: &Expr) -> Option<String> {
        self.loops.text_of(self.resolver, expression)
    }
}

/// How many functions may give the router of another.
pub(crate) const MAX_BUILDERS: usize = 4;

/// The calls that make the router that an expression stands for, also in a function of the repo which
/// gives it.
pub(crate) fn routers(resolver: Resolver<'_>, expression: &Expr) -> Vec<RouterId> {
    let mut found = Vec::new();
    add_routers(resolver, expression, MAX_BUILDERS, &mut found);
    found
}

fn add_routers(
    resolver: Resolver<'_>,
    expression: &Expr,
    builders: usize,
    found: &mut Vec<RouterId>,
) {
    targets(resolver, expression, &mut |target| {
        let Target::Expression(inside, Expr::Call(call)) = target else {
            return;
        };
        if is_router_class(inside, &call.func) {
            let path = inside.loaded.module.source().path().to_owned();
            let router = (path, range_of(call));
            if !found.contains(&router) {
                found.push(router);
            }
        } else if let Some(builders) = builders.checked_sub(1) {
            each_built(inside, call, &mut |within, value| {
                add_routers(within, value, builders, found);
                true
            });
        }
    });
}

/// Whether all that a call gives `holds`: what it calls is a function of the repo, or one of several,
/// which ends by a `return`.
pub(crate) fn each_built(
    resolver: Resolver<'_>,
    call: &ast::ExprCall,
    holds: &mut dyn FnMut(Resolver<'_>, &Expr) -> bool,
) -> bool {
    all_targets(resolver, &call.func, &mut |target| {
        let Target::Function(around, definition) = target else {
            return false;
        };
        let is_plain = !definition.is_async
            && definition.decorators.is_empty()
            && !yields(definition.body)
            && !raises(definition.body)
            && matches!(definition.body.last(), Some(Stmt::Return(_)));
        let mut locals = around.locals.to_vec();
        locals.push(Scope::of_function(definition.arguments, definition.body));
        let within = around.with_locals(&locals);
        let mut all_hold = is_plain;
        each_return(definition.body, &mut |returned| {
            all_hold &= returned
                .value
                .as_deref()
                .is_some_and(|value| holds(within, value));
        });
        all_hold
    })
}

/// What is written at `range`, on one line and not too long.
pub(super) fn written(loaded: &Loaded, range: ByteRange) -> Related {
    const MOST: usize = 60;
    let source = loaded.module.source();
    let text = source.slice(range).split_whitespace();
    let mut text = text.collect::<Vec<_>>().join(" ");
    if text.chars().count() > MOST {
        text = text.chars().take(MOST - 1).collect::<String>() + "…";
    }
    Related {
        path: source.path().to_owned(),
        position: source.position(range.start()),
        says: Text::verbatim(text),
    }
}

/// The argument of a call by keyword or position (0-based).
pub(super) fn argument<'a>(
    call: &'a ast::ExprCall,
    keyword: &str,
    position: usize,
) -> Argument<'a> {
    calls::argument(call, keyword, position).map_or_else(
        || {
            let has_more = call.keywords.iter().any(|keyword| keyword.arg.is_none())
                || call.args.iter().any(|arg| matches!(arg, Expr::Starred(_)));
            if has_more {
                Argument::Unknown
            } else {
                Argument::Missing
            }
        },
        |value| match value {
            Expr::Starred(_) => Argument::Unknown,
            value => Argument::Value(value),
        },
    )
}

pub(super) enum Argument<'a> {
    Value(&'a Expr),
    Missing,
    /// It may be among those that `*` or `**` unpacks.
    Unknown,
}

/// The prefix that `APIRouter(...)` or `include_router(...)` gives.
pub(super) fn prefix_of_call(resolver: Resolver<'_>, call: &ast::ExprCall) -> Option<String> {
    let is_include =
        matches!(&*call.func, Expr::Attribute(a) if a.attr.as_str() == "include_router");
    if !is_include && !is_router_class(resolver, &call.func) {
        return None;
    }
    match argument(call, "prefix", usize::MAX) {
        Argument::Value(prefix) => {
            Some(resolver.text(prefix).unwrap_or_else(|| UNKNOWN.to_owned()))
        }
        Argument::Missing => None,
        Argument::Unknown => Some(UNKNOWN.to_owned()),
    }
}

/// What a method like `get` is called on.
pub(super) enum Receiver {
    /// A router, with its prefix.
    Router(String),
    /// It may be one.
    Unknown,
    /// It is not one.
    Other,
}

pub(super) fn router_prefix(resolver: Resolver<'_>, router: &Expr) -> Receiver {
    let mut receiver = Receiver::Other;
    targets(resolver, router, &mut |target| {
        let this = match target {
            Target::Expression(inside, Expr::Call(call)) => match inside.value(&call.func) {
                Value::External(_) if is_router_class(inside, &call.func) => {
                    Receiver::Router(prefix_of_call(inside, call).unwrap_or_default())
                }
                Value::External(_) => Receiver::Other,
                // A class of the repo may be a router's.
                _ => Receiver::Unknown,
            },
            Target::Expression(..) => Receiver::Unknown,
            Target::External(_) | Target::Builtin(_) => Receiver::Other,
            Target::Class(..) | Target::Function(..) => Receiver::Other,
            Target::Unknown => match resolver.value(router) {
                Value::Unknown => Receiver::Unknown,
                _ => Receiver::Other,
            },
        };
        match (&receiver, &this) {
            (Receiver::Router(_), _) | (Receiver::Unknown, Receiver::Other) => {}
            _ => receiver = this,
        }
    });
    receiver
}
