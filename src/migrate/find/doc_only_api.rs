//! Uses of the API that the document of the old API names and no release with dynamic routes has:
//! `context.create_temp_ctx`, `plugin.config` and, only deprecated, `plugin.get_plugin_path`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::migrate::edit::ByteRange;
use crate::migrate::python::ast::{self, Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{
    BindingKind, Loaded, PluginId, Resolver, Scope, Value, Workspace,
};
use crate::migrate::python::tree::{self, Node, range_of};

/// The module of the document that is gone since release 2.0.
const CONTEXT_MODULE: &str = "nekro_agent.api.context";

/// A use of the document's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocOnlyUse {
    /// What is to be replaced: a callee, or the name of an attribute.
    pub range: ByteRange,
    /// What it is.
    pub kind: DocOnlyUseKind,
}

/// What a use of the document's API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DocOnlyUseKind {
    /// `context.create_temp_ctx(k)`, awaited: the callee. It came in by the local name.
    CreateTempCtx(String),
    /// `plugin.config`: the attribute's name.
    PluginConfig(PluginId),
    /// `plugin.get_plugin_path`: the attribute's name.
    PluginPath,
    /// A use of the lost module that cannot be rewritten.
    Other(String),
    /// The import of the lost module, or of a name from it, by its local name.
    Import(String),
}

/// Finds the uses in a module.
pub(crate) fn uses(workspace: &Workspace, loaded: &Arc<Loaded>) -> Vec<DocOnlyUse> {
    let text = loaded.module.source().text();
    let matters = ["config", "create_temp_ctx", "context", "get_plugin_path"];
    if matters
        .iter()
        .all(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_none())
    {
        return Vec::new();
    }
    let mut finder = Finder {
        workspace,
        loaded,
        scopes: Vec::new(),
        found: Vec::new(),
        assigned_config: false,
        known: FxHashMap::default(),
    };
    finder.body(loaded.module.suite());
    for expression in loaded.module.fragments(loaded.module.range()) {
        finder.expression(expression, false);
    }
    let mut found = finder.found;
    // A plugin that sets the attribute itself has it.
    if finder.assigned_config {
        found.retain(|one| !matches!(one.kind, DocOnlyUseKind::PluginConfig(_)));
    }
    for name in loaded.scope.names() {
        for binding in loaded.scope.bindings(name) {
            let is_lost = match &binding.kind {
                BindingKind::From(module, original) => {
                    module.level == 0
                        && (module.dotted == CONTEXT_MODULE
                            || format!("{}.{original}", module.dotted) == CONTEXT_MODULE)
                }
                _ => false,
            };
            if is_lost {
                found.push(DocOnlyUse {
                    range: binding.range,
                    kind: DocOnlyUseKind::Import(name.to_owned()),
                });
            }
        }
    }
    found.sort_by_key(|one| one.range);
    found.dedup();
    found
}

struct Finder<'a> {
    workspace: &'a Workspace,
    loaded: &'a Loaded,
    scopes: Vec<Scope>,
    found: Vec<DocOnlyUse>,
    assigned_config: bool,
    /// The names at module level that were looked up, and whether they come from the lost module.
    known: FxHashMap<String, bool>,
}

impl Finder<'_> {
    fn body(&mut self, body: &[Stmt]) {
        for statement in body {
            if let Some(definition) = Definition::of(statement) {
                for decorator in definition.decorators {
                    self.expression(decorator, false);
                }
                self.scopes
                    .push(Scope::of_function(definition.arguments, definition.body));
                self.body(definition.body);
                self.scopes.pop();
                continue;
            }
            tree::children(Node::Stmt(statement), &mut |child| match child {
                Node::Expr(expression) => self.expression(expression, false),
                Node::Stmt(inner) => self.body(std::slice::from_ref(inner)),
            });
        }
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            workspace: self.workspace,
            loaded: self.loaded,
            locals: &self.scopes,
        }
    }

    fn expression(&mut self, expression: &Expr, awaited: bool) {
        match expression {
            Expr::Await(inner) => return self.expression(&inner.value, true),
            Expr::Call(call) if self.is_create_temp_ctx(&call.func) => {
                self.create_temp_ctx(call, awaited);
                for argument in call
                    .args
                    .iter()
                    .chain(call.keywords.iter().map(|k| &k.value))
                {
                    self.expression(argument, false);
                }
                return;
            }
            Expr::Attribute(attribute) => self.attribute(attribute),
            Expr::Name(name)
                if !self.shadowed(&name.id) && self.is_of_lost_module(&name.id, expression) =>
            {
                self.found.push(DocOnlyUse {
                    range: range_of(name),
                    kind: DocOnlyUseKind::Other(name.id.to_string()),
                });
            }
            _ => {}
        }
        tree::children(Node::Expr(expression), &mut |child| {
            if let Node::Expr(child) = child {
                self.expression(child, false);
            }
        });
    }

    /// Whether a name that no function binds comes from the lost module.
    fn is_of_lost_module(&mut self, name: &str, expression: &Expr) -> bool {
        if let Some(&known) = self.known.get(name) {
            return known;
        }
        let external = self.resolver().external(expression);
        let is_lost = external.is_some_and(|dotted| dotted.starts_with(CONTEXT_MODULE));
        self.known.insert(name.to_owned(), is_lost);
        is_lost
    }

    fn shadowed(&self, name: &str) -> bool {
        self.scopes
            .iter()
            .any(|scope| !scope.bindings(name).is_empty())
    }

    fn is_create_temp_ctx(&self, callee: &Expr) -> bool {
        self.resolver()
            .external(callee)
            .is_some_and(|name| name.strip_prefix(CONTEXT_MODULE) == Some(".create_temp_ctx"))
    }

    fn create_temp_ctx(&mut self, call: &ast::ExprCall, awaited: bool) {
        let mut root = &*call.func;
        while let Expr::Attribute(attribute) = root {
            root = &attribute.value;
        }
        let local = match root {
            Expr::Name(name) => name.id.to_string(),
            _ => String::new(),
        };
        let plain = match (call.args.as_slice(), call.keywords.as_slice()) {
            ([argument], []) => !matches!(argument, Expr::Starred(_)),
            ([], [keyword]) => keyword
                .arg
                .as_ref()
                .is_some_and(|arg| arg.as_str() == "chat_key"),
            _ => false,
        };
        let kind = if awaited && plain {
            DocOnlyUseKind::CreateTempCtx(local)
        } else {
            DocOnlyUseKind::Other(local)
        };
        self.found.push(DocOnlyUse {
            range: range_of(&*call.func),
            kind,
        });
    }

    fn attribute(&mut self, attribute: &ast::ExprAttribute) {
        let name = attribute.attr.as_str();
        if name != "config" && name != "get_plugin_path" {
            return;
        }
        let Value::Plugin(id) = self.resolver().value(&attribute.value) else {
            return;
        };
        let end = range_of(attribute).end();
        let range = ByteRange::new(end - name.len().min(end), end);
        if name == "get_plugin_path" {
            self.found.push(DocOnlyUse {
                range,
                kind: DocOnlyUseKind::PluginPath,
            });
        } else if matches!(attribute.ctx, ast::ExprContext::Load) {
            self.found.push(DocOnlyUse {
                range,
                kind: DocOnlyUseKind::PluginConfig(id),
            });
        } else {
            self.assigned_config = true;
        }
    }
}
