//! Every reference to the old API in a file, and what becomes of it.
//!
//! - [`callee`]: what is called: an attribute, `getattr`, another name for the method.
//! - [`receiver`]: the plugin that it is taken of.
//! - [`call_site`]: brackets and arguments.
//! - [`lookups`]: attributes that are looked up by a name.
//! - [`loops`]: what each turn of a loop registers.
//! - [`handler_of`]: the function behind what is registered.
//! - [`path_parameters`]: endpoints with parameters.
//! - [`timing`]: when a registration runs.

mod call_site;
mod callee;
mod handler_of;
mod lookups;
mod loops;
pub(crate) mod path_parameters;
mod receiver;
mod timing;

use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use rustpython_parser::ast::{self, Expr, Stmt};

use self::callee::{Callee, attribute_name};
use self::handler_of::Target;
use self::loops::Loop;
use self::receiver::Receiver;
use super::handler::{Blocker, Definition};
use super::imports::uses_of_global;
use super::{
    Branch, CallSite, CallableKind, Effect, Endpoint, Form, Found, Known, LeadingSlash, Reference,
    ReferenceKind, Unclear, Webhook,
};
use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::names::{Loaded, PluginId, Resolver, Scope, Workspace};
use crate::migrate::python::parse;
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{self, Descend, Node, range_of};
use crate::routes::Dialect;
use crate::text;
use crate::text::Text;

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
        loops: Vec::new(),
        in_class: false,
        in_lambda: false,
        references: Vec::new(),
        unclear: Vec::new(),
        shown: FxHashSet::default(),
        looked_at: FxHashSet::default(),
        called_by_name: Vec::new(),
    };
    finder.body(loaded.module.suite());
    for expression in loaded.module.fragments(loaded.module.range()) {
        finder.expression(expression);
    }
    let Finder {
        mut references,
        mut unclear,
        shown,
        called_by_name,
        ..
    } = finder;
    let mut others = unvisited_mentions(&loaded, &references);
    others.extend(names_in_strings(&loaded, &references, &shown));
    let is_by_hand = |other: &&Reference| matches!(other.kind, ReferenceKind::ByHand(_));
    unclear.extend(others.iter().filter(is_by_hand).map(|other| Unclear {
        plugin: None,
        endpoint: None,
        range: other.place,
        over_at: None,
        branches: Vec::new(),
        effect: Effect::Registers,
    }));
    references.extend(others);
    unclear.extend(used_otherwise(&references, &called_by_name));
    references.sort_by_key(|reference| reference.place);
    unclear.sort_by_key(|one| one.range);
    Found {
        loaded,
        references,
        unclear,
    }
}

/// What else may register a webhook by a name for the method: what does more than call it, and other
/// modules that import it.
fn used_otherwise(references: &[Reference], called: &[ByteRange]) -> Vec<Unclear> {
    let aliases = || {
        let all = references.iter();
        all.filter_map(|reference| match &reference.kind {
            ReferenceKind::Alias(alias) => Some((alias, &reference.known)),
            _ => None,
        })
    };
    let mut unclear = Vec::new();
    for (alias, known) in aliases() {
        let calls = called.iter().filter(|one| **one == alias.statement);
        let names = aliases().filter(|(other, _)| other.of == Some(alias.statement));
        let effect = if calls.count() + names.count() < alias.uses {
            Effect::Registers
        } else {
            Effect::Names(alias.name.clone())
        };
        unclear.push(Unclear {
            plugin: known.plugin.clone(),
            endpoint: None,
            range: alias.statement,
            over_at: None,
            branches: Vec::new(),
            effect,
        });
    }
    unclear
}

