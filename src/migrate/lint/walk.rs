//! One function: what is known about its names, what the checks say of it, and what it calls.
//!
//! Invariants: the functions inside it are not walked with it; they are functions of their
//! own, reached when something calls them. Each node is looked at once.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::migrate::edit::ByteRange;
use crate::migrate::lint::checks::{
    authentication, blocking, header, secret, setting, signature, slow, task,
};
use crate::migrate::lint::context::CheckContext;
use crate::migrate::lint::facts::evaluate::{Evaluator, Names};
use crate::migrate::lint::facts::{Fact, names};
use crate::migrate::lint::model::{
    Analysis, CallArguments, Edge, Entry, Mode, NodeContext, Subject,
};
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::names::Value;
use crate::migrate::python::tree::{self, Node};

/// Looks at a function.
pub(super) fn analyse(subject: Subject<'_>) -> Analysis {
    let own = names::collect(&subject);
    let mut walker = Walker {
        subject,
        own: &own,
        out: Analysis::default(),
        lookups: Vec::new(),
        used: OnceCell::new(),
    };
    walker.whole();
    let mut out = walker.out;
    // Whoever looks the same header up in lower case too has thought of it.
    let lower: Vec<String> = walker
        .lookups
        .iter()
        .filter(|lookup| lookup.finding.is_none())
        .map(|lookup| lookup.key.clone())
        .collect();
    out.findings.extend(
        walker
            .lookups
            .into_iter()
            .filter(|lookup| lower.is_empty() || !lower.contains(&lookup.key))
            .filter_map(|lookup| lookup.finding),
    );
    out.names = Rc::new(own);
    out
}

struct Walker<'a> {
    subject: Subject<'a>,
    own: &'a Names,
    out: Analysis,
    lookups: Vec<header::Lookup>,
    /// The names that the function uses; only who makes tasks asks.
    used: OnceCell<FxHashSet<&'a str>>,
}

