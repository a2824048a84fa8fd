//! The function behind a registration: its parameters, its dialect, its replies.

mod constraints;
mod defaults;
mod known_arguments;
mod known_types;
pub(in crate::migrate::find) mod lookup;
mod parameters;
mod types;
pub(in crate::migrate::find) mod wrapper;

use rustpython_parser::ast::{self, Constant, Expr, Stmt};

use super::reply::{self, Replies};
use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::blocker::Blocker;
use crate::migrate::python::function::{Definition, yields};
use crate::migrate::python::names::{BindingKind, Resolver, Scope, Value};
use crate::migrate::python::parse;
use crate::migrate::python::tree::{self, Descend, Node, range_of, walk_body};
use crate::routes::Dialect;
use crate::text;
use crate::text::Text;

/// An annotation, and how the names in it are bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The expression.
    pub range: ByteRange,
    /// The names at the root of its attributes, each with the dotted name outside the repo that it
    /// stands for, if it does.
    pub names: Vec<AnnotationName>,
}

/// A name in an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationName {
    /// The name as it is written.
    pub name: String,
    /// What it stands for outside the repo, as in `fastapi.Request`.
    pub external: Option<String>,
    /// Whether it is bound only for type checkers.
    pub type_checking_only: bool,
    /// Whether it is bound at all, at module level or as a built-in.
    pub is_bound: bool,
    /// Whether it is bound by a function around the handler.
    pub is_local: bool,
    /// Where the module binds it first.
    pub(crate) bound_from: Option<usize>,
}

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
    Unsaid,
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
pub fn handler(
    resolver: Resolver<'_>,
    definition: Definition<'_>,
    in_class: bool,
    of_path: &[&str],
) -> (Option<Dialect>, Handler) {
    let mut problems = Vec::new();
    let module = &resolver.loaded.module;
    let header_end = definition
        .body
        .first()
        .map_or(definition.range.end(), |first| range_of(first).start());
    let name_range = module
        .tokens()
        .within(ByteRange::new(definition.range.start(), header_end))
        .iter()
        .map(|token| token.range)
        .find(|&range| module.source().slice(range) == definition.name)
        .unwrap_or_else(|| ByteRange::at(definition.range.start()));

    let all = tree::parameters(definition.arguments).count();
    let plain: Vec<&ast::ArgWithDefault> = definition
        .arguments
        .posonlyargs
        .iter()
        .chain(&definition.arguments.args)
        .collect();
    let parameters: Vec<Parameter> = plain
        .iter()
        .copied()
        .chain(&definition.arguments.kwonlyargs)
        .map(|argument| Parameter {
            name: argument.def.arg.to_string(),
            name_end: range_of(&argument.def).start() + argument.def.arg.as_str().len(),
            annotation: argument
                .def
                .annotation
                .as_deref()
                .map(|a| annotation(resolver, a)),
            has_default: argument.default.is_some(),
            is_from_path: argument.default.as_deref().is_some_and(|default| {
                match resolver.value(default) {
                    Value::CallOf(name) => name.starts_with("fastapi.") && name.ends_with(".Path"),
                    _ => false,
                }
            }),
        })
        .collect();

    let dialect = match dialect(resolver, definition, of_path) {
        Ok(dialect) => Some(dialect),
        Err(detail) => {
            problems.push(Blocker::manual(Code::UnknownDialect, name_range, detail));
            None
        }
    };
    if in_class {
        problems.push(Blocker::manual(
            Code::UnusualHandler,
            name_range,
            text!(
                "the handler `{}` is a method of a class",
                "处理函数 `{}` 是类的方法",
                definition.name
            ),
        ));
    }
    if all != parameters.len() && dialect != Some(Dialect::Context) {
        problems.push(Blocker::manual(
            Code::UnusualHandler,
            name_range,
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
            name_range,
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
            name_range,
            text!(
                "the handler `{}` is not an `async def`",
                "处理函数 `{}` 不是 `async def`",
                definition.name
            ),
        ));
    }
    let mut replies = Replies::default();
    let mut unannotated_request = None;
    let mut refused_parameter = None;
    match dialect {
        Some(Dialect::Context) => {
            let required = parameters
                .iter()
                .filter(|parameter| !parameter.has_default)
                .count();
            let takes_one = !plain.is_empty() || definition.arguments.vararg.is_some();
            let needs_more = plain
                .iter()
                .skip(1)
                .copied()
                .chain(&definition.arguments.kwonlyargs)
                .any(|argument| argument.default.is_none());
            if !takes_one || needs_more {
                problems.push(Blocker::manual(
                    Code::UnusualHandler,
                    name_range,
                    text!(
                        "the handler `{}` is called with an AgentCtx alone, but needs {required} arguments",
                        "调用处理函数 `{}` 时只会传入一个 AgentCtx，而它需要 {required} 个参数",
                        definition.name
                    ),
                ));
            }
        }
        Some(Dialect::Request) => {
            let known = parameters::look_at(resolver, definition, name_range);
            refused_parameter = known.problem;
            let mut locals = resolver.locals.to_vec();
            locals.push(Scope::of_function(definition.arguments, definition.body));
            let inside = Resolver {
                locals: &locals,
                ..resolver
            };
            replies = reply::replies(inside, definition.arguments, definition.body);
            // What is set on it would not reach a response that the handler makes itself.
            replies.has_unknown |= !replies.replies.is_empty() && known.take_response;
            if let [only] = parameters.as_slice()
                && only.annotation.is_none()
                && !of_path.contains(&only.name.as_str())
            {
                unannotated_request = Some(only.name.clone());
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
        return Returns::Unsaid;
    };
    if matches!(annotation, Expr::Constant(constant) if matches!(constant.value, Constant::None)) {
        return Returns::NoModel;
    }
    match resolver.external(annotation) {
        Some(name) if reply::is_response_class(&name) => Returns::NoModel,
        _ => Returns::Model,
    }
}

/// How the names of an annotation are bound; strings in it are read as expressions.
pub fn annotation(resolver: Resolver<'_>, expression: &Expr) -> Annotation {
    let mut names: Vec<AnnotationName> = Vec::new();
    for (root, whole) in annotation_roots(expression) {
        let name = root.id.to_string();
        let global = resolver.loaded.scope.bindings(&name);
        let is_local = resolver
            .locals
            .iter()
            .any(|scope| !scope.bindings(&name).is_empty());
        names.push(AnnotationName {
            external: resolver.external(&whole),
            type_checking_only: !global.is_empty()
                && global.iter().all(|binding| binding.type_checking_only),
            is_bound: !global.is_empty()
                || !resolver.loaded.scope.stars().is_empty()
                || BUILTIN_TYPES.contains(&name.as_str())
                || known_arguments::builtin_validator(&name),
            is_local,
            bound_from: global.iter().map(|binding| binding.range.start()).min(),
            name,
        });
    }
    Annotation {
        range: range_of(expression),
        names,
    }
}

/// Built-in names that annotations are made of.
const BUILTIN_TYPES: &[&str] = &[
    "bool",
    "bytes",
    "bytearray",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "set",
    "str",
    "tuple",
    "type",
];

/// The names in an annotation, each with the attribute that it is the root of.
fn annotation_roots(expression: &Expr) -> Vec<(ast::ExprName, Expr)> {
    let mut roots = Vec::new();
    roots_in(expression, true, &mut roots);
    roots
}

/// `in_type` is whether a string is a type in quotes, and not a value, as it is in `Literal["a"]`
/// and behind the type in `Annotated[str, Header(alias="X-Name")]`.
fn roots_in(expression: &Expr, in_type: bool, roots: &mut Vec<(ast::ExprName, Expr)>) {
    tree::walk(Node::Expr(expression), &mut |node| match node {
        Node::Expr(whole @ (Expr::Name(_) | Expr::Attribute(_))) => {
            let mut inner = whole;
            while let Expr::Attribute(attribute) = inner {
                inner = &attribute.value;
            }
            match inner {
                Expr::Name(name) => {
                    roots.push((name.clone(), whole.clone()));
                    Descend::Past
                }
                _ => Descend::Into,
            }
        }
        Node::Expr(Expr::Constant(constant)) => {
            if in_type
                && let Constant::Str(text) = &constant.value
                && let Some(parsed) = parse::quoted(text)
            {
                roots_in(&parsed, true, roots);
            }
            Descend::Past
        }
        // Strings that are given to what makes a type say more about it.
        Node::Expr(Expr::Call(call)) if in_type => {
            roots_in(&call.func, true, roots);
            for argument in &call.args {
                roots_in(argument, false, roots);
            }
            for keyword in &call.keywords {
                roots_in(&keyword.value, false, roots);
            }
            Descend::Past
        }
        Node::Expr(Expr::Lambda(lambda)) => {
            let own: Vec<&str> = tree::parameters(&lambda.args)
                .map(|parameter| parameter.arg.as_str())
                .collect();
            let mut inside = Vec::new();
            roots_in(&lambda.body, false, &mut inside);
            inside.retain(|(root, _)| !own.contains(&root.id.as_str()));
            roots.append(&mut inside);
            Descend::Past
        }
        Node::Expr(Expr::Subscript(subscript)) if in_type => {
            let name = match &*subscript.value {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                _ => "",
            };
            let parts = match &*subscript.slice {
                Expr::Tuple(tuple) => tuple.elts.as_slice(),
                one => std::slice::from_ref(one),
            };
            roots_in(&subscript.value, true, roots);
            for (index, part) in parts.iter().enumerate() {
                let is_value = name == "Literal" || (name == "Annotated" && index > 0);
                roots_in(part, !is_value, roots);
            }
            Descend::Past
        }
        _ => Descend::Into,
    });
}

/// What the annotation of a parameter says of the dialect.
fn dialect_of_annotation(resolver: Resolver<'_>, expression: &Expr) -> Option<Dialect> {
    annotation_roots(expression)
        .into_iter()
        .find_map(|(_, whole)| {
            let name = match resolver.value(&whole) {
                Value::External(name) => name,
                Value::Class(..) | Value::Module(_) => return None,
                // The name itself tells when its import does not.
                _ => match &whole {
                    Expr::Name(name) => name.id.to_string(),
                    Expr::Attribute(attribute) => attribute.attr.to_string(),
                    _ => return None,
                },
            };
            let last = name.rsplit('.').next().unwrap_or(&name);
            let from_fastapi = name.starts_with("fastapi.") || name.starts_with("starlette.");
            match last {
                "AgentCtx" => Some(Dialect::Context),
                "Request" | "UploadFile" | "BackgroundTasks" | "Response" | "HTTPConnection" => {
                    Some(Dialect::Request)
                }
                _ if from_fastapi => Some(Dialect::Request),
                _ => None,
            }
        })
}

/// The API that a function is written for: by its annotations, then by what is done with its
/// first parameter, then by the parameter's name, then by whether that is a model.
fn dialect(
    resolver: Resolver<'_>,
    definition: Definition<'_>,
    of_path: &[&str],
) -> Result<Dialect, Text> {
    let arguments = definition.arguments;
    let with_default: Vec<&ast::ArgWithDefault> = tree::plain_parameters(arguments).collect();
    let mut said = Vec::new();
    for argument in &with_default {
        if let Some(annotation) = &argument.def.annotation {
            said.extend(dialect_of_annotation(resolver, annotation));
        }
        if let Some(default) = &argument.default
            && let Value::CallOf(name) = resolver.value(default)
            && name.starts_with("fastapi.")
        {
            said.push(Dialect::Request);
        }
    }
    for star in [&arguments.vararg, &arguments.kwarg].into_iter().flatten() {
        if let Some(annotation) = &star.annotation {
            said.extend(dialect_of_annotation(resolver, annotation));
        }
    }
    let contradiction = || {
        text!(
            "the parameters of `{}` are of both APIs",
            "`{}` 的参数同时用到了两种接口",
            definition.name
        )
    };
    if let Some(&first) = said.first() {
        return if said.iter().all(|&one| one == first) {
            Ok(first)
        } else {
            Err(contradiction())
        };
    }
    if with_default.is_empty()
        && let Some(star) = &arguments.vararg
    {
        return match dialect_of_star(definition.body, &star.arg) {
            Some(Ok(dialect)) => Ok(dialect),
            Some(Err(())) => Err(contradiction()),
            None => Err(text!(
                "whether `{}` takes an AgentCtx or a Request cannot be seen: what is done with `*{}` does not tell",
                "无法看出 `{}` 接收的是 AgentCtx 还是 Request：`*{}` 的用法无法说明",
                definition.name,
                star.arg
            )),
        };
    }
    let Some(first) = with_default.first() else {
        // Only FastAPI calls a function without parameters with success.
        return Ok(Dialect::Request);
    };
    let name = first.def.arg.as_str();
    // Only FastAPI takes an argument from the path.
    if of_path.contains(&name) {
        return Ok(Dialect::Request);
    }
    match dialect_of_uses(definition.body, name) {
        Some(Ok(dialect)) => return Ok(dialect),
        Some(Err(())) => return Err(contradiction()),
        None => {}
    }
    match name {
        "_ctx" | "ctx" | "context" | "agent_ctx" if with_default.len() == 1 => Ok(Dialect::Context),
        "request" | "req" | "_request" if with_default.len() == 1 => Ok(Dialect::Request),
        _ if with_default.len() > 1
            && with_default
                .iter()
                .all(|argument| argument.def.annotation.is_some()) =>
        {
            Ok(Dialect::Request)
        }
        _ => match &first.def.annotation {
            // Only FastAPI makes a model of a body.
            Some(annotation)
                if annotation_roots(annotation)
                    .iter()
                    .any(|(_, whole)| resolver.is_model(whole)) =>
            {
                Ok(Dialect::Request)
            }
            Some(_) => Err(text!(
                "whether `{}` takes an AgentCtx or a Request cannot be seen: neither the annotation of its parameter `{name}` nor what is done with it tells",
                "无法看出 `{}` 接收的是 AgentCtx 还是 Request：参数 `{name}` 的类型注解和用法都无法说明",
                definition.name
            )),
            None => Err(text!(
                "whether `{}` takes an AgentCtx or a Request cannot be seen: its parameter `{name}` has no annotation and is not used in a way that tells",
                "无法看出 `{}` 接收的是 AgentCtx 还是 Request：参数 `{name}` 没有类型注解，其用法也无法说明",
                definition.name
            )),
        },
    }
}

/// What the attributes say that are taken of the first of `*arguments`, as `arguments[0]` or by a
/// name that it is given.
fn dialect_of_star(body: &[Stmt], star: &str) -> Option<Result<Dialect, ()>> {
    let is_star =
        |expression: &Expr| matches!(expression, Expr::Name(name) if name.id.as_str() == star);
    let is_first = |expression: &Expr| match expression {
        Expr::Subscript(subscript) => {
            is_star(&subscript.value)
                && matches!(&*subscript.slice, Expr::Constant(index) if index.value == Constant::Int(0.into()))
        }
        _ => false,
    };
    let mut names: Vec<&str> = Vec::new();
    walk_body(body, &mut |node| {
        if let Node::Stmt(Stmt::Assign(assign)) = node {
            for target in &assign.targets {
                match target {
                    Expr::Name(name) if is_first(&assign.value) => names.push(&name.id),
                    Expr::Tuple(ast::ExprTuple { elts, .. })
                    | Expr::List(ast::ExprList { elts, .. })
                        if is_star(&assign.value) =>
                    {
                        if let Some(Expr::Name(name)) = elts.first() {
                            names.push(&name.id);
                        }
                    }
                    _ => {}
                }
            }
        }
        Descend::Into
    });
    dialect_of_attributes(body, &|value| match value {
        Expr::Name(name) => names.contains(&name.id.as_str()),
        _ => is_first(value),
    })
}

/// What the attributes that are taken of a parameter say; `Err` when they say both.
fn dialect_of_uses(body: &[Stmt], parameter: &str) -> Option<Result<Dialect, ()>> {
    dialect_of_attributes(
        body,
        &|value| matches!(value, Expr::Name(name) if name.id.as_str() == parameter),
    )
}

/// What the attributes say that are taken of what `is_it` accepts; `Err` when they say both.
fn dialect_of_attributes(
    body: &[Stmt],
    is_it: &dyn Fn(&Expr) -> bool,
) -> Option<Result<Dialect, ()>> {
    let mut said: Option<Result<Dialect, ()>> = None;
    walk_body(body, &mut |node| {
        if let Node::Expr(Expr::Attribute(attribute)) = node
            && is_it(&attribute.value)
        {
            let dialect = match attribute.attr.as_str() {
                "webhook_request" | "chat_key" | "from_chat_key" | "container_key"
                | "adapter_key" | "fs" | "push_system" => Some(Dialect::Context),
                "headers" | "body" | "json" | "form" | "method" | "query_params" | "client"
                | "url" | "stream" | "cookies" | "state" | "app" | "path_params" => {
                    Some(Dialect::Request)
                }
                _ => None,
            };
            if let Some(dialect) = dialect {
                said = Some(match said {
                    None => Ok(dialect),
                    Some(Ok(before)) if before == dialect => Ok(dialect),
                    _ => Err(()),
                });
            }
        }
        Descend::Into
    });
    said
}

/// Whether a name is the parameter of a function around, and what it is annotated with.
pub fn parameter_annotation<'a>(resolver: Resolver<'a>, name: &str) -> Option<Option<&'a Expr>> {
    resolver
        .bindings(name)
        .iter()
        .find_map(|binding| match &binding.kind {
            BindingKind::Parameter(annotation) => Some(annotation.as_deref()),
            _ => None,
        })
}
