//! The plugin behind a registration: its key, where it is made, and the router that it has already.

mod mentions;
mod own_routes;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustpython_parser::ast::{self, Expr, Stmt};

use super::handler::{Blocker, Definition};
use super::registration::path_parameters::can_match_alike;
use crate::migrate::diagnostic::{Code, Related};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::names::{
    BindingKind, Loaded, PluginId, Resolver, Scope, Value, Workspace,
};
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{Descend, Node, range_of, walk_body};
use crate::routes::{Route, route_path};
use crate::text;

use mentions::{METHOD, Mention};
pub use own_routes::{OwnRoute, OwnRoutes};
use own_routes::{RouterId, UNKNOWN, own_routes_of};

/// How many routers may be included in each other.
const MAX_PREFIXES: usize = 4;

/// A plugin.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Which one.
    pub id: PluginId,
    /// The module in which it is made.
    pub loaded: Arc<Loaded>,
    /// The author, the first half of its key.
    pub author: String,
    /// The module name, the second half of its key.
    pub module_name: String,
    /// The name that it is assigned to.
    pub variable: String,
    /// The statement that assigns it.
    pub statement: ByteRange,
    /// Its functions under `mount_router()`, in all its modules.
    pub mounts: Vec<Mount>,
    /// A place that may set its router, and where it is not understood what does.
    pub unclear_mount: Option<Related>,
    /// The routes that its own routers have, as far as they can be seen.
    pub own_routes: Vec<Arc<OwnRoutes>>,
    /// Whether `@plugin.mount_config()` is applied to a class.
    pub has_config: bool,
}

impl Plugin {
    /// `author.module_name`.
    pub fn key(&self) -> String {
        format!("{}.{}", self.author, self.module_name)
    }
}

/// A function under `@plugin.mount_router()`.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The module in which it is defined.
    pub loaded: Arc<Loaded>,
    /// Its name, for messages.
    pub name: String,
    /// Where it is defined.
    pub range: ByteRange,
    /// What it returns, in order; none when that cannot be understood.
    pub returns: Option<Vec<RouterReturn>>,
}

/// A `return` of a function under `mount_router()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterReturn {
    /// The statement.
    pub statement: ByteRange,
    /// What is returned.
    pub value: ByteRange,
    /// Whether it is made by `APIRouter()` without arguments, so that what is included in it gets
    /// no prefix and no dependencies.
    pub is_plain: bool,
    /// Whether it is a plain name.
    pub is_name: bool,
    /// Whether it can be seen where the router is made: only then its routes are known.
    pub is_known: bool,
    /// The name, when it stands for a plain router at the level of the plugin's module.
    pub module_level_name: Option<String>,
    /// The calls that make it.
    routers: Vec<RouterId>,
}

impl Plugin {
    /// The plugin's own route that would answer instead of a webhook at `endpoint`, whichever of
    /// the prefixes it gets.
    pub fn route_in_the_way(&self, endpoint: &str, route: &Route) -> Option<&OwnRoute> {
        self.route_below(&route_path(endpoint), route, MAX_PREFIXES)
    }

    /// The plugin's own route that a webhook whose endpoint has parameters might answer instead of.
    pub fn route_that_is_matched(&self, endpoint: &str) -> Option<&OwnRoute> {
        if !endpoint.contains('{') {
            return None;
        }
        let path = route_path(endpoint);
        let known = self.own_routes.iter().flat_map(|own| &own.prefixes);
        let prefixes: Vec<&str> = known.map(String::as_str).chain([""]).collect();
        let mut routes = self.own_routes.iter().flat_map(|own| &own.routes);
        routes.find(|own| {
            prefixes.iter().any(|outer| {
                prefixes
                    .iter()
                    .any(|inner| can_match_alike(&path, &format!("{outer}{inner}{}", own.path)))
            })
        })
    }

