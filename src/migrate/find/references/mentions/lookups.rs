//! Attributes that are looked up by a name: `getattr`, `attrgetter`, `vars`, `__dict__`.
//!
//! Invariants: a name that is made of constants is that name. One that cannot be known may be the
//! method's or the table's, unless what it starts or ends with says otherwise; and what it is looked up on
//! may be a plugin, unless a closed list says that it is something else.

use crate::migrate::diagnostic::Code;
use crate::migrate::edit::ByteRange;
use crate::migrate::find::lookup::turns::loops::environments;
use crate::migrate::find::model::{Effect, Unclear};
use crate::migrate::find::references::call::callee::receiver::Receiver;
use crate::migrate::find::references::finder::Finder;
use crate::migrate::find::references::method::{METHOD, OLDER_METHOD, TABLE, by_name, is_method};
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{BindingKind, PluginId, Resolver, Value};
use crate::migrate::python::tree::{self, Descend, Node, is_named, range_of};
use crate::text;

/// How many names may stand for each other.
const MAX_STEPS: usize = 8;

/// What is looked up: on what, where that is written here, and by which name, where there is one.
struct Lookup<'e> {
    receiver: Option<&'e Expr>,
    name: Option<&'e Expr>,
}

/// Owner attribute it is.
enum Owner {
    Plugin(PluginId),
    /// A plugin's, if one is handed on to where this stands.
    Maybe,
    Others,
}

/// What a name may be.
enum Named {
    /// The method or the table.
    Ours(&'static str),
    Others,
    Unknown,
}

impl<'a> Finder<'a> {
    /// Looks at an expression that may look an attribute up.
    pub(crate) fn looked_up(&mut self, expression: &'a Expr) {
        let range = range_of(expression);
        if let Expr::Call(call) = expression
            && let Expr::Name(function) = &*call.func
        {
            self.handled_lookups.insert(range_of(function));
        }
        if self.handled_lookups.contains(&range) {
            return;
        }
        let lookups = match expression {
            Expr::Subscript(subscript) => match dict_of(&subscript.value) {
                Some(receiver) => {
                    self.handled_lookups.insert(range_of(&*subscript.value));
                    vec![Lookup {
                        receiver: Some(receiver),
                        name: Some(&subscript.slice),
                    }]
                }
                None => Vec::new(),
            },
            Expr::Call(call) => match dict_of(expression) {
                Some(receiver) => vec![whole_dict(receiver)],
                None => of_call(call),
            },
            // `reduce(getattr, names, plugin)`
            Expr::Name(name) if LOOKING_UP.contains(&name.id.as_str()) => vec![Lookup {
                receiver: None,
                name: None,
            }],
            _ => dict_of(expression).map(whole_dict).into_iter().collect(),
        };

        for lookup in lookups {
            self.look_up(&lookup, range);
        }
    }

    fn look_up(&mut self, lookup: &Lookup<'_>, range: ByteRange) {
        let named = lookup.name.map_or(Named::Unknown, |name| self.named(name));
        if matches!(named, Named::Others) {
            return;
        }
        let plugin = match lookup
            .receiver
            .map_or(Owner::Maybe, |receiver| self.whose(receiver))
        {
            Owner::Plugin(id) => Some(id),
            Owner::Maybe => None,
            Owner::Others => return,
        };
        match (named, lookup.name) {
            // Written out, it is one of the strings that are found in the text.
            (Named::Ours(_), Some(Expr::Constant(_))) => {}
            (Named::Ours(method), Some(name)) => {
                self.unclear(plugin, None, range, false);
                self.by_hand(
                    range_of(name),
                    Code::NotARegistration,
                    range,
                    text!(
                        "`{method}` is looked up by its name here",
                        "此处通过名称字符串获取 `{method}`"
                    ),
                );
            }
            _ => self.unclear.push(Unclear {
                plugin,
                endpoint: None,
                range,
                over_at: None,
                branches: self.branches.clone(),
                effect: Effect::LooksUp,
            }),
        }
    }

    /// Whether an attribute may be that of a plugin.
    pub(crate) fn may_be_of_plugin(&self, receiver: &Expr) -> bool {
        !matches!(self.whose(receiver), Owner::Others)
    }

    /// The method whose name an expression of constants is, which is put together here.
    pub(crate) fn method_put_together(&self, name: &Expr) -> Option<&'static str> {
        if !matches!(name, Expr::BinOp(_) | Expr::JoinedStr(_)) {
            return None;
        }
        let text = self.resolver().text(name)?;
        ours(&text).filter(|method| is_method(method))
    }