/// The places where the method's name stands that the tree did not lead to: definitions, arguments,
/// names of something else. It is the text that is asked here, so that nothing can be passed over:
/// an attribute of that name which the tree did not show is left by hand.
fn unvisited_mentions(loaded: &Loaded, known: &[Reference]) -> Vec<Reference> {
    let module = &loaded.module;
    let source = module.source();
    let known: FxHashSet<ByteRange> = known.iter().map(|reference| reference.place).collect();
    let patterns = patterns(loaded);
    let names = module
        .tokens()
        .all()
        .iter()
        .filter(|token| {
            token.kind == TokenKind::Name && callee::is_method(source.slice(token.range))
        })
        .filter(|token| !known.contains(&token.range));
    names
        .map(|token| {
            let before = module.tokens().previous(token.range.start());
            let is_attribute = before.is_some_and(|dot| source.slice(dot.range) == ".");
            // `case NekroPlugin(mount_webhook_method=mount)`
            let is_captured = patterns.iter().any(|one| one.contains(token.range));
            let kind = if is_attribute || is_captured {
                let method = source.slice(token.range);
                let detail = text!(
                    "this mention of `{method}` is not understood",
                    "无法理解此处对 `{method}` 的引用"
                );
                let diagnostic = diagnostic_at(loaded, Code::NotARegistration, token.range, detail);
                ReferenceKind::ByHand(Box::new(diagnostic))
            } else {
                ReferenceKind::NotOurs
            };
            Reference {
                place: token.range,
                kind,
                known: Known::default(),
            }
        })
        .collect()
}

/// The patterns of `match` statements.
fn patterns(loaded: &Loaded) -> Vec<ByteRange> {
    let module = &loaded.module;
    let mut ranges = Vec::new();
    if module.source().text().contains("match ") {
        module.walk(module.suite(), module.range(), &mut |node| {
            if let Node::Stmt(Stmt::Match(statement)) = node {
                ranges.extend(statement.cases.iter().map(|case| range_of(&case.pattern)));
            }
            Descend::Into
        });
    }
    ranges
}

/// What gives an attribute by its name.
pub(crate) const LOOKUPS: &[&str] = &[
    "__delattr__",
    "__dict__",
    "__getattr__",
    "__getattribute__",
    "__setattr__",
    "attrgetter",
    "delattr",
    "getattr",
    "getattr_static",
    "getmembers",
    "methodcaller",
    "setattr",
    "vars",
];

/// The built-in functions that do nothing with an attribute whose name they are given.
const SHOWING: &[&str] = &["hasattr", "len", "print", "repr", "str"];

/// The strings that are the name of the method or of the table, in a module that looks attributes up by their names, but for
/// those that are `known`, or only `shown`.
fn names_in_strings(
    loaded: &Loaded,
    known: &[Reference],
    shown: &FxHashSet<ByteRange>,
) -> Vec<Reference> {
    let module = &loaded.module;
    let source = module.source();
    let tokens = module.tokens().all();
    let method_in = |range: ByteRange| {
        let quoted = source
            .slice(range)
            .trim_start_matches(|c: char| c.is_alphabetic());
        let inside = quoted.trim_matches(['"', '\'']);
        (callee::is_method(inside) || inside == TABLE).then(|| inside.to_owned())
    };
    let strings: Vec<(ByteRange, String)> = tokens
        .iter()
        .filter(|token| token.kind == TokenKind::String)
        .filter(|token| !known.iter().any(|one| one.place.contains(token.range)))
        .filter(|token| !shown.contains(&token.range))
        .filter_map(|token| Some((token.range, method_in(token.range)?)))
        .collect();
    let looks_up = || {
        let mut names = tokens.iter().filter(|token| token.kind == TokenKind::Name);
        names.any(|token| LOOKUPS.contains(&source.slice(token.range)))
    };
    if strings.is_empty() || !looks_up() {
        return Vec::new();
    }
    let reference = |(place, method): (ByteRange, String)| {
        let detail = text!(
            "the name of `{method}` stands here as a string, by which it may be looked up",
            "此处以字符串写出了 `{method}` 的名称，可能会据此获取该方法"
        );
        let diagnostic = diagnostic_at(loaded, Code::NotARegistration, place, detail);
        Reference {
            place,
            kind: ReferenceKind::ByHand(Box::new(diagnostic)),
            known: Known::default(),
        }
    };
    strings.into_iter().map(reference).collect()
}

/// A function around the place that is looked at.
struct EnclosingFunction<'a> {
    definition: Definition<'a>,
    is_method: bool,
}

