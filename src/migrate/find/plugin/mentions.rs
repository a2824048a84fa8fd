//! Where the router of a plugin may be set in a way that is not understood.
//!
//! A plugin has one router function, and the last one set counts. `@plugin.mount_router()` above a
//! function at module level is understood; the method by another name, of a parameter or of the
//! variable of a loop, in a branch, by its name as a string, or the attribute that it fills may
//! replace what would be written for the webhooks.
//!
//! Invariant: every attribute and every string of these names is understood, surely something
//! else's, or in what [`unclear`] gives. The tokens are asked at the end, so that no place is passed
//! over that the tree does not show.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use crate::migrate::diagnostic::Related;
use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Constant, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{
    BindingKind, Loaded, PluginId, Resolver, Scope, Value, Workspace,
};
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{self, Node, range_of};
use crate::text;

/// The method that sets the router.
pub(super) const METHOD: &str = "mount_router";
/// The attribute that the method fills.
const FIELD: &str = "_router_func";
/// Where the agent keeps the router once it is made. Other classes have an attribute of this name
/// too, so it counts only on what is surely a plugin.
const CACHE: &str = "_router";

/// A place that may set the router of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// The plugin; none when it is not known which.
    pub(super) plugin: Option<PluginId>,
    /// The place.
    pub(super) place: Related,
}

/// Owner method or attribute it is.
enum Owner {
    Plugin(PluginId),
    /// Surely not that of a plugin.
    Other,
    Unknown,
}

/// A function around the place that is looked at.
struct EnclosingFunction<'a> {
    /// The class that it is a method of.
    class: Option<&'a ast::StmtClassDef>,
    /// Its first parameter.
    first: Option<&'a str>,
}

struct Walker<'a> {
    workspace: &'a Workspace,
    loaded: &'a Loaded,
    /// The attributes that are understood.
    understood: &'a [ByteRange],
    scopes: Vec<Scope>,
    functions: Vec<EnclosingFunction<'a>>,
    /// The class whose body is looked at, and not that of a function in it.
    class: Option<&'a ast::StmtClassDef>,
    /// Whether names may be bound around the place that no scope has: by a lambda, a comprehension.
    is_bound_otherwise: bool,
    /// The names of all attributes that were visited.
    visited: FxHashSet<ByteRange>,
    found: Vec<Mention>,
}

/// Whether a module has any of the names.
fn is_mentioned(text: &str) -> bool {
    let is_attribute = |(at, _): (usize, &str)| text[..at].ends_with('.');
    text.contains(METHOD) || text.contains(FIELD) || text.match_indices(CACHE).any(is_attribute)
}

/// The places in `loaded` that may set the router of a plugin, apart from the attributes in
/// `understood`.
pub(super) fn unclear(
    workspace: &Workspace,
    loaded: &Loaded,
    understood: &[ByteRange],
) -> Vec<Mention> {
    let source = loaded.module.source();
    if !is_mentioned(source.text()) {
        return Vec::new();
    }
    let mut walker = Walker {
        workspace,
        loaded,
        understood,
        scopes: Vec::new(),
        functions: Vec::new(),
        class: None,
        is_bound_otherwise: false,
        visited: FxHashSet::default(),
        found: Vec::new(),
    };
    for statement in loaded.module.suite() {
        walker.statement(statement);
    }
    walker.is_bound_otherwise = true;
    for fragment in loaded.module.fragments(loaded.module.range()) {
        walker.expression(fragment);
    }
    for token in loaded.module.tokens().all() {
        let name = source.slice(token.range);
        let is_attribute = || {
            let before = loaded.module.tokens().previous(token.range.start());
            before.is_some_and(|dot| source.slice(dot.range) == ".")
        };
        if token.kind == TokenKind::Name
            && matches!(name, METHOD | FIELD)
            && !walker.visited.contains(&token.range)
            && is_attribute()
        {
            walker.mention(None, name, token.range);
        }
    }
    walker.found
}

/// The modules that `loaded` imports and that have one of the names.
pub(super) fn imported(workspace: &Workspace, loaded: &Loaded) -> Vec<PathBuf> {
    let mut paths = workspace.imported_by(loaded, |_| true);
    paths.sort();
    paths.dedup();
    paths.retain(|path| {
        let bytes = workspace.read(path);
        bytes.is_ok_and(|bytes| {
            let has = |name: &str| memchr::memmem::find(&bytes, name.as_bytes()).is_some();
            has(METHOD) || has(FIELD)
        })
    });
    paths
}

