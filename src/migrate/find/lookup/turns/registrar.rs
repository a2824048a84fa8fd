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
use crate::migrate::find::model::Branch;
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
    /// The branches around the use, the outermost first.
    pub(in crate::migrate::find) branches: Vec<Branch>,
    /// The decorators of the handler that are such uses, and leave the function under them as it is.
    pub(in crate::migrate::find) decorators: Vec<ByteRange>,
}

/// Why it cannot be seen what a registrar registers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::migrate::find) enum Unseen {
    /// The function may be called from where it is not looked for, or does more than to register.
    Function,
    /// The use at this place is not understood.
    Use(ByteRange),
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
    branches: Vec<Branch>,
    /// The decorators beside it that are uses too, and it.
    decorators: Vec<ByteRange>,
}

/// What is around a statement of the module.
#[derive(Default)]
struct Enclosing {
    loops: Vec<Loop>,
    branches: Vec<Branch>,
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

    /// What is around `call` each time that it runs.
    pub(in crate::migrate::find) fn turns(
        &self,
        call: ByteRange,
        result: ResultUse,
    ) -> Result<Vec<Turn>, Unseen> {
        let is_returned = self.inner.is_none() && returns(self.outer.body, call);
        if (result == ResultUse::Returned) != is_returned {
            return Err(Unseen::Function);
        }
        let needs_handler = is_returned || self.inner.is_some();
        let body = range_of_body(self.outer.body).ok_or(Unseen::Function)?;
        let mut turns = Vec::new();
        for one in self.uses()? {
            let unseen = Unseen::Use(range_of(one.call));
            if needs_handler && one.applied_to.is_none() {
                return Err(unseen);
            }
            for loops in one.loops {
                let turn = self.turn(one.call, loops, one.applied_to.as_ref(), body);
                let mut turn = turn.ok_or(unseen)?;
                turn.branches.clone_from(&one.branches);
                // What an inner function returns may be another one.
                let is_kept = |range: &&ByteRange| is_returned || **range == range_of(one.call);
                turn.decorators = one.decorators.iter().filter(is_kept).copied().collect();
                turns.push(turn);
            }
        }
        if turns.is_empty() {
            return Err(Unseen::Function);
        }
        Ok(turns)
    }

    /// One run of the function, called by `call` in `loops`.
    fn turn(
        &self,
        call: &ast::ExprCall,
        loops: Vec<Scope>,
        applied_to: Option<&Expr>,
        body: ByteRange,
    ) -> Option<Turn> {
        let in_turn = |expression: Expr| value_in_turn(&loops, expression);
        let values = arguments(self.outer.arguments, call)?.into_iter();
        let mut values: Vec<(String, Expr)> =
            values.map(|(name, value)| (name, in_turn(value))).collect();
        let applied_to = applied_to.cloned().map(in_turn);
        if let Some(inner) = self.inner {
            let handler = tree::parameters(inner.arguments).next()?;
            values.push((handler.arg.to_string(), applied_to.clone()?));
        }
        let mut handed = values.iter().map(|(_, value)| value).chain(&applied_to);
        if handed.any(|value| self.is_captured(value)) {
            return None;
        }
        let mut scopes = loops;
        scopes.push(Scope::of_values(body, &values, &[]));
        Some(Turn {
            scopes,
            applied_to,
            ..Turn::default()
        })
    }