struct Finder<'a> {
    workspace: &'a Workspace,
    loaded: &'a Loaded,
    scopes: Vec<Scope>,
    functions: Vec<EnclosingFunction<'a>>,
    branches: Vec<Branch>,
    loops: Vec<Loop>,
    in_class: bool,
    in_lambda: bool,
    references: Vec<Reference>,
    unclear: Vec<Unclear>,
    /// The strings that are only shown, or asked for.
    shown: FxHashSet<ByteRange>,
    /// What is looked up by a name, and was looked at with what is around it.
    looked_at: FxHashSet<ByteRange>,
    /// The statements that give the method a name, for each call by it.
    called_by_name: Vec<ByteRange>,
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
        if self.alias(statement) {
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
                self.looped(range, self.for_loop(s), &s.body);
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

    fn expression(&mut self, expression: &'a Expr) {
        tree::walk(Node::Expr(expression), &mut |node| {
            let Node::Expr(expression) = node else {
                return Descend::Into;
            };
            self.looked_up(expression);
            match expression {
                // plugin.mount_webhook_method(...)(f)
                Expr::Call(outer) if self.call_form(outer) => Descend::Past,
                Expr::Attribute(attribute) if callee::is_method(&attribute.attr) => {
                    self.other_reference(attribute);
                    Descend::Into
                }
                Expr::Attribute(attribute) if attribute.attr.as_str() == TABLE => {
                    if self.may_be_of_plugin(&attribute.value) {
                        self.other_reference(attribute);
                    }
                    Descend::Into
                }
                Expr::Call(call) if callee::by_name(call).is_some() => {
                    self.getattr(call);
                    Descend::Into
                }
                Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if SHOWING.contains(&name.id.as_str())) =>
                {
                    self.shown.extend(call.args.iter().map(range_of));
                    Descend::Into
                }
                Expr::ListComp(ast::ExprListComp {
                    elt, generators, ..
                })
                | Expr::SetComp(ast::ExprSetComp {
                    elt, generators, ..
                }) => {
                    self.comprehended(expression, elt, generators);
                    Descend::Past
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
                    let all = arguments.posonlyargs.iter().chain(&arguments.args);
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
            let turns = self.comprehension(range_of(whole), one);
            self.loops.push(turns);
        }
        self.expression(element);
        self.loops.truncate(outside);
    }

    fn by_hand(&mut self, place: ByteRange, code: Code, range: ByteRange, detail: Text) {
        let diagnostic = diagnostic_at(self.loaded, code, range, detail);
        self.references.push(Reference {
            place,
            kind: ReferenceKind::ByHand(Box::new(diagnostic)),
            known: Known::default(),
        });
    }

    /// Remembers what may register a webhook here; `is_call` is whether it does so when it is run
    /// itself, and not whenever somebody calls what it gives.
    fn unclear(
        &mut self,
        plugin: Option<PluginId>,
        endpoint: Option<String>,
        range: ByteRange,
        is_call: bool,
    ) {
        let is_run_once = is_call && self.functions.is_empty() && !self.in_lambda;
        let end_of_loop = self.loops.first().map(|one| one.body().end());
        self.unclear.push(Unclear {
            plugin,
            endpoint,
            range,
            over_at: is_run_once.then(|| end_of_loop.unwrap_or(0).max(range.end())),
            branches: self.branches.clone(),
            effect: Effect::Registers,
        });
    }

    /// Remembers that the table is read at `range`, where a reply may show what it holds. What is
    /// looked at while the module is imported shows in none, unless it is given a name.
    fn table_is_read(&mut self, plugin: Option<PluginId>, range: ByteRange) {
        let function = match self.functions.first() {
            Some(outermost) => {
                let definition = &outermost.definition;
                let is_unused = definition.decorators.is_empty()
                    && !outermost.is_method
                    && uses_of_global(self.loaded, definition.name) == 0;
                is_unused.then(|| definition.name.to_owned())
            }
            None if self.in_lambda || self.is_given_a_name(range) => None,
            None => return,
        };
        self.unclear.push(Unclear {
            plugin,
            endpoint: None,
            range,
            over_at: None,
            branches: Vec::new(),
            effect: Effect::Reads(function),
        });
    }

    /// Whether something is assigned of which `range` is a part.
    fn is_given_a_name(&self, range: ByteRange) -> bool {
        let mut is_assigned = false;
        tree::walk_body(self.loaded.module.suite(), &mut |node| {
            let (place, assigns) = match node {
                Node::Stmt(statement) => (
                    range_of(statement),
                    matches!(
                        statement,
                        Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::AugAssign(_)
                    ),
                ),
                Node::Expr(expression) => {
                    let assigns = matches!(expression, Expr::NamedExpr(_));
                    (range_of(expression), assigns)
                }
            };
            let is_around = place.contains(range);
            is_assigned |= is_around && assigns;
            if is_around {
                Descend::Into
            } else {
                Descend::Past
            }
        });
        is_assigned
    }

    /// Whether `plugin.webhook_methods` is only looked at.
    fn is_read(&self, table: &ast::ExprAttribute) -> bool {
        let tokens = self.loaded.module.tokens();
        let text = |token: Option<crate::migrate::python::tokens::Token>| {
            token.map_or("", |token| self.loaded.module.source().slice(token.range))
        };
        let range = range_of(table);
        let after = tokens.next(range.end());
        let before = tokens.previous(range.start());
        match (text(before), text(after)) {
            ("in", "." | ")" | ":" | "]") => true,
            ("(", ")") => {
                let function = before.and_then(|open| tokens.previous(open.range.start()));
                matches!(
                    text(function),
                    "len" | "print" | "sorted" | "list" | "dict" | "set" | "bool" | "str" | "repr"
                )
            }
            (_, ".") => {
                let method = after.and_then(|dot| tokens.next(dot.range.end()));
                matches!(text(method), "items" | "keys" | "values" | "get" | "copy")
            }
            _ => false,
        }
    }

    fn other_reference(&mut self, attribute: &ast::ExprAttribute) {
        let place = attribute_name(attribute);
        if self
            .references
            .iter()
            .any(|reference| reference.place == place)
        {
            return;
        }
        let plugin = match self.receiver_of(&attribute.value, &attribute.attr) {
            Receiver::NotOurs => {
                self.references.push(Reference {
                    place,
                    kind: ReferenceKind::NotOurs,
                    known: Known::default(),
                });
                return;
            }
            Receiver::Plugin(id) => Some(id),
            Receiver::Unknown(_) => None,
        };
        if attribute.attr.as_str() != TABLE || !self.is_read(attribute) {
            self.unclear(plugin.clone(), None, range_of(attribute), false);
        } else {
            self.table_is_read(plugin.clone(), range_of(attribute));
        }
        let detail = if attribute.attr.as_str() == TABLE {
            text!(
                "`{TABLE}` is empty once the webhooks are routes",
                "webhook 改为路由之后，`{TABLE}` 将为空"
            )
        } else {
            let method = &attribute.attr;
            text!(
                "`{method}` is mentioned here, but not applied to a function",
                "此处提到了 `{method}`，但没有用它装饰函数"
            )
        };
        let before = self.references.len();
        self.by_hand(place, Code::NotARegistration, range_of(attribute), detail);
        self.say_known(before, plugin.as_ref(), None);
    }

    /// Notes what is known of the references since the first `before` ones.
    fn say_known(&mut self, before: usize, plugin: Option<&PluginId>, endpoint: Option<&str>) {
        for reference in &mut self.references[before..] {
            reference.known = Known {
                plugin: plugin.cloned(),
                endpoint: endpoint.map(str::to_owned),
            };
        }
    }

    fn getattr(&mut self, call: &ast::ExprCall) {
        let Some((receiver, name, method)) = callee::by_name(call) else {
            return;
        };
        let plugin = match self.receiver_of(receiver, method) {
            Receiver::NotOurs => return,
            Receiver::Plugin(id) => Some(id),
            Receiver::Unknown(_) => None,
        };
        self.unclear(plugin, None, range_of(call), false);
        self.by_hand(
            range_of(name),
            Code::NotARegistration,
            range_of(call),
            text!(
                "`{method}` is looked up by its name here",
                "此处通过名称字符串获取 `{method}`"
            ),
        );
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
        self.registration(call, &callee, Form::Call, &target);
        for argument in &outer.args {
            self.expression(argument);
        }
        true
    }

    fn registration(
        &mut self,
        call: &'a ast::ExprCall,
        callee: &Callee<'a>,
        form: Form,
        target: &Target<'a>,
    ) {
        let place = callee.place;
        self.called_by_name.extend(callee.alias);
        let plugin = match &callee.plugin {
            Receiver::Plugin(id) => id.clone(),
            Receiver::NotOurs => {
                self.references.push(Reference {
                    place,
                    kind: ReferenceKind::NotOurs,
                    known: Known::default(),
                });
                return;
            }
            Receiver::Unknown(detail) => {
                let range = callee.receiver.map_or(callee.range, range_of);
                let site = self.call_site(call, callee).ok();
                let endpoint = site.and_then(|site| self.endpoint(call, &site));
                let endpoint =
                    endpoint.and_then(|endpoint| self.text_of(self.resolver(), endpoint));
                self.unclear(None, endpoint.clone(), range_of(call), true);
                let before = self.references.len();
                self.by_hand(place, Code::UnknownPlugin, range, detail.clone());
                self.say_known(before, None, endpoint.as_deref());
                return;
            }
        };
        let before = self.references.len();
        let endpoint = self.registration_on(plugin.clone(), call, callee, form, target);
        self.say_known(before, Some(&plugin), endpoint.as_deref());
    }

    /// A registration on a plugin; gives its endpoint, if that is the same at any time.
    fn registration_on(
        &mut self,
        plugin: PluginId,
        call: &'a ast::ExprCall,
        callee: &Callee<'a>,
        form: Form,
        target: &Target<'a>,
    ) -> Option<String> {
        let place = callee.place;
        let site = match self.call_site(call, callee) {
            Ok(site) => site,
            Err(detail) => {
                self.unclear(Some(plugin), None, range_of(call), true);
                self.by_hand(place, Code::UnusualArguments, range_of(call), detail);
                return None;
            }
        };
        let Some(endpoint) = self.endpoint(call, &site) else {
            self.unclear(Some(plugin), None, range_of(call), true);
            self.by_hand(
                place,
                Code::UnusualArguments,
                range_of(call),
                text!("no endpoint is given here", "此处没有给出 endpoint"),
            );
            return None;
        };
        let known = self.text_of(self.resolver(), endpoint);
        let registration = Registration {
            call,
            endpoint,
            plugin,
            site,
            form,
            target,
            is_older: callee.is_older,
        };
        let environments = self.environments(range_of(call));
        let is_in_unknown_loop = environments.is_none();
        let mut webhooks: Vec<Webhook> = Vec::new();
        for turn in environments.unwrap_or_else(|| vec![Vec::new()]) {
            match self.webhook(&registration, &turn, is_in_unknown_loop) {
                Ok(webhook) => webhooks.push(webhook),
                Err((code, range, detail)) => {
                    let endpoint = self.text_of(self.resolver(), endpoint);
                    self.unclear(Some(registration.plugin), endpoint, range_of(call), true);
                    self.by_hand(place, code, range, detail);
                    return known;
                }
            }
        }
        let is_made_anew = |webhook: &Webhook| {
            let handler = webhook.handler.range;
            self.loops.iter().any(|one| one.body().contains(handler))
        };
        match together(webhooks, &is_made_anew) {
            Ok(webhooks) => self.references.push(Reference {
                place,
                kind: ReferenceKind::Webhooks(webhooks),
                known: Known::default(),
            }),
            Err((code, detail)) => {
                self.unclear(Some(registration.plugin), None, range_of(call), true);
                self.by_hand(place, code, range_of(call), detail);
            }
        }
        known
    }

    /// What a call registers when the names of the loops around it stand for `turn`.
    fn webhook(
        &self,
        registration: &Registration<'_, 'a>,
        turn: &[Scope],
        is_in_unknown_loop: bool,
    ) -> Result<Webhook, (Code, ByteRange, Text)> {
        let Registration {
            call,
            endpoint,
            plugin,
            site,
            form,
            target,
            is_older,
        } = registration;
        let locals: Vec<Scope> = self.scopes.iter().chain(turn).cloned().collect();
        let Some(value) = self.text_of(self.with_locals(&locals), endpoint) else {
            return Err((
                Code::UnknownEndpoint,
                range_of(*endpoint),
                text!(
                    "the endpoint is not a constant that can be seen",
                    "无法从源代码确定 endpoint 的取值：它不是常量"
                ),
            ));
        };
        let of_path = path_parameters::names(&value);
        let Some((dialect, mut handler, callable)) =
            self.handler_of(target, *form, call, turn, &of_path)
        else {
            let detail = if self.is_lambda(target) {
                text!(
                    "a lambda is registered here, which is no `async def` and has no annotation for its parameter",
                    "此处注册的是 lambda：它不是 `async def`，也无法为参数添加类型注解"
                )
            } else {
                text!(
                    "cannot find the definition of the registered function",
                    "看不到此处注册的函数的定义"
                )
            };
            return Err((Code::UnknownHandler, range_of(*call), detail));
        };
        if let Some(detail) = path_parameters::problem(&value, dialect, &handler) {
            return Err((Code::UnusableEndpoint, range_of(*endpoint), detail));
        }
        if let Some((code, detail)) = self.timing(is_in_unknown_loop) {
            handler
                .problems
                .push(Blocker::manual(code, range_of(*call), detail));
        }
        let Some(dialect) = dialect else {
            return Err(match handler.problems.into_iter().next() {
                Some(problem) => (problem.code, problem.range, problem.detail),
                None => (
                    Code::UnknownDialect,
                    range_of(*call),
                    Code::UnknownDialect.title(),
                ),
            });
        };
        if *is_older && dialect == Dialect::Context {
            return Err((
                Code::UnknownDialect,
                range_of(*call),
                text!(
                    "`{}` is for handlers that take a Request, and `{}` takes an AgentCtx",
                    "`{}` 用于接收 Request 的处理函数，而 `{}` 接收的是 AgentCtx",
                    callee::OLDER_METHOD,
                    handler.name
                ),
            ));
        }
        let slash = if value.starts_with('/') {
            LeadingSlash::Always
        } else {
            LeadingSlash::Never
        };
        Ok(Webhook {
            plugin: plugin.clone(),
            endpoint: Endpoint { value, slash },
            dialect,
            call: site.clone(),
            form: *form,
            handler,
            callable,
            is_further: false,
            branches: self.branches.clone(),
        })
    }
}

/// A call that registers webhooks.
struct Registration<'t, 'a> {
    call: &'a ast::ExprCall,
    endpoint: &'a Expr,
    plugin: PluginId,
    site: CallSite,
    form: Form,
    target: &'t Target<'a>,
    is_older: bool,
}

/// The webhooks that one call registers, in a loop one for each turn: they become routes together,
/// so they have to be of one kind, and no endpoint may be there twice.
fn together(
    all: Vec<Webhook>,
    is_made_anew: &dyn Fn(&Webhook) -> bool,
) -> Result<Vec<Webhook>, (Code, Text)> {
    let mut webhooks: Vec<Webhook> = Vec::with_capacity(all.len());
    for mut webhook in all {
        if let Some(first) = webhooks.first() {
            if first.dialect != webhook.dialect {
                return Err((
                    Code::UnknownDialect,
                    text!(
                        "the loop registers handlers of both APIs",
                        "循环中注册的处理函数同时包含两种接口的写法"
                    ),
                ));
            }
            let of_instances = |one: &Webhook| one.callable.kind == CallableKind::Instance;
            if of_instances(first) != of_instances(&webhook) {
                return Err((
                    Code::UnknownHandler,
                    text!(
                        "the loop registers functions and other objects",
                        "循环中既注册了函数，也注册了其他对象"
                    ),
                ));
            }
        }
        let same = |other: &&Webhook| other.endpoint.value == webhook.endpoint.value;
        if let Some(other) = webhooks.iter().find(same) {
            // The same function at the same endpoint, once more.
            let is_same = other.handler.range == webhook.handler.range
                && other.callable.kind == CallableKind::Function
                && webhook.form == Form::Call
                && !is_made_anew(&webhook);
            if is_same {
                continue;
            }
            return Err((
                Code::UnknownOrder,
                text!(
                    "the loop registers the endpoint `{}` more than once, of which only the last counted",
                    "循环多次注册了端点 `{}`，以往只有最后一次生效",
                    webhook.endpoint.value
                ),
            ));
        }
        webhook.is_further = !webhooks.is_empty();
        webhooks.push(webhook);
    }
    let slashes = webhooks.iter().map(|one| one.endpoint.slash);
    let is_mixed = slashes.clone().any(|one| one == LeadingSlash::Always)
        && slashes.clone().any(|one| one == LeadingSlash::Never);
    if is_mixed {
        for webhook in &mut webhooks {
            webhook.endpoint.slash = LeadingSlash::Sometimes;
        }
    }
    Ok(webhooks)
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
