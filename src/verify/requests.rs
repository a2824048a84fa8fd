//! Requests that the user gives: a file with a JSON object in each line.
//!
//! ```json
//! {"path": "/api/webhook/github", "method": "POST", "headers": {"X-GitHub-Event": "push"}, "body": "{}"}
//! ```
//!
//! Nothing is passed over in silence: whatever is wrong is an error that names the line, and what cannot be
//! sent is there to be told of: a request for a path that is not an old URL, one that was recorded without
//! its body, and a line that is not JSON. The last is no error, since a recorder that was killed, or whose
//! disk was full, leaves half a line between whole ones.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error;
use crate::routes::Route;
use crate::term;
use crate::text;
use crate::text::{Text, translate};
use crate::user_error::UserError;

/// How much a file of requests may have, in bytes.
pub(crate) const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// What a file has.
#[derive(Debug, Default)]
pub(crate) struct UserRequests {
    /// The requests.
    pub(crate) requests: Vec<Request>,
    /// Those that cannot be sent: without their bodies, or not whole.
    pub(crate) unusable: Vec<Unsent>,
}

impl UserRequests {
    /// The requests that are not sent, in the order of their lines: those for none of the routes, and
    /// those that cannot be.
    pub(crate) fn unsent<'r>(
        &self,
        routes: impl Iterator<Item = &'r Route> + Clone,
    ) -> Vec<Unsent> {
        let is_for_none = |request: &&Request| !routes.clone().any(|route| request.is_for(route));
        let for_none = self.requests.iter().filter(is_for_none);
        let for_none = for_none.map(|request| Unsent {
            line: request.line,
            path: request.path.clone(),
            why: SkipReason::NoOldUrl,
        });
        let mut all: Vec<Unsent> = for_none.chain(self.unusable.iter().cloned()).collect();
        all.sort_by_key(|one| one.line);
        all
    }
}

/// A request that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsent {
    /// The line of the file, 1-based.
    pub(crate) line: usize,
    /// The URL, decoded; empty where the line does not tell.
    pub(crate) path: String,
    /// Why it is not.
    pub(crate) why: SkipReason,
}

/// Why a request is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipReason {
    /// The path is not an old URL of what is verified.
    NoOldUrl,
    /// Of its body only the length was recorded.
    NoBody,
    /// The line is not JSON: half a line, for instance.
    Broken,
}

/// A request of the user's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// The line of the file, 1-based.
    pub(crate) line: usize,
    /// The old URL, decoded.
    pub(crate) path: String,
    /// The name of the file, and the line.
    pub(crate) place: String,
    /// What to call it; that place, unless the user says.
    pub(crate) about: String,
    /// The method, in upper case.
    pub(crate) method: String,
    /// What follows the question mark.
    pub(crate) query: Bytes,
    /// The headers in order.
    pub(crate) headers: Vec<(String, Bytes)>,
    /// The body.
    pub(crate) body: Body,
    /// Settings of the plugin that differ from its own.
    pub(crate) settings: Map<String, Value>,
}

impl Request {
    /// Whether it was sent to `route`.
    pub(crate) fn is_for(&self, route: &Route) -> bool {
        route.legacy.contains(&self.path)
    }
}

/// A query, or the value of a header: text, or bytes that are not text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a query, or a header's value, is a string, or {\"base64\": string}"
)]
pub(crate) enum Bytes {
    /// Text.
    Text(String),
    /// Bytes in base64.
    Encoded {
        /// The base64.
        base64: String,
    },
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// What serde says of a value that is neither.
const ODD_VALUE: &str = "a query, or a header's value, is a string, or {\"base64\": string}";

/// A body: text, or bytes that are not text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Body {
    /// Text.
    #[serde(rename = "body")]
    Text(String),
    /// Bytes in base64.
    #[serde(rename = "base64")]
    Encoded(String),
}

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    path: String,
    method: Option<String>,
    query: Option<Bytes>,
    #[serde(default)]
    headers: Headers,
    body: Option<String>,
    base64: Option<String>,
    /// What `shim --record` writes of a large body: its length in bytes.
    body_omitted: Option<u64>,
    settings: Option<Map<String, Value>>,
    about: Option<String>,
    /// What the agent answered: what is compared is what the two sides answer.
    #[serde(rename = "status")]
    _status: Option<Value>,
}