    fn named(&self, name: &Expr) -> Named {
        let Some(turns) = environments(&self.loops, range_of(name)) else {
            return self.by_its_ends(name);
        };
        let mut named = Named::Others;
        for turn in turns {
            let locals: Vec<_> = self.scopes.iter().chain(&turn).cloned().collect();
            match self.loop_reader().text_of(self.with_locals(&locals), name) {
                Some(text) => {
                    if let Some(ours) = ours(&text) {
                        return Named::Ours(ours);
                    }
                }
                None => named = Named::Unknown,
            }
        }
        match named {
            Named::Unknown => self.by_its_ends(name),
            named => named,
        }
    }

    fn by_its_ends(&self, name: &Expr) -> Named {
        let start = self.start_of(name, MAX_STEPS).unwrap_or_default();
        let end = self.end_of(name, MAX_STEPS).unwrap_or_default();
        let may_be = |one: &&str| one.starts_with(&start) && one.ends_with(&end);
        if OURS.iter().any(may_be) {
            Named::Unknown
        } else {
            Named::Others
        }
    }

    /// What a string surely starts with.
    fn start_of(&self, name: &Expr, steps: usize) -> Option<String> {
        let steps = steps.checked_sub(1)?;
        if let Some(text) = self.resolver().text(name) {
            return Some(text);
        }
        match name {
            Expr::BinOp(sum) if sum.op == ast::Operator::Add => self.start_of(&sum.left, steps),
            Expr::BinOp(filled) if filled.op == ast::Operator::Mod => {
                let template = self.resolver().text(&filled.left)?;
                template.split('%').next().map(str::to_owned)
            }
            Expr::JoinedStr(joined) => joined.values.first().and_then(literal),
            _ => None,
        }
    }

    /// What a string surely ends with.
    fn end_of(&self, name: &Expr, steps: usize) -> Option<String> {
        let steps = steps.checked_sub(1)?;
        if let Some(text) = self.resolver().text(name) {
            return Some(text);
        }
        match name {
            Expr::BinOp(sum) if sum.op == ast::Operator::Add => self.end_of(&sum.right, steps),
            Expr::JoinedStr(joined) => joined.values.last().and_then(literal),
            _ => None,
        }
    }

    fn whose(&self, receiver: &Expr) -> Owner {
        match self.receiver_of(receiver, METHOD) {
            Receiver::Plugin(id) => Owner::Plugin(id),
            Receiver::NotOurs => Owner::Others,
            Receiver::Unknown(_) if self.is_others_object(self.resolver(), receiver, MAX_STEPS) => {
                Owner::Others
            }
            Receiver::Unknown(_) => Owner::Maybe,
        }
    }

    /// Whether an expression is surely neither a plugin nor a class of plugins.
    fn is_others_object(&self, resolver: Resolver<'_>, receiver: &Expr, steps: usize) -> bool {
        let Some(steps) = steps.checked_sub(1) else {
            return false;
        };
        match resolver.value(receiver) {
            Value::Plugin(_) => false,
            Value::External(name) => !name.ends_with("Plugin"),
            Value::CallOf(name) => !name.starts_with("nekro_agent."),
            Value::Module(_)
            | Value::Function(..)
            | Value::Text(_)
            | Value::Number(_)
            | Value::Member(_)
            | Value::Instance(..)
            | Value::Other => true,
            Value::Class(path, range) => self.has_no_bases(&path, range),
            Value::Unknown => match receiver {
                Expr::Name(name) => {
                    if let Some(Some(annotation)) = resolver.parameter_annotation(&name.id) {
                        return self.is_others_type(annotation, steps);
                    }
                    if self.is_self_of_others(&name.id, range_of(receiver)) {
                        return true;
                    }
                    match resolver.bindings(&name.id) {
                        [binding] => match &binding.kind {
                            BindingKind::Value(value) => {
                                self.is_others_object(resolver, value, steps)
                            }
                            _ => false,
                        },
                        _ => false,
                    }
                }
                // What a plugin gives: its configuration, its store.
                Expr::Call(call) => match &*call.func {
                    Expr::Attribute(method) => {
                        PLUGIN_GIVES.contains(&method.attr.as_str())
                            && matches!(resolver.value(&method.value), Value::Plugin(_))
                    }
                    function => is_named(function, "__import__"),
                },
                Expr::Subscript(item) => {
                    let of = resolver.value(&item.value);
                    of == Value::External("sys.modules".to_owned())
                }
                Expr::Await(awaited) => self.is_others_object(resolver, &awaited.value, steps),
                _ => false,
            },
        }
    }

    /// Whether an annotation is a class that no plugin is of.
    fn is_others_type(&self, annotation: &Expr, steps: usize) -> bool {
        let Some(steps) = steps.checked_sub(1) else {
            return false;
        };
        match (annotation, self.resolver().value(annotation)) {
            (_, Value::External(name)) => {
                let last = name.rsplit('.').next().unwrap_or(&name);
                last.starts_with(char::is_uppercase)
                    && !last.ends_with("Plugin")
                    && !matches!(last, "Any" | "Protocol")
            }
            (_, Value::Class(path, range)) => self.has_no_bases(&path, range),
            (Expr::Name(name), Value::Unknown) => {
                BUILT_IN_TYPES.contains(&name.id.as_str()) && self.resolver().is_builtin(&name.id)
            }
            (Expr::Subscript(of), _) => self.is_others_type(&of.value, steps),
            _ => false,
        }
    }

