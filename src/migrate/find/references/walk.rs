//! The walk over a file: statements in the order in which they run, expressions before what is inside.
//!
//! Invariant: whatever scopes, functions, branches and loops are around a place are those of
//! [`Finder`] while that place is looked at.

use crate::migrate::edit::ByteRange;
use crate::migrate::find::lookup::turns::loops::{self, Loop};
use crate::migrate::find::model::{Branch, Form};
use crate::migrate::find::references::finder::{EnclosingFunction, Finder};
use crate::migrate::find::references::handler_of::{Held, Target};
use crate::migrate::find::references::method::{TABLE, by_name, is_method};
use crate::migrate::python::ast;
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::imports::uses_of_global;
use crate::migrate::python::names::{Loaded, Scope};
use crate::migrate::python::tree;
use crate::migrate::python::tree::{Descend, Node, range_of};
use crate::text;

/// The built-in functions that do nothing with an attribute whose name they are given.
const SHOWING: &[&str] = &["hasattr", "len", "print", "repr", "str"];

impl<'a> Finder<'a> {
    pub(super) fn body(&mut self, body: &'a [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn branch(&mut self, statement: ByteRange, index: usize, exclusive: bool, body: &'a [Stmt]) {
        // Another turn of a loop around may take another branch.
        let exclusive = exclusive && self.loops.is_empty();
        self.branches.push(Branch {
            statement,
            index,
            exclusive,
        });
        self.body(body);
        self.branches.pop();
    }

    fn looped(&mut self, statement: ByteRange, one: Loop, body: &'a [Stmt]) {
        self.loops.push(one);
        if loops::may_end_early(body) {
            self.branch(statement, 0, false, body);
        } else {
            self.body(body);
        }
        self.loops.pop();
    }

    fn statement(&mut self, statement: &'a Stmt) {
        let range = range_of(statement);
        if let Some(definition) = Definition::of(statement) {
            self.function(definition);
            return;
        }
        if self.alias(statement) || self.held_form(statement) {
            return;
        }
        if let Stmt::Return(returned) = statement
            && let Some(value) = &returned.value
            && self.returned_form(value)
        {
            return;
        }
        if let Stmt::Expr(expression) = statement {
            self.discarded = Some(range_of(&*expression.value));
        }
        // Expressions first, then the statements inside.
        tree::children(Node::Stmt(statement), &mut |child| {
            if let Node::Expr(expression) = child {
                self.expression(expression);
            }
        });
        match statement {
            Stmt::ClassDef(class) => {
                let before = std::mem::replace(&mut self.in_class, true);
                self.scopes.push(Scope::of_class(&class.body));
                self.body(&class.body);
                self.scopes.pop();
                self.in_class = before;
            }
            Stmt::If(s) => {
                self.branch(range, 0, true, &s.body);
                self.branch(range, 1, true, &s.orelse);
            }
            Stmt::Match(s) => {
                for (index, case) in s.cases.iter().enumerate() {
                    self.branch(range, index, true, &case.body);
                }
            }
            Stmt::Try(_) | Stmt::TryStar(_) => {
                if let Some(tree::Try {
                    body,
                    handlers,
                    orelse,
                    finalbody,
                }) = tree::Try::of(statement)
                {
                    self.branch(range, 0, false, body);
                    for (index, ast::ExceptHandler::ExceptHandler(handler)) in
                        handlers.iter().enumerate()
                    {
                        self.branch(range, index + 1, false, &handler.body);
                    }
                    self.branch(range, handlers.len() + 1, false, orelse);
                    self.body(finalbody);
                }
            }
            Stmt::For(s) => {
                self.looped(range, self.loop_reader().for_loop(s), &s.body);
                self.body(&s.orelse);
            }
            Stmt::AsyncFor(s) => {
                self.looped(range, Loop::unknown(range), &s.body);
                self.body(&s.orelse);
            }
            Stmt::While(s) => {
                self.looped(range, Loop::unknown(range), &s.body);
                self.body(&s.orelse);
            }
            Stmt::With(s) => self.body(&s.body),
            Stmt::AsyncWith(s) => self.body(&s.body),
            _ => {}
        }
    }

