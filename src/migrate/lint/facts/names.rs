//! What is known about the names that a function binds: its parameters, and what its statements
//! assign, in the order of the text.
//!
//! Invariants: a name that the function binds in two ways which differ is known to be
//! nothing in particular, on whichever path it is bound.

use crate::migrate::lint::facts::evaluate::{Evaluator, Names, argument, last_name};
use crate::migrate::lint::facts::{Fact, Made};
use crate::migrate::lint::model::{CallArguments, Entry, Subject};
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::names::Value;
use crate::migrate::python::tree::{self, Descend, Node};
use crate::routes::Dialect;

/// The names of a function.
pub(crate) fn collect(subject: &Subject<'_>) -> Names {
    let mut names = parameters(subject);
    tree::walk_body(subject.definition.body, &mut |node| {
        match node {
            Node::Stmt(statement) if tree::is_definition(statement) => return Descend::Past,
            Node::Expr(Expr::Lambda(_)) => return Descend::Past,
            Node::Stmt(statement) => add_statement(subject, statement, &mut names),
            Node::Expr(Expr::NamedExpr(named)) => {
                bind(subject, &named.target, Some(&named.value), &mut names);
            }
            Node::Expr(_) => {}
        }
        Descend::Into
    });
    names
}

fn evaluator<'a>(subject: &Subject<'a>, own: &'a Names) -> Evaluator<'a> {
    Evaluator {
        resolver: subject.resolver,
        outer: subject.outer,
        own,
    }
}

fn add_statement(subject: &Subject<'_>, statement: &Stmt, names: &mut Names) {
    match statement {
        Stmt::Assign(s) => {
            for target in &s.targets {
                bind(subject, target, Some(&s.value), names);
            }
        }
        Stmt::AnnAssign(s) => {
            if let Some(value) = &s.value {
                bind(subject, &s.target, Some(value), names);
            }
        }
        Stmt::For(s) => bind(subject, &s.target, None, names),
        Stmt::AsyncFor(s) => bind(subject, &s.target, None, names),
        Stmt::With(ast::StmtWith { items, .. })
        | Stmt::AsyncWith(ast::StmtAsyncWith { items, .. }) => {
            for item in items {
                if let Some(target) = &item.optional_vars {
                    bind(subject, target, Some(&item.context_expr), names);
                }
            }
        }
        Stmt::Expr(s) => update(subject, &s.value, names),
        _ => {}
    }
}

/// `digest.update(json.dumps(body))` makes the digest one over serialised JSON.
fn update(subject: &Subject<'_>, expression: &Expr, names: &mut Names) {
    if let Expr::Call(call) = expression
        && let Expr::Attribute(method) = &*call.func
        && method.attr.as_str() == "update"
        && let (Expr::Name(name), Some(message)) = (&*method.value, call.args.first())
        && let Some(Fact::Hash(made)) = names.get(name.id.as_str()).cloned()
        && evaluator(subject, names).fact(message) == Fact::Dumped
    {
        let made = Made {
            reserialized: true,
            ..made
        };
        names.insert(name.id.to_string(), Fact::Hash(made));
    }
}

fn bind(subject: &Subject<'_>, target: &Expr, value: Option<&Expr>, names: &mut Names) {
    match target {
        Expr::Name(name) => {
            let fact = value.map_or(Fact::Unknown, |value| evaluator(subject, names).fact(value));
            let fact = match names.remove(name.id.as_str()) {
                Some(before) => before.or(fact),
                None => fact,
            };
            names.insert(name.id.to_string(), fact);
        }
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            match value {
                Some(Expr::Tuple(values)) if values.elts.len() == elts.len() => {
                    for (target, value) in elts.iter().zip(&values.elts) {
                        bind(subject, target, Some(value), names);
                    }
                }
                _ => {
                    // What a sent value is split into is sent as well.
                    let fact = value.map(|value| evaluator(subject, names).fact(value));
                    let value = value.filter(|_| matches!(fact, Some(Fact::Sent(_))));
                    for target in elts {
                        bind(subject, target, value, names);
                    }
                }
            }
        }
        Expr::Starred(starred) => bind(subject, &starred.value, None, names),
        _ => {}
    }
}

