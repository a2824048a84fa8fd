//! What was seen of one module besides its webhooks.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::migrate::find::doc_only_api::{self, DocOnlyUse};
use crate::migrate::find::plugin::ModuleParts;
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::imports::Imports;
use crate::migrate::python::names::{Loaded, Workspace};
use crate::migrate::python::style::Style;

/// What was seen of one module besides its webhooks.
pub(crate) struct ModuleFacts {
    pub(crate) parts: ModuleParts,
    pub(crate) uses: Vec<DocOnlyUse>,
    imports: OnceLock<Arc<Imports>>,
}

impl ModuleFacts {
    pub(crate) fn of(workspace: &Workspace, loaded: Arc<Loaded>) -> Self {
        Self {
            uses: doc_only_api::uses(workspace, &loaded),
            parts: ModuleParts::of(workspace, loaded),
            imports: OnceLock::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.parts.loaded.module.source().path()
    }

    /// The module's imports and names; most modules are never asked for them.
    pub(crate) fn imports(&self) -> &Arc<Imports> {
        let read = || Arc::new(Imports::of(&self.parts.loaded));
        self.imports.get_or_init(read)
    }

    /// The module without changes.
    pub(crate) fn draft(&self, style: Arc<Style>) -> Draft {
        let loaded = self.parts.loaded.clone();
        Draft::new(loaded, self.imports().clone(), style)
    }
}