impl<'a> Walker<'a> {
    fn context(&self, around: NodeContext) -> CheckContext<'a> {
        CheckContext {
            evaluator: Evaluator {
                resolver: self.subject.resolver,
                outer: self.subject.outer,
                own: self.own,
            },
            loaded: self.subject.resolver.loaded,
            function: self.subject.definition.name,
            is_async: self.subject.definition.is_async,
            mode: self.subject.mode,
            dialect: self.subject.dialect,
            around,
        }
    }

    fn whole(&mut self) {
        let around = NodeContext::default();
        let context = self.context(around);
        let definition = self.subject.definition;
        if *self.subject.entry == Entry::Handler {
            self.out.checks_caller |= authentication::in_parameters(&context, definition.arguments);
        }
        for decorator in definition.decorators {
            self.out.checks_caller |= authentication::is_checking_decorator(decorator);
            let called = match decorator {
                Expr::Call(call) => &*call.func,
                other => other,
            };
            self.hand_on(&context, called, &[]);
        }
        for statement in definition.body {
            self.statement(statement, around);
        }
        let module = &self.subject.resolver.loaded.module;
        for expression in module.fragments(definition.range) {
            self.expression(expression, around);
        }
    }

    fn visit(&mut self, node: Node<'a>, around: NodeContext) {
        match node {
            Node::Stmt(statement) => self.statement(statement, around),
            Node::Expr(expression) => self.expression(expression, around),
        }
    }

    fn children(&mut self, node: Node<'a>, around: NodeContext) {
        let around = NodeContext {
            directly_awaited: false,
            ..around
        };
        tree::children(node, &mut |child| self.visit(child, around));
    }

    fn body(&mut self, body: &'a [Stmt], around: NodeContext) {
        for statement in body {
            self.statement(statement, around);
        }
    }

    fn statement(&mut self, statement: &'a Stmt, around: NodeContext) {
        let around = NodeContext {
            awaited: false,
            directly_awaited: false,
            ..around
        };
        let looped = NodeContext {
            in_loop: true,
            ..around
        };
        let context = self.context(around);
        let (used, module) = (&self.used, &self.subject.resolver.loaded.module);
        let definition = self.subject.definition;
        let is_used = |name: &str| {
            let used = used.get_or_init(|| task::used_names(module, definition));
            used.contains(name)
        };
        task::in_statement(&context, statement, &is_used, &mut self.out.findings);
        match statement {
            statement if tree::is_definition(statement) => {}
            Stmt::For(s) => {
                self.expression(&s.iter, around);
                self.body(&s.body, looped);
                self.body(&s.orelse, around);
            }
            Stmt::AsyncFor(s) => {
                self.expression(&s.iter, around);
                self.body(&s.body, looped);
                self.body(&s.orelse, around);
            }
            Stmt::While(s) => {
                self.expression(&s.test, looped);
                self.body(&s.body, looped);
                self.body(&s.orelse, around);
            }
            Stmt::AsyncWith(s) => {
                for item in &s.items {
                    slow::in_await(&context, &item.context_expr, &mut self.out.findings);
                }
                self.children(Node::Stmt(statement), around);
            }
            _ => self.children(Node::Stmt(statement), around),
        }
    }

    fn expression(&mut self, expression: &'a Expr, around: NodeContext) {
        let context = self.context(around);
        let node = Node::Expr(expression);
        self.out.checks_caller |= authentication::is_refusal(expression);
        match expression {
            Expr::Await(awaited) => {
                slow::in_await(&context, &awaited.value, &mut self.out.findings);
                let around = NodeContext {
                    awaited: true,
                    directly_awaited: true,
                    ..around
                };
                self.expression(&awaited.value, around);
            }
            Expr::Lambda(lambda) => {
                let around = NodeContext {
                    in_lambda: true,
                    ..around
                };
                self.expression(&lambda.body, around);
            }
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::GeneratorExp(_) => {
                let around = NodeContext {
                    in_loop: true,
                    ..around
                };
                self.children(node, around);
            }
            Expr::Call(call) => self.call(&context, call),
            Expr::Compare(compare) => {
                let out = &mut self.out;
                self.lookups
                    .extend(header::in_comparison(&context, compare));
                signature::in_comparison(&context, compare, &mut out.findings);
                secret::in_comparison(&context, compare, &mut out.findings);
                setting::verified_by_comparison(&context, compare, &mut out.verified);
                out.checks_caller |= authentication::in_comparison(&context, compare);
                self.children(node, around);
            }
            Expr::Subscript(subscript) => {
                self.lookups
                    .extend(header::in_subscript(&context, subscript));
                self.out.checks_caller |= authentication::in_subscript(&context, subscript);
                self.children(node, around);
            }
            Expr::Name(_) | Expr::Attribute(_) => {
                secret::in_use(&context, expression, &mut self.out.findings);
                self.children(node, around);
            }
            _ => self.children(node, around),
        }
    }

    fn call(&mut self, context: &CheckContext<'a>, call: &'a ast::ExprCall) {
        let callee = context.evaluator.resolver.value(&call.func);
        let external = match &callee {
            Value::External(name) => Some(name.as_str()),
            _ => None,
        };
        let out = &mut self.out;
        self.lookups.extend(header::in_call(context, call));
        signature::in_call(context, call, external, &mut out.findings);
        secret::in_call(context, call, external, &mut out.findings);
        blocking::in_call(context, call, external, &mut out.findings);
        setting::verified_by_call(context, call, external, &mut out.verified);
        out.checks_caller |= authentication::in_call(context, call, &callee);
        let makes_task = task::makes_task(context, call, external);
        if let Value::Function(path, range) = callee {
            // What is wrong with it has been said here.
            let is_known = signature::given_to_check(context, call).is_some();
            let unless_known = |fact: Fact| match fact {
                Fact::Dumped if is_known => Fact::Unknown,
                fact => fact,
            };
            let given = CallArguments {
                positional: facts(context, &call.args)
                    .into_iter()
                    .map(unless_known)
                    .collect(),
                keywords: call
                    .keywords
                    .iter()
                    .filter_map(|keyword| {
                        let fact = unless_known(context.evaluator.fact(&keyword.value));
                        let name = keyword.arg.as_ref()?.to_string();
                        (fact != Fact::Unknown).then_some((name, fact))
                    })
                    .collect(),
            };
            self.edge(context, path, range, false, given);
        }
        for (index, argument) in call.args.iter().enumerate() {
            self.hand_on(context, argument, &call.args[index + 1..]);
        }
        for keyword in &call.keywords {
            self.hand_on(context, &keyword.value, &[]);
        }
        let around = context.around;
        self.expression(&call.func, around);
        let around = NodeContext {
            // A task that is awaited is waited for; one that is handed on is not.
            awaited: around.awaited && (around.directly_awaited || !makes_task),
            directly_awaited: false,
            ..around
        };
        for argument in &call.args {
            self.expression(argument, around);
        }
        for keyword in &call.keywords {
            self.expression(&keyword.value, around);
        }
    }

    /// A function that is handed on, with the arguments that follow it, as in
    /// `asyncio.to_thread(f, a, b)`.
    fn hand_on(&mut self, context: &CheckContext<'a>, argument: &Expr, following: &[Expr]) {
        let is_plain = match argument {
            Expr::Name(name) => !context.evaluator.is_local(&name.id),
            Expr::Attribute(_) => true,
            _ => false,
        };
        if is_plain && let Value::Function(path, range) = context.evaluator.resolver.value(argument)
        {
            let given = CallArguments {
                positional: facts(context, following),
                keywords: Vec::new(),
            };
            self.edge(context, path, range, true, given);
        }
    }

    fn edge(
        &mut self,
        context: &CheckContext<'a>,
        path: PathBuf,
        range: ByteRange,
        handed_on: bool,
        given: CallArguments,
    ) {
        let mode = if context.around.in_lambda {
            Mode::Elsewhere
        } else {
            self.subject.mode
        };
        self.out.edges.push(Edge {
            path,
            range,
            mode,
            awaited: context.around.awaited,
            handed_on,
            given,
        });
    }
}

/// What is known about arguments that are given by place.
fn facts(context: &CheckContext<'_>, arguments: &[Expr]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = arguments
        .iter()
        .take_while(|argument| !matches!(argument, Expr::Starred(_)))
        .map(|argument| context.evaluator.fact(argument))
        .collect();
    while facts.last() == Some(&Fact::Unknown) {
        facts.pop();
    }
    facts
}