fn parameters(subject: &Subject<'_>) -> Names {
    let arguments = subject.definition.arguments;
    let plain: Vec<&ast::ArgWithDefault> = tree::positional_parameters(arguments).collect();
    let mut names = Names::default();
    for parameter in [&arguments.vararg, &arguments.kwarg].into_iter().flatten() {
        names.insert(parameter.arg.to_string(), Fact::Unknown);
    }
    let nothing = Names::default();
    let evaluator = evaluator(subject, &nothing);
    for (index, parameter) in plain
        .iter()
        .copied()
        .chain(&arguments.kwonlyargs)
        .enumerate()
    {
        let name = parameter.def.arg.as_str();
        let annotation = parameter.def.annotation.as_deref();
        let given = match subject.entry {
            Entry::Handler => of_handler(subject, evaluator, index, parameter),
            Entry::Call(given) => of_call(given, (index < plain.len()).then_some(index), name),
        };
        let fact = match given {
            Fact::Unknown => of_annotation(evaluator, annotation),
            known => known,
        };
        names.insert(name.to_owned(), fact);
    }
    names
}

fn of_call(given: &CallArguments, index: Option<usize>, name: &str) -> Fact {
    let by_name = given.keywords.iter().find(|(keyword, _)| keyword == name);
    let by_place = index.and_then(|index| given.positional.get(index));
    by_name
        .map(|(_, fact)| fact)
        .or(by_place)
        .cloned()
        .unwrap_or_default()
}

fn of_annotation(evaluator: Evaluator<'_>, annotation: Option<&Expr>) -> Fact {
    if let Some(Expr::Constant(ast::ExprConstant {
        value: Constant::Str(written),
        ..
    })) = annotation
    {
        return match written.rsplit('.').next() {
            Some("Request") => Fact::Request,
            Some("AgentCtx") => Fact::Context,
            _ => Fact::Unknown,
        };
    }
    match annotation.and_then(|annotation| evaluator.external(annotation)) {
        Some(name) if name.starts_with("fastapi.") || name.starts_with("starlette.") => {
            match name.rsplit('.').next() {
                Some("Request" | "HTTPConnection") => Fact::Request,
                _ => Fact::Unknown,
            }
        }
        Some(name) if name.starts_with("nekro_agent.") && name.ends_with(".AgentCtx") => {
            Fact::Context
        }
        _ => Fact::Unknown,
    }
}

/// What the server gives a handler: the context alone, or what FastAPI makes of each parameter.
fn of_handler(
    subject: &Subject<'_>,
    evaluator: Evaluator<'_>,
    index: usize,
    parameter: &ast::ArgWithDefault,
) -> Fact {
    if subject.dialect == Dialect::Context {
        return if index == 0 {
            Fact::Context
        } else {
            Fact::Unknown
        };
    }
    let name = parameter.def.arg.as_str();
    let annotation = parameter.def.annotation.as_deref();
    let mut markers = vec![];
    markers.extend(parameter.default.as_deref());
    if let Some(Expr::Subscript(annotated)) = annotation
        && last_name(&annotated.value) == Some("Annotated")
        && let Expr::Tuple(parts) = &*annotated.slice
    {
        markers.extend(parts.elts.iter().skip(1));
    }
    for marker in markers {
        let Expr::Call(call) = marker else {
            continue;
        };
        let Some(kind) = evaluator.external(&call.func) else {
            continue;
        };
        let alias = argument(call, usize::MAX, "alias").and_then(|a| evaluator.resolver.text(a));
        match kind.strip_prefix("fastapi.") {
            Some("Header") => {
                return Fact::Sent(alias.unwrap_or_else(|| name.replace('_', "-")));
            }
            Some("Query" | "Cookie" | "Form" | "Path") => {
                return Fact::Sent(alias.unwrap_or_else(|| name.to_owned()));
            }
            Some("Body") => return Fact::Parsed,
            _ => {}
        }
    }
    match annotation {
        None if index == 0 => Fact::Request,
        Some(Expr::Name(plain)) if evaluator.resolver.bindings(&plain.id).is_empty() => {
            match plain.id.as_str() {
                "str" => Fact::Sent(name.to_owned()),
                "dict" => Fact::Parsed,
                "Request" => Fact::Request,
                _ => Fact::Unknown,
            }
        }
        Some(annotation) => {
            let generic = match annotation {
                Expr::Subscript(subscript) => &*subscript.value,
                other => other,
            };
            let is_dict = evaluator.is_builtin(generic, &["dict"])
                || matches!(evaluator.resolver.value(generic), Value::External(name) if name == "typing.Dict");
            if is_dict { Fact::Parsed } else { Fact::Unknown }
        }
        None => Fact::Unknown,
    }
}