    fn route_below(&self, path: &str, route: &Route, prefixes: usize) -> Option<&OwnRoute> {
        let mut routes = self
            .own_routes
            .iter()
            .flat_map(|of_module| &of_module.routes);
        if let Some(own) = routes.find(|own| own.takes(path, &route.methods)) {
            return Some(own);
        }
        let prefixes = prefixes.checked_sub(1)?;
        let known = self
            .own_routes
            .iter()
            .flat_map(|of_module| &of_module.prefixes);
        known
            .filter(|prefix| !prefix.is_empty())
            .find_map(|prefix| {
                if prefix == UNKNOWN {
                    let rests = path.match_indices('/').skip(1).map(|(at, _)| &path[at..]);
                    return rests
                        .into_iter()
                        .find_map(|rest| self.route_below(rest, route, 0));
                }
                self.route_below(path.strip_prefix(prefix.as_str())?, route, prefixes)
            })
    }
}

/// The key of a plugin, `author.module_name`, wherever it is made; none when it cannot be known.
pub fn key(workspace: &Workspace, id: &PluginId) -> Option<String> {
    let loaded = workspace.load(&id.module).ok()?;
    let resolver = Resolver {
        workspace,
        loaded: &loaded,
        locals: &[],
    };
    let mut key = None;
    walk_body(loaded.module.suite(), &mut |node| match node {
        Node::Expr(expression) if range_of(expression) == id.call => {
            key = key.take().or_else(|| parts_of_key(resolver, expression));
            Descend::Past
        }
        // Decorators stand before the statement that they belong to.
        Node::Stmt(Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_))
        | Node::Expr(_) => Descend::Into,
        Node::Stmt(statement) if range_of(statement).contains(id.call) => Descend::Into,
        Node::Stmt(_) => Descend::Past,
    });
    let (author, module_name) = key?;
    Some(format!("{author}.{module_name}"))
}

/// The author and the module name that `NekroPlugin(...)` is given.
fn parts_of_key(resolver: Resolver<'_>, value: &Expr) -> Option<(String, String)> {
    let Expr::Call(call) = value else {
        return None;
    };
    let text_of = |keyword, position| {
        let given = argument(call, keyword, position)?;
        resolver.text(given)
    };
    Some((text_of("author", 4)?, text_of("module_name", 1)?))
}

/// Where a module sets the key of the plugin in `variable` again: by its initializer, or the attribute in
/// which release 2.4.0 of the agent keeps it (`author` and `module_name` are read once).
fn sets_key(loaded: &Loaded, variable: &str) -> Option<ByteRange> {
    const SETTERS: &[&str] = &["__init__", "_key"];
    let source = loaded.module.source();
    if !SETTERS.iter().any(|name| source.text().contains(name)) {
        return None;
    }
    let text = |range| source.slice(range);
    let mut tokens = loaded.module.tokens().all().windows(3);
    tokens.find_map(|window| match window {
        [owner, dot, name] if text(owner.range) == variable && text(dot.range) == "." => {
            SETTERS.contains(&text(name.range)).then_some(name.range)
        }
        _ => None,
    })
}

/// Reads the plugin `id`; `package` are the modules that may belong to it.
///
/// # Errors
/// What stands in the way of migrating anything of it.
pub fn plugin(
    workspace: &Workspace,
    id: &PluginId,
    package: &[&ModuleParts],
) -> Result<Plugin, Box<Blocker>> {
    let refuse = |code, range, detail| Err(Box::new(Blocker::manual(code, range, detail)));
    let Ok(loaded) = workspace.load(&id.module) else {
        return refuse(Code::UnknownPlugin, id.call, Code::UnknownPlugin.title());
    };
    let resolver = Resolver {
        workspace,
        loaded: &loaded,
        locals: &[],
    };
    let Some((variable, statement, value)) = assignment(loaded.module.suite(), id.call) else {
        return refuse(
            Code::PluginNotAtModuleLevel,
            id.call,
            text!(
                "the plugin is not assigned to a name by a statement at module level",
                "插件没有在模块顶层用赋值语句赋给变量"
            ),
        );
    };
    if is_on_a_block_line(&loaded, statement) {
        return refuse(
            Code::PluginNotAtModuleLevel,
            id.call,
            text!(
                "the plugin is made on the line of another statement, such as `if …:`, so that nothing can be put beside it",
                "插件与其他语句（例如 `if …:`）写在同一行，因此无法在它旁边添加代码"
            ),
        );
    }
    let Some((author, module_name)) = parts_of_key(resolver, value) else {
        return refuse(
            Code::UnknownPluginKey,
            id.call,
            text!(
                "the author or the module_name of the plugin is not a constant that can be seen",
                "无法从源代码确定插件的 author 或 module_name：它不是常量"
            ),
        );
    };
    if let Some(range) = sets_key(&loaded, &variable) {
        let (line, _) = loaded.module.source().position(range.start());
        return refuse(
            Code::UnknownPluginKey,
            range,
            text!(
                "line {line} of the plugin's module may set its key again",
                "插件所在模块的第 {line} 行可能会重新设置插件的键"
            ),
        );
    }
    let of_plugin = |parts: &&ModuleParts| {
        let mine = parts.mounts.iter().filter(|(owner, _)| owner == id);
        mine.map(|(_, mount)| mount.clone()).collect::<Vec<_>>()
    };
    let mounts: Vec<Mount> = package.iter().flat_map(of_plugin).collect();
    // Without a router of its own nothing of it can be in the way.
    let own_routes = if mounts.is_empty() {
        Vec::new()
    } else {
        own_routes(workspace, package, &mounts)
    };
    let has_config = package.iter().any(|parts| parts.configured.contains(id));
    let unclear_mount = package
        .iter()
        .flat_map(|parts| parts.unclear_mounts(workspace))
        .find(|mention| mention.plugin.as_ref().is_none_or(|plugin| plugin == id))
        .map(|mention| mention.place.clone());
    Ok(Plugin {
        id: id.clone(),
        loaded: loaded.clone(),
        author,
        module_name,
        variable,
        statement,
        mounts,
        unclear_mount,
        own_routes,
        has_config,
    })
}

