//! Every reference to the old API in a file, and what becomes of it.

mod call_site;
mod timing;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rustpython_parser::ast::{self, Constant, Expr, Stmt};

use super::handler::{self, Definition, Problem};
use super::{Branch, Form, Found, Reference, ReferenceKind, Webhook};
use crate::diagnostic::{Code, Diagnostic};
use crate::edit::ByteRange;
use crate::lang::Text;
use crate::python::names::{Loaded, PluginId, Resolver, Scope, Value, Workspace};
use crate::python::parse;
use crate::python::tokens::TokenKind;
use crate::python::tree::{self, Descend, Node, range_of};
use crate::text;

/// The method of the old API.
pub const METHOD: &str = "mount_webhook_method";

/// The attribute that the method fills.
const TABLE: &str = "webhook_methods";

/// Finds every reference to the old API in `loaded`.
pub fn find(workspace: &Workspace, loaded: Arc<Loaded>) -> Found {
    let mut finder = Finder {
        workspace,
        loaded: &loaded,
        scopes: Vec::new(),
        functions: Vec::new(),
        branches: Vec::new(),
        in_loop: false,
        in_class: false,
        references: Vec::new(),
    };
    finder.body(loaded.module.suite());
    for expression in loaded.module.fragments(loaded.module.range()) {
        finder.expression(expression);
    }
    let mut references = finder.references;
    references.extend(other_names(&loaded, &references));
    references.sort_by_key(|reference| reference.place);
    Found { loaded, references }
}

/// The places where the method's name stands that the tree did not lead to: definitions, arguments,
/// names of something else. It is the text that is asked here, so that nothing can be passed over:
/// an attribute of that name which the tree did not show is left by hand.
fn other_names(loaded: &Loaded, known: &[Reference]) -> Vec<Reference> {
    let module = &loaded.module;
    let source = module.source();
    let known: HashSet<ByteRange> = known.iter().map(|reference| reference.place).collect();
    let names = module
        .tokens()
        .all()
        .iter()
        .filter(|token| token.kind == TokenKind::Name && source.slice(token.range) == METHOD)
        .filter(|token| !known.contains(&token.range));
    names
        .map(|token| {
            let before = module.tokens().previous(token.range.start());
            let is_attribute = before.is_some_and(|dot| source.slice(dot.range) == ".");
            let kind = if is_attribute {
                let detail = text!(
                    "this mention of `{METHOD}` is not understood",
                    "无法理解此处对 `{METHOD}` 的引用"
                );
                let diagnostic = diagnostic_at(loaded, Code::NotARegistration, token.range, detail);
                ReferenceKind::ByHand(Box::new(diagnostic))
            } else {
                ReferenceKind::NotOurs
            };
            Reference {
                place: token.range,
                kind,
            }
        })
        .collect()
}

/// A function around the place that is looked at.
struct Around<'a> {
    definition: Definition<'a>,
    is_method: bool,
}

struct Finder<'a> {
    workspace: &'a Workspace,
    loaded: &'a Loaded,
    scopes: Vec<Scope>,
    functions: Vec<Around<'a>>,
    branches: Vec<Branch>,
    in_loop: bool,
    in_class: bool,
    references: Vec<Reference>,
}

/// What a receiver is.
enum Receiver {
    Plugin(PluginId),
    NotOurs,
    Unknown(Text),
}

