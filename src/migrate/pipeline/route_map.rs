//! The route map of a project, and what a plan adds to it.

use std::fs;
use std::io;
use std::path::Path;

use super::{Change, Options};
use crate::migrate::plan::Plan;
use crate::regular_file;
use crate::routes::{FILE_NAME, RouteMap, RouteMapError};
use crate::term;
use crate::text;
use crate::user_error::UserError;

/// The route map with the new routes in it, and its file when that changes.
///
/// # Errors
/// When it cannot be read.
pub(super) fn merged(
    options: &Options,
    root: &Path,
    plan: &Plan,
) -> Result<(RouteMap, Option<Change>), UserError> {
    let path = match &options.routes {
        // Without `..` in it, so that a patch can name it.
        Some(path) => {
            let absolute =
                std::path::absolute(path).map_err(|error| UserError::path(path, &error))?;
            let folder = absolute.parent().unwrap_or(&absolute);
            let folder =
                fs::canonicalize(folder).map_err(|error| UserError::path(folder, &error))?;
            folder.join(absolute.file_name().unwrap_or_default())
        }
        None => root.join(FILE_NAME),
    };
    let (mut map, before) = read_with_bytes(&path)?;
    let routes = plan.routes();
    if routes.is_empty() {
        return Ok((map, None));
    }
    map.merge(&routes);
    let after = map.to_string().into_bytes();
    let change = (before.as_ref() != Some(&after)).then_some(Change {
        path,
        before,
        after,
    });
    Ok((map, change))
}

/// The route map at `path`; an empty one where there is no file.
///
/// # Errors
/// When it cannot be read.
pub fn read_route_map(path: &Path) -> Result<RouteMap, UserError> {
    Ok(read_with_bytes(path)?.0)
}

fn broken_map(path: &Path, error: &RouteMapError) -> UserError {
    let line = error.line().map(|line| format!(":{line}"));
    let place = term::path(path) + &line.unwrap_or_default();
    let (text, remedy) = (error.text(), error.remedy());
    let ((en, zh), (remedy_en, remedy_zh)) = (text.both(), remedy.both());
    UserError {
        message: text!("{place}: {en}", "{place}: {zh}"),
        help: text!(
            "{remedy_en}; or name another file with --routes",
            "{remedy_zh}；或用 --routes 指定其他文件"
        ),
    }
}

fn read_with_bytes(path: &Path) -> Result<(RouteMap, Option<Vec<u8>>), UserError> {
    let before = match regular_file::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(UserError::unreadable(path, &error)),
    };
    let map = match &before {
        Some(bytes) => std::str::from_utf8(bytes)
            .map_err(|_| UserError::unreadable(path, &io::ErrorKind::InvalidData.into()))?
            .parse::<RouteMap>()
            .map_err(|error| broken_map(path, &error))?,
        None => RouteMap::default(),
    };
    Ok((map, before))
}
