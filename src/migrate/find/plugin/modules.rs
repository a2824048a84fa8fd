//! What a module holds of plugins besides their webhooks.

use std::sync::{Arc, OnceLock};

use crate::migrate::edit::ByteRange;
use crate::migrate::find::plugin::calls::plugin_of_call;
use crate::migrate::find::plugin::mentions;
use crate::migrate::find::plugin::mentions::{METHOD, Mention};
use crate::migrate::find::plugin::mounts::{Mount, router_returns};
use crate::migrate::find::plugin::own_routes::{OwnRoutes, own_routes_of};
use crate::migrate::python::ast::{Expr, Stmt};
use crate::migrate::python::function::Definition;
use crate::migrate::python::names::{Loaded, PluginId, Resolver, Workspace};
use crate::migrate::python::tree::{Descend, Node, range_of, walk_body};

/// What a module holds of plugins besides their webhooks.
#[derive(Debug)]
pub(crate) struct ModuleParts {
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
    pub(crate) fn of(workspace: &Workspace, loaded: Arc<Loaded>) -> Self {
        let resolver = Resolver::of_module(workspace, &loaded);
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
    pub(super) fn unclear_mounts(&self, workspace: &Workspace) -> &[Mention] {
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
    pub(super) fn own_routes(&self, workspace: &Workspace) -> &Arc<OwnRoutes> {
        self.own_routes
            .get_or_init(|| Arc::new(own_routes_of(workspace, &self.loaded)))
    }
}
