//! Functions of the author that register a webhook for whoever calls them:
//!
//! ```python
//! def hook(path):
//!     return plugin.mount_webhook_method(path, path)
//!
//! @hook("/push")
//! async def push(request): ...
//! ```
//!
//! Such a function is read as a loop is: each use of it is a turn, in which its parameters stand for the
//! arguments. What is rewritten is the call in the function; its uses stay.
//!
//! Invariants: every use of the function in its module is among the turns, and runs once, while the module
//! is imported; whatever else may call it makes the turns unknown. Other modules are not looked at here.

use crate::migrate::edit::ByteRange;
use crate::migrate::find::lookup::turns::loops::{Loop, LoopReader, environments, rebinds};
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::{Definition, yields};
use crate::migrate::python::imports::uses_of_global;
use crate::migrate::python::names::{Binding, BindingKind, Resolver, Scope};
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// What is around a registration when it runs.
#[derive(Default)]
pub(in crate::migrate::find) struct Turn {
    /// What the names of loops and parameters stand for.
    pub(in crate::migrate::find) scopes: Vec<Scope>,
    /// What the result of the function is applied to.
    pub(in crate::migrate::find) applied_to: Option<Expr>,
}

/// What a function does with what the call in it gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::migrate::find) enum ResultUse {
    /// It hands it to its caller.
    Returned,
    /// It uses it itself.
    Inside,
}

/// The functions around a call, outermost first, which may register for their callers.
#[derive(Clone, Copy)]
pub(in crate::migrate::find) struct Registrar<'a> {
    outer: Definition<'a>,
    /// The function that the outer one gives, which is called with the handler.
    inner: Option<Definition<'a>>,
    resolver: Resolver<'a>,
}

/// A use of a registrar: its call, the loops around it, and what its result is applied to.
struct Use<'a> {
    call: &'a ast::ExprCall,
    loops: Vec<Vec<Scope>>,
    applied_to: Option<Expr>,
}

impl<'a> Registrar<'a> {
    /// The functions around a place, when they do one thing after another and nothing conditionally;
    /// `resolver` knows their names.
    pub(in crate::migrate::find) fn of(
        resolver: Resolver<'a>,
        functions: &[Definition<'a>],
    ) -> Option<Self> {
        let is_plain = |definition: Definition<'_>| {
            !definition.is_async
                && definition.decorators.is_empty()
                && definition.arguments.vararg.is_none()
                && definition.arguments.kwarg.is_none()
                && is_straight(definition.body)
                && !yields(definition.body)
                && !has_nonlocal(definition.body)
        };
        let (outer, inner) = match *functions {
            [outer] => (outer, None),
            [outer, inner] => (outer, Some(inner)),
            _ => return None,
        };
        if !is_plain(outer) || tree::parameters(outer.arguments).next().is_none() {
            return None;
        }
        if let Some(inner) = inner {
            let mut parameters = tree::parameters(inner.arguments);
            let takes_handler = parameters.next().is_some() && parameters.next().is_none();
            let is_result = matches!(
                outer.body.last(),
                Some(Stmt::Return(ast::StmtReturn { value: Some(value), .. }))
                    if tree::is_named(value, inner.name)
            );
            let scope = resolver.locals.first();
            let is_named_once = scope.is_some_and(|scope| scope.bindings(inner.name).len() == 1);
            let is_used_once = uses_within(outer.body, inner.name) == 1;
            if !(is_plain(inner) && takes_handler && is_result && is_named_once && is_used_once) {
                return None;
            }
        }
        // Neither function gives a parameter another value, nor does the inner one to those of the outer.
        let keeps_parameter = |parameter: &ast::Arg| {
            let scopes = resolver.locals.iter();
            let mut bindings = scopes.flat_map(|scope| scope.bindings(&parameter.arg));
            let is_parameter = |one: &Binding| matches!(one.kind, BindingKind::Parameter(_));
            bindings.next().is_some_and(is_parameter)
                && bindings.next().is_none()
                && !rebinds(outer.body, &parameter.arg)
        };
        let mut functions = [Some(outer), inner].into_iter().flatten();
        let keeps =
            functions.all(|function| tree::parameters(function.arguments).all(keeps_parameter));
        keeps.then_some(Self {
            outer,
            inner,
            resolver,
        })
    }

