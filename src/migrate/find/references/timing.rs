//! When a registration runs: once, while modules are imported or methods initialised, or later.

pub(crate) mod imported;

use crate::migrate::diagnostic::Code;
use crate::migrate::find::references::finder::Finder;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::tree::{self, Descend, Node};
use crate::text;
use crate::text::Text;

impl Finder<'_> {
    /// Whether the registration runs once, while modules are imported or methods initialised.
    pub(super) fn timing(&self, is_in_unknown_loop: bool) -> Option<(Code, Text)> {
        if self.in_lambda {
            return Some((
                Code::LateRegistration,
                text!(
                    "the registration stands in a `lambda`, and when that runs cannot be seen",
                    "注册位于 `lambda` 之中，无法看出它何时运行"
                ),
            ));
        }
        if is_in_unknown_loop {
            return Some((
                Code::UnknownOrder,
                text!(
                    "the registration stands in a loop: only its last run counted",
                    "注册位于循环之中：以往只有最后一次生效"
                ),
            ));
        }
        let outermost = self.functions.first()?;
        let name = outermost.definition.name;
        let runs_in_init = runs_in_init(outermost.definition);
        let late = || {
            (
                Code::LateRegistration,
                text!(
                    "the registration stands in `{name}`, and that this runs once, before the routes are mounted, cannot be seen",
                    "注册位于函数 `{name}` 之中，无法看出它在挂载路由之前恰好运行一次"
                ),
            )
        };
        if self.functions.len() > 1 || outermost.is_method {
            return Some(late());
        }
        let calls = calls_at_module_level(self.loaded.module.suite(), name);
        match (runs_in_init, calls) {
            (true, 0) | (false, 1) => None,
            _ => Some(late()),
        }
    }
}

/// Whether the agent runs a function before it mounts the routes.
fn runs_in_init(definition: Definition<'_>) -> bool {
    definition.decorators.iter().any(|decorator| {
        matches!(decorator, Expr::Call(call) if matches!(&*call.func, Expr::Attribute(a) if a.attr.as_str() == "mount_init_method"))
    })
}

/// Whether a function of the module `suite` runs before the routes are mounted.
pub(super) fn runs_before_mounting(suite: &[Stmt], definition: Definition<'_>) -> bool {
    runs_in_init(definition) || calls_at_module_level(suite, definition.name) > 0
}

/// How often `name()` is called by statements that run while the module is imported; a call in a
/// loop counts twice.
fn calls_at_module_level(suite: &[Stmt], name: &str) -> usize {
    let mut calls = 0;
    for statement in suite {
        let weight = match statement {
            Stmt::For(_) | Stmt::While(_) => 2,
            _ => 1,
        };
        tree::walk(Node::Stmt(statement), &mut |node| {
            match node {
                Node::Stmt(Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_))
                | Node::Expr(Expr::Lambda(_)) => {
                    return Descend::Past;
                }
                Node::Expr(Expr::Call(call)) if tree::is_named(&call.func, name) => {
                    calls += weight;
                }
                _ => {}
            }
            Descend::Into
        });
    }
    calls
}