/// The routes of all routers in the modules of the plugin, and what stands for those that cannot
/// be read.
fn own_routes(
    workspace: &Workspace,
    package: &[&ModuleParts],
    mounts: &[Mount],
) -> Vec<Arc<OwnRoutes>> {
    let modules: Vec<&Arc<OwnRoutes>> = package
        .iter()
        .map(|parts| parts.own_routes(workspace))
        .filter(|own| **own != Arc::default())
        .collect();
    let mounted: BTreeSet<RouterId> = mounts
        .iter()
        .flat_map(|mount| mount.returns.iter().flatten())
        .flat_map(|one| one.routers.iter().cloned())
        .collect();
    let paths: BTreeSet<PathBuf> = package
        .iter()
        .map(|parts| parts.loaded.module.source().path().to_owned())
        .collect();
    let of_modules: Vec<&OwnRoutes> = modules.iter().map(|own| &***own).collect();
    let hidden = own_routes::hidden_from(&of_modules, mounted, &paths);
    modules
        .into_iter()
        .cloned()
        .chain([Arc::new(hidden)])
        .collect()
}

/// The argument of a call by keyword or position (0-based).
fn argument<'a>(call: &'a ast::ExprCall, keyword: &str, position: usize) -> Option<&'a Expr> {
    let named = call
        .keywords
        .iter()
        .find(|k| k.arg.as_ref().is_some_and(|arg| arg.as_str() == keyword));
    named.map(|k| &k.value).or_else(|| call.args.get(position))
}

/// The name, the statement and the value, where the value at `value` is assigned at module level
/// (also in `if` and `try`).
fn assignment(suite: &[Stmt], value: ByteRange) -> Option<(String, ByteRange, &Expr)> {
    let mut found = None;
    walk_body(suite, &mut |node| {
        let (target, assigned) = match node {
            Node::Stmt(Stmt::Assign(s)) => (s.targets.first(), Some(&*s.value)),
            Node::Stmt(Stmt::AnnAssign(s)) => (Some(&*s.target), s.value.as_deref()),
            Node::Stmt(Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_)) => {
                return Descend::Past;
            }
            Node::Stmt(Stmt::For(_) | Stmt::While(_)) | Node::Expr(_) => return Descend::Past,
            Node::Stmt(_) => return Descend::Into,
        };
        if let (Some(Expr::Name(name)), Some(assigned)) = (target, assigned)
            && range_of(assigned) == value
            && let Node::Stmt(statement) = node
        {
            found = Some((name.id.to_string(), range_of(statement), assigned));
        }
        Descend::Past
    });
    found
}