    /// The name of the function that is called.
    pub(in crate::migrate::find) fn name(&self) -> &'a str {
        self.outer.name
    }

    /// What is around `call` each time that it runs; none where that cannot be seen.
    pub(in crate::migrate::find) fn turns(
        &self,
        call: ByteRange,
        result: ResultUse,
    ) -> Option<Vec<Turn>> {
        let is_returned = self.inner.is_none() && returns(self.outer.body, call);
        if (result == ResultUse::Returned) != is_returned {
            return None;
        }
        let needs_handler = is_returned || self.inner.is_some();
        let body = range_of_body(self.outer.body)?;
        let mut turns = Vec::new();
        for one in self.uses()? {
            if needs_handler && one.applied_to.is_none() {
                return None;
            }
            let mut values = arguments(self.outer.arguments, one.call)?;
            if let Some(inner) = self.inner {
                let handler = tree::parameters(inner.arguments).next()?;
                values.push((handler.arg.to_string(), one.applied_to.clone()?));
            }
            let handed = values.iter().map(|(_, value)| value);
            if handed
                .chain(&one.applied_to)
                .any(|value| self.is_captured(value))
            {
                return None;
            }
            for mut scopes in one.loops {
                scopes.push(Scope::of_values(body, &values, &[]));
                turns.push(Turn {
                    scopes,
                    applied_to: one.applied_to.clone(),
                });
            }
        }
        (!turns.is_empty()).then_some(turns)
    }

    /// The uses of the function in its module; none when one of them is not understood.
    fn uses(&self) -> Option<Vec<Use<'a>>> {
        let loaded = self.resolver.loaded;
        let suite = loaded.module.suite();
        let is_at_top = suite.iter().any(|one| range_of(one) == self.outer.range);
        let is_known_alone = is_at_top
            && loaded.scope.bindings(self.outer.name).len() == 1
            && !contains_any(loaded.module.source().text(), BY_TEXT)
            && !is_reached_otherwise(suite, self.outer.name);
        if !is_known_alone {
            return None;
        }
        let mut uses = Vec::new();
        for statement in suite {
            self.uses_in(statement, &mut Vec::new(), &mut uses)?;
        }
        // Whatever else is done with the name is not among them.
        (uses_of_global(loaded, self.outer.name) == uses.len()).then_some(uses)
    }

    /// The uses in a statement that runs while the module is imported.
    fn uses_in(
        &self,
        statement: &'a Stmt,
        loops: &mut Vec<Loop>,
        uses: &mut Vec<Use<'a>>,
    ) -> Option<()> {
        let call_of = |expression: &'a Expr| match expression {
            Expr::Call(call) if tree::is_named(&call.func, self.outer.name) => Some(call),
            _ => None,
        };
        if let Some(definition) = Definition::of(statement) {
            // In a loop the name of the function is that of the last one.
            if loops.is_empty() {
                for call in definition.decorators.iter().filter_map(call_of) {
                    uses.push(Use {
                        call,
                        loops: vec![Vec::new()],
                        applied_to: Some(tree::name_expression(definition.name)),
                    });
                }
            }
            return Some(());
        }
        match statement {
            Stmt::Expr(expression) => {
                let Expr::Call(outer) = &*expression.value else {
                    return Some(());
                };
                let (call, applied_to) = match call_of(&outer.func) {
                    // hook("/push")(push)
                    Some(call) => match outer.args.as_slice() {
                        [handler] if outer.keywords.is_empty() => (call, Some(handler.clone())),
                        _ => return None,
                    },
                    // register("/push", push)
                    None => match call_of(&expression.value) {
                        Some(call) => (call, None),
                        None => return Some(()),
                    },
                };
                uses.push(Use {
                    call,
                    loops: environments(loops, range_of(call))?,
                    applied_to,
                });
                Some(())
            }
            Stmt::For(statement) => {
                let reader = LoopReader {
                    resolver: Resolver::of_module(self.resolver.workspace, self.resolver.loaded),
                    is_in_function: false,
                };
                loops.push(reader.for_loop(statement));
                for inside in &statement.body {
                    self.uses_in(inside, loops, uses)?;
                }
                loops.pop();
                Some(())
            }
            _ => Some(()),
        }
    }

    /// Whether an expression of the module would mean something else inside of the functions around.
    fn is_captured(&self, expression: &Expr) -> bool {
        let mut is_captured = false;
        tree::walk(Node::Expr(expression), &mut |node| {
            if let Node::Expr(Expr::Name(name)) = node {
                let mut scopes = self.resolver.locals.iter();
                is_captured |= scopes.any(|scope| !scope.bindings(&name.id).is_empty());
            }
            Descend::Into
        });
        is_captured
    }
}

