//! A draft becomes the file that is written.

use std::path::PathBuf;

use super::draft::Draft;
use super::imports::{self, Surroundings};
use super::model::{FilePlan, Input};
use super::rules::relayout;
use super::withdraw::Fault;
use crate::migrate::edit::EditError;
use crate::text;

/// The file with its edits; none when there are none.
pub(super) fn finish(
    input: &Input<'_>,
    path: PathBuf,
    mut draft: Draft,
) -> Result<Option<FilePlan>, Fault> {
    let wrong = |error: EditError| Fault::of_rule(&path, &error.into());
    relayout::apply(&mut draft).map_err(wrong)?;
    imports::apply(&mut draft, &Surroundings::of(input, &path)).map_err(wrong)?;
    if draft.edits.is_empty() {
        return Ok(None);
    }
    let source = draft.source();
    let text_after = draft.edits.apply(source.text()).map_err(wrong)?;
    let file = FilePlan::new(source, text_after, draft.edits.clone());
    let file = file.ok_or_else(|| Fault {
        path: path.clone(),
        reason: text!(
            "it cannot be written in the encoding of the file",
            "无法用该文件的编码写出"
        ),
    })?;
    Ok(Some(file))
}
