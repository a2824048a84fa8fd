//! What is called to register a webhook: `plugin.mount_webhook_method`, the same by `getattr`, or a
//! name that stands for it.
//!
//! The older edition of the document names it `mount_webhook`, which takes the endpoint alone and is
//! for handlers of the request dialect. No release has it, so a class of the repo that defines a
//! method of that name means its own.

pub(crate) mod receiver;

use std::path::Path;

use crate::migrate::edit::ByteRange;
use crate::migrate::find::model::{Alias, Argument, Known, Reference, ReferenceKind, Role};
use crate::migrate::find::references::call::callee::receiver::Receiver;
use crate::migrate::find::references::finder::Finder;
use crate::migrate::find::references::method::{
    OLDER_METHOD, arguments_of_getattr, attribute_name, by_name, is_method, role_of_keyword,
};
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::imports::uses_of_global;
use crate::migrate::python::names::{Binding, BindingKind, Loaded, PluginId, Value};
use crate::migrate::python::tree::{self, Descend, Node, range_of};

/// How many names may stand for each other.
const MAX_NAMES: usize = 8;

/// What is called.
pub(crate) struct Callee<'a> {
    /// The expression.
    pub(crate) range: ByteRange,
    /// Where the old API is named, or the name that stands for it.
    pub(crate) place: ByteRange,
    /// What the method is taken of, where that is written here.
    pub(crate) receiver: Option<&'a Expr>,
    /// What that is.
    pub(crate) plugin: Receiver,
    /// Whether it is the method of the older edition.
    pub(crate) is_older: bool,
    /// The statement that gives the method the name that is called here.
    pub(crate) alias: Option<ByteRange>,
    /// The arguments that the name gives by `partial`.
    pub(crate) preset: Vec<Argument>,
}

/// The method that an expression takes of something: of what, where it is named, and by which name.
struct Taken<'e> {
    receiver: &'e Expr,
    place: ByteRange,
    method: &'e str,
    /// The arguments that a `partial` gives.
    preset: Vec<Argument>,
}