impl<'a> Walker<'a> {
    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            workspace: self.workspace,
            loaded: self.loaded,
            locals: &self.scopes,
        }
    }

    fn mention(&mut self, plugin: Option<PluginId>, name: &str, range: ByteRange) {
        let source = self.loaded.module.source();
        self.found.push(Mention {
            plugin,
            place: Related {
                path: source.path().to_owned(),
                position: source.position(range.start()),
                says: text!("`{name}` is used here", "此处用到了 `{name}`"),
            },
        });
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(ast::StmtFunctionDef { args, body, .. })
            | Stmt::AsyncFunctionDef(ast::StmtAsyncFunctionDef { args, body, .. }) => {
                let scope = Scope::of_function(args, body);
                let class = self.class.take();
                let mut plain = tree::positional_parameters(args);
                let first = plain.next().map(|first| first.def.arg.as_str());
                self.below(statement, |walker, inner| {
                    walker.scopes.push(scope.clone());
                    walker.functions.push(EnclosingFunction { class, first });
                    walker.statement(inner);
                    walker.functions.pop();
                    walker.scopes.pop();
                });
                self.class = class;
            }
            Stmt::ClassDef(class) => {
                let scope = Scope::of_class(&class.body);
                let outer = self.class;
                self.below(statement, |walker, inner| {
                    walker.scopes.push(scope.clone());
                    walker.class = Some(class);
                    walker.statement(inner);
                    walker.class = outer;
                    walker.scopes.pop();
                });
            }
            // A docstring.
            Stmt::Expr(expression) if matches!(&*expression.value, Expr::Constant(_)) => {}
            Stmt::Assign(assign) if is_all(&assign.targets) => {}
            _ => self.below(statement, Self::statement),
        }
    }

    /// Visits what is directly below a statement: the statements with `visit`.
    fn below(&mut self, statement: &'a Stmt, mut visit: impl FnMut(&mut Self, &'a Stmt)) {
        tree::children(Node::Stmt(statement), &mut |child| match child {
            Node::Stmt(inner) => visit(self, inner),
            Node::Expr(inner) => self.expression(inner),
        });
    }

    fn expression(&mut self, expression: &'a Expr) {
        let mut passed_over: Option<ByteRange> = None;
        let was_bound_otherwise = self.is_bound_otherwise;
        match expression {
            Expr::Attribute(attribute) => self.attribute(attribute),
            Expr::Constant(_) => {
                if let Some(name) = name_in(expression) {
                    self.mention(None, name, range_of(expression));
                }
            }
            Expr::Call(call) => {
                if let (Expr::Name(function), [receiver, name, ..]) =
                    (&*call.func, call.args.as_slice())
                    && let Some(named) = name_in(name)
                {
                    match function.id.as_str() {
                        // It only asks whether the agent has the method.
                        "hasattr" => passed_over = Some(range_of(name)),
                        "getattr" | "setattr" | "delattr" => {
                            passed_over = Some(range_of(name));
                            self.taken_of(receiver, named, range_of(call));
                        }
                        _ => {}
                    }
                }
            }
            Expr::Lambda(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::GeneratorExp(_) => self.is_bound_otherwise = true,
            _ => {}
        }
        tree::children(Node::Expr(expression), &mut |child| match child {
            Node::Stmt(inner) => self.statement(inner),
            Node::Expr(inner) => {
                if passed_over != Some(range_of(inner)) {
                    self.expression(inner);
                }
            }
        });
        self.is_bound_otherwise = was_bound_otherwise;
    }

    fn attribute(&mut self, attribute: &ast::ExprAttribute) {
        let name = attribute.attr.as_str();
        let range = range_of(attribute);
        match name {
            METHOD | FIELD => {
                let start = range.end().saturating_sub(name.len());
                self.visited.insert(ByteRange::new(start, range.end()));
                if !self.understood.contains(&range) {
                    self.taken_of(&attribute.value, name, range);
                }
            }
            CACHE => {
                if let Owner::Plugin(id) = self.whose(&attribute.value) {
                    self.mention(Some(id), name, range);
                }
            }
            _ => {}
        }
    }

    /// `name` is taken of `receiver`, other than as it is understood.
    fn taken_of(&mut self, receiver: &Expr, name: &str, range: ByteRange) {
        match self.whose(receiver) {
            Owner::Plugin(id) => self.mention(Some(id), name, range),
            Owner::Unknown => self.mention(None, name, range),
            Owner::Other => {}
        }
    }

    fn whose(&self, receiver: &Expr) -> Owner {
        if self.is_bound_otherwise {
            return Owner::Unknown;
        }
        let other_if = |is_other: bool| {
            if is_other {
                Owner::Other
            } else {
                Owner::Unknown
            }
        };
        match self.resolver().value(receiver) {
            Value::Plugin(id) => Owner::Plugin(id),
            Value::CallOf(name) => {
                let called = name.rsplit('.').next().unwrap_or(&name);
                let is_class = called.starts_with(|c: char| c.is_uppercase());
                other_if(is_class && !name.starts_with("nekro_agent."))
            }
            Value::Class(path, range) => other_if(self.is_plain_class(&path, range)),
            Value::Module(path) => other_if(self.defines_function(&path)),
            Value::Instance(..)
            | Value::Function(..)
            | Value::Text(_)
            | Value::Number(_)
            | Value::Member(_)
            | Value::Other => Owner::Other,
            Value::External(_) => Owner::Unknown,
            Value::Unknown => other_if(match receiver {
                Expr::Name(name) => {
                    self.is_annotated_otherwise(&name.id) || self.is_self_of_another(&name.id)
                }
                _ => false,
            }),
        }
    }

    /// Whether a class of the repo has no bases, so that it cannot be a plugin's.
    fn is_plain_class(&self, path: &Path, range: ByteRange) -> bool {
        let loaded = self.workspace.load(path);
        loaded.is_ok_and(|loaded| {
            let class = loaded.scope.class_at(range);
            class.is_some_and(|(bases, _)| bases.is_empty())
        })
    }

    /// Whether the method's name is that of a function of the module at `path`.
    fn defines_function(&self, path: &Path) -> bool {
        let loaded = self.workspace.load(path);
        loaded.is_ok_and(|loaded| {
            let bindings = loaded.scope.bindings(METHOD);
            let is_function = |kind: &BindingKind| matches!(kind, BindingKind::Function);
            !bindings.is_empty() && bindings.iter().all(|one| is_function(&one.kind))
        })
    }

    /// Whether the name is a parameter whose annotation is a class, and surely not a plugin's.
    fn is_annotated_otherwise(&self, name: &str) -> bool {
        let Some(Some(annotation)) = self.resolver().parameter_annotation(name) else {
            return false;
        };
        match self.resolver().value(annotation) {
            Value::Class(path, range) => self.is_plain_class(&path, range),
            Value::External(name) => ["fastapi.", "starlette."]
                .iter()
                .any(|package| name.starts_with(package)),
            _ => false,
        }
    }

    /// Whether the name is the `self` of a class that has no bases and defines the method itself.
    fn is_self_of_another(&self, name: &str) -> bool {
        let Some(EnclosingFunction {
            class: Some(class),
            first: Some(first),
        }) = self.functions.last()
        else {
            return false;
        };
        let defines =
            |statement: &Stmt| Definition::of(statement).is_some_and(|one| one.name == METHOD);
        let is_parameter = || {
            matches!(
                self.resolver().bindings(name),
                [only] if matches!(only.kind, BindingKind::Parameter(_))
            )
        };
        *first == name
            && class.bases.is_empty()
            && class.keywords.is_empty()
            && class.body.iter().any(defines)
            && is_parameter()
    }
}

/// The name of the method or its attribute that a string is.
fn name_in(expression: &Expr) -> Option<&'static str> {
    let Expr::Constant(constant) = expression else {
        return None;
    };
    match &constant.value {
        Constant::Str(text) => [METHOD, FIELD].into_iter().find(|name| text == name),
        _ => None,
    }
}

/// Whether it is `__all__` that is assigned: names of the module.
fn is_all(targets: &[Expr]) -> bool {
    matches!(targets, [Expr::Name(name)] if name.id.as_str() == "__all__")
}
