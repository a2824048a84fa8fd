//! What a value is, as far as the source shows: whether it may be a tuple that is made elsewhere, or
//! a response.
//!
//! Invariant: the forms here are a closed list, and everything else is [`Origin::Unknown`]; so a
//! value that is [`Origin::Plain`] is never a tuple, never a response and never has to be awaited.
//! The list stands in `docs/decisions/0009-replies-are-rewritten-or-looked-at.md`.

use std::cell::OnceCell;

use super::bindings::{Bindings, Bound};
use super::known::{self, is_response_class};
use crate::migrate::edit::ByteRange;
use crate::migrate::find::reply::values::{MadeBy, Origin, Values};
use crate::migrate::python::ast::{self, CmpOp, Constant, Expr, Operator, UnaryOp};
use crate::migrate::python::function::{Definition, definition_at, each_return, yields};
use crate::migrate::python::names::{Resolver, Scope, Value};

/// How many calls, names and classes may lead to each other.
const MAX_DEPTH: usize = 8;

impl Values<'_> {
    /// What the value of an expression is.
    pub(super) fn origin(&self, expression: &Expr) -> Origin {
        self.origin_within(expression, MAX_DEPTH)
    }

    fn all<'e>(&self, values: impl IntoIterator<Item = &'e Expr>, depth: usize) -> Origin {
        let values = values.into_iter();
        values
            .map(|value| self.origin_within(value, depth))
            .max()
            .unwrap_or(Origin::Plain)
    }

    pub(super) fn origin_within(&self, expression: &Expr, depth: usize) -> Origin {
        let steps = self.steps.get();
        if steps == 0 {
            return Origin::Unknown;
        }
        self.steps.set(steps - 1);
        match expression {
            Expr::Constant(constant) => match constant.value {
                Constant::None
                | Constant::Bool(_)
                | Constant::Str(_)
                | Constant::Bytes(_)
                | Constant::Int(_)
                | Constant::Float(_)
                | Constant::Complex { .. }
                | Constant::Ellipsis => Origin::Plain,
                Constant::Tuple(_) => Origin::Unknown,
            },
            Expr::JoinedStr(_)
            | Expr::List(_)
            | Expr::Dict(_)
            | Expr::Set(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_) => Origin::Plain,
            Expr::GeneratorExp(_) | Expr::Lambda(_) => Origin::Object,
            Expr::UnaryOp(operation) => match operation.op {
                UnaryOp::Not => Origin::Plain,
                UnaryOp::USub | UnaryOp::UAdd | UnaryOp::Invert => {
                    plain_only(self.origin_within(&operation.operand, depth))
                }
            },
            Expr::Compare(comparison) => {
                let gives_bool =
                    |op: &CmpOp| matches!(op, CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn);
                if comparison.ops.iter().all(gives_bool) {
                    return Origin::Plain;
                }
                let compared = comparison.comparators.iter().chain([&*comparison.left]);
                plain_only(self.all(compared, depth))
            }
            Expr::BinOp(operation) => {
                if operation.op == Operator::Mod && self.is_text(&operation.left) {
                    return Origin::Plain;
                }
                plain_only(self.all([&*operation.left, &*operation.right], depth))
            }
            Expr::BoolOp(operation) => self.all(&operation.values, depth),
            Expr::IfExp(choice) => self.all([&*choice.body, &*choice.orelse], depth),
            Expr::NamedExpr(named) => self.origin_within(&named.value, depth),
            Expr::Await(awaited) => match &*awaited.value {
                Expr::Call(call) => self.awaited(call, depth),
                _ => Origin::Unknown,
            },
            Expr::Call(call) => self.called(call, depth),
            Expr::Attribute(attribute) => self.attribute(expression, attribute),
            Expr::Subscript(_) if self.is_text_of_request(expression) => Origin::Plain,
            Expr::Name(name) => self.name(expression, name, depth),
            _ => Origin::Unknown,
        }
    }

    fn name(&self, expression: &Expr, name: &ast::ExprName, depth: usize) -> Origin {
        let Some(depth) = depth.checked_sub(1) else {
            return Origin::Unknown;
        };
        let Some((inside, bound)) = self.bound(&name.id) else {
            return Origin::Unknown;
        };
        let of_one = |one: &Bound<'_>| match one {
            // What it is the same as adds nothing to what it may be.
            Bound::Value(Expr::Name(same)) if same.id == name.id => Origin::Plain,
            Bound::Value(value) => inside.origin_within(value, depth),
            // Only of a built-in value it is sure that the value stays one.
            Bound::Augmented(value) => plain_only(inside.origin_within(value, depth)),
            Bound::Parameter(parameter) if inside.is_handler => inside.parameter(parameter),
            Bound::Import => match self.lasting(expression) {
                Value::Text(_) | Value::Number(_) => Origin::Plain,
                _ => Origin::Unknown,
            },
            Bound::Parameter(_) | Bound::Definition | Bound::Unknown => Origin::Unknown,
        };
        let origin = bound.iter().map(of_one).max().unwrap_or(Origin::Unknown);
        if bound.iter().any(|one| matches!(one, Bound::Augmented(_))) {
            plain_only(origin)
        } else {
            origin
        }
    }

    /// What FastAPI gives for a parameter of a handler.
    fn parameter(&self, parameter: &ast::ArgWithDefault) -> Origin {
        let has_plain_default = match parameter.default.as_deref() {
            None => true,
            Some(Expr::Constant(_)) => true,
            // `Query(default=10, ge=1)`
            Some(marker @ Expr::Call(call)) => {
                let arguments = call
                    .args
                    .iter()
                    .chain(call.keywords.iter().map(|k| &k.value));
                matches!(self.known(marker), Value::CallOf(name) if known::is_marker(&name))
                    && arguments
                        .clone()
                        .all(|one| matches!(one, Expr::Constant(_)))
            }
            Some(_) => false,
        };
        match parameter.def.annotation.as_deref() {
            Some(annotation) if has_plain_default => self.annotated(annotation),
            _ => Origin::Unknown,
        }
    }

    fn annotated(&self, annotation: &Expr) -> Origin {
        match annotation {
            Expr::Constant(constant) if matches!(constant.value, Constant::None) => Origin::Plain,
            Expr::BinOp(operation) if operation.op == Operator::BitOr => {
                let left = self.annotated(&operation.left);
                left.max(self.annotated(&operation.right))
            }
            Expr::Subscript(subscript) => match &*subscript.value {
                Expr::Name(name)
                    if matches!(name.id.as_str(), "dict" | "list") && self.is_builtin(&name.id) =>
                {
                    Origin::Plain
                }
                _ => Origin::Unknown,
            },
            Expr::Name(name)
                if known::PLAIN_TYPES.contains(&name.id.as_str()) && self.is_builtin(&name.id) =>
            {
                Origin::Plain
            }
            Expr::Name(_) | Expr::Attribute(_) => match self.known(annotation) {
                Value::Class(path, range) if self.resolver.is_model(annotation) => {
                    self.instance(&path, range, MadeBy::Validation, MAX_DEPTH)
                }
                _ => Origin::Unknown,
            },
            _ => Origin::Unknown,
        }
    }

    fn attribute(&self, expression: &Expr, attribute: &ast::ExprAttribute) -> Origin {
        if self.is_text_of_request(expression) {
            return Origin::Plain;
        }
        if self.is_part_of_request(expression) {
            return Origin::Object;
        }
        // A constant of another module; that of a class may be set again by anybody.
        match (self.known(&attribute.value), self.known(expression)) {
            (Value::Module(_), Value::Text(_) | Value::Number(_)) => Origin::Plain,
            _ => Origin::Unknown,
        }
    }

    fn called(&self, call: &ast::ExprCall, depth: usize) -> Origin {
        let Some(depth) = depth.checked_sub(1) else {
            return Origin::Unknown;
        };
        if let Expr::Name(name) = &*call.func
            && self.is_builtin(&name.id)
        {
            return if known::PLAIN_FUNCTIONS.contains(&name.id.as_str()) {
                Origin::Plain
            } else {
                Origin::Unknown
            };
        }
        match self.known(&call.func) {
            Value::Function(path, range) => self.function(&path, range, false, depth),
            Value::Class(path, range) => self.instance(&path, range, MadeBy::Call, depth),
            Value::External(name) if is_response_class(&name) => Origin::Response,
            Value::External(name) => known::gives(&name, call),
            _ => match &*call.func {
                Expr::Attribute(method) => self.method(call, method, depth),
                _ => Origin::Unknown,
            },
        }
    }

    fn method(&self, call: &ast::ExprCall, method: &ast::ExprAttribute, depth: usize) -> Origin {
        let name = method.attr.as_str();
        let receiver = &*method.value;
        if self.is_text(receiver) && known::is_text_method(name) {
            return Origin::Plain;
        }
        // `request.headers.get("X", "")`
        if name == "get"
            && self.keeps_of_request("get")
            && self.is_part_of_request(receiver)
            && call.keywords.is_empty()
        {
            return plain_only(self.all(&call.args, depth));
        }
        match self.known(receiver) {
            Value::CallOf(made_by)
                if known::method_gives_plain(&made_by, name)
                    && !self.resolver.is_set_in_repo(name) =>
            {
                Origin::Plain
            }
            _ => Origin::Unknown,
        }
    }

    fn awaited(&self, call: &ast::ExprCall, depth: usize) -> Origin {
        let Some(depth) = depth.checked_sub(1) else {
            return Origin::Unknown;
        };
        if let Expr::Attribute(method) = &*call.func
            && self.is_request(&method.value)
        {
            return match method.attr.as_str() {
                name if !self.keeps_of_request(name) => Origin::Unknown,
                "json" | "body" if call.args.is_empty() && call.keywords.is_empty() => {
                    Origin::Plain
                }
                "form" => Origin::Object,
                _ => Origin::Unknown,
            };
        }
        match self.known(&call.func) {
            Value::Function(path, range) => self.function(&path, range, true, depth),
            Value::External(name) if name == "asyncio.gather" => Origin::Plain,
            _ => Origin::Unknown,
        }
    }

    /// What a function at the level of a module of the repo returns.
    fn function(
        &self,
        path: &std::path::Path,
        range: ByteRange,
        is_awaited: bool,
        depth: usize,
    ) -> Origin {
        let Ok(loaded) = self.resolver.workspace.load(path) else {
            return Origin::Unknown;
        };
        let Some(definition) = definition_at(loaded.module.suite(), range) else {
            return Origin::Unknown;
        };
        let Definition {
            name,
            arguments,
            body,
            decorators,
            is_async,
            ..
        } = definition;
        let bindings = loaded.scope.bindings(name);
        let is_of_module = bindings.iter().any(|binding| binding.range == range);
        // Another body may be put into it.
        let is_kept = !self.resolver.is_set_in_repo("__code__");
        let is_as_written = is_of_module && is_kept && decorators.is_empty();
        if !is_as_written || is_async != is_awaited || yields(body) {
            return Origin::Unknown;
        }
        let locals = [Scope::of_function(arguments, body)];
        let inside = Values {
            resolver: Resolver {
                workspace: self.resolver.workspace,
                loaded: &loaded,
                locals: &locals,
            },
            bindings: Bindings::of_function(&loaded.module, arguments, body),
            is_handler: false,
            module: OnceCell::new(),
            is_module: false,
            steps: self.steps,
        };
        let mut origin = Origin::Plain;
        each_return(body, &mut |statement| {
            if let Some(value) = &statement.value {
                origin = origin.max(inside.origin_within(value, depth));
            }
        });
        origin
    }
}

/// A built-in value that is made of such values, and of nothing else.
fn plain_only(origin: Origin) -> Origin {
    if origin == Origin::Plain {
        Origin::Plain
    } else {
        Origin::Unknown
    }
}
