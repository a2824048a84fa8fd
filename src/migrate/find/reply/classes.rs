//! What a call of a class of the repo gives: an instance of it, unless something in the class, in its
//! bases or elsewhere may make it another object.
//!
//! Invariant: the statements that a class may be made of are a closed list, and so are the names with
//! `__` that they may bind; with anything else the class is unknown.

use std::path::Path;

use super::known::{self, is_response_class};
use super::status::Status;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::reply::values::{MadeBy, Origin, Values};
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Resolver, Value};
use crate::migrate::python::tree::{self, Descend, Node, is_definition, range_of, walk, walk_body};

impl Values<'_> {
    /// What a call of a class of the repo gives; with `made_by`, what makes an instance otherwise.
    pub(super) fn instance(
        &self,
        path: &Path,
        range: ByteRange,
        made_by: MadeBy,
        depth: usize,
    ) -> Origin {
        let (Some(depth), Ok(loaded)) = (depth.checked_sub(1), self.resolver.workspace.load(path))
        else {
            return Origin::Unknown;
        };
        let mut class = None;
        // Names in a class that stands in a function or class need not be those of the module.
        walk_body(loaded.module.suite(), &mut |node| match node {
            Node::Stmt(Stmt::ClassDef(one)) => {
                if range_of(one) == range {
                    class = Some(one);
                }
                Descend::Past
            }
            Node::Stmt(statement) if !is_definition(statement) => Descend::Into,
            Node::Stmt(_) | Node::Expr(_) => Descend::Past,
        });
        let Some(class) = class else {
            return Origin::Unknown;
        };
        let resolver = Resolver::of_module(self.resolver.workspace, &loaded);
        let inside = Values::of_module(resolver, &loaded.module, self.steps);
        let keeps_class = |decorator: &Expr| match inside.known(decorator) {
            Value::External(name) | Value::CallOf(name) => name == "dataclasses.dataclass",
            _ => false,
        };
        let mut outside = known::CHANGE_CLASSES.iter();
        if outside.any(|name| resolver.is_set_in_repo(name))
            || !class.keywords.is_empty()
            || !class.type_params.is_empty()
            || !class.decorator_list.iter().all(keeps_class)
            || !class
                .body
                .iter()
                .all(|one| inside.is_harmless(one, made_by, depth))
        {
            return Origin::Unknown;
        }
        let of_base = |base: &Expr| match (base, inside.known(base)) {
            (Expr::Name(name), _) if inside.is_builtin(&name.id) => {
                if known::PLAIN_BASES.contains(&name.id.as_str()) {
                    Origin::Object
                } else {
                    Origin::Unknown
                }
            }
            (_, Value::External(name)) if is_response_class(&name) => Origin::Response,
            (_, Value::External(name)) if known::is_plain_base(&name) => Origin::Object,
            (_, Value::Class(path, range)) => inside.instance(&path, range, made_by, depth),
            _ => Origin::Unknown,
        };
        let bases = class.bases.iter().map(of_base);
        bases.max().unwrap_or(Origin::Object).max(Origin::Object)
    }

    /// Whether a statement in the body of a class surely binds nothing that changes what a call of
    /// the class gives, and what it binds leaves the class alone.
    fn is_harmless(&self, statement: &Stmt, made_by: MadeBy, depth: usize) -> bool {
        if let Some(method) = Definition::of(statement) {
            let mut decorators = method.decorators.iter();
            let mut evaluated = evaluated(method.arguments).chain(method.returns);
            return is_plain_name(method.name)
                && decorators.all(|one| self.keeps_method(one, made_by))
                && evaluated.all(binds_nothing);
        }
        match statement {
            Stmt::Pass(_) => true,
            Stmt::Expr(statement) => statement.value.is_constant_expr(),
            Stmt::Assign(s) => {
                let is_plain =
                    |target: &Expr| matches!(target, Expr::Name(name) if is_plain_name(&name.id));
                s.targets.iter().all(is_plain) && self.leaves_class_alone(&s.value, depth)
            }
            Stmt::AnnAssign(s) => {
                matches!(&*s.target, Expr::Name(name) if is_plain_name(&name.id))
                    && binds_nothing(&s.annotation)
                    && s.value
                        .as_ref()
                        .is_none_or(|value| self.leaves_class_alone(value, depth))
            }
            // `class Config:`
            Stmt::ClassDef(class) => {
                is_plain_name(&class.name)
                    && class.bases.is_empty()
                    && class.keywords.is_empty()
                    && class.decorator_list.is_empty()
            }
            _ => false,
        }
    }

    /// Whether what decorates a method leaves the class alone.
    fn keeps_method(&self, decorator: &Expr, made_by: MadeBy) -> bool {
        if !binds_nothing(decorator) {
            return false;
        }
        match decorator {
            Expr::Name(name) if self.is_builtin(&name.id) => {
                matches!(
                    name.id.as_str(),
                    "property" | "staticmethod" | "classmethod"
                )
            }
            // `@name.setter`, of a property of this class.
            Expr::Attribute(attribute)
                if matches!(attribute.attr.as_str(), "setter" | "deleter" | "getter") =>
            {
                attribute.value.is_name_expr() && self.known(decorator) == Value::Unknown
            }
            _ => match self.known(decorator) {
                Value::External(name) | Value::CallOf(name) => {
                    known::is_plain_decorator(&name)
                        && (made_by == MadeBy::Call
                            || name != "pydantic.model_validator"
                            || is_before(decorator))
                }
                _ => false,
            },
        }
    }

    /// Whether an attribute with this value leaves the class alone: an object of a class that is not
    /// known could have a `__set_name__`.
    fn leaves_class_alone(&self, value: &Expr, depth: usize) -> bool {
        if !binds_nothing(value) {
            return false;
        }
        match value {
            Expr::Tuple(_) | Expr::Lambda(_) => true,
            Expr::Constant(constant) => !matches!(constant.value, Constant::Tuple(_)),
            Expr::Call(call) => match self.known(&call.func) {
                Value::External(name) => known::describes_attribute(&name),
                _ => self.origin_within(value, depth) == Origin::Plain,
            },
            _ => {
                self.origin_within(value, depth) == Origin::Plain
                    || matches!(self.status(value), Status::Known(_))
            }
        }
    }
}