/// Whether a statement stands on the line of one that has a body, behind its colon.
fn is_on_a_block_line(loaded: &Loaded, statement: ByteRange) -> bool {
    let (tokens, source) = (loaded.module.tokens().all(), loaded.module.source());
    let before = tokens.partition_point(|token| token.range.start() < statement.start());
    tokens[..before]
        .iter()
        .rev()
        .take_while(|token| token.kind != TokenKind::Newline)
        .any(|token| token.depth == 0 && source.slice(token.range) == ":")
}

/// The plugin that a decorator calls `method` on, and where it takes the method of it.
fn plugin_of_call(
    resolver: Resolver<'_>,
    expression: &Expr,
    method: &str,
) -> Option<(PluginId, ByteRange)> {
    let Expr::Call(call) = expression else {
        return None;
    };
    let Expr::Attribute(attribute) = &*call.func else {
        return None;
    };
    if attribute.attr.as_str() != method {
        return None;
    }
    match resolver.value(&attribute.value) {
        Value::Plugin(id) => Some((id, range_of(attribute))),
        _ => None,
    }
}

/// What a module holds of plugins besides their webhooks.
#[derive(Debug)]
pub struct ModuleParts {
    /// The module.
    pub loaded: Arc<Loaded>,
    /// The functions under `mount_router()`, with the plugin of each.
    pub mounts: Vec<(PluginId, Mount)>,
    /// The plugins that have a class under `mount_config()` here.
    pub configured: Vec<PluginId>,
    /// The attributes `mount_router` that are understood.
    understood: Vec<ByteRange>,
    own_routes: OnceLock<Arc<OwnRoutes>>,
    unclear_mounts: OnceLock<Vec<Mention>>,
}

impl ModuleParts {
    /// Those of `loaded`.
    pub fn of(workspace: &Workspace, loaded: Arc<Loaded>) -> Self {
        let resolver = Resolver {
            workspace,
            loaded: &loaded,
            locals: &[],
        };
        let mut mounts = Vec::new();
        let mut understood = Vec::new();
        // Whether one anywhere else is ever run, and for which plugin, is not looked at.
        for statement in loaded.module.suite() {
            let Some(definition) = Definition::of(statement) else {
                continue;
            };
            let mut decorators = definition.decorators.iter();
            let Some((id, method)) = decorators.find_map(|d| plugin_of_call(resolver, d, METHOD))
            else {
                continue;
            };
            let is_plain = definition.decorators.len() == 1 && !definition.is_async;
            let mount = Mount {
                loaded: loaded.clone(),
                name: definition.name.to_owned(),
                range: definition.range,
                returns: is_plain
                    .then(|| router_returns(resolver, &id, definition))
                    .flatten(),
            };
            mounts.push((id, mount));
            understood.push(method);
        }
        let mut configured = Vec::new();
        walk_body(loaded.module.suite(), &mut |node| {
            match node {
                Node::Stmt(Stmt::ClassDef(class)) => {
                    let decorators = class.decorator_list.iter();
                    let plugins =
                        decorators.filter_map(|d| plugin_of_call(resolver, d, "mount_config"));
                    configured.extend(plugins.map(|(id, _)| id));
                }
                // plugin.mount_router()(f): the function is not looked for.
                Node::Expr(Expr::Call(call)) => {
                    if let Some((id, method)) = plugin_of_call(resolver, &call.func, METHOD) {
                        let mount = Mount {
                            loaded: loaded.clone(),
                            name: loaded.module.source().slice(range_of(call)).to_owned(),
                            range: range_of(call),
                            returns: None,
                        };
                        mounts.push((id, mount));
                        understood.push(method);
                    }
                }
                Node::Stmt(_) | Node::Expr(_) => {}
            }
            Descend::Into
        });
        Self {
            loaded,
            mounts,
            configured,
            understood,
            own_routes: OnceLock::new(),
            unclear_mounts: OnceLock::new(),
        }
    }

    /// The places here, and in the modules that this one imports, that may set the router of a
    /// plugin and are not understood.
    fn unclear_mounts(&self, workspace: &Workspace) -> &[Mention] {
        self.unclear_mounts.get_or_init(|| {
            let mut mentions = mentions::unclear(workspace, &self.loaded, &self.understood);
            for path in mentions::imported(workspace, &self.loaded) {
                if let Ok(loaded) = workspace.load(&path) {
                    let parts = Self::of(workspace, loaded);
                    mentions.extend(mentions::unclear(
                        workspace,
                        &parts.loaded,
                        &parts.understood,
                    ));
                }
            }
            mentions
        })
    }