/// What the parameters of a function stand for in a call of it; none when that cannot be seen.
fn arguments(parameters: &ast::Arguments, call: &ast::ExprCall) -> Option<Vec<(String, Expr)>> {
    let mut values: Vec<(String, Expr)> = Vec::new();
    let positional: Vec<&ast::ArgWithDefault> = tree::positional_parameters(parameters).collect();
    if call.args.len() > positional.len() {
        return None;
    }
    for (parameter, value) in positional.iter().zip(&call.args) {
        if matches!(value, Expr::Starred(_)) {
            return None;
        }
        values.push((parameter.def.arg.to_string(), value.clone()));
    }
    for keyword in &call.keywords {
        let name = keyword.arg.as_ref()?.to_string();
        if values.iter().any(|(other, _)| *other == name) {
            return None;
        }
        values.push((name, keyword.value.clone()));
    }
    let all: Vec<&ast::ArgWithDefault> = positional
        .into_iter()
        .chain(&parameters.kwonlyargs)
        .collect();
    for parameter in &all {
        let name = parameter.def.arg.to_string();
        if values.iter().any(|(other, _)| *other == name) {
            continue;
        }
        // What a default stands for is decided where the function is defined.
        match parameter.default.as_deref()? {
            default @ Expr::Constant(_) => values.push((name, default.clone())),
            _ => return None,
        }
    }
    (values.len() == all.len()).then_some(values)
}

/// What may reach a function of the module by the text of its name.
const BY_TEXT: &[&str] = &["globals()", "locals()", "eval(", "exec(", "sys.modules"];

fn contains_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Whether a name is taken as an attribute of something, or imported: the module may import itself.
fn is_reached_otherwise(suite: &[Stmt], name: &str) -> bool {
    let mut is_reached = false;
    tree::walk_body(suite, &mut |node| {
        match node {
            Node::Expr(Expr::Attribute(attribute)) => {
                is_reached |= attribute.attr.as_str() == name;
            }
            Node::Stmt(Stmt::ImportFrom(import)) => {
                let mut names = import.names.iter();
                is_reached |= names.any(|alias| alias.name.as_str() == name);
            }
            Node::Stmt(_) | Node::Expr(_) => {}
        }
        Descend::Into
    });
    is_reached
}

/// Whether a function inside may give the variables of this one other values.
fn has_nonlocal(body: &[Stmt]) -> bool {
    let mut found = false;
    tree::walk_body(body, &mut |node| {
        found |= matches!(node, Node::Stmt(Stmt::Nonlocal(_)));
        Descend::Into
    });
    found
}

/// Whether the statements run one after another, each of them once.
fn is_straight(body: &[Stmt]) -> bool {
    let Some((last, before)) = body.split_last() else {
        return false;
    };
    let runs_on = |statement: &Stmt| {
        matches!(
            statement,
            Stmt::Expr(_)
                | Stmt::Assign(_)
                | Stmt::AnnAssign(_)
                | Stmt::Pass(_)
                | Stmt::FunctionDef(_)
                | Stmt::AsyncFunctionDef(_)
        )
    };
    before.iter().all(runs_on) && (runs_on(last) || matches!(last, Stmt::Return(_)))
}

/// Whether the last statement returns the expression at `range`.
fn returns(body: &[Stmt], range: ByteRange) -> bool {
    matches!(
        body.last(),
        Some(Stmt::Return(ast::StmtReturn { value: Some(value), .. })) if range_of(&**value) == range
    )
}

fn range_of_body(body: &[Stmt]) -> Option<ByteRange> {
    let (first, last) = (body.first()?, body.last()?);
    Some(ByteRange::new(
        range_of(first).start(),
        range_of(last).end(),
    ))
}

fn uses_within(body: &[Stmt], name: &str) -> usize {
    let mut uses = 0;
    tree::walk_body(body, &mut |node| {
        if let Node::Expr(expression) = node {
            uses += usize::from(tree::is_named(expression, name));
        }
        Descend::Into
    });
    uses
}
