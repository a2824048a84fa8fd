//! The route map of a project, and what a plan adds to it.

use std::path::Path;

use super::model::{Change, Options};
use crate::migrate::plan::Plan;
use crate::routes::{self, FILE_NAME, Route, RouteMap};
use crate::user_error::UserError;

/// The routes of the map with the new ones in it, and its file when that changes.
///
/// # Errors
/// When it cannot be read.
pub(super) fn merged(
    options: &Options,
    root: &Path,
    plan: &Plan,
) -> Result<(Vec<Route>, Option<Change>), UserError> {
    let path = match &options.routes {
        // Without `..` in it, so that a patch can name it.
        Some(path) => {
            let absolute =
                std::path::absolute(path).map_err(|error| UserError::path(path, &error))?;
            let folder = absolute.parent().unwrap_or(&absolute);
            let folder =
                dunce::canonicalize(folder).map_err(|error| UserError::path(folder, &error))?;
            folder.join(absolute.file_name().unwrap_or_default())
        }
        None => root.join(FILE_NAME),
    };
    let (mut map, before) = match routes::read_if_present(&path)? {
        Some((map, bytes)) => (map, Some(bytes)),
        None => (RouteMap::default(), None),
    };
    let found = plan.routes();
    if found.is_empty() {
        return Ok((map.into_routes(), None));
    }
    map.merge(found);
    let after = map.to_string().into_bytes();
    let change = (before.as_ref() != Some(&after)).then_some(Change {
        path,
        before: before.map(Into::into),
        after: after.into(),
    });
    Ok((map.into_routes(), change))
}
