//! The tree of ruff's parser as the nodes of [`ast`].
//!
//! Invariant: what these nodes cannot say is refused, never left out without a word. So is what Python
//! refuses and the parser leaves to later checks, where that is about one node alone.

mod expression;
mod line_ends;
mod operators;
mod pattern;
mod strings;

use std::cell::RefCell;

use ruff_python_ast as ruff;
use ruff_text_size::{Ranged, TextRange};

use super::rejection::{Reason, Rejection};
use crate::migrate::python::ast::text_size::{TextRange as Range, TextSize};
use crate::migrate::python::ast::{self, Expr, Identifier, Stmt};

/// Converts the nodes of one text.
pub(super) struct Converter<'a> {
    text: &'a str,
    /// What is added to the place of each node.
    shift: u32,
    /// What the first node is that is refused.
    rejection: RefCell<Option<Rejection>>,
}

impl<'a> Converter<'a> {
    pub(super) fn new(text: &'a str, shift: u32) -> Self {
        Self {
            text,
            shift,
            rejection: RefCell::new(None),
        }
    }

    /// The first node that is refused.
    pub(super) fn into_rejection(self) -> Option<Rejection> {
        self.rejection.into_inner()
    }

    /// An expression on its own.
    pub(super) fn root(&self, expression: ruff::Expr) -> Expr {
        self.expression(expression)
    }

    pub(super) fn statements(&self, all: impl IntoIterator<Item = ruff::Stmt>) -> Vec<Stmt> {
        all.into_iter().map(|one| self.statement(one)).collect()
    }

    fn refuse(&self, range: TextRange, reason: &str) {
        self.rejection
            .borrow_mut()
            .get_or_insert_with(|| Rejection {
                offset: range.start().to_usize(),
                reason: Reason::Syntax(reason.to_owned()),
            });
    }

    /// Refuses what is newer than the nodes.
    fn note_unknown(&self, range: TextRange) {
        self.refuse(range, "this syntax is newer than Python 3.12");
    }

    fn range(&self, range: TextRange) -> Range {
        let place = |offset: ruff_text_size::TextSize| TextSize::new(self.shift + offset.to_u32());
        Range::new(place(range.start()), place(range.end()))
    }

    /// A name as it stands in the text: the parser brings letters beyond ASCII into their normal form,
    /// and joins what is around the dots of a module's name.
    fn name(&self, name: &str, range: TextRange) -> Identifier {
        let written = self
            .text
            .get(range.start().to_usize()..range.end().to_usize());
        match written {
            Some(written) if !name.contains('.') => Identifier::new(written),
            _ => Identifier::new(name),
        }
    }

    fn identifier(&self, identifier: &ruff::Identifier) -> Identifier {
        self.name(identifier.id.as_str(), identifier.range)
    }