    fn function(&mut self, definition: Definition<'a>) {
        let handler_definition = definition;
        for decorator in definition.decorators {
            match self.registration_call(decorator) {
                Some((call, callee)) => {
                    let start = self.at_sign_before(range_of(decorator).start());
                    let form = Form::Decorator(ByteRange::new(start, range_of(decorator).end()));
                    self.registration(call, &callee, form, &Target::Decorated(handler_definition));
                    self.arguments(call);
                }
                None => self.expression(decorator),
            }
        }
        let arguments = definition.arguments;
        let defaults = tree::plain_parameters(arguments);
        for default in defaults.filter_map(|argument| argument.default.as_deref()) {
            self.expression(default);
        }
        // A function does not see the names of the classes around it.
        let is_outside = |scope: &Scope| !scope.is_class();
        let (outside, of_classes) = std::mem::take(&mut self.scopes)
            .into_iter()
            .partition(is_outside);
        self.scopes = outside;
        self.scopes
            .push(Scope::of_function(definition.arguments, definition.body));
        self.functions.push(EnclosingFunction {
            definition,
            is_method: self.in_class,
        });
        let in_class = std::mem::replace(&mut self.in_class, false);
        let loops = std::mem::take(&mut self.loops);
        let branches = std::mem::take(&mut self.branches);
        self.body(definition.body);
        self.branches = branches;
        self.loops = loops;
        self.in_class = in_class;
        self.functions.pop();
        self.scopes.pop();
        let of_classes: Vec<Scope> = of_classes;
        self.scopes.extend(of_classes);
    }

    /// Where the `@` of the decorator stands whose expression starts at `offset`.
    fn at_sign_before(&self, offset: usize) -> usize {
        let source = self.loaded.module.source();
        let tokens = self.loaded.module.tokens();
        let mut at = offset;
        while let Some(token) = tokens.previous(at) {
            at = token.range.start();
            if source.slice(token.range) == "@" {
                break;
            }
        }
        at
    }

