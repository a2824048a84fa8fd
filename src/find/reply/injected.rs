//! Whether somebody may set headers, cookies or a status on the Response that FastAPI passes to
//! handlers and dependencies.
//!
//! FastAPI adds them to what it makes of a returned body, but not to a response that the handler
//! returns itself. Only what is sure to leave them alone counts as doing so.

use std::path::Path;

use rustpython_parser::ast::{self, Expr};

use super::super::handler::{Definition, annotation_roots};
use super::super::registration::definition_at;
use super::origin::is_response_class;
use crate::edit::ByteRange;
use crate::python::names::{Resolver, Value};

/// How many dependencies of dependencies are followed.
const MAX_DEPENDENCIES: usize = 4;

/// Whether a function with these parameters, or a dependency of it, may be given the Response.
pub(crate) fn may_be_given(resolver: Resolver<'_>, arguments: &ast::Arguments) -> bool {
    may_take(resolver, arguments, MAX_DEPENDENCIES)
}

fn may_take(resolver: Resolver<'_>, arguments: &ast::Arguments, depth: usize) -> bool {
    let parameters = arguments
        .posonlyargs
        .iter()
        .chain(&arguments.args)
        .chain(&arguments.kwonlyargs);
    let mut parameters = parameters;
    arguments.vararg.is_some()
        || arguments.kwarg.is_some()
        || parameters.any(|parameter| {
            let annotation = parameter.def.annotation.as_deref();
            annotation.is_some_and(|annotation| annotation_may(resolver, annotation, depth))
                || parameter
                    .default
                    .as_deref()
                    .is_some_and(|default| marker_may(resolver, default, depth))
        })
}

fn annotation_may(resolver: Resolver<'_>, annotation: &Expr, depth: usize) -> bool {
    if let Expr::Subscript(subscript) = annotation
        && resolver
            .external(&subscript.value)
            .is_some_and(|name| name.ends_with(".Annotated"))
    {
        let Expr::Tuple(parts) = &*subscript.slice else {
            return true;
        };
        let Some((of, metadata)) = parts.elts.split_first() else {
            return true;
        };
        return annotation_may(resolver, of, depth)
            || metadata
                .iter()
                .any(|marker| marker_may(resolver, marker, depth));
    }
    annotation_roots(annotation)
        .into_iter()
        .any(|(root, whole)| match resolver.value(&whole) {
            Value::External(name) => is_response_class(&name) || name.ends_with(".Annotated"),
            Value::Class(path, range) => is_response(resolver, &path, range),
            // Nobody binds it: a built-in type.
            _ => {
                !resolver.bindings(&root.id).is_empty() || !resolver.loaded.scope.stars().is_empty()
            }
        })
}

/// Whether a class of the repo may be one of responses.
fn is_response(resolver: Resolver<'_>, path: &Path, range: ByteRange) -> bool {
    let Ok(loaded) = resolver.workspace.load(path) else {
        return true;
    };
    let inside = Resolver {
        workspace: resolver.workspace,
        loaded: &loaded,
        locals: &[],
    };
    let bases = loaded.scope.class_at(range).map(|(bases, _)| bases);
    bases.is_none_or(|bases| {
        bases.iter().any(|base| match inside.value(base) {
            Value::External(name) => is_response_class(&name),
            _ => !inside.is_model(base),
        })
    })
}

/// What stands as a default or in `Annotated`.
fn marker_may(resolver: Resolver<'_>, marker: &Expr, depth: usize) -> bool {
    let Expr::Call(call) = marker else {
        return match resolver.value(marker) {
            Value::Text(_) | Value::Number(_) => false,
            _ => !matches!(marker, Expr::Constant(_)),
        };
    };
    let Value::CallOf(name) = resolver.value(marker) else {
        return true;
    };
    let Some(name) = name.strip_prefix("fastapi.") else {
        return true;
    };
    match name.rsplit('.').next().unwrap_or(name) {
        "Body" | "Cookie" | "File" | "Form" | "Header" | "Path" | "Query" => false,
        "Depends" | "Security" => dependency_may(resolver, call, depth),
        _ => true,
    }
}

fn dependency_may(resolver: Resolver<'_>, call: &ast::ExprCall, depth: usize) -> bool {
    let keywords = call.keywords.iter();
    let by_keyword = keywords
        .filter(|keyword| {
            keyword
                .arg
                .as_ref()
                .is_some_and(|arg| arg == "dependency")
        })
        .map(|keyword| &keyword.value);
    let (Some(dependency), Some(depth)) = (
        call.args.iter().chain(by_keyword).next(),
        depth.checked_sub(1),
    ) else {
        return true;
    };
    match resolver.value(dependency) {
        // Its classes take the request alone.
        Value::CallOf(name) => !name.starts_with("fastapi.security."),
        Value::Function(path, range) => {
            let Ok(loaded) = resolver.workspace.load(&path) else {
                return true;
            };
            let inside = Resolver {
                workspace: resolver.workspace,
                loaded: &loaded,
                locals: &[],
            };
            let definition = definition_at(loaded.module.suite(), range);
            definition.is_none_or(|Definition { arguments, decorators, .. }| {
                !decorators.is_empty() || may_take(inside, arguments, depth)
            })
        }
        _ => true,
    }
}
