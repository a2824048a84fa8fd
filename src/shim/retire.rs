//! Taking an old URL out of the route map, once it is known that nobody needs it any more.
//!
//! Invariants: the file is whole, old or new, whatever happens; what somebody else wrote meanwhile is not
//! overwritten. A URL that is still called stays, unless somebody insists.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::routes;
use crate::shim::http::{http_date, target};
use crate::shim::observe::counters_file;
use crate::shim::status;
use crate::shim::status::ago::ago;
use crate::term;
use crate::text;
use crate::text::{Text, translate};
use crate::user_error::UserError;

/// Seconds for which an URL has to have been silent, where no shim says how many.
const SILENCE: u64 = 30 * 86_400;

/// Where it is written when the URL was called last.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A shim that runs.
    Shim(&'a str),
    /// The counts that one has kept.
    CountersFile(&'a Path),
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Retired {
    /// What was retired, and when it was called last.
    pub(crate) said: Text,
    /// Why nobody knows when it was called last.
    pub(crate) unknown: Option<UserError>,
}

/// Takes `url` out of the map at `map`; with `force` also when it is still called.
///
/// # Errors
/// When the map does not have it, it is still called, or the map cannot be written: then it is as it was.
pub(crate) fn retire(
    map: &Path,
    url: &str,
    source: Source<'_>,
    force: bool,
) -> Result<Retired, UserError> {
    let (mut routes, before) = routes::read_if_present(map)?
        .map_or_else(|| routes::read(map).map(|m| (m, Vec::new())), Ok)?;
    let path = path_of(url)?;
    let known: Vec<String> = routes
        .routes()
        .iter()
        .flat_map(|route| route.legacy.clone())
        .collect();
    let plugins = routes.retire(&path);
    let shown = term::escaped(&path);
    if plugins.is_empty() {
        return Err(unknown_url(&shown, &known).at(map, None));
    }
    let (last, unknown) = match last_call(&path, source) {
        Ok((last, is_silent)) => {
            if !is_silent && !force {
                return Err(still_called(&shown, &last));
            }
            (last, None)
        }
        Err(error) => (
            text!(
                "nobody knows when it was last called",
                "最近一次调用的时间未知"
            ),
            Some(error),
        ),
    };
    let text = routes.to_string();
    if routes::parse(&text, map)?.routes() != routes.routes() {
        return Err(UserError::bug(&text!(
            "the map without the URL says something else",
            "移除该 URL 后路由表的内容不符"
        )));
    }
    replace(map, &before, &text).map_err(|error| cannot_write(map, &error))?;
    let ((plugins, plugins_zh), (en, zh)) = (
        {
            let names: Vec<String> = plugins
                .iter()
                .map(|plugin| term::escaped(plugin).into_owned())
                .collect();
            (names.join(", "), names.join("、"))
        },
        last.both(),
    );
    Ok(Retired {
        said: text!(
            "retired {shown} of {plugins}: {en}",
            "已停用 {plugins_zh} 的 {shown}：{zh}"
        ),
        unknown,
    })
}

/// When it was called last, and whether that is long enough ago.
fn last_call(path: &str, source: Source<'_>) -> Result<(Text, bool), UserError> {
    let now = http_date::now();
    let (last, is_silent) = match source {
        Source::Shim(admin) => {
            let url = status::ask(admin)?
                .url(path)
                .ok_or_else(|| not_served(admin))?;
            (url.last, url.can_be_retired)
        }
        Source::CountersFile(file) => {
            let last = counters_file::last_call(file, path)?;
            let is_silent = last.is_none_or(|last| now.saturating_sub(last) >= SILENCE);
            (last, is_silent)
        }
    };
    let said = match last {
        Some(last) => {
            let (ago, exact) = (ago(now, last), http_date::rfc3339(last));
            let (en, zh) = ago.both();
            text!(
                "last called {en} ({exact})",
                "最近一次调用：{zh}（{exact}）"
            )
        }
        None => text!("not called since counting began", "开始计数以来没有调用"),
    };
    Ok((said, is_silent))
}

/// The path of what somebody copied from a sender's settings: a whole URL, or a path.
fn path_of(url: &str) -> Result<String, UserError> {
    let after_scheme = url.split_once("://").map(|(_, rest)| rest);
    let path = match after_scheme {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let path = &path[..end];
    let decoded = String::from_utf8(target::decode(path.as_bytes()).into_owned());
    match decoded {
        Ok(decoded) if path.starts_with('/') => Ok(decoded),
        _ => {
            let url = term::escaped(url);
            Err(UserError::new(
                text!("`{url}` is not an old URL", "`{url}` 不是旧 URL"),
                text!(
                    "name its path, as in /api/webhook/github, or the whole URL",
                    "请给出路径（如 /api/webhook/github）或完整的 URL"
                ),
            ))
        }
    }
}

fn unknown_url(path: &str, known: &[String]) -> UserError {
    let count = known.len();
    let some = known
        .iter()
        .take(20)
        .map(|url| term::escaped(url).into_owned());
    let some = some.collect::<Vec<_>>().join(" ");
    UserError::new(
        text!(
            "no route has the old URL {path}",
            "没有路由使用旧 URL {path}"
        ),
        text!(
            "the map has {count} old URLs, as `rehook shim --check` lists them: {some}",
            "路由表共有 {count} 个旧 URL（`rehook shim --check` 会全部列出）：{some}"
        ),
    )
}

fn still_called(path: &str, last: &Text) -> UserError {
    let (en, zh) = last.both();
    UserError::new(
        text!(
            "{path} has not been silent for long enough: {en}",
            "{path} 无调用的时间还不够长：{zh}"
        ),
        text!(
            "give its senders the new URL first (the shim's page names them), or pass --force",
            "请先把新 URL 交给它的发送方（见 shim 的状态页），或加上 --force"
        ),
    )
}

fn not_served(admin: &str) -> UserError {
    let admin = term::escaped(admin);
    UserError::new(
        text!(
            "the shim at {admin} does not serve this URL",
            "{admin} 上的 shim 不提供这个 URL"
        ),
        text!(
            "name the shim that does with --admin",
            "请用 --admin 指定提供它的 shim"
        ),
    )
}

fn cannot_write(map: &Path, error: &io::Error) -> UserError {
    let reason = match error.kind() {
        ErrorKind::ResourceBusy => text!("it was changed meanwhile", "它刚刚被改动过"),
        _ => translate::io_error(error),
    };
    let (en, zh) = reason.both();
    UserError::new(
        text!(
            "the route map was not written: {en}",
            "路由表没有写入：{zh}"
        ),
        text!(
            "check that you may write the file and its folder, and run it again",
            "请确认您有该文件和所在文件夹的写入权限，然后重试"
        ),
    )
    .at(map, None)
}

/// Puts a file with `text` in the place of the one at `path`, behind a link if it is one.
fn replace(path: &Path, before: &[u8], text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut new = tempfile::Builder::new()
        .prefix(".rehook-routes-")
        .tempfile_in(&folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file()
        .set_permissions(fs::metadata(&path)?.permissions())?;
    new.as_file().sync_all()?;
    if crate::regular_file::read(&path)? != before {
        return Err(ErrorKind::ResourceBusy.into());
    }
    new.persist(&path).map_err(|error| error.error)?;
    // That it has its name may be lost with the power; then the old one is still there.
    let _ = File::open(&folder).and_then(|folder| folder.sync_all());
    Ok(())
}