    /// The routes of the routers here; every plugin of a package asks for those of all modules.
    fn own_routes(&self, workspace: &Workspace) -> &Arc<OwnRoutes> {
        self.own_routes
            .get_or_init(|| Arc::new(own_routes_of(workspace, &self.loaded)))
    }
}

fn router_returns(
    resolver: Resolver<'_>,
    id: &PluginId,
    definition: Definition<'_>,
) -> Option<Vec<RouterReturn>> {
    let locals = [Scope::of_function(definition.arguments, definition.body)];
    let inside = Resolver {
        locals: &locals,
        ..resolver
    };
    let source = resolver.loaded.module.source();
    let mut returns = Some(Vec::new());
    walk_body(definition.body, &mut |node| match node {
        Node::Stmt(Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_)) => {
            Descend::Past
        }
        Node::Stmt(Stmt::Return(statement)) => {
            let range = range_of(statement);
            let starts_line = source
                .slice(ByteRange::new(
                    source.line_at(range.start()).start(),
                    range.start(),
                ))
                .trim()
                .is_empty();
            let one_line = source.line_at(range.start()).end() >= range.end();
            match (&statement.value, &mut returns) {
                (Some(value), Some(all)) if starts_line && one_line => {
                    all.push(router_return(inside, id, range, value));
                }
                _ => returns = None,
            }
            Descend::Past
        }
        Node::Stmt(_) => Descend::Into,
        Node::Expr(_) => Descend::Past,
    });
    returns.filter(|returns| !returns.is_empty() && returns.iter().all(|one| one.is_known))
}

fn router_return(
    inside: Resolver<'_>,
    id: &PluginId,
    statement: ByteRange,
    value: &Expr,
) -> RouterReturn {
    let name = match value {
        Expr::Name(name) => Some(name.id.to_string()),
        _ => None,
    };
    let is_plain = match &name {
        Some(name) => {
            let bindings = inside.bindings(name);
            !bindings.is_empty()
                && bindings.iter().all(|binding| match &binding.kind {
                    BindingKind::Value(value) => is_plain_router(inside, value),
                    _ => false,
                })
        }
        None => false,
    };
    let is_local = name.as_ref().is_some_and(|name| {
        inside
            .locals
            .iter()
            .any(|scope| !scope.bindings(name).is_empty())
    });
    let in_plugin_module = inside.loaded.module.source().path() == id.module;
    RouterReturn {
        statement,
        value: range_of(value),
        is_plain,
        is_name: name.is_some(),
        is_known: is_known_router(inside, value),
        module_level_name: name.filter(|_| is_plain && !is_local && in_plugin_module),
        routers: own_routes::routers(inside, value),
    }
}

/// Whether an expression is a router that the repo makes.
fn is_known_router(resolver: Resolver<'_>, expression: &Expr) -> bool {
    let is_router = |value: &Expr| match resolver.value(value) {
        Value::CallOf(name) => name.starts_with("fastapi.") && name.ends_with("APIRouter"),
        _ => false,
    };
    match expression {
        // A name that is bound in several branches is known when it is a router in all of them.
        Expr::Name(name) => {
            let bindings = resolver.bindings(&name.id);
            let of_value = |kind: &BindingKind| match kind {
                BindingKind::Value(value) => is_router(value),
                BindingKind::From(..) => is_router(expression),
                _ => false,
            };
            !bindings.is_empty() && bindings.iter().all(|binding| of_value(&binding.kind))
        }
        _ => is_router(expression),
    }
}

/// Whether an expression is `APIRouter()` without arguments.
fn is_plain_router(resolver: Resolver<'_>, expression: &Expr) -> bool {
    match expression {
        Expr::Call(call) => {
            call.args.is_empty()
                && call.keywords.is_empty()
                && is_router_class(resolver, &call.func)
        }
        _ => false,
    }
}

fn is_router_class(resolver: Resolver<'_>, expression: &Expr) -> bool {
    resolver
        .external(expression)
        .is_some_and(|name| name.starts_with("fastapi.") && name.ends_with("APIRouter"))
}
