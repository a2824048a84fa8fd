//! The API that a function is written for: whether it takes a context or what FastAPI gives.

use super::annotations::annotation_roots;
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Constant, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Resolver, Value};
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, walk_body};
use crate::routes::Dialect;
use crate::text;
use crate::text::Text;

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
pub(super) fn dialect(
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
    let is_star = |expression: &Expr| tree::is_named(expression, star);
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
    dialect_of_attributes(body, &|value| tree::is_named(value, parameter))
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
