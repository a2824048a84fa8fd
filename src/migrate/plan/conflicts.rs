//! Registrations that get in each other's way, in one plugin or across plugins.
//!
//! Invariant: where it cannot be known which of them would answer, all that may is left as it is.

pub(crate) mod duplicates;
mod shared_keys;
mod unclear;

use super::model::{Input, PluginWebhooks, Registered};
use super::modules::cross_module::Members;
use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::find::{Blocker, Found};
use crate::migrate::python::names::PluginId;
use shared_keys::SharedKeys;

/// What may get in the way of webhooks of any plugin.
pub(super) struct Conflicts<'a> {
    /// The files that have something that is not understood.
    unclear: Vec<&'a Found>,
    shared_keys: SharedKeys<'a>,
}

impl<'a> Conflicts<'a> {
    pub(super) fn of(input: &Input<'a>, groups: &[Vec<PluginWebhooks<'a>>]) -> Self {
        let has_unclear = |found: &&Found| !found.unclear.is_empty();
        Self {
            unclear: input.found.iter().filter(has_unclear).collect(),
            shared_keys: SharedKeys::of(input.workspace, groups),
        }
    }

    /// What gets in the way of one webhook.
    pub(super) fn problem(&self, members: &Members<'_>, one: &Registered<'_>) -> Option<Blocker> {
        unclear::problem(members, &self.unclear, one).or_else(|| self.shared_keys.problem(one))
    }

    /// The key of each plugin, where it is known.
    pub(super) fn keys(&self) -> &[(PluginId, String)] {
        &self.shared_keys.keys
    }

    /// What there is to say about them besides.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.shared_keys.diagnostics
    }
}
