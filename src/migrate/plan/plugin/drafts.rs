//! The drafts of the modules that a group of plugins has.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::Input;
use crate::migrate::python::names::Loaded;

/// The drafts, by the paths of their modules.
pub(crate) type Drafts = BTreeMap<PathBuf, Draft>;

/// The draft of a module, which is made if there is none.
pub(super) fn draft_of<'d>(
    input: &Input<'_>,
    drafts: &'d mut Drafts,
    loaded: &Arc<Loaded>,
) -> &'d mut Draft {
    let path = loaded.module.source().path();
    drafts.entry(path.to_owned()).or_insert_with(|| {
        Draft::of(loaded.clone(), (input.style)(path)).with_stars(input.workspace)
    })
}
