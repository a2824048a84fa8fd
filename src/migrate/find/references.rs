//! Every reference to the old API in a file, and what becomes of it.
//!
//! - [`method`]: what the old API is called.
//! - [`walk`]: the way through a file, with what is around each place in [`finder`].
//! - [`call`]: a call that registers: what is called, its brackets and arguments, the webhooks that come of it.
//! - [`handler_of`]: the function behind what is registered.
//! - [`timing`]: when a registration runs, and when its module is imported.
//! - [`mentions`]: mentions that register nothing where they stand, that are looked up by a name, or that the
//!   tree does not lead to.

mod call;
mod finder;
mod handler_of;
mod mentions;
mod method;
pub(crate) mod timing;
mod walk;

use std::sync::Arc;

use self::finder::Finder;
use self::mentions::{names_in_strings, unvisited_mentions};
use super::model::{Effect, Found, Reference, ReferenceKind, Unclear};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::names::{Loaded, Workspace};

pub(crate) use self::mentions::LOOKUPS;

/// Finds every reference to the old API in `loaded`.
pub fn find(workspace: &Workspace, loaded: Arc<Loaded>) -> Found {
    let mut finder = Finder::new(workspace, &loaded);
    finder.body(loaded.module.suite());
    for expression in loaded.module.fragments(loaded.module.range()) {
        finder.expression(expression);
    }
    let Finder {
        mut references,
        mut unclear,
        shown,
        called_by_name,
        ..
    } = finder;
    let mut others = unvisited_mentions(&loaded, &references);
    others.extend(names_in_strings(&loaded, &references, &shown));
    let is_by_hand = |other: &&Reference| matches!(other.kind, ReferenceKind::ByHand(_));
    unclear.extend(
        others
            .iter()
            .filter(is_by_hand)
            .map(|other| Unclear::at_any_time(None, other.place, Effect::Registers)),
    );
    references.extend(others);
    unclear.extend(used_otherwise(&references, &called_by_name));
    references.sort_by_key(|reference| reference.place);
    unclear.sort_by_key(|one| one.range);
    Found {
        loaded,
        references,
        unclear,
    }
}

/// What else may register a webhook by a name for the method: what does more than call it, and other
/// modules that import it.
fn used_otherwise(references: &[Reference], called: &[ByteRange]) -> Vec<Unclear> {
    let aliases = || {
        let all = references.iter();
        all.filter_map(|reference| match &reference.kind {
            ReferenceKind::Alias(alias) => Some((alias, &reference.known)),
            _ => None,
        })
    };
    let mut unclear = Vec::new();
    for (alias, known) in aliases() {
        let calls = called.iter().filter(|one| **one == alias.statement);
        let names = aliases().filter(|(other, _)| other.of == Some(alias.statement));
        let effect = if calls.count() + names.count() < alias.uses {
            Effect::Registers
        } else {
            Effect::Names(alias.name.clone())
        };
        unclear.push(Unclear::at_any_time(
            known.plugin.clone(),
            alias.statement,
            effect,
        ));
    }
    unclear
}
