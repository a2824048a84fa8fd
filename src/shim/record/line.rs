//! A recorded request as a line of JSON.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::entry::{Body, Entry};
use super::redact_json;
use crate::shim::observe::access_log::redact_query;
use crate::shim::observe::redact::{self, REDACTED, is_secret_name};

/// The line of a request, with its end. Its keys have a fixed order, so that lines can be compared.
pub(super) fn of(entry: &Entry, with_secrets: bool) -> String {
    let query = entry.query.strip_prefix(b"?").unwrap_or_default();
    let query = match with_secrets {
        true => String::from_utf8_lossy(query).into_owned(),
        false => {
            let mut redacted = String::new();
            let copy = |bytes: &[u8], out: &mut String| {
                out.push_str(&String::from_utf8_lossy(bytes));
            };
            redact_query(&entry.query, &mut redacted, copy);
            redacted.get(1..).unwrap_or_default().to_owned()
        }
    };
    let mut line = format!(
        "{{\"path\":{},\"method\":{},\"query\":{},\"headers\":[",
        quoted(&entry.path),
        quoted(&String::from_utf8_lossy(&entry.method)),
        quoted(&query),
    );
    let mut is_form = false;
    let headers = entry.headers.split(|&byte| byte == b'\n');
    for (index, header) in headers.filter(|header| !header.is_empty()).enumerate() {
        let at = memchr::memchr(b':', header).unwrap_or(header.len());
        let name = String::from_utf8_lossy(&header[..at]);
        let value = header.get(at + 1..).unwrap_or_default();
        is_form |= name.eq_ignore_ascii_case("content-type") && is_form_type(value);
        let value = match with_secrets {
            true => Cow::Borrowed(value),
            false => redacted_header(&name, value),
        };
        if index > 0 {
            line.push(',');
        }
        let value = match std::str::from_utf8(&value) {
            Ok(text) => quoted(text),
            Err(_) => format!("{{\"base64\":\"{}\"}}", STANDARD.encode(&value)),
        };
        // Writing to memory does not fail.
        let _ = write!(line, "[{},{value}]", quoted(&name));
    }
    line.push_str("],");
    match &entry.body {
        Body::TooLarge(length) => {
            let _ = write!(line, "\"body_omitted\":{length}");
        }
        Body::Whole(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => {
                let text = match with_secrets {
                    true => Cow::Borrowed(text),
                    false => redacted_body(text, is_form),
                };
                let _ = write!(line, "\"body\":{}", quoted(&text));
            }
            Err(_) => {
                let _ = write!(line, "\"base64\":\"{}\"", STANDARD.encode(bytes));
            }
        },
    }
    let _ = writeln!(line, ",\"status\":{}}}", entry.status);
    line
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_form_type(value: &[u8]) -> bool {
    let form = b"application/x-www-form-urlencoded";
    value
        .get(..form.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(form))
}

fn redacted_header<'v>(name: &str, value: &'v [u8]) -> Cow<'v, [u8]> {
    if is_secret_name(name) {
        Cow::Borrowed(REDACTED.as_bytes())
    } else if name.eq_ignore_ascii_case("user-agent") {
        redact::user_agent(value)
    } else {
        Cow::Borrowed(value)
    }
}

fn redacted_body(text: &str, is_form: bool) -> Cow<'_, str> {
    if let Some(redacted) = redact_json::redacted(text) {
        return redacted;
    }
    match is_form {
        true => Cow::Owned(redacted_form(text)),
        false => Cow::Borrowed(text),
    }
}

/// A form with redacted values of fields that have the name of a secret. Fields that are JSON, as
/// GitHub's `payload` is, are looked into.
fn redacted_form(text: &str) -> String {
    let field = |pair: &str| {
        let Some((name, value)) = pair.split_once('=') else {
            return pair.to_owned();
        };
        if is_secret_name(&decoded(name)) {
            return format!("{name}={REDACTED}");
        }
        match redact_json::redacted(&decoded(value)) {
            Some(Cow::Owned(redacted)) => format!("{name}={}", encoded(&redacted)),
            _ => pair.to_owned(),
        }
    };
    text.split('&').map(field).collect::<Vec<_>>().join("&")
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let bytes = crate::shim::http::target::decode(text.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'*' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(headers: &[u8], query: &[u8], body: &[u8]) -> Entry {
        Entry {
            path: "/api/webhook/x".to_owned(),
            method: b"POST".to_vec(),
            query: query.to_vec(),
            headers: headers.to_vec(),
            body: Body::Whole(body.to_vec()),
            status: 200,
        }
    }

    #[test]
    fn a_request_is_one_line_in_a_fixed_order() {
        let entry = entry(b"Host:h\nX-A:1\nX-A:\xff\n", b"?a=1", b"{ \"n\": 1 }\n");
        assert_eq!(
            of(&entry, true),
            "{\"path\":\"/api/webhook/x\",\"method\":\"POST\",\"query\":\"a=1\",\"headers\":\
             [[\"Host\",\"h\"],[\"X-A\",\"1\"],[\"X-A\",{\"base64\":\"/w==\"}]],\
             \"body\":\"{ \\\"n\\\": 1 }\\n\",\"status\":200}\n"
        );
    }

    #[test]
    fn secrets_are_masked_wherever_they_are() {
        let headers = b"Authorization:hunter2\nX-Hub-Signature-256:hunter2\nCookie:hunter2\nProxy-Authorization:hunter2\nX-Api-Key:hunter2\nUser-Agent:ci token=hunter2\nX-Author:me\nContent-Type:application/x-www-form-urlencoded; charset=utf-8\n";
        let form = b"token=hunter2&a=b+c&payload=%7B%22secret%22%3A%22hunter2%22%7D&x";
        let redacted = of(&entry(headers, b"?k=hunter2&hunter2", form), false);
        assert!(!redacted.contains("hunter2"), "{redacted}");
        let value: serde_json::Value = serde_json::from_str(&redacted).unwrap();
        assert_eq!(value["query"], "k=***&***");
        assert_eq!(
            value["headers"][0],
            serde_json::json!(["Authorization", "***"])
        );
        assert_eq!(value["headers"][6], serde_json::json!(["X-Author", "me"]));
        assert_eq!(
            value["body"],
            "token=***&a=b+c&payload=%7B%22secret%22%3A%22***%22%7D&x"
        );
        let whole = of(&entry(headers, b"?k=hunter2", form), true);
        assert_eq!(whole.matches("hunter2").count(), 9);
        let json = of(
            &entry(b"", b"", b"{\"password\": \"hunter2\", \"n\": 1}"),
            false,
        );
        assert!(
            json.contains(r#""body":"{\"password\": \"***\", \"n\": 1}""#),
            "{json}"
        );
    }

    #[test]
    fn bodies_that_are_no_text_or_large_are_said_otherwise() {
        let mut entry = entry(b"", b"", b"\xff\x00");
        assert!(of(&entry, false).contains(r#""base64":"/wA=","status":200}"#));
        entry.body = Body::TooLarge(5 << 20);
        assert!(of(&entry, false).contains(r#""headers":[],"body_omitted":5242880,"status""#));
    }
}
