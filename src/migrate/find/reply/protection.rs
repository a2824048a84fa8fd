//! What still happens to a returned value before it is sent.
//!
//! A body that FastAPI encodes is encoded after the function has ended. Once the handler encodes it,
//! an error of that is seen by the `except` and `with` around the `return`, and what `finally` and
//! the end of a `with` change in it comes too late.

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::tree::{Try, range_of};

/// What stands around a `return`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Protection {
    /// An error there may be caught: an `except`, or the end of a `with`.
    pub(super) catches: bool,
    /// Other code runs after it: a `finally`, or the end of a `with`.
    pub(super) runs_code: bool,
}

/// The values that the function of `body` itself returns, with their statements.
pub(super) fn returned(body: &[Stmt]) -> Vec<(ByteRange, &Expr, Protection)> {
    let mut values = Vec::new();
    statements(body, Protection::default(), &mut values);
    values
}

fn statements<'a>(
    body: &'a [Stmt],
    around: Protection,
    values: &mut Vec<(ByteRange, &'a Expr, Protection)>,
) {
    for statement in body {
        match statement {
            Stmt::Return(s) => {
                if let Some(value) = &s.value {
                    values.push((range_of(s), value, around));
                }
            }
            Stmt::If(s) => {
                statements(&s.body, around, values);
                statements(&s.orelse, around, values);
            }
            Stmt::For(ast::StmtFor { body, orelse, .. })
            | Stmt::AsyncFor(ast::StmtAsyncFor { body, orelse, .. })
            | Stmt::While(ast::StmtWhile { body, orelse, .. }) => {
                statements(body, around, values);
                statements(orelse, around, values);
            }
            Stmt::With(ast::StmtWith { body, .. })
            | Stmt::AsyncWith(ast::StmtAsyncWith { body, .. }) => {
                let inside = Protection {
                    catches: true,
                    runs_code: true,
                };
                statements(body, inside, values);
            }
            Stmt::Match(s) => {
                for case in &s.cases {
                    statements(&case.body, around, values);
                }
            }
            Stmt::Try(_) | Stmt::TryStar(_) => {
                if let Some(Try {
                    body,
                    handlers,
                    orelse,
                    finalbody,
                }) = Try::of(statement)
                {
                    let outside_of_except = Protection {
                        runs_code: around.runs_code || !finalbody.is_empty(),
                        ..around
                    };
                    let inside = Protection {
                        catches: around.catches || !handlers.is_empty(),
                        ..outside_of_except
                    };
                    statements(body, inside, values);
                    for ast::ExceptHandler::ExceptHandler(handler) in handlers {
                        statements(&handler.body, outside_of_except, values);
                    }
                    statements(orelse, outside_of_except, values);
                    statements(finalbody, around, values);
                }
            }
            // What functions inside return is nothing that this one does.
            Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::Delete(_)
            | Stmt::Assign(_)
            | Stmt::TypeAlias(_)
            | Stmt::AugAssign(_)
            | Stmt::AnnAssign(_)
            | Stmt::Raise(_)
            | Stmt::Assert(_)
            | Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Global(_)
            | Stmt::Nonlocal(_)
            | Stmt::Expr(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_) => {}
        }
    }
}
