//! Where places of a plan are once its files have been written: reports show the lines that are on the disk then.
//!
//! The plan keeps the places of the files that were read; reports ask here for those that they show.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::migrate::edit::EditSet;
use crate::migrate::plan::FilePlan;
use crate::migrate::source::SourceFile;

/// A line and a column, 1-based.
pub(super) type Position = (usize, usize);

/// The places in files that were written; a place in any other file is where it was.
#[derive(Default)]
pub(crate) struct PositionMap<'p> {
    written: HashMap<&'p Path, Written<'p>>,
}

struct Written<'p> {
    before: SourceFile,
    after: SourceFile,
    edits: &'p EditSet,
}

impl<'p> PositionMap<'p> {
    /// The places in `files`, which have been written.
    pub(crate) fn of(files: &'p [FilePlan]) -> Self {
        let written = files.iter().filter_map(|file| {
            let read = |bytes: &Arc<[u8]>| SourceFile::from_bytes(&file.path, bytes.clone()).ok();
            let written = Written {
                before: read(&file.before)?,
                after: read(&file.after)?,
                edits: &file.edits,
            };
            Some((&*file.path, written))
        });
        Self {
            written: written.collect(),
        }
    }

    /// Where a place of the file at `path` is now.
    pub(super) fn map_position(&self, path: &Path, (line, column): Position) -> Position {
        let mapped = self.written.get(path).and_then(|file| {
            let offset = file.before.offset(line, column)?;
            Some(file.after.position(file.edits.map_offset(offset)))
        });
        mapped.unwrap_or((line, column))
    }

    /// A line (1-based) of the file at `path`, when that has been written.
    pub(super) fn line(&self, path: &Path, line: usize) -> Option<&str> {
        Some(self.written.get(path)?.after.line_text(line))
    }
}
