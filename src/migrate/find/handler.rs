//! The function behind a registration: its parameters, its dialect, its replies.
//!
//! - [`dialect`]: the API that it is written for.
//! - [`annotations`]: how the names in its annotations are bound.
//! - [`parameters`]: whether FastAPI takes its parameters.
//! - [`wrapper`]: the decorators between it and the registration.

mod annotations;
mod dialect;
pub(super) mod parameters;
pub(crate) mod wrapper;

use annotations::annotation;

use super::reply::{self, Replies};
use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::blocker::Blocker;
use crate::migrate::python::ast::{self, Constant, Expr};
use crate::migrate::python::function::{Definition, yields};
use crate::migrate::python::names::{Resolver, Scope, Value};
use crate::migrate::python::tree::{self, range_of};
use crate::routes::Dialect;
use crate::text;

pub(crate) use annotations::{Annotation, AnnotationName};

/// A parameter of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where its name ends, which is where an annotation could be put.
    pub name_end: usize,
    /// Its annotation.
    pub annotation: Option<Annotation>,
    /// Whether it has a default.
    pub has_default: bool,
    /// Whether that default is FastAPI's `Path(...)`.
    pub is_from_path: bool,
}

/// What a handler says that it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Nothing is said.
    NotAnnotated,
    /// `None`, or a class of responses: no response model is made of it.
    NoModel,
    /// Anything else, which FastAPI would make a response model of.
    Model,
}

/// The function behind a registration.
#[derive(Debug, Clone)]
pub struct Handler {
    /// Its name.
    pub name: String,
    /// From `async def` or `def` to the end of its body.
    pub range: ByteRange,
    /// Where its name is.
    pub name_range: ByteRange,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its return annotation.
    pub returns: Returns,
    /// The replies to change; none in the context dialect.
    pub replies: Vec<reply::Reply>,
    /// The returned conditional expressions that replies are in.
    pub conditionals: Vec<reply::Conditional>,
    /// Whether the route has to be made by `reply_route`: what it replies is only known at run time,
    /// or FastAPI would not call it as it is.
    pub(crate) needs_reply_route: bool,
    /// Why its replies could not be looked at at run time.
    pub(crate) run_time_problem: Option<Blocker>,
    /// Whether it is defined in another module than the one that registers it.
    pub(crate) is_elsewhere: bool,
    /// What stands in the way of migrating it.
    pub problems: Vec<Blocker>,
    /// A parameter that FastAPI refuses, or of which that cannot be known, in a handler of the
    /// request dialect whose annotations resolve.
    pub refused_parameter: Option<Blocker>,
    /// Whether it is defined inside another function.
    pub is_nested: bool,
    /// Whether another decorator stands between the registration and the function.
    pub(crate) is_wrapped: bool,
    /// Whether another decorator stands anywhere at the function.
    pub(crate) is_decorated: bool,
    /// The first parameter that is to become a `Request`, when it has no annotation yet.
    pub unannotated_request: Option<String>,
}

/// The handler that `definition` is; `resolver` sees what is outside the function, `in_class` is
/// whether a class is around it, and `of_path` are the parameters of the endpoint.
pub(crate) fn handler(
    resolver: Resolver<'_>,
    definition: Definition<'_>,
    in_class: bool,
    of_path: &[&str],
) -> (Option<Dialect>, Handler) {
    let name_range = name_range(resolver, definition);
    let mut problems = Vec::new();
    let dialect = match dialect::dialect(resolver, definition, of_path) {
        Ok(dialect) => Some(dialect),
        Err(detail) => {
            problems.push(Blocker::manual(Code::UnknownDialect, name_range, detail));
            None
        }
    };
    add_form_problems(definition, name_range, dialect, in_class, &mut problems);
    let parameters = parameters_of(resolver, definition.arguments);
    let mut replies = Replies::default();
    let mut unannotated_request = None;
    let mut refused_parameter = None;
    match dialect {
        Some(Dialect::Context) => {
            problems.extend(context_problem(definition, name_range));
        }
        Some(Dialect::Request) => {
            let known = parameters::look_at(resolver, definition, name_range);
            refused_parameter = known.problem;
            let mut locals = resolver.locals.to_vec();
            locals.push(Scope::of_function(definition.arguments, definition.body));
            let inside = resolver.with_locals(&locals);
            replies = reply::replies(inside, definition.arguments, definition.body);
            // What is set on it would not reach a response that the handler makes itself.
            replies.has_unknown |= !replies.replies.is_empty() && known.take_response;
            // As the document's server calls a handler; one with a default is a query parameter.
            if let Some(first) = parameters.first()
                && first.annotation.is_none()
                && !first.has_default
                && !of_path.contains(&first.name.as_str())
            {
                unannotated_request = Some(first.name.clone());
            }
        }
        None => {}
    }
    let handler = Handler {
        name: definition.name.to_owned(),
        range: definition.range,
        name_range,
        parameters,
        returns: returns(resolver, definition.returns),
        replies: replies.replies,
        conditionals: replies.conditionals,
        needs_reply_route: replies.has_unknown,
        run_time_problem: run_time_problem(definition, name_range),
        is_elsewhere: false,
        problems,
        refused_parameter,
        is_nested: !resolver.locals.is_empty(),
        is_wrapped: false,
        is_decorated: false,
        unannotated_request,
    };
    (dialect, handler)
}

