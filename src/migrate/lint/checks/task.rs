//! RH403: a task to which no reference is kept.
//!
//! The event loop itself holds tasks weakly: one that nothing else refers to can be collected
//! before it is done, and the work that was promised to the sender is lost without a word. Reported for
//! a task that is made and dropped, and of one whose name is never used again; a task of a
//! `TaskGroup` is kept by the group.

use rustc_hash::FxHashSet;

use crate::migrate::diagnostic::Code;
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::Fact;
use crate::migrate::lint::model::Finding;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::parse::Module;
use crate::migrate::python::tree::{Descend, Node, range_of};
use crate::text;

/// Whether a call makes a task that only its result refers to.
pub(crate) fn makes_task(
    context: &CheckContext<'_>,
    call: &ast::ExprCall,
    external: Option<&str>,
) -> bool {
    match external {
        Some("asyncio.create_task" | "asyncio.ensure_future") => true,
        Some(_) => false,
        None => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "create_task" => {
                context.evaluator.fact(&method.value) == Fact::EventLoop
            }
            _ => false,
        },
    }
}

/// A statement that makes a task and drops it; `is_used` tells whether the function uses a name.
pub(crate) fn in_statement(
    context: &CheckContext<'_>,
    statement: &Stmt,
    is_used: &dyn Fn(&str) -> bool,
    out: &mut Vec<Finding>,
) {
    let (value, name) = match statement {
        Stmt::Expr(s) => (&*s.value, None),
        Stmt::Assign(s) => match s.targets.as_slice() {
            [Expr::Name(name)] => (&*s.value, Some(name.id.as_str())),
            _ => return,
        },
        Stmt::AnnAssign(s) => match (&*s.target, &s.value) {
            (Expr::Name(name), Some(value)) => (&**value, Some(name.id.as_str())),
            _ => return,
        },
        _ => return,
    };
    let Some(call) = task(context, value) else {
        return;
    };
    if name.is_some_and(is_used) {
        return;
    }
    let detail = match name {
        None => text!(
            "nothing refers to the task that is made here: it can be collected before it is done",
            "没有任何地方引用此处创建的任务：它可能在完成之前就被回收"
        ),
        Some(name) => text!(
            "`{name}` is never used again: the task can be collected before it is done",
            "`{name}` 之后不再使用：任务可能在完成之前就被回收"
        ),
    };
    out.push(context.finding(Code::UnkeptTask, range_of(call), detail));
}

/// The call that makes the task, also below `.add_done_callback(...)`.
fn task<'a>(context: &CheckContext<'_>, value: &'a Expr) -> Option<&'a ast::ExprCall> {
    let Expr::Call(call) = value else {
        return None;
    };
    if let Expr::Attribute(method) = &*call.func
        && method.attr.as_str() == "add_done_callback"
        && let Expr::Call(inner) = &*method.value
    {
        let external = context.evaluator.external(&inner.func);
        return makes_task(context, inner, external.as_deref()).then_some(inner);
    }
    let external = context.evaluator.external(&call.func);
    makes_task(context, call, external.as_deref()).then_some(call)
}

/// The names that a function reads, or gives to the module or the function around it.
pub(crate) fn used_names<'a>(module: &'a Module, definition: Definition<'a>) -> FxHashSet<&'a str> {
    let mut used = FxHashSet::default();
    module.walk(definition.body, definition.range, &mut |node| {
        match node {
            Node::Expr(Expr::Name(name)) => {
                if matches!(name.ctx, ast::ExprContext::Load | ast::ExprContext::Del) {
                    used.insert(name.id.as_str());
                }
            }
            Node::Stmt(
                Stmt::Global(ast::StmtGlobal { names, .. })
                | Stmt::Nonlocal(ast::StmtNonlocal { names, .. }),
            ) => used.extend(names.iter().map(ast::Identifier::as_str)),
            _ => {}
        }
        Descend::Into
    });
    used
}

#[cfg(test)]
mod tests {
    use crate::migrate::lint::tests::{check, request};

    #[test]
    fn dropped_tasks_are_found() {
        for (body, line) in [
            ("    asyncio.create_task(work())", 2),
            ("    t = asyncio.ensure_future(work())", 2),
            (
                "    loop = asyncio.get_event_loop()\n    loop.create_task(work())",
                3,
            ),
            ("    asyncio.create_task(work()).add_done_callback(done)", 2),
            (
                "    from asyncio import create_task\n    if x():\n        _ = create_task(work())",
                4,
            ),
        ] {
            let body = format!("    verify(request)\n{body}");
            check(&request(&body), &[("RH403", line)]);
        }
    }

    #[test]
    fn kept_tasks_are_left_alone() {
        for body in [
            "    TASKS.add(asyncio.create_task(work()))",
            "    t = asyncio.create_task(work())\n    TASKS.add(t)",
            "    t = asyncio.create_task(work())\n    await t",
            "    async with asyncio.TaskGroup() as group:\n        group.create_task(work())",
            "    global t\n    t = asyncio.create_task(work())",
            "    self.t = asyncio.create_task(work())",
            "    await asyncio.create_task(work())",
            "    create_task(work())",
        ] {
            check(&request(&format!("    verify(request)\n{body}")), &[]);
        }
    }
}
