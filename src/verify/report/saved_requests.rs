//! Requests that were sent, written in the form that is read ([`requests`]).
//!
//! Nothing that is there is written over. Plugins have made some of what is written, so each line is
//! read before it counts, and nobody but the owner gets to read the file.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::called;
use crate::routes::Route;
use crate::term;
use crate::text;
use crate::user_error::UserError;
use crate::verify::error;
use crate::verify::requests::{self, Bytes};
use crate::verify::results::{Status, VerifyReport};
use crate::verify::runner::protocol::{Request, Sent};

/// How many requests there were to save.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Those in the file.
    pub(crate) written: usize,
    /// Those that were sent and are not.
    pub(crate) left_out: usize,
}

/// Makes sure that the file is not there and can be written. Leaves nothing behind.
///
/// # Errors
/// When it is, or cannot be.
pub(crate) fn can_save(path: &Path) -> Result<(), UserError> {
    drop(create(path)?);
    fs::remove_file(path).map_err(error::io(path))
}

/// Writes what was sent to the webhooks of which there is a result; nothing if there is no request.
///
/// # Errors
/// When the file is there, or cannot be written.
pub(crate) fn save(path: &Path, results: &VerifyReport) -> Result<Saved, UserError> {
    let (text, saved) = lines(results);
    if saved.written == 0 {
        return Ok(saved);
    }
    let mut file = create(path)?;
    if let Err(error) = file.write_all(&text) {
        // A part of it would look like all of it. What cannot be removed is reported with it.
        return Err(error::io(path)(
            fs::remove_file(path).err().unwrap_or(error),
        ));
    }
    Ok(saved)
}

fn create(path: &Path) -> Result<File, UserError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => already_exists(path),
        _ => error::io(path)(error),
    })
}

fn already_exists(path: &Path) -> UserError {
    let path = term::path(path);
    UserError::new(
        text!(
            "{path} already exists; refusing to overwrite it",
            "{path} 已经存在，不会覆盖"
        ),
        text!(
            "name another file with --save-requests, or remove that one",
            "请用 --save-requests 指定其他文件，或先删除它"
        ),
    )
}

/// The text of the file, within the size that is read.
fn lines(results: &VerifyReport) -> (Vec<u8>, Saved) {
    let most = usize::try_from(requests::MOST_BYTES).unwrap_or(usize::MAX);
    let mut owners: HashMap<&str, usize> = HashMap::new();
    for webhook in &results.webhooks {
        for path in webhook.route.iter().flat_map(|route| &route.legacy) {
            *owners.entry(path).or_default() += 1;
        }
    }
    let mut of_webhook: HashMap<(&str, &str), Vec<&Sent>> = HashMap::new();
    for sent in &results.sent {
        let key = (sent.plugin.as_str(), sent.endpoint.as_str());
        of_webhook.entry(key).or_default().push(sent);
    }
    let (mut text, mut written, mut all) = (Vec::new(), 0, 0);
    for webhook in &results.webhooks {
        let (Status::Run { result, .. }, Some(route)) = (&webhook.status, &webhook.route) else {
            continue;
        };
        all += result.requests;
        // No more than it says that there were.
        let sent = of_webhook.get(&(route.plugin.as_str(), route.endpoint.as_str()));
        for sent in sent.into_iter().flatten().take(result.requests) {
            let is_own = |path: &&String| owners.get(path.as_str()) == Some(&1);
            let Some(line) = line(&sent.request, route, is_own) else {
                continue;
            };
            if text.len() + line.len() <= most {
                text.extend_from_slice(&line);
                written += 1;
            }
        }
    }
    let left_out = all.saturating_sub(written);
    (text, Saved { written, left_out })
}

/// A line, with what `shim --record` writes first in the same order.
#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    method: &'a str,
    query: Value,
    headers: &'a [(String, Bytes)],
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    settings: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
}

/// A request with its line end; none if it would not be read.
fn line(request: &Request, route: &Route, is_own: impl Fn(&&String) -> bool) -> Option<Vec<u8>> {
    // An old URL may be that of several plugins, which would all be sent it then.
    let own = route.legacy.iter().find(is_own);
    let path = own.or(route.legacy.first())?;
    // What stands for other characters in a path is written as such.
    let path = path.replace('%', "%25").replace('?', "%3F");
    let query = match &request.query {
        // One question mark is taken for the one before a query.
        Bytes::Text(text) if text.starts_with('?') => format!("?{text}").into(),
        query => json!(query),
    };
    let about = request.about.as_ref().map(called);
    let line = Line {
        path: &path,
        method: &request.method,
        query,
        headers: &request.headers,
        body: match request.base64 {
            Some(_) => None,
            None => Some(request.body.as_deref().unwrap_or("")),
        },
        base64: request.base64.as_deref(),
        settings: &request.settings,
        about: about.filter(|about| !about.is_empty()),
    };
    let mut line = serde_json::to_vec(&line).ok()?;
    requests::parse(&line, 1, String::new()).ok()?;
    line.push(b'\n');
    Some(line)
}

#[cfg(test)]
mod tests;