    fn has_no_bases(&self, path: &std::path::Path, class: ByteRange) -> bool {
        let loaded = self.workspace.load(path);
        loaded.is_ok_and(|loaded| {
            let class = loaded.scope.class_at(class);
            class.is_some_and(|(bases, _)| bases.is_empty())
        })
    }

    /// Whether a name is the first parameter of a method whose class has bases that no plugin has.
    fn is_self_of_others(&self, name: &str, place: ByteRange) -> bool {
        let mut class: Option<&ast::StmtClassDef> = None;
        let mut first: Option<&str> = None;
        tree::walk_body(self.loaded.module.suite(), &mut |node| {
            let Node::Stmt(statement) = node else {
                return Descend::Past;
            };
            if !range_of(statement).contains(place) {
                return Descend::Past;
            }
            if let Stmt::ClassDef(inner) = statement {
                class = Some(inner);
                first = None;
            } else if let (Some(function), None) = (Definition::of(statement), first) {
                let mut parameters = tree::parameters(function.arguments);
                first = parameters.next().map(|parameter| parameter.arg.as_str());
            }
            Descend::Into
        });
        let Some(class) = class.filter(|_| first == Some(name)) else {
            return false;
        };
        class.keywords.is_empty()
            && class.bases.iter().all(|base| {
                self.is_others_type(base, MAX_STEPS)
                    || matches!(base, Expr::Name(name) if name.id.ends_with("Exception")
                        && self.resolver().is_builtin(&name.id))
            })
    }
}

fn ours(text: &str) -> Option<&'static str> {
    OURS.iter().find(|one| **one == text).copied()
}

/// What is looked for.
const OURS: &[&str] = &[METHOD, OLDER_METHOD, TABLE];

/// The built-in functions that look an attribute up.
const LOOKING_UP: &[&str] = &["delattr", "getattr", "setattr", "vars"];

/// The methods of a plugin that give no plugin.
const PLUGIN_GIVES: &[&str] = &["get_config", "get_plugin_path", "get_plugin_data_dir"];

/// Classes of Python's own.
const BUILT_IN_TYPES: &[&str] = &[
    "bool",
    "bytes",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "set",
    "str",
    "tuple",
];

/// The object whose attributes `x.__dict__` or `vars(x)` has.
fn dict_of(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Attribute(attribute) if attribute.attr.as_str() == "__dict__" => {
            Some(&attribute.value)
        }
        Expr::Call(call) if is_named(&call.func, "vars") => call.args.first(),
        _ => None,
    }
}

fn whole_dict(receiver: &Expr) -> Lookup<'_> {
    Lookup {
        receiver: Some(receiver),
        name: None,
    }
}

/// What a call looks up.
fn of_call(call: &ast::ExprCall) -> Vec<Lookup<'_>> {
    if by_name(call).is_some() {
        return Vec::new();
    }
    let (function, value) = match &*call.func {
        Expr::Name(name) => (name.id.as_str(), None),
        Expr::Attribute(attribute) => (attribute.attr.as_str(), Some(&*attribute.value)),
        _ => return Vec::new(),
    };
    let plain = |index: usize| {
        let argument = call.args.get(index);
        argument.filter(|one| !matches!(one, Expr::Starred(_)))
    };
    let one = |receiver, name| vec![Lookup { receiver, name }];
    match (function, value) {
        ("getattr" | "setattr" | "delattr" | "getattr_static", _) => one(plain(0), plain(1)),
        ("getmembers" | "getmembers_static", _) => one(plain(0), None),
        ("methodcaller", _) => one(None, plain(0)),
        ("attrgetter", _) => {
            let name = |argument| Lookup {
                receiver: None,
                name: Some(argument),
            };
            call.args.iter().map(name).collect()
        }
        // Of the object itself, or of `object` with the object before the name.
        ("__getattribute__" | "__getattr__" | "__delattr__", Some(value)) => {
            if call.args.len() == 1 {
                one(Some(value), plain(0))
            } else {
                one(plain(0), plain(1))
            }
        }
        ("__setattr__", Some(value)) => {
            if call.args.len() == 2 {
                one(Some(value), plain(0))
            } else {
                one(plain(0), plain(1))
            }
        }
        _ => Vec::new(),
    }
}

/// The text of a part of an f-string.
fn literal(part: &Expr) -> Option<String> {
    match part {
        Expr::Constant(constant) => match &constant.value {
            Constant::Str(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