    pub(super) fn expression(&mut self, expression: &'a Expr) {
        tree::walk(Node::Expr(expression), &mut |node| {
            let Node::Expr(expression) = node else {
                return Descend::Into;
            };
            self.looked_up(expression);
            if let Some((element, generators)) = tree::comprehension(expression) {
                self.comprehended(expression, element, generators);
                return Descend::Past;
            }
            match expression {
                // plugin.mount_webhook_method(...)(f)
                Expr::Call(outer) if self.call_form(outer) => Descend::Past,
                Expr::Attribute(attribute) if is_method(&attribute.attr) => {
                    self.other_reference(attribute);
                    Descend::Into
                }
                Expr::Attribute(attribute) if attribute.attr.as_str() == TABLE => {
                    if self.may_be_of_plugin(&attribute.value) {
                        self.other_reference(attribute);
                    }
                    Descend::Into
                }
                Expr::Call(call) if by_name(call).is_some() => {
                    self.getattr(call);
                    Descend::Into
                }
                Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if SHOWING.contains(&name.id.as_str())) =>
                {
                    self.shown.extend(call.args.iter().map(range_of));
                    Descend::Into
                }
                // When it runs, and whether, is decided elsewhere.
                Expr::GeneratorExp(_) | Expr::DictComp(_) => {
                    self.loops.push(Loop::unknown(range_of(expression)));
                    tree::children(node, &mut |child| {
                        if let Node::Expr(child) = child {
                            self.expression(child);
                        }
                    });
                    self.loops.pop();
                    Descend::Past
                }
                Expr::Lambda(lambda) => {
                    let before = std::mem::replace(&mut self.in_lambda, true);
                    self.expression(&lambda.body);
                    self.in_lambda = before;
                    let arguments = &lambda.args;
                    let all = tree::positional_parameters(arguments);
                    for argument in all.chain(&arguments.kwonlyargs) {
                        if let Some(default) = &argument.default {
                            self.expression(default);
                        }
                    }
                    Descend::Past
                }
                _ => Descend::Into,
            }
        });
    }

    /// `[element for target in values]`.
    fn comprehended(
        &mut self,
        whole: &'a Expr,
        element: &'a Expr,
        generators: &'a [ast::Comprehension],
    ) {
        let outside = self.loops.len();
        for one in generators {
            self.expression(&one.iter);
            for condition in &one.ifs {
                self.expression(condition);
            }
            let turns = self.loop_reader().comprehension(range_of(whole), one);
            self.loops.push(turns);
        }
        self.expression(element);
        self.loops.truncate(outside);
    }

    /// `return plugin.mount_webhook_method(...)` in a function that registers for its callers: whether
    /// a value that is returned is one.
    fn returned_form(&mut self, value: &'a Expr) -> bool {
        let Some((call, callee)) = self.registration_call(value) else {
            return false;
        };
        match self.turns_of_registrar(call, &Target::Returned) {
            Some((_, Ok(_))) => {
                self.registration(call, &callee, Form::Call, &Target::Returned);
            }
            _ => match self.use_not_understood(call, &Target::Returned) {
                Some(detail) => self.not_applied(&callee, None, callee.range, detail),
                None => return false,
            },
        }
        self.arguments(call);
        true
    }

    /// `hook = plugin.mount_webhook_method(...)` at the level of the module, where `hook` is applied to one
    /// function: whether a statement is one.
    fn held_form(&mut self, statement: &'a Stmt) -> bool {
        let Stmt::Assign(assign) = statement else {
            return false;
        };
        let ([Expr::Name(name)], Some((call, callee))) = (
            assign.targets.as_slice(),
            self.registration_call(&assign.value),
        ) else {
            return false;
        };
        let is_at_top = self.functions.is_empty()
            && self.loops.is_empty()
            && self.branches.is_empty()
            && !self.in_class;
        let held = is_at_top
            .then(|| applied_once(self.loaded, &name.id, range_of(statement).end()))
            .flatten();
        match held {
            Some(held) => self.registration(call, &callee, Form::Call, &Target::Held(held)),
            None => {
                let site = self.call_site(call, &callee).ok();
                let endpoint = site.and_then(|site| self.endpoint(call, &site));
                let endpoint = endpoint
                    .and_then(|endpoint| self.loop_reader().text_of(self.resolver(), &endpoint));
                let detail = text!(
                    "the decorator is given the name `{}` here, and what that is applied to cannot be seen",
                    "此处把装饰器赋给了名称 `{}`，而无法看出它装饰的是哪个函数",
                    name.id
                );
                self.not_applied(&callee, endpoint, callee.range, detail);
            }
        }
        self.arguments(call);
        true
    }

    fn arguments(&mut self, call: &'a ast::ExprCall) {
        let keywords = call.keywords.iter().map(|keyword| &keyword.value);
        for argument in call.args.iter().chain(keywords) {
            self.expression(argument);
        }
    }

    /// `plugin.mount_webhook_method(...)(f)`: whether a call is one.
    fn call_form(&mut self, outer: &'a ast::ExprCall) -> bool {
        let Some((call, callee)) = self.registration_call(&outer.func) else {
            return false;
        };
        let target = match (outer.args.as_slice(), outer.keywords.is_empty()) {
            ([function], true) => Target::Applied(function),
            _ => Target::Nothing,
        };
        self.is_result_used = self.discarded != Some(range_of(outer));
        self.registration(call, &callee, Form::Call, &target);
        for argument in &outer.args {
            self.expression(argument);
        }
        true
    }
}

/// What a name of the module, which an assignment that ends at `assigned` binds, is applied to by a
/// later statement, where that is all that is done with it.
fn applied_once<'n>(loaded: &Loaded, name: &'n str, assigned: usize) -> Option<Held<'n>> {
    let is_bound_once = loaded.scope.bindings(name).len() == 1;
    // The assignment is one.
    if !is_bound_once || uses_of_global(loaded, name) != 2 || loaded.calls_by_text() {
        return None;
    }
    let held = |handler, decorator| Held {
        name,
        handler,
        decorator,
    };
    let later = loaded.module.suite().iter();
    let mut later = later.filter(|statement| range_of(*statement).start() >= assigned);
    later.find_map(|statement| {
        if let Some(definition) = Definition::of(statement) {
            let mut decorators = definition.decorators.iter();
            let it = decorators.find(|one| tree::is_named(one, name))?;
            let handler = tree::name_expression(definition.name);
            return Some(held(handler, Some(range_of(it))));
        }
        let Stmt::Expr(expression) = statement else {
            return None;
        };
        let Expr::Call(call) = &*expression.value else {
            return None;
        };
        match call.args.as_slice() {
            [Expr::Starred(_)] => None,
            [handler] if tree::is_named(&call.func, name) && call.keywords.is_empty() => {
                Some(held(handler.clone(), None))
            }
            _ => None,
        }
    })
}
