//! Replies that the shim gives by itself.

use std::fmt::Write;

use crate::shim::http::http_date;
use crate::shim::http::rejection::{Rejection, phrase};
use crate::shim::route::old_url::OldUrl;
use crate::shim::route::table::Table;
use crate::text::Lang;

/// Old URLs that a 404 names; more would only help those who look for something else.
const MAX_NAMED: usize = 50;
/// When a sender may try again, in seconds.
const RETRY_AFTER: u32 = 5;
/// The methods of the server itself.
const ALL_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// A reply: status, headers as lines, body.
#[derive(Debug)]
pub(super) struct LocalResponse {
    /// The status.
    pub(super) status: u16,
    /// Headers as lines, but for those that frame it.
    pub(super) lines: String,
    /// The body, JSON if there is one.
    pub(super) body: String,
}

impl LocalResponse {
    /// Writes it out.
    pub(super) fn write(
        &self,
        method: &[u8],
        deprecation: &[u8],
        keep_alive: bool,
        out: &mut Vec<u8>,
    ) {
        let mut head = String::with_capacity(256);
        // Writing to memory does not fail.
        let (status, date) = (self.status, http_date::http_date(http_date::now()));
        let _ = write!(
            head,
            "HTTP/1.1 {status} {}\r\nDate: {date}\r\n",
            phrase(status)
        );
        head.push_str(&self.lines);
        if !self.body.is_empty() {
            head.push_str("Content-Type: application/json\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        if !keep_alive {
            head.push_str("Connection: close\r\n");
        }
        out.clear();
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(deprecation);
        out.extend_from_slice(b"\r\n");
        if method != b"HEAD" {
            out.extend_from_slice(self.body.as_bytes());
        }
    }
}

/// The reply to `OPTIONS *`.
pub(super) fn server_options() -> LocalResponse {
    LocalResponse {
        status: 200,
        lines: format!("Allow: {ALL_METHODS}\r\n"),
        body: String::new(),
    }
}

/// The reply that says why there is no other.
pub(super) fn rejection(
    rejection: Rejection,
    url: Option<&OldUrl>,
    table: &Table,
    lang: Lang,
) -> LocalResponse {
    let mut lines = String::new();
    if rejection.status() == 405 {
        let allow = url.map_or(ALL_METHODS, |url| url.allow.as_str());
        let _ = write!(lines, "Allow: {allow}\r\n");
    }
    lines.push_str(&retry_after(rejection.status()));
    if rejection.status() == 401 {
        lines.push_str("WWW-Authenticate: Webhook\r\n");
    }
    let mut body = serde_json::json!({
        "error": rejection.label(),
        "message": rejection.message(lang),
    });
    if rejection == Rejection::NotFound && table.config.list_urls {
        let urls = table.urls();
        let named = urls.iter().take(MAX_NAMED);
        body["served"] = named.map(|url| url.path.as_str()).collect();
        body["more"] = urls.len().saturating_sub(MAX_NAMED).into();
    }
    LocalResponse {
        status: rejection.status(),
        lines,
        body: body.to_string(),
    }
}

/// Tells the sender of a request that nobody could take at the moment when to try again.
fn retry_after(status: u16) -> String {
    match status {
        502 | 503 => format!("Retry-After: {RETRY_AFTER}\r\n"),
        _ => String::new(),
    }
}

/// The reply of the old server to a webhook that several plugins took, with true counts.
pub(super) fn several(status: u16, good: usize, bad: usize) -> LocalResponse {
    let body = serde_json::json!({
        "success": bad == 0,
        "message": format!("Webhook 处理完成，成功: {good}，失败: {bad}"),
        "data": { "results": [], "errors": [] },
    });
    LocalResponse {
        status,
        lines: retry_after(status),
        body: body.to_string(),
    }
}
