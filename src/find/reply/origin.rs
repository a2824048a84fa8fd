//! Where a returned value comes from: whether it may be a tuple that is made elsewhere.

use std::collections::HashSet;

use rustpython_parser::ast::{self, Constant, Expr, Stmt};

use super::{Finder, Replies};
use crate::edit::ByteRange;
use crate::python::names::{BindingKind, Resolver, Scope, Value};
use crate::python::tree::{Descend, Node, range_of, walk_body};

/// Whether something is so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    No,
    Unknown,
    Yes,
}

impl Finder<'_> {
    pub(super) fn may_be_headers(&self, expression: &Expr) -> Answer {
        match expression {
            Expr::Dict(_) | Expr::DictComp(_) => Answer::Yes,
            Expr::Constant(constant) if matches!(constant.value, Constant::None) => Answer::Yes,
            Expr::Constant(_)
            | Expr::JoinedStr(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Set(_) => Answer::No,
            Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "dict") => {
                Answer::Yes
            }
            Expr::Name(name) => {
                let bindings = self.resolver.bindings(&name.id);
                let all_dicts = !bindings.is_empty()
                    && bindings.iter().all(|binding| match &binding.kind {
                        BindingKind::Value(value) => {
                            !matches!(**value, Expr::Name(_))
                                && self.may_be_headers(value) == Answer::Yes
                        }
                        _ => false,
                    });
                if all_dicts {
                    Answer::Yes
                } else {
                    Answer::Unknown
                }
            }
            _ => Answer::Unknown,
        }
    }

    pub(super) fn is_response(&self, body: &Expr) -> bool {
        match self.resolver.value(body) {
            Value::CallOf(name) => is_response_class(&name),
            _ => false,
        }
    }

    /// Whether a value that is no tuple display may be a tuple.
    pub(super) fn may_be_tuple(&self, value: &Expr, calls: usize) -> Answer {
        match value {
            Expr::Name(name) => self.name_may_be_tuple(name, calls),
            Expr::Await(awaited) => self.may_be_tuple(&awaited.value, calls),
            Expr::NamedExpr(named) => self.may_be_tuple(&named.value, calls),
            Expr::Tuple(_) => Answer::Yes,
            Expr::IfExp(choice) => {
                let body = self.may_be_tuple(&choice.body, calls);
                body.max(self.may_be_tuple(&choice.orelse, calls))
            }
            Expr::BoolOp(operation) => {
                let operands = operation.values.iter();
                operands
                    .map(|v| self.may_be_tuple(v, calls))
                    .max()
                    .unwrap_or(Answer::No)
            }
            Expr::Call(call) => self.call_may_be_tuple(call, calls),
            Expr::Subscript(subscript) => match &*subscript.value {
                // A table of replies at module level.
                Expr::Name(name) => {
                    let tuples = self.resolver.bindings(&name.id).iter().any(|binding| {
                        match &binding.kind {
                            BindingKind::Value(value) => match &**value {
                                Expr::Dict(dict) => dict.values.iter().any(has_tuple),
                                other => has_tuple(other),
                            },
                            _ => false,
                        }
                    });
                    if tuples { Answer::Yes } else { Answer::No }
                }
                _ => Answer::No,
            },
            _ => Answer::No,
        }
    }

    pub(super) fn name_may_be_tuple(&self, name: &ast::ExprName, calls: usize) -> Answer {
        if self.tuple_names.contains(name.id.as_str()) {
            return Answer::Yes;
        }
        let Some(calls) = calls.checked_sub(1) else {
            return Answer::Unknown;
        };
        let of = |binding: &crate::python::names::Binding| match &binding.kind {
            BindingKind::Value(value) => self.may_be_tuple(value, calls),
            _ => Answer::No,
        };
        self.resolver
            .bindings(&name.id)
            .iter()
            .map(of)
            .max()
            .unwrap_or(Answer::No)
    }

    pub(super) fn call_may_be_tuple(&self, call: &ast::ExprCall, calls: usize) -> Answer {
        if let Value::Function(path, range) = self.resolver.value(&call.func) {
            let (Some(calls), Ok(loaded)) =
                (calls.checked_sub(1), self.resolver.workspace.load(&path))
            else {
                return Answer::Unknown;
            };
            let mut answer = Answer::Unknown;
            walk_body(loaded.module.suite(), &mut |node| {
                let (arguments, body) = match node {
                    Node::Stmt(Stmt::FunctionDef(f)) if range_of(f) == range => (&f.args, &f.body),
                    Node::Stmt(Stmt::AsyncFunctionDef(f)) if range_of(f) == range => {
                        (&f.args, &f.body)
                    }
                    Node::Stmt(_) => return Descend::Into,
                    Node::Expr(_) => return Descend::Past,
                };
                let locals = [Scope::of_function(arguments, body)];
                let inside = Finder {
                    resolver: Resolver {
                        workspace: self.resolver.workspace,
                        loaded: &loaded,
                        locals: &locals,
                    },
                    tokens: loaded.module.tokens(),
                    tuple_names: names_of_tuples(body),
                    found: Replies::default(),
                };
                answer = returned(body)
                    .into_iter()
                    .map(|(_, value)| inside.may_be_tuple(value, calls))
                    .max()
                    .unwrap_or(Answer::No);
                Descend::Past
            });
            return answer;
        }
        if let Some(name) = self.resolver.external(&call.func) {
            let known = is_response_class(&name)
                || name.starts_with("json.")
                || name.starts_with("fastapi.")
                || name.starts_with("starlette.");
            return if known { Answer::No } else { Answer::Unknown };
        }
        match (&*call.func, self.resolver.value(&call.func)) {
            (_, Value::Class(..)) => Answer::No,
            (Expr::Name(name), _) if NO_TUPLE_FUNCTIONS.contains(&name.id.as_str()) => Answer::No,
            (Expr::Attribute(method), _) if NO_TUPLE_METHODS.contains(&method.attr.as_str()) => {
                Answer::No
            }
            _ => Answer::Unknown,
        }
    }
}