/// `model_validator(mode="before")`, which gives what is validated then.
fn is_before(decorator: &Expr) -> bool {
    matches!(decorator, Expr::Call(call)
        if matches!(call.keywords.as_slice(), [keyword]
            if matches!(&keyword.value, Expr::Constant(constant)
                if matches!(&constant.value, Constant::Str(mode) if mode == "before"))))
}

/// Whether a class may bind the name without being called or taken for something else.
fn is_plain_name(name: &str) -> bool {
    let is_special = name.starts_with("__") && name.ends_with("__");
    !is_special || known::HARMLESS_SPECIAL.contains(&name)
}

/// Whether an expression binds no name where it stands, as `:=` does.
fn binds_nothing(expression: &Expr) -> bool {
    let mut found = false;
    walk(Node::Expr(expression), &mut |node| {
        found |= matches!(node, Node::Expr(Expr::NamedExpr(_)));
        Descend::Into
    });
    !found
}

/// What is evaluated for the parameters of a function where it is defined.
fn evaluated(arguments: &ast::Arguments) -> impl Iterator<Item = &Expr> {
    let parameters = tree::plain_parameters(arguments);
    let collected = arguments.vararg.iter().chain(&arguments.kwarg);
    parameters
        .flat_map(|one| {
            one.default
                .as_deref()
                .into_iter()
                .chain(one.def.annotation.as_deref())
        })
        .chain(collected.filter_map(|one| one.annotation.as_deref()))
}