impl<'a> Finder<'a> {
    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            workspace: self.workspace,
            loaded: self.loaded,
            locals: &self.scopes,
        }
    }

    fn path(&self) -> &'a Path {
        self.loaded.module.source().path()
    }

    fn body(&mut self, body: &'a [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn branch(&mut self, statement: ByteRange, index: usize, exclusive: bool, body: &'a [Stmt]) {
        self.branches.push(Branch {
            statement,
            index,
            exclusive,
        });
        self.body(body);
        self.branches.pop();
    }

    fn looped(&mut self, body: &'a [Stmt]) {
        let before = std::mem::replace(&mut self.in_loop, true);
        self.body(body);
        self.in_loop = before;
    }

    fn statement(&mut self, statement: &'a Stmt) {
        let range = range_of(statement);
        if let Some(definition) = Definition::of(statement) {
            self.function(definition);
            return;
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
                self.body(&class.body);
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
            Stmt::Try(ast::StmtTry {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            })
            | Stmt::TryStar(ast::StmtTryStar {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            }) => {
                self.branch(range, 0, false, body);
                for (index, ast::ExceptHandler::ExceptHandler(handler)) in
                    handlers.iter().enumerate()
                {
                    self.branch(range, index + 1, false, &handler.body);
                }
                self.branch(range, handlers.len() + 1, false, orelse);
                self.body(finalbody);
            }
            Stmt::For(s) => {
                self.looped(&s.body);
                self.body(&s.orelse);
            }
            Stmt::AsyncFor(s) => {
                self.looped(&s.body);
                self.body(&s.orelse);
            }
            Stmt::While(s) => {
                self.looped(&s.body);
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
            match registration_call(decorator) {
                Some((call, attribute)) => {
                    let start = self.at_sign_before(range_of(decorator).start());
                    let form = Form::Decorator(ByteRange::new(start, range_of(decorator).end()));
                    self.registration(call, attribute, form, Some(handler_definition));
                    for argument in call
                        .args
                        .iter()
                        .chain(call.keywords.iter().map(|k| &k.value))
                    {
                        self.expression(argument);
                    }
                }
                None => self.expression(decorator),
            }
        }
        let arguments = definition.arguments;
        let defaults = arguments
            .posonlyargs
            .iter()
            .chain(&arguments.args)
            .chain(&arguments.kwonlyargs);
        for default in defaults.filter_map(|argument| argument.default.as_deref()) {
            self.expression(default);
        }
        self.scopes
            .push(Scope::of_function(definition.arguments, definition.body));
        self.functions.push(Around {
            definition,
            is_method: self.in_class,
        });
        let in_class = std::mem::replace(&mut self.in_class, false);
        let in_loop = std::mem::replace(&mut self.in_loop, false);
        let branches = std::mem::take(&mut self.branches);
        self.body(definition.body);
        self.branches = branches;
        self.in_loop = in_loop;
        self.in_class = in_class;
        self.functions.pop();
        self.scopes.pop();
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

    fn expression(&mut self, expression: &'a Expr) {
        tree::walk(Node::Expr(expression), &mut |node| {
            let Node::Expr(expression) = node else {
                return Descend::Into;
            };
            match expression {
                // plugin.mount_webhook_method(...)(f)
                Expr::Call(outer) if registration_call(&outer.func).is_some() => {
                    if let Some((call, attribute)) = registration_call(&outer.func) {
                        self.call_form(outer, call, attribute);
                        for argument in &outer.args {
                            self.expression(argument);
                        }
                    }
                    Descend::Past
                }
                Expr::Attribute(attribute) if attribute.attr.as_str() == METHOD => {
                    self.other_reference(attribute);
                    Descend::Into
                }
                Expr::Attribute(attribute) if attribute.attr.as_str() == TABLE => {
                    if let Value::Plugin(_) = self.resolver().value(&attribute.value) {
                        self.other_reference(attribute);
                    }
                    Descend::Into
                }
                Expr::Call(call) if is_getattr(call) => {
                    self.getattr(call);
                    Descend::Into
                }
                _ => Descend::Into,
            }
        });
    }

    fn by_hand(&mut self, place: ByteRange, code: Code, range: ByteRange, detail: Text) {
        let diagnostic = diagnostic_at(self.loaded, code, range, detail);
        self.references.push(Reference {
            place,
            kind: ReferenceKind::ByHand(Box::new(diagnostic)),
        });
    }

    /// Where the name of an attribute stands.
    fn attribute_name(&self, attribute: &ast::ExprAttribute) -> ByteRange {
        let end = range_of(attribute).end();
        ByteRange::new(end - attribute.attr.as_str().len().min(end), end)
    }

    fn receiver(&self, receiver: &Expr) -> Receiver {
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
            Value::Text(_) | Value::Number(_) | Value::Other => Receiver::NotOurs,
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

    fn other_reference(&mut self, attribute: &ast::ExprAttribute) {
        let place = self.attribute_name(attribute);
        if self
            .references
            .iter()
            .any(|reference| reference.place == place)
        {
            return;
        }
        if let Receiver::NotOurs = self.receiver(&attribute.value) {
            self.references.push(Reference {
                place,
                kind: ReferenceKind::NotOurs,
            });
            return;
        }
        let detail = if attribute.attr.as_str() == TABLE {
            text!(
                "`{TABLE}` is empty once the webhooks are routes",
                "webhook 改为路由之后，`{TABLE}` 将为空"
            )
        } else {
            text!(
                "`{METHOD}` is mentioned here, but not applied to a function",
                "此处提到了 `{METHOD}`，但没有用它装饰函数"
            )
        };
        self.by_hand(place, Code::NotARegistration, range_of(attribute), detail);
    }

    fn getattr(&mut self, call: &ast::ExprCall) {
        let [receiver, name, ..] = call.args.as_slice() else {
            return;
        };
        if let Receiver::NotOurs = self.receiver(receiver) {
            return;
        }
        self.by_hand(
            range_of(name),
            Code::NotARegistration,
            range_of(call),
            text!(
                "`{METHOD}` is looked up by its name here",
                "此处通过名称字符串获取 `{METHOD}`"
            ),
        );
    }

    /// `plugin.mount_webhook_method(...)(f)`.
    fn call_form(
        &mut self,
        outer: &'a ast::ExprCall,
        call: &'a ast::ExprCall,
        attribute: &'a ast::ExprAttribute,
    ) {
        let function = match (outer.args.as_slice(), outer.keywords.is_empty()) {
            ([function], true) => function,
            _ => {
                self.registration(call, attribute, Form::Call, None);
                return;
            }
        };
        let definition = match self.resolver().value(function) {
            Value::Function(path, range) if path == self.path() => {
                definition_at(self.loaded.module.suite(), range)
            }
            Value::Function(path, range) => {
                self.imported_handler(call, attribute, &path, range);
                return;
            }
            _ => None,
        };
        self.registration(call, attribute, Form::Call, definition);
    }

    /// A call form on a function of another module of the repo.
    fn imported_handler(
        &mut self,
        call: &'a ast::ExprCall,
        attribute: &'a ast::ExprAttribute,
        path: &Path,
        range: ByteRange,
    ) {
        let Ok(other) = self.workspace.load(path) else {
            self.registration(call, attribute, Form::Call, None);
            return;
        };
        let Some(definition) = definition_at(other.module.suite(), range) else {
            self.registration(call, attribute, Form::Call, None);
            return;
        };
        let resolver = Resolver {
            workspace: self.workspace,
            loaded: &other,
            locals: &[],
        };
        let (dialect, mut handler) = handler::handler(resolver, definition, false);
        if dialect == Some(crate::routes::Dialect::Request) && !handler.replies.is_empty() {
            // Its replies would have to be changed in a file that is not looked at for its own sake.
            let place = range_of(call);
            handler.replies.clear();
            handler.problems = vec![Problem::manual(
                Code::UnknownReply,
                place,
                text!(
                    "the handler `{}` is defined in another module and returns `body, status`",
                    "处理函数 `{}` 定义在另一个模块中，并返回 `body, status`",
                    handler.name
                ),
            )];
        }
        // Ranges of problems are those of the other file; they are shown at the registration.
        let problems = handler.problems.iter_mut();
        for problem in problems.chain(&mut handler.refused_parameter) {
            problem.range = range_of(call);
        }
        handler.name_range = range_of(call);
        self.finish(call, attribute, Form::Call, Some((dialect, handler)));
    }

    fn registration(
        &mut self,
        call: &'a ast::ExprCall,
        attribute: &'a ast::ExprAttribute,
        form: Form,
        definition: Option<Definition<'a>>,
    ) {
        let handler = definition.map(|definition| {
            let (dialect, mut handler) =
                handler::handler(self.resolver(), definition, self.in_class);
            let registered_at = match form {
                Form::Decorator(range) => range.end(),
                Form::Call => 0,
            };
            handler.inner_decorator = definition
                .decorators
                .iter()
                .filter(|decorator| registration_call(decorator).is_none())
                .map(range_of)
                .find(|range| range.start() >= registered_at);
            (dialect, handler)
        });
        self.finish(call, attribute, form, handler);
    }

    fn finish(
        &mut self,
        call: &'a ast::ExprCall,
        attribute: &'a ast::ExprAttribute,
        form: Form,
        handler: Option<(Option<crate::routes::Dialect>, handler::Handler)>,
    ) {
        let place = self.attribute_name(attribute);
        let plugin = match self.receiver(&attribute.value) {
            Receiver::Plugin(id) => id,
            Receiver::NotOurs => {
                self.references.push(Reference {
                    place,
                    kind: ReferenceKind::NotOurs,
                });
                return;
            }
            Receiver::Unknown(detail) => {
                self.by_hand(
                    place,
                    Code::UnknownPlugin,
                    range_of(&*attribute.value),
                    detail,
                );
                return;
            }
        };
        let site = match self.call_site(call, attribute) {
            Ok(site) => site,
            Err(detail) => {
                self.by_hand(place, Code::UnusualArguments, range_of(call), detail);
                return;
            }
        };
        let Some((expression, endpoint)) = self.endpoint(call, &site) else {
            self.by_hand(
                place,
                Code::UnusualArguments,
                range_of(call),
                text!("no endpoint is given here", "此处没有给出 endpoint"),
            );
            return;
        };
        let Some(endpoint) = endpoint else {
            self.by_hand(
                place,
                Code::UnknownEndpoint,
                range_of(expression),
                text!(
                    "the endpoint is not a constant that can be seen",
                    "无法从源代码确定 endpoint 的取值：它不是常量"
                ),
            );
            return;
        };
        if endpoint.value.contains(['{', '}']) {
            self.by_hand(
                place,
                Code::UnusableEndpoint,
                range_of(expression),
                text!(
                    "the endpoint `{}` contains a brace, which a route takes for a parameter",
                    "endpoint `{}` 含有花括号，路由会把它当作参数",
                    endpoint.value
                ),
            );
            return;
        }
        let Some((dialect, mut handler)) = handler else {
            self.by_hand(
                place,
                Code::UnknownHandler,
                range_of(call),
                text!(
                    "what is registered here is no function that can be seen",
                    "看不到此处注册的函数的定义"
                ),
            );
            return;
        };
        if let Some(problem) = self.timing() {
            handler
                .problems
                .push(Problem::manual(problem.0, range_of(call), problem.1));
        }
        let Some(dialect) = dialect else {
            let problem = handler.problems.into_iter().next();
            let (code, range, detail) = match problem {
                Some(problem) => (problem.code, problem.range, problem.detail),
                None => (
                    Code::UnknownDialect,
                    range_of(call),
                    Code::UnknownDialect.title(),
                ),
            };
            self.by_hand(place, code, range, detail);
            return;
        };
        self.references.push(Reference {
            place,
            kind: ReferenceKind::Webhook(Box::new(Webhook {
                plugin,
                endpoint,
                dialect,
                call: site,
                form,
                handler,
                branches: self.branches.clone(),
            })),
        });
    }
}

/// The call `x.mount_webhook_method(...)` that an expression is.
fn registration_call(expression: &Expr) -> Option<(&ast::ExprCall, &ast::ExprAttribute)> {
    let Expr::Call(call) = expression else {
        return None;
    };
    match &*call.func {
        Expr::Attribute(attribute) if attribute.attr.as_str() == METHOD => Some((call, attribute)),
        _ => None,
    }
}

fn is_getattr(call: &ast::ExprCall) -> bool {
    let named = matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "getattr");
    let about_us = matches!(
        call.args.get(1),
        Some(Expr::Constant(constant)) if matches!(&constant.value, Constant::Str(text) if text == METHOD)
    );
    named && about_us
}

/// The function that is defined at `range`.
pub(super) fn definition_at(suite: &[Stmt], range: ByteRange) -> Option<Definition<'_>> {
    let mut found = None;
    tree::walk_body(suite, &mut |node| match node {
        Node::Stmt(statement) => {
            if range_of(statement) == range {
                found = Definition::of(statement);
            }
            Descend::Into
        }
        Node::Expr(_) => Descend::Past,
    });
    found
}

/// A diagnostic about `range` of a file, with the line of source that it starts in.
pub fn diagnostic_at(loaded: &Loaded, code: Code, range: ByteRange, detail: Text) -> Diagnostic {
    let source = loaded.module.source();
    let (line, _) = source.position(range.start());
    let on_line = range.end().min(source.line_at(range.start()).end());
    let length = source
        .slice(ByteRange::new(range.start(), on_line))
        .trim_end()
        .chars()
        .count();
    parse::at(source, range.start(), code, detail)
        .with_snippet(source.line_text(line), length.max(1))
}
