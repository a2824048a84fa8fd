//! Files of a pass: those that were read already, or are about to be written, before those on the disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::migrate::project::discover;
use crate::migrate::python::names::Files;
use crate::regular_file;

/// Layers of files, the first before the others; what is in none of them is on the disk.
pub(crate) struct OverlayFs {
    pub(crate) layers: Vec<Arc<BTreeMap<PathBuf, Arc<[u8]>>>>,
}

impl Files for OverlayFs {
    fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        match self.layers.iter().find_map(|layer| layer.get(path)) {
            Some(bytes) => Ok(bytes.clone()),
            None => Ok(regular_file::read(path)?.into()),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.layers.iter().any(|layer| layer.contains_key(path)) || path.is_file()
    }

    fn python_files(&self, root: &Path) -> Vec<PathBuf> {
        let mut files = discover::python_files(root);
        // Those in layers need not be on the disk.
        let of_layers = self.layers.iter().flat_map(|layer| layer.keys());
        files.extend(of_layers.filter(|path| path.starts_with(root)).cloned());
        files.sort();
        files.dedup();
        files
    }
}
