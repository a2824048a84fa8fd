//! What is compared: webhooks, by what the agent loads.

use std::path::PathBuf;

use serde::Serialize;

use super::plugin_source::PluginSource;
use crate::routes::Route;

/// A webhook, and the route that it became or will become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The route.
    pub(crate) route: Route,
    /// Whether the handler takes the request itself, though it was written for a context.
    pub(crate) is_native: bool,
    /// Where the handler was written, once it is known what the agent loads.
    pub(crate) written: Option<Written>,
}

impl Subject {
    /// A webhook that became `route`.
    pub(crate) fn new(route: Route, is_native: bool) -> Self {
        Self {
            route,
            is_native,
            written: None,
        }
    }
}

/// A plugin, and all that is to be verified of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// What the agent loads.
    pub(crate) plugin: PluginSource,
    /// What is to be verified.
    pub(crate) subjects: Vec<Subject>,
}

impl Group {
    /// The routes that are to be verified.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.subjects.iter().map(|subject| &subject.route)
    }
}

/// A group that is laid out.
#[derive(Debug)]
pub(crate) struct Case {
    /// Its name, which no other case has.
    pub(crate) name: String,
    /// What the agent loads, in the repo of the user.
    pub(crate) plugin: PluginSource,
    /// The commit that is compared with; none for what `migrate` would write.
    pub(crate) base: Option<String>,
    /// What is to be verified.
    pub(crate) subjects: Vec<Subject>,
    /// The tree before.
    pub(crate) before: PathBuf,
    /// The tree after.
    pub(crate) after: PathBuf,
}

impl Case {
    /// The key of the plugin.
    pub(crate) fn plugin(&self) -> String {
        let first = self.subjects.first();
        first.map_or_else(String::new, |subject| subject.route.plugin.clone())
    }
}

/// Where a handler was written, in the tree before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Written {
    /// The file of the registration, relative to the tree.
    pub(crate) file: PathBuf,
    /// The line of the registration, 1-based: that of a decorator, or of a call.
    pub(crate) line: usize,
    /// What the function is called.
    pub(crate) name: String,
}