/// Where the name of a function stands in its definition.
fn name_range(resolver: Resolver<'_>, definition: Definition<'_>) -> ByteRange {
    let module = &resolver.loaded.module;
    let first = definition.body.first();
    let header_end = first.map_or(definition.range.end(), |first| range_of(first).start());
    module
        .tokens()
        .within(ByteRange::new(definition.range.start(), header_end))
        .iter()
        .map(|token| token.range)
        .find(|&range| module.source().slice(range) == definition.name)
        .unwrap_or_else(|| ByteRange::at(definition.range.start()))
}

fn parameters_of(resolver: Resolver<'_>, arguments: &ast::Arguments) -> Vec<Parameter> {
    let is_path = |default: &Expr| match resolver.value(default) {
        Value::CallOf(name) => name.starts_with("fastapi.") && name.ends_with(".Path"),
        _ => false,
    };
    tree::plain_parameters(arguments)
        .map(|argument| Parameter {
            name: argument.def.arg.to_string(),
            name_end: range_of(&argument.def).start() + argument.def.arg.as_str().len(),
            annotation: argument
                .def
                .annotation
                .as_deref()
                .map(|expression| annotation(resolver, expression)),
            has_default: argument.default.is_some(),
            is_from_path: argument.default.as_deref().is_some_and(is_path),
        })
        .collect()
}

/// Adds what is wrong with the form of a function: no server could call it, or wait for it, as it is.
fn add_form_problems(
    definition: Definition<'_>,
    place: ByteRange,
    dialect: Option<Dialect>,
    in_class: bool,
    problems: &mut Vec<Blocker>,
) {
    let arguments = definition.arguments;
    if in_class {
        problems.push(Blocker::manual(
            Code::UnusualHandler,
            place,
            text!(
                "the handler `{}` is a method of a class",
                "处理函数 `{}` 是类的方法",
                definition.name
            ),
        ));
    }
    let takes_others = arguments.vararg.is_some() || arguments.kwarg.is_some();
    if takes_others && dialect != Some(Dialect::Context) {
        problems.push(Blocker::manual(
            Code::UnusualHandler,
            place,
            text!(
                "the handler `{}` takes `*args` or `**kwargs`",
                "处理函数 `{}` 使用了 `*args` 或 `**kwargs`",
                definition.name
            ),
        ));
    }
    if yields(definition.body) {
        let problem = Blocker::manual(
            Code::NotAsync,
            place,
            text!(
                "the handler `{}` is a generator: it contains `yield`",
                "处理函数 `{}` 含有 `yield`，是生成器",
                definition.name
            ),
        );
        let hint = match dialect {
            Some(Dialect::Context) => text!(
                "remove the `yield`: the old server could not run such a handler, and sends nothing of what one returns",
                "请去掉 `yield`：旧服务器无法运行这样的处理函数，也不会发送其返回值"
            ),
            _ => text!(
                "`return` the reply instead of yielding it; to stream, return a `StreamingResponse` over a generator",
                "请用 `return` 返回响应，而不是 `yield`；需要流式输出时，返回包装了生成器的 `StreamingResponse`"
            ),
        };
        problems.push(problem.with_hint(hint));
    } else if !definition.is_async && dialect != Some(Dialect::Request) {
        problems.push(Blocker::manual(
            Code::NotAsync,
            place,
            text!(
                "the handler `{}` is not an `async def`",
                "处理函数 `{}` 不是 `async def`",
                definition.name
            ),
        ));
    }
}

/// Why a function could not be called with a context and nothing else.
fn context_problem(definition: Definition<'_>, place: ByteRange) -> Option<Blocker> {
    let arguments = definition.arguments;
    let positional = tree::positional_parameters(arguments);
    let is_required = |one: &&ast::ArgWithDefault| one.default.is_none();
    let takes_one = positional.clone().next().is_some() || arguments.vararg.is_some();
    let mut others = positional.skip(1).chain(&arguments.kwonlyargs);
    if takes_one && !others.any(|one| is_required(&one)) {
        return None;
    }
    let required = tree::plain_parameters(arguments)
        .filter(is_required)
        .count();
    Some(Blocker::manual(
        Code::UnusualHandler,
        place,
        text!(
            "the handler `{}` is called with an AgentCtx alone, but needs {required} arguments",
            "调用处理函数 `{}` 时只会传入一个 AgentCtx，而它需要 {required} 个参数",
            definition.name
        ),
    ))
}

/// Why the replies of a handler could not be looked at at run time.
fn run_time_problem(definition: Definition<'_>, place: ByteRange) -> Option<Blocker> {
    let first = definition.arguments.posonlyargs.first()?;
    Some(Blocker::manual(
        Code::UnusualHandler,
        place,
        text!(
            "the handler `{}` takes `{}` by position only, but FastAPI passes keywords",
            "处理函数 `{}` 的参数 `{}` 只能按位置传入，而 FastAPI 按关键字传参",
            definition.name,
            first.def.arg
        ),
    ))
}

fn returns(resolver: Resolver<'_>, annotation: Option<&Expr>) -> Returns {
    let Some(annotation) = annotation else {
        return Returns::NotAnnotated;
    };
    if matches!(annotation, Expr::Constant(constant) if matches!(constant.value, Constant::None)) {
        return Returns::NoModel;
    }
    match resolver.external(annotation) {
        Some(name) if reply::is_response_class(&name) => Returns::NoModel,
        _ => Returns::Model,
    }
}