/// Reads the file.
///
/// # Errors
/// When it cannot be read, or a line of it is JSON and not a request; or when no line is one.
pub(crate) fn read(path: &Path) -> Result<UserRequests, UserError> {
    let at = |line, reason| wrong_line(path, line, &reason);
    let size = fs::metadata(path).map_err(error::io(path))?.len();
    if size > MOST_BYTES {
        let most = MOST_BYTES / (1024 * 1024);
        let reason = text!("the file is larger than {most} MiB", "文件超过 {most} MiB");
        return Err(at(1, reason));
    }
    let bytes = fs::read(path).map_err(error::io(path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut given = UserRequests::default();
    let mut first_broken = None;
    for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let number = index + 1;
        // Some editors put a mark in front of the first line.
        let line = match index {
            0 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            _ => line,
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let place = format!("{name}:{number}");
        let mut unusable = |path, why| {
            given.unusable.push(Unsent {
                line: number,
                path,
                why,
            });
        };
        match parse(line, number, place) {
            Ok((request, true)) => unusable(request.path, SkipReason::NoBody),
            Ok((request, false)) => given.requests.push(request),
            Err(reason) if is_json(line) => return Err(at(number, reason)),
            Err(reason) => {
                unusable(String::new(), SkipReason::Broken);
                first_broken.get_or_insert_with(|| at(number, reason));
            }
        }
    }
    let is_broken = |one: &Unsent| one.why == SkipReason::Broken;
    if given.requests.is_empty() && given.unusable.iter().all(is_broken) {
        let none = || at(1, text!("there is no request in it", "其中没有请求"));
        return Err(first_broken.unwrap_or_else(none));
    }
    Ok(given)
}

fn is_json(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok()
}

/// What is wrong with a line, 1-based.
fn wrong_line(path: &Path, line: usize, reason: &Text) -> UserError {
    let path = term::path(path);
    let (en, zh) = reason.both();
    UserError::new(
        text!("{path}:{line}: {en}", "{path}:{line}：{zh}"),
        text!(
            r#"each line is an object as in {{"path": "/api/webhook/github", "method": "POST", "headers": {{"X-Event": "push"}}, "body": "{{}}"}}"#,
            r#"每行一个对象，例如 {{"path": "/api/webhook/github", "method": "POST", "headers": {{"X-Event": "push"}}, "body": "{{}}"}}"#
        ),
    )
}

/// The request of a line, and whether its body was left out.
pub(crate) fn parse(line: &[u8], number: usize, place: String) -> Result<(Request, bool), Text> {
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(text!("the line is not an object", "这一行不是 JSON 对象"));
    }
    let line: Line = serde_json::from_slice(line).map_err(|error| {
        // It knows of one line only, whose number is ours to tell.
        let (message, column) = (error.to_string(), error.column());
        let message = match message.rsplit_once(" at line ") {
            Some((message, _)) => message.to_owned(),
            None => message,
        };
        let reason = match &*message {
            ODD_VALUE => text!(
                "{ODD_VALUE}",
                "查询参数和请求头的值应为字符串，或 {{\"base64\": 字符串}}"
            ),
            message => translate::json_error(message, &[HEADERS]),
        };
        let (en, zh) = reason.both();
        text!("column {column}: {en}", "第 {column} 列：{zh}")
    })?;
    if !line.path.starts_with('/') {
        let path = line.path;
        return Err(text!(
            "the path {path:?} does not start with `/`",
            "路径 {path:?} 不以 `/` 开头"
        ));
    }
    let (path, query) = match (line.path.split_once('?'), line.query) {
        (Some((path, query)), None) => (path.to_owned(), Bytes::Text(query.to_owned())),
        (Some(_), Some(_)) => {
            return Err(text!(
                "the query is given twice: in the path, and as `query`",
                "查询参数重复：既写在路径中，又写在 `query` 中"
            ));
        }
        (None, query) => (line.path, query.unwrap_or_default()),
    };
    let query = match query {
        Bytes::Text(text) => Bytes::Text(text.strip_prefix('?').unwrap_or(&text).to_owned()),
        Bytes::Encoded { base64 } => {
            check_base64(&base64)?;
            Bytes::Encoded { base64 }
        }
    };
    let is_omitted = line.body_omitted.is_some();
    let body = match (line.body, line.base64) {
        (Some(_), Some(_)) => {
            return Err(text!(
                "the body is given twice: as `body`, and as `base64`",
                "请求体重复：既有 `body`，又有 `base64`"
            ));
        }
        (Some(_), None) | (None, Some(_)) if is_omitted => {
            return Err(text!(
                "the body is given, and said to be omitted (`body_omitted`)",
                "既给出了请求体，又标明它被省略（`body_omitted`）"
            ));
        }
        (None, Some(encoded)) => {
            check_base64(&encoded)?;
            Body::Encoded(encoded)
        }
        (body, None) => Body::Text(body.unwrap_or_default()),
    };
    for (name, value) in &line.headers.0 {
        check_header(name, value)?;
    }
    let method = line.method.unwrap_or_else(|| "POST".to_owned());
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(text!(
            "{method:?} is not a method",
            "{method:?} 不是请求方法"
        ));
    }
    let request = Request {
        line: number,
        path: decoded(&path),
        about: line.about.unwrap_or_else(|| place.clone()),
        place,
        method: method.to_ascii_uppercase(),
        query,
        headers: line.headers.0,
        body,
        settings: line.settings.unwrap_or_default(),
    };
    Ok((request, is_omitted))
}

fn check_base64(encoded: &str) -> Result<(), Text> {
    match base64::engine::general_purpose::STANDARD.decode(encoded) {
        Ok(_) => Ok(()),
        Err(error) => Err(text!("invalid base64: {error}", "base64 无效：{error}")),
    }
}

fn check_header(name: &str, value: &Bytes) -> Result<(), Text> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(text!(
            "{name:?} is not the name of a header",
            "{name:?} 不是请求头名称"
        ));
    }
    match value {
        Bytes::Encoded { base64 } => check_base64(base64),
        Bytes::Text(text) if text.contains(['\r', '\n', '\0']) => Err(text!(
            "the header {name} has a line end in it",
            "请求头 {name} 中有换行"
        )),
        Bytes::Text(_) => Ok(()),
    }
}

/// What a method and the name of a header are made of (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A path as route maps have it. What is not a valid escape stays, and is then not an old URL.
fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let digit = |at: usize| {
        let digit = char::from(*bytes.get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high * 16 + low);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| path.to_owned())
}

/// The headers: an object, or a list of pairs where a name occurs twice or the order matters.
#[derive(Default)]
struct Headers(Vec<(String, Bytes)>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Headers;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(HEADERS.0)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    headers.push((name, value));
                }
                Ok(Headers(headers))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Headers, A::Error> {
                let mut headers = Vec::new();
                while let Some((name, value)) = list.next_element()? {
                    headers.push((name, value));
                }
                Ok(Headers(headers))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What serde is told to say of headers that are neither.
const HEADERS: (&str, &str) = (
    "an object of headers, or a list of pairs",
    "对象或键值对数组",
);

#[cfg(test)]
mod tests;