    fn statement(&self, statement: ruff::Stmt) -> Stmt {
        let range = self.range(statement.range());
        match statement {
            ruff::Stmt::FunctionDef(s) => self.function(s),
            ruff::Stmt::ClassDef(s) => self.class(s),
            ruff::Stmt::Return(s) => Stmt::Return(ast::StmtReturn {
                range,
                value: self.optional(s.value),
            }),
            ruff::Stmt::Delete(s) => Stmt::Delete(ast::StmtDelete {
                range,
                targets: self.expressions(s.targets),
            }),
            ruff::Stmt::TypeAlias(s) => Stmt::TypeAlias(ast::StmtTypeAlias {
                range,
                name: self.boxed(s.name),
                type_params: self.type_params(s.type_params),
                value: self.boxed(s.value),
            }),
            ruff::Stmt::Assign(s) => Stmt::Assign(ast::StmtAssign {
                range,
                targets: self.expressions(s.targets),
                value: self.boxed(s.value),
                type_comment: None,
            }),
            ruff::Stmt::AugAssign(s) => Stmt::AugAssign(ast::StmtAugAssign {
                range,
                target: self.boxed(s.target),
                op: operators::binary(s.op),
                value: self.boxed(s.value),
            }),
            ruff::Stmt::AnnAssign(s) => Stmt::AnnAssign(ast::StmtAnnAssign {
                range,
                simple: s.simple,
                target: self.boxed(s.target),
                annotation: self.boxed(s.annotation),
                value: self.optional(s.value),
            }),
            ruff::Stmt::For(s) => self.for_loop(s),
            ruff::Stmt::While(s) => Stmt::While(ast::StmtWhile {
                range,
                test: self.boxed(s.test),
                body: self.statements(s.body),
                orelse: self.statements(s.orelse),
            }),
            ruff::Stmt::If(s) => self.condition(s),
            ruff::Stmt::With(s) => self.with(s),
            ruff::Stmt::Match(s) => Stmt::Match(ast::StmtMatch {
                range,
                subject: self.boxed(s.subject),
                cases: s.cases.into_iter().map(|case| self.case(case)).collect(),
            }),
            ruff::Stmt::Raise(s) => Stmt::Raise(ast::StmtRaise {
                range,
                exc: self.optional(s.exc),
                cause: self.optional(s.cause),
            }),
            ruff::Stmt::Try(s) => self.try_statement(s),
            ruff::Stmt::Assert(s) => Stmt::Assert(ast::StmtAssert {
                range,
                test: self.boxed(s.test),
                msg: self.optional(s.msg),
            }),
            ruff::Stmt::Import(s) => {
                if s.is_lazy {
                    self.note_unknown(s.range);
                }
                Stmt::Import(ast::StmtImport {
                    range,
                    names: self.aliases(s.names),
                })
            }
            ruff::Stmt::ImportFrom(s) => {
                if s.is_lazy {
                    self.note_unknown(s.range);
                }
                Stmt::ImportFrom(ast::StmtImportFrom {
                    range,
                    module: s.module.as_ref().map(|module| self.identifier(module)),
                    names: self.aliases(s.names),
                    level: Some(ast::Int::new(s.level)),
                })
            }
            ruff::Stmt::Global(s) => Stmt::Global(ast::StmtGlobal {
                range,
                names: self.identifiers(&s.names),
            }),
            ruff::Stmt::Nonlocal(s) => Stmt::Nonlocal(ast::StmtNonlocal {
                range,
                names: self.identifiers(&s.names),
            }),
            ruff::Stmt::Expr(s) => Stmt::Expr(ast::StmtExpr {
                range,
                value: self.boxed(s.value),
            }),
            ruff::Stmt::Pass(_) => Stmt::Pass(ast::StmtPass { range }),
            ruff::Stmt::Break(_) => Stmt::Break(ast::StmtBreak { range }),
            ruff::Stmt::Continue(_) => Stmt::Continue(ast::StmtContinue { range }),
            ruff::Stmt::IpyEscapeCommand(s) => {
                self.note_unknown(s.range);
                Stmt::Pass(ast::StmtPass { range })
            }
        }
    }

    fn identifiers(&self, all: &[ruff::Identifier]) -> Vec<Identifier> {
        all.iter().map(|one| self.identifier(one)).collect()
    }

    fn aliases(&self, all: Vec<ruff::Alias>) -> Vec<ast::Alias> {
        let convert = |alias: ruff::Alias| ast::Alias {
            range: self.range(alias.range),
            name: self.identifier(&alias.name),
            asname: alias.asname.as_ref().map(|name| self.identifier(name)),
        };
        all.into_iter().map(convert).collect()
    }

    /// The range of a definition without its decorators. `name` is where its name starts, in front of
    /// which are only keywords, white space and joined lines.
    fn definition(&self, range: TextRange, name: TextRange, words: &[&str]) -> Range {
        let mut before = self.text.get(..name.start().to_usize()).unwrap_or_default();
        for word in words {
            before = before.trim_end_matches([' ', '\t', '\x0c', '\\', '\r', '\n']);
            before = before.strip_suffix(word).unwrap_or(before);
        }
        let start = u32::try_from(before.len()).unwrap_or_default();
        let range = TextRange::new(start.into(), range.end().max(start.into()));
        self.range(range)
    }

    fn decorators(&self, all: impl IntoIterator<Item = ruff::Decorator>) -> Vec<Expr> {
        self.expressions(all.into_iter().map(|decorator| decorator.expression))
    }

    fn function(&self, s: ruff::StmtFunctionDef) -> Stmt {
        let words: &[&str] = if s.is_async {
            &["def", "async"]
        } else {
            &["def"]
        };
        let range = if s.decorator_list.is_empty() {
            self.range(s.range)
        } else {
            self.definition(s.range, s.name.range, words)
        };
        let name = self.identifier(&s.name);
        let decorator_list = self.decorators(s.decorator_list);
        let type_params = self.type_params(s.type_params);
        let args = Box::new(self.parameters(*s.parameters));
        let returns = self.optional(s.returns);
        let body = self.statements(s.body);
        if s.is_async {
            Stmt::AsyncFunctionDef(ast::StmtAsyncFunctionDef {
                range,
                name,
                args,
                body,
                decorator_list,
                returns,
                type_comment: None,
                type_params,
            })
        } else {
            Stmt::FunctionDef(ast::StmtFunctionDef {
                range,
                name,
                args,
                body,
                decorator_list,
                returns,
                type_comment: None,
                type_params,
            })
        }
    }

