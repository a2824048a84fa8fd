//! The route maps that are served: files, and folders of them.
//!
//! Invariants: a route is in one map only, or the error names both; what a folder has is in the order of its
//! names; what cannot be read is an error, and never a map that is not there.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::routes::{self, RouteLines, RouteMap};
use crate::shim::config::file_stamp::FileStamp;
use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

/// More maps than this in one folder are a mistake.
const MOST_MAPS: usize = 1_000;

/// A map, and where it came from.
#[derive(Debug)]
pub struct MapFile {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub map: RouteMap,
    /// Since when its old URLs are deprecated, in seconds since 1970.
    pub deprecated_since: u64,
}

impl MapFile {
    /// Where its routes are, one for each.
    pub(super) fn lines(&self) -> impl Iterator<Item = &RouteLines> {
        const UNKNOWN: &RouteLines = &RouteLines::NONE;
        let known = self.map.lines().iter();
        known.chain(std::iter::repeat(UNKNOWN))
    }
}

/// All maps, and all that was looked at for them.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    /// In their order.
    pub(crate) files: Vec<MapFile>,
    /// Marked before they were read.
    pub(crate) read_from: Vec<FileStamp>,
}

/// Reads the maps that `sources` name; `deprecated_since` holds for all of them, if it was said.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn read(
    sources: &[PathBuf],
    deprecated_since: Option<u64>,
) -> Result<Maps, Vec<UserError>> {
    let mut errors = Vec::new();
    let mut read_from = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    for source in sources {
        // What is added meanwhile is then seen as a change.
        read_from.push(FileStamp::of(source));
        let found = match fs::metadata(source).is_ok_and(|data| data.is_dir()) {
            true => in_folder(source),
            false => Ok(vec![source.clone()]),
        };
        match found {
            Ok(found) => paths.extend(found),
            Err(error) => errors.push(error),
        }
    }
    drop_same(&mut paths);
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        if !sources.contains(&path) {
            read_from.push(FileStamp::of(&path));
        }
        match routes::read(&path) {
            Ok(map) => files.push(MapFile {
                deprecated_since: deprecated_since
                    .unwrap_or_else(|| routes::modified_or_now(&path)),
                path,
                map,
            }),
            Err(error) => errors.push(error),
        }
    }
    errors.extend(twice(&files));
    match errors.is_empty() {
        true => Ok(Maps { files, read_from }),
        false => Err(errors),
    }
}

/// The files of a folder that are maps by their names: `*.toml`, and not hidden.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, UserError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let shown = name.to_string_lossy();
            if shown.ends_with(".toml") && !shown.starts_with('.') {
                found.push(folder.join(&name));
            }
        }
        found.sort();
        match found.len() <= MOST_MAPS {
            true => Ok(found),
            false => Err(ErrorKind::FileTooLarge.into()),
        }
    };
    list().map_err(|error| {
        let reason = translate::io_error(&error);
        let (en, zh) = reason.both();
        let error = UserError::new(
            text!(
                "the folder of route maps cannot be read: {en}",
                "无法读取路由表文件夹：{zh}"
            ),
            text!(
                "check its permissions, and that it has at most {MOST_MAPS} files `*.toml`",
                "请检查权限，并确认其中的 `*.toml` 文件不超过 {MOST_MAPS} 个"
            ),
        );
        error.at(folder, None)
    })
}

/// Keeps the first of those that are one and the same file.
fn drop_same(paths: &mut Vec<PathBuf>) {
    let mut seen = Vec::new();
    paths.retain(|path| {
        let same = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let is_new = !seen.contains(&same);
        seen.push(same);
        is_new
    });
}

/// Routes that two maps have: nobody could say which of them holds.
fn twice(files: &[MapFile]) -> Vec<UserError> {
    let mut known: HashMap<(&str, &str), (&Path, Option<usize>)> = HashMap::new();
    let mut errors = Vec::new();
    for file in files {
        for (route, lines) in file.map.routes().iter().zip(file.lines()) {
            let line = lines.endpoint.or(lines.route);
            let name = (route.plugin.as_str(), route.endpoint.as_str());
            let (first, of_first) = *known.entry(name).or_insert((&file.path, line));
            if first == file.path {
                continue;
            }
            let first = place(first, of_first);
            let (plugin, endpoint) = name;
            let url = route.legacy.first().map_or("", String::as_str);
            let error = UserError::new(
                text!(
                    "the endpoint `{endpoint}` of {plugin} ({url}) is in {first} too",
                    "{plugin} 的端点 `{endpoint}`（{url}）在 {first} 中也有"
                ),
                text!(
                    "delete it from one of the two maps",
                    "请从其中一张路由表中删除它"
                ),
            );
            errors.push(error.at(&file.path, line));
        }
    }
    errors
}

/// A line of a file, as it is shown.
pub(super) fn place(path: &Path, line: Option<usize>) -> String {
    let path = crate::term::path(path);
    match line {
        Some(line) => format!("{path}:{line}"),
        None => path.to_string(),
    }
}
