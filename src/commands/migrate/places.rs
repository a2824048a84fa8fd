//! Places of the plan in the files as they were written: who is told of one looks for it there.

use std::collections::HashMap;
use std::path::Path;

use crate::migrate::diagnostic::Diagnostic;
use crate::migrate::edit::EditSet;
use crate::migrate::plan::{Action, FilePlan, Plan};
use crate::migrate::source::SourceFile;

/// A file that was written.
struct Written<'p> {
    before: SourceFile,
    after: SourceFile,
    edits: &'p EditSet,
}

impl<'p> Written<'p> {
    /// None for what cannot be read: its places stay as they are.
    fn new(file: &'p FilePlan) -> Option<Self> {
        let read = |bytes: &[u8]| SourceFile::from_bytes(&file.path, bytes.to_vec()).ok();
        Some(Self {
            before: read(&file.before)?,
            after: read(&file.after)?,
            edits: &file.edits,
        })
    }

    fn follow(&self, (line, column): (usize, usize)) -> Option<(usize, usize)> {
        let offset = self.before.offset(line, column)?;
        Some(self.after.position(self.edits.follow(offset)))
    }
}

/// Moves every place to where it is in the files as they were written.
pub(super) fn follow(plan: &mut Plan) {
    let Plan {
        files,
        webhooks,
        diagnostics,
        ..
    } = plan;
    let written: HashMap<&Path, Written<'_>> = files
        .iter()
        .filter_map(|file| Some((&*file.path, Written::new(file)?)))
        .collect();
    let move_one = |diagnostic: &mut Diagnostic| {
        if let Some(file) = written.get(diagnostic.path())
            && let Some(place) = diagnostic.position().and_then(|place| file.follow(place))
        {
            diagnostic.move_to(place, file.after.line_text(place.0));
        }
        diagnostic.move_related(|related| written.get(&*related.path)?.follow(related.position));
    };
    for webhook in webhooks {
        if let Some(file) = written.get(&*webhook.path)
            && let Some(place) = file.follow((webhook.line, webhook.column))
        {
            (webhook.line, webhook.column) = place;
        }
        if let Action::ByHand(diagnostic) = &mut webhook.action {
            move_one(diagnostic);
        }
    }
    diagnostics.iter_mut().for_each(move_one);
}
