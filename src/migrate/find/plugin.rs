//! The plugin behind a registration: its key, where it is made, and the router that it has already.

mod calls;
mod key;
mod mentions;
mod modules;
mod mounts;
mod own_routes;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::path_parameters::can_match_alike;
use crate::migrate::diagnostic::{Code, Related};
use crate::migrate::edit::ByteRange;
use crate::migrate::find::blocker::Blocker;
use crate::migrate::find::plugin::key::parts_of_key;
use crate::migrate::find::plugin::own_routes::model::{RouterId, UNKNOWN};
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::names::{Loaded, PluginId, Resolver, Workspace};
use crate::migrate::python::tokens::TokenKind;
use crate::migrate::python::tree::{Descend, Node, is_definition, range_of, walk_body};
use crate::routes::{Route, route_path};
use crate::text;

pub(crate) use key::key;
pub(crate) use modules::ModuleParts;
pub(crate) use mounts::Mount;
pub(crate) use own_routes::{OwnRoute, OwnRoutes};

/// How many routers may be included in each other.
const MAX_PREFIXES: usize = 4;

/// A plugin.
#[derive(Debug, Clone)]
pub(crate) struct Plugin {
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
    pub(crate) fn key(&self) -> String {
        format!("{}.{}", self.author, self.module_name)
    }
}

impl Plugin {
    /// The plugin's own route that would answer instead of a webhook at `endpoint`, whichever of
    /// the prefixes it gets.
    pub(crate) fn route_in_the_way(&self, endpoint: &str, route: &Route) -> Option<&OwnRoute> {
        self.route_below(&route_path(endpoint), route, MAX_PREFIXES)
    }

    /// The plugin's own route that a webhook whose endpoint has parameters might answer instead of.
    pub(crate) fn route_that_is_matched(&self, endpoint: &str) -> Option<&OwnRoute> {
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

    /// The plugin's own route with an empty path, unless a prefix may come before it.
    pub(crate) fn route_without_path(&self) -> Option<&OwnRoute> {
        let mut prefixes = self.own_routes.iter().flat_map(|own| &own.prefixes);
        if prefixes.any(|prefix| !prefix.is_empty()) {
            return None;
        }
        let mut routes = self.own_routes.iter().flat_map(|own| &own.routes);
        routes.find(|own| own.path.is_empty())
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

/// Reads the plugin `id`; `package` are the modules that may belong to it.
///
/// # Errors
/// What stands in the way of migrating anything of it.
pub(crate) fn plugin(
    workspace: &Workspace,
    id: &PluginId,
    package: &[&ModuleParts],
) -> Result<Plugin, Box<Blocker>> {
    let refuse = |code, range, detail| Err(Box::new(Blocker::manual(code, range, detail)));
    let Ok(loaded) = workspace.load(&id.module) else {
        return refuse(Code::UnknownPlugin, id.call, Code::UnknownPlugin.title());
    };
    let resolver = Resolver::of_module(workspace, &loaded);
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
    if let Some(range) = key::sets_key(&loaded, &variable) {
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
    let loaded: Vec<&Loaded> = package.iter().map(|parts| &*parts.loaded).collect();
    let of_modules: Vec<&OwnRoutes> = modules.iter().map(|own| &***own).collect();
    let hidden = own_routes::hidden_from(&of_modules, mounted, &loaded);
    modules
        .into_iter()
        .cloned()
        .chain([Arc::new(hidden)])
        .collect()
}

/// The name, the statement and the value, where the value at `value` is assigned at module level
/// (also in `if` and `try`).
fn assignment(suite: &[Stmt], value: ByteRange) -> Option<(String, ByteRange, &Expr)> {
    let mut found = None;
    walk_body(suite, &mut |node| {
        let (target, assigned) = match node {
            Node::Stmt(Stmt::Assign(s)) => (s.targets.first(), Some(&*s.value)),
            Node::Stmt(Stmt::AnnAssign(s)) => (Some(&*s.target), s.value.as_deref()),
            Node::Stmt(statement) if is_definition(statement) => return Descend::Past,
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