    /// The uses of the function in its module.
    fn uses(&self) -> Result<Vec<Use<'a>>, Unseen> {
        let loaded = self.resolver.loaded;
        let suite = loaded.module.suite();
        let is_at_top = suite.iter().any(|one| range_of(one) == self.outer.range);
        let is_known_alone = is_at_top
            && loaded.scope.bindings(self.outer.name).len() == 1
            && !contains_any(loaded.module.source().text(), BY_TEXT)
            && !is_reached_otherwise(suite, self.outer.name);
        if !is_known_alone {
            return Err(Unseen::Function);
        }
        let mut uses = Vec::new();
        self.uses_in_body(suite, &mut Enclosing::default(), &mut uses)?;
        // Whatever else is done with the name is not among them.
        if uses_of_global(loaded, self.outer.name) != uses.len() {
            return Err(self
                .first_other(suite, &uses)
                .map_or(Unseen::Function, Unseen::Use));
        }
        Ok(uses)
    }

    /// The first place that has the name and is none of `uses`.
    fn first_other(&self, suite: &[Stmt], uses: &[Use<'_>]) -> Option<ByteRange> {
        let known: Vec<ByteRange> = uses.iter().map(|one| range_of(&*one.call.func)).collect();
        let mut first: Option<ByteRange> = None;
        tree::walk_body(suite, &mut |node| {
            if let Node::Expr(expression) = node
                && tree::is_named(expression, self.outer.name)
                && !known.contains(&range_of(expression))
            {
                let range = range_of(expression);
                first = Some(first.map_or(range, |first| first.min(range)));
            }
            Descend::Into
        });
        first
    }

    fn uses_in_body(
        &self,
        body: &'a [Stmt],
        around: &mut Enclosing,
        uses: &mut Vec<Use<'a>>,
    ) -> Result<(), Unseen> {
        for statement in body {
            self.uses_in(statement, around, uses)?;
        }
        Ok(())
    }

    fn uses_in_branch(
        &self,
        branch: Branch,
        body: &'a [Stmt],
        around: &mut Enclosing,
        uses: &mut Vec<Use<'a>>,
    ) -> Result<(), Unseen> {
        around.branches.push(branch);
        self.uses_in_body(body, around, uses)?;
        around.branches.pop();
        Ok(())
    }

    /// The uses in a statement that runs while the module is imported.
    fn uses_in(
        &self,
        statement: &'a Stmt,
        around: &mut Enclosing,
        uses: &mut Vec<Use<'a>>,
    ) -> Result<(), Unseen> {
        let call_of = |expression: &'a Expr| match expression {
            Expr::Call(call) if tree::is_named(&call.func, self.outer.name) => Some(call),
            _ => None,
        };
        if let Some(definition) = Definition::of(statement) {
            // In a loop the name of the function is that of the last one.
            if around.loops.is_empty() {
                let calls = definition.decorators.iter().filter_map(call_of);
                let decorators: Vec<ByteRange> = calls.clone().map(range_of).collect();
                for call in calls {
                    uses.push(Use {
                        call,
                        loops: vec![Vec::new()],
                        applied_to: Some(tree::name_expression(definition.name)),
                        branches: around.branches.clone(),
                        decorators: decorators.clone(),
                    });
                }
            }
            return Ok(());
        }
        // Another turn of a loop around may take another branch.
        let is_exclusive = around.loops.is_empty();
        let branch = |index| Branch {
            statement: range_of(statement),
            index,
            exclusive: is_exclusive,
        };
        match statement {
            Stmt::Expr(expression) => {
                let Expr::Call(outer) = &*expression.value else {
                    return Ok(());
                };
                let (call, applied_to) = match call_of(&outer.func) {
                    // hook("/push")(push)
                    Some(call) => match outer.args.as_slice() {
                        [handler] if outer.keywords.is_empty() => (call, Some(handler.clone())),
                        _ => return Err(Unseen::Use(range_of(call))),
                    },
                    // register("/push", push)
                    None => match call_of(&expression.value) {
                        Some(call) => (call, None),
                        None => return Ok(()),
                    },
                };
                let place = range_of(call);
                uses.push(Use {
                    call,
                    loops: environments(&around.loops, place).ok_or(Unseen::Use(place))?,
                    applied_to,
                    branches: around.branches.clone(),
                    decorators: Vec::new(),
                });
                Ok(())
            }
            Stmt::For(statement) => {
                let reader = LoopReader {
                    resolver: Resolver::of_module(self.resolver.workspace, self.resolver.loaded),
                    is_in_function: false,
                };
                around.loops.push(reader.for_loop(statement));
                self.uses_in_body(&statement.body, around, uses)?;
                around.loops.pop();
                Ok(())
            }
            Stmt::If(choice) => {
                self.uses_in_branch(branch(0), &choice.body, around, uses)?;
                self.uses_in_branch(branch(1), &choice.orelse, around, uses)
            }
            _ => Ok(()),
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

/// What an expression stands for in a turn of loops, where it is the name of one.
fn value_in_turn(loops: &[Scope], expression: Expr) -> Expr {
    let Expr::Name(name) = &expression else {
        return expression;
    };
    let scopes = loops.iter().rev();
    let mut bindings = scopes.map(|scope| scope.bindings(&name.id));
    match bindings.find(|bindings| !bindings.is_empty()) {
        Some(
            [
                Binding {
                    kind: BindingKind::Value(value),
                    ..
                },
            ],
        ) => (**value).clone(),
        _ => expression,
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
        // What a default stands for is decided where the function is defined; of others than constants
        // nothing is known in the turn.
        if let default @ Expr::Constant(_) = parameter.default.as_deref()? {
            values.push((name, default.clone()));
        }
    }
    let is_parameter = |(name, _): &(String, Expr)| {
        let mut parameters = all.iter();
        parameters.any(|parameter| parameter.def.arg.as_str() == name)
    };
    values.iter().all(is_parameter).then_some(values)
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
