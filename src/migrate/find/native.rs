//! What a handler of the context dialect does with its context, and whether a `Request` would do.
//!
//! All that a webhook's context can give that a request has too are the headers and the body of
//! `ctx.webhook_request`. A handler that uses nothing else, and these only in ways that mean the
//! same with Starlette's `Headers` and with `await request.json()`, can take the request itself:
//! [`RequestRewrite`] says what is to be changed for that. Any other is a [`NotRewritable`], with the place.
//!
//! - [`names`]: what stands for the context and for the parts of it.
//! - [`guards`]: the statements that have no meaning any more.
//! - [`uses`]: what is done with the context, as a list; what each use means is decided here.
//!
//! Invariants: every token in the function that is the name of the parameter, or of a name
//! that stands for a part of it, is accounted for, by a change or by a use that stays as it is. So
//! a use that was not thought of (a second binding, a parameter of an inner function, `del`) is a
//! refusal, and not a name that means something else afterwards.

mod guards;
mod model;
mod names;
mod uses;

use std::collections::BTreeMap;

use self::guards::Removals;
use self::names::{ContextPart, Names, name_tokens, plain_root};
use self::uses::{PartUse, RAW_CONTENT, Use, UsePosition, uses};
use super::handler::Handler;
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast;
use crate::migrate::python::function::{Definition, definition_at};
use crate::migrate::python::names::Loaded;
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{self, range_of};
use crate::text;

pub(crate) use self::model::{NotRewritable, Part, Read, RequestRewrite};

/// The names that the parameter may get, the best first.
const NAMES: [&str; 4] = [
    "request",
    "webhook_request",
    "http_request",
    "fastapi_request",
];

/// Those of a parameter that is not used, and whose name says so.
const UNUSED_NAMES: [&str; 2] = ["_request", "_webhook_request"];

/// What is to be changed in `handler`, which is defined in `loaded`.
///
/// # Errors
/// A [`NotRewritable`] when it needs its context.
pub(crate) fn native(loaded: &Loaded, handler: &Handler) -> Result<RequestRewrite, NotRewritable> {
    let refuse = |detail| {
        Err(NotRewritable {
            range: handler.name_range,
            detail,
        })
    };
    let module = &loaded.module;
    let definition = definition_at(module.suite(), handler.range)
        // The ranges of a handler of another module say nothing here.
        .filter(|_| module.source().slice(handler.name_range) == handler.name);
    let Some(definition) = definition else {
        return refuse(text!(
            "`{}` is defined in another module",
            "`{}` 定义在另一个模块中",
            handler.name
        ));
    };
    if handler.is_nested {
        return refuse(text!(
            "`{}` is defined inside another function",
            "`{}` 定义在另一个函数之中",
            handler.name
        ));
    }
    let arguments = definition.arguments;
    let all = tree::parameters(arguments).count();
    if let [parameter] = arguments.posonlyargs.as_slice()
        && all == 1
    {
        // FastAPI passes everything by its name.
        return refuse(text!(
            "the parameter `{}` is positional-only",
            "参数 `{}` 仅限位置传入",
            parameter.def.arg
        ));
    }
    let ([parameter], [], 1) = (
        arguments.args.as_slice(),
        arguments.posonlyargs.as_slice(),
        all,
    ) else {
        return refuse(text!(
            "`{}` has other parameters than its context",
            "`{}` 除上下文外还有其他参数",
            handler.name
        ));
    };
    if parameter.default.is_some() {
        return refuse(text!(
            "the parameter `{}` has a default",
            "参数 `{}` 有默认值",
            parameter.def.arg
        ));
    }
    rewrite(loaded, definition, &parameter.def, handler.name_range)
}

/// As [`native`], of a function whose only parameter is this one.
fn rewrite(
    loaded: &Loaded,
    definition: Definition<'_>,
    parameter: &ast::Arg,
    function_name: ByteRange,
) -> Result<RequestRewrite, NotRewritable> {
    let source = loaded.module.source();
    let mut names = Names::new(&parameter.arg);
    let mut removals = Removals::new(loaded, definition);
    removals.add_request_names(&mut names);
    names.add_headers(definition.body);
    removals.add_guards(&names, definition.body);
    let tokens: Vec<ByteRange> = name_tokens(loaded, definition.range)
        .filter(|&range| !removals.contain(range))
        .collect();
    let start = range_of(parameter).start();
    // The names of the context that are not accounted for yet: where each starts and ends.
    let mut open: BTreeMap<usize, usize> = tokens
        .iter()
        .filter(|range| names.is_of_context(source.slice(**range)))
        .map(|range| (range.start(), range.end()))
        .filter(|(at, _)| *at != start && *at != function_name.start())
        .collect();
    let uses = uses(loaded, &names, &removals, definition.body);
    let mut reads = Vec::new();
    for one in &uses.all {
        match one {
            Use::Part(one) => {
                let (root, part) = decide(loaded, one)?;
                open.remove(&root.start());
                let range = range_of(one.expression);
                reads.extend(part.map(|part| Read { range, part }));
            }
            Use::NoVariable(start) => {
                open.remove(start);
            }
            Use::Rebound(range) => return Err(rebound(loaded, *range)),
            Use::RawContent(range) => {
                return Err(NotRewritable {
                    range: *range,
                    detail: text!(
                        "`{RAW_CONTENT}` is the text of a body that is no JSON, which `request.json()` does not take",
                        "`{RAW_CONTENT}` 是非 JSON 请求体的文本，而 `request.json()` 不接受这样的请求体"
                    ),
                });
            }
        }
    }
    if let Some((&start, &end)) = open.first_key_value() {
        return Err(rebound(loaded, ByteRange::new(start, end)));
    }
    let is_taken = |candidate: &str| {
        let is_replaced = candidate == names.parameter || names.requests.contains(&candidate);
        let mut tokens = tokens.iter();
        !is_replaced
            && (uses.variables.contains(candidate)
                || tokens.any(|&range| source.slice(range) == candidate))
    };
    let unused: &[&str] = if reads.is_empty() && names.parameter.starts_with('_') {
        &UNUSED_NAMES
    } else {
        &[]
    };
    let mut candidates = unused.iter().chain(&NAMES).copied();
    let Some(name) = candidates.find(|candidate| !is_taken(candidate)) else {
        return Err(NotRewritable {
            range: range_of(parameter),
            detail: text!(
                "every name that the request could have is taken",
                "请求参数可用的名称都已被占用"
            ),
        });
    };
    let annotation = parameter.annotation.as_deref();
    let name_end = start + parameter.arg.as_str().len();
    let written = ByteRange::new(start, annotation.map_or(name_end, |a| range_of(a).end()));
    if !is_one_piece(loaded, written) {
        return Err(NotRewritable {
            range: written,
            detail: text!(
                "the parameter is written in a form that cannot be rewritten",
                "该参数的形式无法改写"
            ),
        });
    }
    removals.close_gaps();
    reads.sort_by_key(|read: &Read| read.range);
    Ok(RequestRewrite {
        parameter: written,
        name,
        reads,
        broken_lines: uses.broken_lines,
        removals: removals.all,
        decorators: definition.decorators.len(),
    })
}

