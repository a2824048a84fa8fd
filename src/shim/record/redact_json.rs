//! Secrets in a JSON text, redacted in the text itself: order, spaces, numbers and escapes of all
//! else stay as they came.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use crate::shim::observe::redact::{REDACTED, is_secret_name};

/// `text` with a redacted value at each key that has the name of a secret; none when it is not JSON, which
/// may have a byte order mark before it, and be several values (JSON in lines).
/// `true`, `false` and `null` stay: they are not secrets, and whoever reads them expects them.
pub(super) fn redacted(text: &str) -> Option<Cow<'_, str>> {
    let values = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut values = Deserializer::from_str(values).into_iter::<IgnoredAny>();
    if !values.all(|value| value.is_ok()) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut redacted = String::new();
    // Up to where `text` has been copied.
    let mut copied = 0;
    let mut at = 0;
    while let Some(offset) = memchr::memchr(b'"', &bytes[at..]) {
        let start = at + offset;
        at = end_of_string(bytes, start);
        let colon = after_space(bytes, at);
        // In valid JSON a string before a colon is a key.
        if bytes.get(colon) != Some(&b':') || !is_secret_key(&text[start..at]) {
            continue;
        }
        let value = after_space(bytes, colon + 1);
        let end = end_of_value(bytes, value);
        if !matches!(&text[value..end], "true" | "false" | "null") {
            redacted.push_str(&text[copied..value]);
            redacted.extend(["\"", REDACTED, "\""]);
            copied = end;
        }
        at = end;
    }
    if copied == 0 {
        return Some(Cow::Borrowed(text));
    }
    redacted.push_str(&text[copied..]);
    Some(Cow::Owned(redacted))
}

fn is_secret_key(quoted: &str) -> bool {
    serde_json::from_str::<String>(quoted).is_ok_and(|key| is_secret_name(&key))
}

fn after_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let space = rest.iter().take_while(|byte| b" \t\r\n".contains(byte));
    from + space.count()
}

/// Where the string ends that begins at `start` with a quote.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => return at,
            b'\\' => at += 1,
            _ => {}
        }
    }
    bytes.len()
}

fn end_of_value(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_secrets_changes() {
        for (text, expected) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            (
                r#"{ "token":"hunter2" ,"b" : 1.0e5, "中":"\u4e2d" }"#,
                r#"{ "token":"***" ,"b" : 1.0e5, "中":"\u4e2d" }"#,
            ),
            (r#"[{"api_key":12345}]"#, r#"[{"api_key":"***"}]"#),
            (
                r#"{"password" : [1,{"x":"]}"}] }"#,
                r#"{"password" : "***" }"#,
            ),
            (
                r#"{"secrets":{"a":{"b":2}},"c":3}"#,
                r#"{"secrets":"***","c":3}"#,
            ),
            (r#"{"tok\u0065n":"hunter2"}"#, r#"{"tok\u0065n":"***"}"#),
            (
                r#"{"x":"\"token\":\"no\"","token":"a\"b"}"#,
                r#"{"x":"\"token\":\"no\"","token":"***"}"#,
            ),
            (
                r#"{"token":null,"auth":true}"#,
                r#"{"token":null,"auth":true}"#,
            ),
            (r#"{"author":{"name":"x"}}"#, r#"{"author":{"name":"x"}}"#),
            (r#"["token","x"]"#, r#"["token","x"]"#),
            (r#"{"a":{"secret":1}}"#, r#"{"a":{"secret":"***"}}"#),
            (r#""token""#, r#""token""#),
        ] {
            let redacted = redacted(text).unwrap();
            assert_eq!(redacted, expected);
            serde_json::from_str::<IgnoredAny>(&redacted).unwrap();
        }
        for (text, expected) in [
            (
                "{\"token\": 1}\r\n{\"token\": \"a\", \"n\": 2}\n",
                "{\"token\": \"***\"}\r\n{\"token\": \"***\", \"n\": 2}\n",
            ),
            ("\u{feff}{\"token\": 1}", "\u{feff}{\"token\": \"***\"}"),
        ] {
            assert_eq!(redacted(text).unwrap(), expected);
        }
        assert_eq!(redacted("{\"token\": 1}\ntoken=2"), None);
        assert_eq!(redacted("token=1"), None);
        assert_eq!(redacted("{\"token\":"), None);
    }
}