    fn class(&self, s: ruff::StmtClassDef) -> Stmt {
        let range = if s.decorator_list.is_empty() {
            self.range(s.range)
        } else {
            self.definition(s.range, s.name.range, &["class"])
        };
        let (bases, keywords) = match s.arguments {
            Some(arguments) => self.arguments(*arguments),
            None => (Vec::new(), Vec::new()),
        };
        Stmt::ClassDef(ast::StmtClassDef {
            range,
            name: self.identifier(&s.name),
            bases,
            keywords,
            body: self.statements(s.body),
            decorator_list: self.decorators(s.decorator_list),
            type_params: self.type_params(s.type_params),
        })
    }

    fn type_params(&self, all: Option<Box<ruff::TypeParams>>) -> Vec<ast::TypeParam> {
        let Some(all) = all else {
            return Vec::new();
        };
        let convert = |one: ruff::TypeParam| {
            let range = self.range(one.range());
            if let Some(default) = one.default() {
                self.note_unknown(default.range());
            }
            match one {
                ruff::TypeParam::TypeVar(one) => ast::TypeParam::TypeVar(ast::TypeParamTypeVar {
                    range,
                    name: self.identifier(&one.name),
                    bound: self.optional(one.bound),
                }),
                ruff::TypeParam::TypeVarTuple(one) => {
                    let name = self.identifier(&one.name);
                    ast::TypeParam::TypeVarTuple(ast::TypeParamTypeVarTuple { range, name })
                }
                ruff::TypeParam::ParamSpec(one) => {
                    let name = self.identifier(&one.name);
                    ast::TypeParam::ParamSpec(ast::TypeParamParamSpec { range, name })
                }
            }
        };
        all.type_params.into_iter().map(convert).collect()
    }

    fn for_loop(&self, s: ruff::StmtFor) -> Stmt {
        let range = self.range(s.range);
        let target = self.boxed(s.target);
        let iter = self.boxed(s.iter);
        let body = self.statements(s.body);
        let orelse = self.statements(s.orelse);
        if s.is_async {
            Stmt::AsyncFor(ast::StmtAsyncFor {
                range,
                target,
                iter,
                body,
                orelse,
                type_comment: None,
            })
        } else {
            Stmt::For(ast::StmtFor {
                range,
                target,
                iter,
                body,
                orelse,
                type_comment: None,
            })
        }
    }

    /// An `elif` is an `if` in the `else` of the one before it.
    fn condition(&self, s: ruff::StmtIf) -> Stmt {
        let end = s.range.end();
        let mut orelse = Vec::new();
        for clause in s.elif_else_clauses.into_iter().rev() {
            let body = self.statements(clause.body);
            orelse = match clause.test {
                None => body,
                Some(test) => vec![Stmt::If(ast::StmtIf {
                    range: self.range(TextRange::new(clause.range.start(), end)),
                    test: Box::new(self.expression(test)),
                    body,
                    orelse,
                })],
            };
        }
        Stmt::If(ast::StmtIf {
            range: self.range(s.range),
            test: self.boxed(s.test),
            body: self.statements(s.body),
            orelse,
        })
    }

    fn with(&self, s: ruff::StmtWith) -> Stmt {
        let range = self.range(s.range);
        let convert = |item: ruff::WithItem| ast::WithItem {
            range: self.range(item.range).into(),
            context_expr: self.expression(item.context_expr),
            optional_vars: self.optional(item.optional_vars),
        };
        let items = s.items.into_iter().map(convert).collect();
        let body = self.statements(s.body);
        if s.is_async {
            Stmt::AsyncWith(ast::StmtAsyncWith {
                range,
                items,
                body,
                type_comment: None,
            })
        } else {
            Stmt::With(ast::StmtWith {
                range,
                items,
                body,
                type_comment: None,
            })
        }
    }

    fn case(&self, case: ruff::MatchCase) -> ast::MatchCase {
        ast::MatchCase {
            range: self.range(case.range).into(),
            pattern: self.pattern(case.pattern),
            guard: self.optional(case.guard),
            body: self.statements(case.body),
        }
    }

    fn try_statement(&self, s: ruff::StmtTry) -> Stmt {
        let range = self.range(s.range);
        let convert = |handler: ruff::ExceptHandler| {
            let ruff::ExceptHandler::ExceptHandler(handler) = handler;
            ast::ExceptHandler::ExceptHandler(ast::ExceptHandlerExceptHandler {
                range: self.range(handler.range),
                type_: self.optional(handler.type_),
                name: handler.name.as_ref().map(|name| self.identifier(name)),
                body: self.statements(handler.body),
            })
        };
        let body = self.statements(s.body);
        let handlers = s.handlers.into_iter().map(convert).collect();
        let orelse = self.statements(s.orelse);
        let finalbody = self.statements(s.finalbody);
        if s.is_star {
            Stmt::TryStar(ast::StmtTryStar {
                range,
                body,
                handlers,
                orelse,
                finalbody,
            })
        } else {
            Stmt::Try(ast::StmtTry {
                range,
                body,
                handlers,
                orelse,
                finalbody,
            })
        }
    }
}