/// Whether a use of a part of the context means the same with a request: gives the name at its root,
/// and what is read, if that has to be written in another way.
fn decide(loaded: &Loaded, one: &PartUse<'_>) -> Result<(ByteRange, Option<Part>), NotRewritable> {
    let range = range_of(one.expression);
    let written = loaded.module.source().slice(range);
    let refuse = |detail| Err(NotRewritable { range, detail });
    match one.part {
        ContextPart::HeadersName | ContextPart::Context if !one.is_read => {
            return Err(rebound(loaded, range));
        }
        ContextPart::Context => {
            return refuse(text!(
                "`{written}` is passed on here",
                "此处传递了 `{written}`"
            ));
        }
        ContextPart::Other => {
            return refuse(text!(
                "a request has nothing like `{written}`",
                "请求中没有与 `{written}` 对应的内容"
            ));
        }
        ContextPart::WebhookRequest => {
            return refuse(text!(
                "`{written}` is used here other than for its headers and its body",
                "此处对 `{written}` 的使用不限于读取请求头与请求体"
            ));
        }
        ContextPart::Headers | ContextPart::Body if !one.is_read => {
            return refuse(text!("`{written}` is set here", "此处对 `{written}` 赋值"));
        }
        // Starlette's `Headers` have these methods and items, but are not a dict.
        ContextPart::Headers | ContextPart::HeadersName
            if matches!(one.position, UsePosition::Base | UsePosition::Passed) =>
        {
            return refuse(text!(
                "`{written}` must be a dict here, but the headers of a request are not one",
                "此处的 `{written}` 必须是字典，而请求的请求头并不是字典"
            ));
        }
        ContextPart::Body if !one.can_await => {
            return refuse(text!(
                "the body is read where `await` is not allowed",
                "此处读取了请求体，但这里不能使用 `await`"
            ));
        }
        ContextPart::Headers | ContextPart::HeadersName | ContextPart::Body => {}
    }
    let Some(root) = plain_root(loaded, one.expression) else {
        return refuse(text!(
            "the context is used here in a form that cannot be rewritten",
            "此处使用上下文的形式无法改写"
        ));
    };
    let part = match one.part {
        ContextPart::Headers => Part::Headers,
        ContextPart::Body => Part::Body {
            in_brackets: matches!(
                one.position,
                UsePosition::Base | UsePosition::Method | UsePosition::Lookup
            ),
        },
        // The name stays, and stands for the headers of the request.
        ContextPart::HeadersName
        | ContextPart::Context
        | ContextPart::WebhookRequest
        | ContextPart::Other => return Ok((root, None)),
    };
    if one.position == UsePosition::Shown && is_shown_itself(loaded, range) {
        return refuse(text!(
            "the text of this expression is shown too",
            "此处还会输出该表达式本身的文本"
        ));
    }
    Ok((root, Some(part)))
}

fn rebound(loaded: &Loaded, range: ByteRange) -> NotRewritable {
    let name = loaded.module.source().slice(range);
    NotRewritable {
        range,
        detail: text!(
            "`{name}` may mean something else here",
            "此处的 `{name}` 可能被重新绑定"
        ),
    }
}

/// Whether an expression stands in `f"{x=}"`, which shows the expression itself.
fn is_shown_itself(loaded: &Loaded, range: ByteRange) -> bool {
    let source = loaded.module.source();
    let after = ByteRange::new(range.end(), source.line_at(range.end()).end());
    let after = source.slice(after).trim_start();
    after.starts_with('=') && !after.starts_with("==")
}

/// Whether a range has no comment in it, and no bracket without its partner.
fn is_one_piece(loaded: &Loaded, range: ByteRange) -> bool {
    let tokens = loaded.module.tokens();
    let count = |kind| {
        let all = tokens.within(range).iter();
        all.filter(|token| token.kind == kind).count()
    };
    !tokens.has_comment(range) && count(TokenKind::Open) == count(TokenKind::Close)
}

#[cfg(test)]
mod tests;