impl<'a> Finder<'a> {
    /// The call that registers a webhook which an expression is, and what it calls.
    pub(crate) fn registration_call<'e>(
        &self,
        expression: &'e Expr,
    ) -> Option<(&'e ast::ExprCall, Callee<'e>)> {
        let Expr::Call(call) = expression else {
            return None;
        };
        Some((call, self.callee(&call.func)?))
    }

    fn taken<'e>(&self, expression: &'e Expr) -> Option<Taken<'e>> {
        match expression {
            Expr::Attribute(attribute) if is_method(&attribute.attr) => Some(Taken {
                receiver: &attribute.value,
                place: attribute_name(attribute),
                method: &attribute.attr,
                preset: Vec::new(),
            }),
            Expr::Call(call) => {
                let (receiver, name, method) = match by_name(call) {
                    Some(written) => written,
                    None => {
                        let (receiver, name) = arguments_of_getattr(call)?;
                        (receiver, name, self.method_put_together(name)?)
                    }
                };
                (call.args.len() == 2 && call.keywords.is_empty()).then(|| Taken {
                    receiver,
                    place: range_of(name),
                    method,
                    preset: Vec::new(),
                })
            }
            _ => None,
        }
    }

    /// The method that a name is given, also by `partial(method, description="…")`.
    fn taken_for_name<'e>(&self, value: &'e Expr) -> Option<Taken<'e>> {
        if let Some(taken) = self.taken(value) {
            return Some(taken);
        }
        let Expr::Call(call) = value else {
            return None;
        };
        let [method] = call.args.as_slice() else {
            return None;
        };
        // Beside others, or by another name for the module, its import could not be taken away.
        let source = self.loaded.module.source();
        let is_import_alone = |binding: &Binding| {
            let line = source.slice(source.line_at(binding.range.start()));
            let code = line.split('#').next().unwrap_or_default();
            code.trim() == "import functools"
        };
        let is_plain = match &*call.func {
            Expr::Attribute(attribute) => {
                let bindings = self.resolver().bindings("functools");
                tree::is_named(&attribute.value, "functools")
                    && bindings.iter().all(is_import_alone)
            }
            _ => true,
        };
        if !is_plain || self.resolver().external(&call.func)? != "functools.partial" {
            return None;
        }
        let taken = self.taken(method)?;
        let mut preset = Vec::new();
        for keyword in &call.keywords {
            // Anything else need not mean the same where the name is used.
            if !matches!(&keyword.value, Expr::Constant(constant) if constant.value.is_str()) {
                return None;
            }
            preset.push(Argument {
                role: role_of_keyword(keyword.arg.as_ref()?).ok()?,
                keyword: None,
                value: range_of(&keyword.value),
            });
        }
        let is_endpoint = |argument: &Argument| argument.role == Role::Endpoint;
        (!preset.iter().any(is_endpoint)).then_some(Taken { preset, ..taken })
    }

    fn callee<'e>(&self, expression: &'e Expr) -> Option<Callee<'e>> {
        let range = range_of(expression);
        if let Some(taken) = self.taken(expression) {
            return Some(Callee {
                range,
                place: taken.place,
                receiver: Some(taken.receiver),
                plugin: self.receiver_of(taken.receiver, taken.method),
                is_older: taken.method == OLDER_METHOD,
                alias: None,
                preset: Vec::new(),
            });
        }
        let Expr::Name(name) = expression else {
            return None;
        };
        let (taken, alias) = self.taken_by_name(&name.id, MAX_NAMES)?;
        Some(Callee {
            range,
            place: range,
            receiver: None,
            plugin: self.receiver_of(taken.receiver, taken.method),
            is_older: taken.method == OLDER_METHOD,
            alias: Some(alias),
            preset: taken.preset,
        })
    }

    /// The method that a name stands for, and the statement that gives it the name.
    fn taken_by_name(&self, name: &str, names: usize) -> Option<(Taken<'_>, ByteRange)> {
        let names = names.checked_sub(1)?;
        let [binding] = self.resolver().bindings(name) else {
            return None;
        };
        let BindingKind::Value(value) = &binding.kind else {
            return None;
        };
        if binding.type_checking_only {
            return None;
        }
        let taken = match &**value {
            // A name of the module does not see those of the enclosing functions here.
            Expr::Name(other) if self.is_local(&other.id) == self.is_local(name) => {
                self.taken_by_name(&other.id, names)?.0
            }
            value => self.taken_for_name(value)?,
        };
        Some((taken, binding.range))
    }

    fn is_local(&self, name: &str) -> bool {
        let mut scopes = self.scopes.iter();
        scopes.any(|scope| !scope.bindings(name).is_empty())
    }

    /// What a method is taken of: a class of the repo may define the older one itself.
    pub(crate) fn receiver_of(&self, receiver: &Expr, method: &str) -> Receiver {
        let plugin = self.receiver(receiver, method);
        match &plugin {
            Receiver::Plugin(id) if method == OLDER_METHOD && self.defines(id, method) => {
                Receiver::NotOurs
            }
            _ => plugin,
        }
    }

    /// Whether the class of a plugin, if it is one of the repo, has a method of its own.
    fn defines(&self, plugin: &PluginId, method: &str) -> bool {
        let Ok(loaded) = self.workspace.load(&plugin.module) else {
            return false;
        };
        let mut found = false;
        tree::walk_body(loaded.module.suite(), &mut |node| {
            if let Node::Expr(Expr::Call(call)) = node
                && range_of(call) == plugin.call
            {
                let resolver =
                    crate::migrate::python::names::Resolver::of_module(self.workspace, &loaded);
                if let Value::Class(path, _) = resolver.value(&call.func) {
                    found = self.may_define(&path, method);
                }
            }
            Descend::Into
        });
        found
    }

    /// Whether a class of the module at `path`, or of one that it imports from, may have the method.
    fn may_define(&self, path: &Path, method: &str) -> bool {
        let Ok(loaded) = self.workspace.load(path) else {
            return true;
        };
        let defines = |loaded: &Loaded| {
            let text = loaded.module.source().text();
            text.contains(&format!("def {method}("))
        };
        let of_imports = loaded
            .scope
            .names()
            .flat_map(|name| loaded.scope.bindings(name));
        let mut modules = of_imports.filter_map(|binding| match &binding.kind {
            BindingKind::From(module, _) | BindingKind::Module(module) => {
                self.workspace.locate(path, module)
            }
            _ => None,
        });
        defines(&loaded)
            || modules.any(|path| {
                let other = self.workspace.load(&path);
                other.is_ok_and(|other| defines(&other))
            })
    }

    /// `name = plugin.mount_webhook_method`: whether `statement` is one that can be followed, which
    /// is noted then.
    pub(crate) fn alias(&mut self, statement: &'a Stmt) -> bool {
        let Stmt::Assign(assign) = statement else {
            return false;
        };
        let [Expr::Name(name)] = assign.targets.as_slice() else {
            return false;
        };
        let (mut of, mut taken) = (None, self.taken_for_name(&assign.value));
        if let Expr::Name(other) = &*assign.value
            && self.is_local(&other.id) == self.is_local(&name.id)
            && let Some((method, statement)) = self.taken_by_name(&other.id, MAX_NAMES)
        {
            taken = Some(Taken {
                place: range_of(&*assign.value),
                ..method
            });
            of = Some(statement);
        }
        let Some(taken) = taken else {
            return false;
        };
        let Receiver::Plugin(plugin) = self.receiver_of(taken.receiver, taken.method) else {
            return false;
        };
        let is_alone = matches!(
            self.resolver().bindings(&name.id),
            [binding] if binding.range == range_of(statement)
        );
        if !is_alone || self.in_class || !self.loops.is_empty() {
            return false;
        }
        let uses = match self.functions.first() {
            None => uses_of_global(self.loaded, &name.id),
            Some(outermost) => {
                let mut uses = 0;
                tree::walk_body(outermost.definition.body, &mut |node| {
                    if let Node::Expr(Expr::Name(other)) = node
                        && other.id == name.id
                    {
                        uses += 1;
                    }
                    Descend::Into
                });
                uses
            }
        };
        // The assignment is one.
        let uses = uses.saturating_sub(1);
        if uses == 0 {
            return false;
        }
        let partial_name = match &*assign.value {
            Expr::Call(call) if range_of(&*call.func) != taken.place => root_name(&call.func),
            _ => None,
        };
        let receiver_name = match taken.receiver {
            Expr::Name(name) if of.is_none() => Some(name.id.to_string()),
            _ => None,
        };
        let detail = crate::text!(
            "`{}` stands for `{}` here, and not every use of it can be migrated",
            "此处的 `{}` 是 `{}` 的别名，而它的用处并不都能迁移",
            name.id,
            taken.method
        );
        let diagnostic = self.loaded.diagnostic_at(
            crate::migrate::diagnostic::Code::NotARegistration,
            range_of(&*assign.value),
            detail,
        );
        self.references.push(Reference {
            place: taken.place,
            kind: ReferenceKind::Alias(Box::new(Alias {
                name: name.id.to_string(),
                statement: range_of(statement),
                of,
                uses,
                receiver_name,
                partial_name,
                diagnostic,
            })),
            known: Known {
                plugin: Some(plugin),
                endpoint: None,
            },
        });
        true
    }
}

/// The name that an expression of attributes begins with.
fn root_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => root_name(&attribute.value),
        _ => None,
    }
}
