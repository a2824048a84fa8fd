//! Owner method is called: a plugin's, something else's, or unknown.
//!
//! Invariant: what is called something else's is of a class of the repo that has such a method of its
//! own. Everything else may be a plugin: a name that is set elsewhere, an object that passes on
//! what it is asked for, a class of a library that derives from the agent's.

use std::path::Path;

use crate::migrate::edit::ByteRange;
use crate::migrate::find::references::finder::Finder;
use crate::migrate::find::references::method::OLDER_METHOD;
use crate::migrate::python::ast::Expr;
use crate::migrate::python::names::{BindingKind, PluginId, Resolver, Value};
use crate::migrate::python::tree::range_of;
use crate::text;
use crate::text::Text;

/// How many bases are followed.
const MAX_BASES: usize = 8;

/// What a receiver is.
#[derive(Debug, Clone)]
pub(crate) enum Receiver {
    Plugin(PluginId),
    NotOurs,
    Unknown(Text),
}

impl Finder<'_> {
    pub(crate) fn receiver(&self, receiver: &Expr, method: &str) -> Receiver {
        let value = self.resolver().value(receiver);
        let is_others = match &value {
            Value::Plugin(id) => return Receiver::Plugin(id.clone()),
            Value::Unknown => self.annotation_of(receiver).is_some_and(|annotation| {
                let annotated = self.resolver().value(annotation);
                self.is_others(&annotated, method) || is_of_library(&annotated, method)
            }),
            value => self.is_others(value, method) || is_of_library(value, method),
        };
        if is_others {
            return Receiver::NotOurs;
        }
        let source = self.loaded.module.source();
        let written = source.slice(range_of(receiver)).to_owned();
        Receiver::Unknown(text!(
            "whether `{written}` is a plugin, and which, cannot be known",
            "无法确定 `{written}` 是不是插件、是哪个插件"
        ))
    }

    /// The annotation of the parameter that an expression is.
    fn annotation_of(&self, receiver: &Expr) -> Option<&Expr> {
        match receiver {
            Expr::Name(name) => self.resolver().parameter_annotation(&name.id)?,
            _ => None,
        }
    }

    /// Whether a value is of a class of the repo that has the method itself.
    fn is_others(&self, value: &Value, method: &str) -> bool {
        match value {
            Value::Instance(path, range) | Value::Class(path, range) => {
                self.has_method(path, *range, method, MAX_BASES)
            }
            _ => false,
        }
    }

    fn has_method(&self, path: &Path, class: ByteRange, method: &str, steps: usize) -> bool {
        let (Some(steps), Ok(loaded)) = (steps.checked_sub(1), self.workspace.load(path)) else {
            return false;
        };
        let inside = Resolver::of_module(self.workspace, &loaded);
        let Some((bases, scope)) = loaded.scope.class_at(class) else {
            return false;
        };
        let bases: Vec<Value> = bases
            .iter()
            .map(|base| inside.value(unsubscripted(base)))
            .collect();
        // A plugin has the method that a protocol asks for.
        let is_protocol = |base: &Value| match base {
            Value::External(name) => name.ends_with(".Protocol"),
            _ => false,
        };
        if bases.iter().any(is_protocol) {
            return false;
        }
        let mut own = scope.bindings(method).iter();
        own.any(|binding| matches!(binding.kind, BindingKind::Function))
            || bases.iter().any(|base| match base {
                Value::Class(path, range) => self.has_method(path, *range, method, steps),
                _ => false,
            })
    }
}

/// The class in `Protocol[T]`.
fn unsubscripted(base: &Expr) -> &Expr {
    match base {
        Expr::Subscript(subscript) => &subscript.value,
        other => other,
    }
}

/// Whether a value is of a library that has a method by the name of the older edition, which is a
/// plain one, while no release of the agent has it.
fn is_of_library(value: &Value, method: &str) -> bool {
    let (Value::CallOf(name) | Value::External(name)) = value else {
        return false;
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    method == OLDER_METHOD
        && last.starts_with(|c: char| c.is_uppercase())
        && !name.starts_with("nekro_agent.")
        && !matches!(last, "Any" | "Protocol")
}
