//! The one reader of the file: `scan`, `migrate`, `routes` and the shim's reload all read it here, and
//! so say the same about a broken one.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use toml_edit::{Document, Item};

use super::lines;
use super::map::{RouteMap, VERSION};
use super::path::PathFault;
use super::route::Route;
use crate::regular_file;
use crate::term;
use crate::text;
use crate::text::{Text, translate};
use crate::user_error::UserError;

/// The largest map that is read: some fifty thousand routes. What is made of one takes many times its size.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: i64,
    #[serde(default, rename = "route")]
    routes: Vec<Route>,
}

/// Since when the old URLs of the route map at `path` are deprecated, if nobody says so: since it was
/// written. In seconds since 1970.
pub(crate) fn modified_or_now(path: &Path) -> u64 {
    let modified = std::fs::metadata(path).and_then(|about| about.modified());
    let since = modified.unwrap_or_else(|_| SystemTime::now());
    since
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// The route map at `path`.
///
/// # Errors
/// When it is missing, cannot be read, or is not a route map.
pub fn read(path: &Path) -> Result<RouteMap, UserError> {
    match read_if_present(path)? {
        Some((map, _)) => Ok(map),
        None => Err(unreadable(path, ErrorKind::NotFound)),
    }
}

/// The route map at `path` with its bytes, or `None` if the file does not exist.
///
/// # Errors
/// When it cannot be read, or is not a route map.
pub fn read_if_present(path: &Path) -> Result<Option<(RouteMap, Vec<u8>)>, UserError> {
    let bytes = match regular_file::read_up_to(path, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, error)),
    };
    let text = std::str::from_utf8(&bytes);
    let map = parse(
        text.map_err(|_| unreadable(path, ErrorKind::InvalidData))?,
        path,
    )?;
    Ok(Some((map, bytes)))
}

fn unreadable(path: &Path, error: impl Into<std::io::Error>) -> UserError {
    let error = error.into();
    let reason = translate::io_error(&error);
    let (en, zh) = reason.both();
    let message = text!("the route map cannot be read: {en}", "无法读取路由表：{zh}");
    let help = match error.kind() {
        ErrorKind::NotFound => text!(
            "`rehook migrate` writes it; if it is somewhere else, pass --routes",
            "它由 `rehook migrate` 生成；如果在别处，请用 --routes 指定"
        ),
        _ => text!(
            "check that it is a text file that you may read, or name another file with --routes",
            "请确认它是您有权读取的文本文件，或用 --routes 指定其他文件"
        ),
    };
    UserError::new(message, help).at(path, None)
}

/// The route map that `text` is, the content of `path`.
///
/// # Errors
/// When it is not a route map.
pub(crate) fn parse(text: &str, path: &Path) -> Result<RouteMap, UserError> {
    let error = |line, message, help: Text| {
        let (en, zh) = help.both();
        let help = text!(
            "{en}; or name another file with --routes",
            "{zh}；或用 --routes 指定其他文件"
        );
        UserError::new(message, help).at(path, line)
    };
    let correct = || {
        text!(
            "correct the line, or take the file from git again",
            "请改正这一行，或从 git 恢复该文件"
        )
    };
    let malformed = |span: Option<Range<usize>>, message: &str| {
        let before = span.and_then(|span| text.get(..span.start));
        let before = before.unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let reason = translate::toml_error(message.trim_end());
        let (en, zh) = reason.both();
        let message = text!(
            "this is not a route map, at column {column}: {en}",
            "第 {column} 列不符合路由表格式：{zh}"
        );
        error(Some(line), message, correct())
    };
    let document =
        Document::parse(text).map_err(|error| malformed(error.span(), error.message()))?;
    let version = |version: i64| {
        let message = text!(
            "the route map has version {version}, and this program reads version {VERSION}",
            "路由表的版本是 {version}，本程序只能读取版本 {VERSION}"
        );
        let help = text!(
            "use the rehook that wrote it",
            "请使用生成它的那个 rehook 版本"
        );
        error(lines::of_key(&document, "version"), message, help)
    };
    // Before the rest: another version may have other keys.
    let said = document.as_table().get("version");
    if let Some(said) = said.and_then(Item::as_integer)
        && said != VERSION
    {
        return Err(version(said));
    }
    let File {
        version: said,
        routes,
    } = toml_edit::de::from_str(text).map_err(|error| malformed(error.span(), error.message()))?;
    if said != VERSION {
        return Err(version(said));
    }
    let lines = lines::of_routes(&document);
    let mut seen = HashSet::new();
    for (index, route) in routes.iter().enumerate() {
        let of_route = lines.get(index);
        if let Some(fault) = PathFault::of_target(&route.target) {
            let line = of_route.and_then(|lines| lines.target);
            let message = fault.text(("target", "目标"), &route.target, &route.plugin);
            return Err(error(line, message, correct()));
        }
        for (number, old) in route.legacy.iter().enumerate() {
            if let Some(fault) = PathFault::of_legacy(old) {
                let line = of_route.and_then(|lines| *lines.legacy.get(number)?);
                let message = fault.text(("old path", "旧路径"), old, &route.plugin);
                return Err(error(line, message, correct()));
            }
        }
        if !seen.insert((route.plugin.as_str(), route.endpoint.as_str())) {
            let line = of_route.and_then(|lines| lines.endpoint);
            let message = text!(
                "the endpoint `{}` of {} is there twice",
                "{1} 的端点 `{0}` 出现了两次",
                term::escaped(&route.endpoint),
                term::escaped(&route.plugin)
            );
            let help = text!("delete one of the two", "请删除其中一个");
            return Err(error(line, message, help));
        }
    }
    Ok(RouteMap {
        routes,
        lines,
        document: document.into_mut(),
    })
}
