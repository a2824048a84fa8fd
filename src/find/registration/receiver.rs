//! Whose method is called: a plugin's, something else's, or nobody knows.

use rustpython_parser::ast::Expr;

use super::Finder;
use crate::find::handler;
use crate::lang::Text;
use crate::python::names::{PluginId, Value};
use crate::python::tree::range_of;
use crate::text;

/// What a receiver is.
#[derive(Debug, Clone)]
pub(super) enum Receiver {
    Plugin(PluginId),
    NotOurs,
    Unknown(Text),
}

impl Finder<'_> {
    pub(super) fn receiver(&self, receiver: &Expr) -> Receiver {
        let source = self.loaded.module.source();
        let written = source.slice(range_of(receiver)).to_owned();
        let unknown = || {
            Receiver::Unknown(text!(
                "whether `{written}` is a plugin, and which, cannot be known",
                "无法确定 `{written}` 是不是插件、是哪个插件"
            ))
        };
        match self.resolver().value(receiver) {
            Value::Plugin(id) => Receiver::Plugin(id),
            Value::CallOf(name) => {
                let called = name.rsplit('.').next().unwrap_or(&name);
                if called.starts_with(|c: char| c.is_uppercase())
                    && !name.starts_with("nekro_agent.")
                {
                    Receiver::NotOurs
                } else {
                    unknown()
                }
            }
            Value::Instance(..) | Value::Class(..) | Value::Function(..) => Receiver::NotOurs,
            Value::Text(_) | Value::Number(_) | Value::Member(_) | Value::Other => {
                Receiver::NotOurs
            }
            Value::External(_) | Value::Module(_) => unknown(),
            Value::Unknown => {
                if let Expr::Name(name) = receiver
                    && let Some(Some(annotation)) =
                        handler::parameter_annotation(self.resolver(), &name.id)
                {
                    match self.resolver().value(annotation) {
                        Value::External(name) if !name.starts_with("nekro_agent.") => {
                            return Receiver::NotOurs;
                        }
                        Value::Class(..) => return Receiver::NotOurs,
                        _ => {}
                    }
                }
                unknown()
            }
        }
    }
}