/// Built-in functions that give no tuple.
const NO_TUPLE_FUNCTIONS: &[&str] = &[
    "abs",
    "bool",
    "bytes",
    "dict",
    "float",
    "format",
    "frozenset",
    "hash",
    "hex",
    "id",
    "int",
    "len",
    "list",
    "repr",
    "round",
    "set",
    "sorted",
    "str",
];

/// Methods of requests, strings, dicts, models and dates that give no tuple.
const NO_TUPLE_METHODS: &[&str] = &[
    "body",
    "copy",
    "decode",
    "dict",
    "encode",
    "format",
    "get",
    "hexdigest",
    "isoformat",
    "items",
    "join",
    "json",
    "keys",
    "lower",
    "model_dump",
    "model_dump_json",
    "read",
    "replace",
    "setdefault",
    "split",
    "splitlines",
    "strftime",
    "strip",
    "timestamp",
    "title",
    "total_seconds",
    "upper",
    "values",
];

pub(in crate::find) fn is_response_class(name: &str) -> bool {
    (name.starts_with("fastapi.") || name.starts_with("starlette.")) && name.ends_with("Response")
}

/// The values that the function of `body` itself returns, with their statements.
pub(super) fn returned(body: &[Stmt]) -> Vec<(ByteRange, &Expr)> {
    let mut values = Vec::new();
    walk_body(body, &mut |node| match node {
        Node::Stmt(Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_)) => {
            Descend::Past
        }
        Node::Stmt(Stmt::Return(statement)) => {
            if let Some(value) = &statement.value {
                values.push((range_of(statement), &**value));
            }
            Descend::Past
        }
        Node::Stmt(_) => Descend::Into,
        Node::Expr(_) => Descend::Past,
    });
    values
}

/// The names to which a tuple is assigned somewhere in `body`.
pub(super) fn names_of_tuples(body: &[Stmt]) -> HashSet<String> {
    let mut names = HashSet::new();
    walk_body(body, &mut |node| {
        let (targets, value) = match node {
            Node::Stmt(Stmt::Assign(s)) => (s.targets.iter().collect::<Vec<_>>(), Some(&*s.value)),
            Node::Stmt(Stmt::AnnAssign(s)) => (vec![&*s.target], s.value.as_deref()),
            _ => return Descend::Into,
        };
        if value.is_some_and(has_tuple) {
            for target in targets {
                if let Expr::Name(name) = target {
                    names.insert(name.id.to_string());
                }
            }
        }
        Descend::Into
    });
    names
}

/// Whether the value of an expression may be a tuple that is written in it.
pub(super) fn has_tuple(value: &Expr) -> bool {
    match value {
        Expr::Tuple(_) => true,
        Expr::IfExp(choice) => has_tuple(&choice.body) || has_tuple(&choice.orelse),
        Expr::BoolOp(operation) => operation.values.iter().any(has_tuple),
        Expr::NamedExpr(named) => has_tuple(&named.value),
        _ => false,
    }
}
