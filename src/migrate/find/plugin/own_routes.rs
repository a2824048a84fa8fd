//! The routes that a plugin's own routers have: those that can be read, and the places where more
//! may be added that cannot be.
//!
//! A route of the plugin that comes to the path of a webhook would answer in its place, or the
//! other way round. So it matters that none is overlooked: a router is followed wherever its name
//! goes.
//!
//! - [`routes`]: the routes that are added by calls.
//! - [`written_decorators`]: those of decorators that an earlier run wrote.
//! - [`uses`], [`handed`]: where routers go.
//!
//! Invariant: a use of a router that is not known to add no route, or to add one that is read, is
//! in [`OwnRoutes::hidden`].

mod handed;
pub(super) mod model;
mod routers;
mod routes;
mod uses;
mod written_decorators;

use std::collections::BTreeSet;

use crate::migrate::diagnostic::Related;
use crate::migrate::find::plugin::own_routes::model::{RouterId, UNKNOWN};
use crate::migrate::python::names::{Loaded, Workspace};
use crate::text::Text;

pub(crate) use model::{OwnRoute, OwnRoutes};
pub(super) use routers::{MAX_BUILDERS, each_built, routers};

/// The routes that a module adds to routers, and the prefixes that it gives to them.
pub(super) fn own_routes_of(workspace: &Workspace, loaded: &Loaded) -> OwnRoutes {
    let mut own = OwnRoutes::default();
    routes::of_module(workspace, loaded, &mut own);
    uses::of_routers(workspace, loaded, &mut own);
    own.prefixes.sort();
    own.prefixes.dedup();
    own
}

/// The places among `own` where routes may be added to one of `mounted` that cannot be read.
pub(super) fn hidden_from(
    own: &[&OwnRoutes],
    mounted: BTreeSet<RouterId>,
    modules: &[&Loaded],
) -> OwnRoutes {
    let mut reached = mounted;
    let includes: Vec<_> = own.iter().flat_map(|own| &own.includes).collect();
    loop {
        let before = reached.len();
        for (outer, inner) in &includes {
            if outer.as_ref().is_none_or(|outer| reached.contains(outer)) {
                reached.insert(inner.clone());
            }
        }
        if reached.len() == before {
            break;
        }
    }
    let mut routes: Vec<OwnRoute> = own
        .iter()
        .flat_map(|own| &own.hidden)
        .filter(|hidden| {
            let router = hidden.router.as_ref();
            router.is_none_or(|router| reached.contains(router))
        })
        .map(|hidden| hidden.route.clone())
        .collect();
    for (name, added) in own.iter().flat_map(|own| &own.registrars) {
        let is_named = |other: &&Loaded| {
            let source = other.module.source();
            *source.path() != added.path && source.text().contains(name.as_str())
        };
        if modules.iter().any(is_named) {
            routes.push(OwnRoute {
                path: UNKNOWN.to_owned(),
                methods: Vec::new(),
                added: added.clone(),
            });
        }
    }
    // A module that does not belong to the plugin has not been read for its sake.
    let elsewhere = reached.iter().map(|(path, _)| path);
    let handed_to = own.iter().flat_map(|own| &own.handed_to);
    for path in elsewhere.chain(handed_to) {
        let is_it = |one: &&Loaded| one.module.source().path() == path;
        if !modules.iter().any(is_it) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            routes.push(OwnRoute {
                path: UNKNOWN.to_owned(),
                methods: Vec::new(),
                added: Related {
                    path: path.clone(),
                    position: (1, 1),
                    says: Text::verbatim(name),
                },
            });
        }
    }
    OwnRoutes {
        routes,
        ..OwnRoutes::default()
    }
}
