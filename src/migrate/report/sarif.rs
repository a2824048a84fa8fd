//! SARIF 2.1.0 (OASIS), which code scanning of GitHub and others read.
//!
//! Invariants: every rule that a result names is among the rules, at the place that it says; a path is a
//! URI, relative to the folder that reports speak of where it is in there.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::View;
use super::annotations::{Annotation, Level, Rule, annotations};
use crate::migrate::diagnostic::Code;
use crate::term;
use crate::text::Lang;

/// The log as indented JSON with a line end.
///
/// # Errors
/// None that a plan leads to.
pub(crate) fn render(view: &View<'_>, lang: Lang) -> serde_json::Result<String> {
    let codes = Code::ALL.iter().copied().map(Rule::Code);
    let rules: Vec<Rule> = std::iter::once(Rule::Migratable).chain(codes).collect();
    let results: Vec<Value> = annotations(view, lang)
        .iter()
        .map(|one| result(one, &rules))
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "rehook",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules.iter().map(|one| rule(*one, lang)).collect::<Vec<_>>(),
                },
            },
            "language": match lang {
                Lang::En => "en-US",
                Lang::Zh => "zh-CN",
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Ok(term::json(serde_json::to_string_pretty(&log)?) + "\n")
}

fn rule(rule: Rule, lang: Lang) -> Value {
    json!({
        "id": rule.id(),
        "shortDescription": { "text": rule.title().get(lang) },
        "help": { "text": rule.remedy().get(lang) },
        "defaultConfiguration": { "level": level(rule) },
    })
}

fn result(one: &Annotation, rules: &[Rule]) -> Value {
    let mut result = json!({
        "ruleId": one.rule.id(),
        "level": level(one.rule),
        "message": { "text": format!("{}\n{}", one.message, one.hint) },
        "locations": [location(&one.path, one.position, one.length)],
    });
    if let Some(index) = rules.iter().position(|rule| *rule == one.rule) {
        result["ruleIndex"] = index.into();
    }
    if let Some(related) = &one.related {
        let mut place = location(&related.path, Some(related.position), None);
        place["message"] = json!({ "text": related.message });
        result["relatedLocations"] = json!([place]);
    }
    result
}

fn level(rule: Rule) -> &'static str {
    match rule.level() {
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn location(path: &str, position: Option<(usize, usize)>, length: Option<usize>) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(path) } });
    if let Some((line, column)) = position {
        place["region"] = json!({ "startLine": line, "startColumn": column });
        if let Some(length) = length {
            place["region"]["endColumn"] = (column + length).into();
        }
    }
    json!({ "physicalLocation": place })
}

/// A path with `/` between its parts as a URI (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    let is_drive = path.as_bytes().get(1..3) == Some(b":/");
    if path.starts_with('/') {
        uri += "file://";
    } else if is_drive {
        uri += "file:///";
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            b':' if is_drive => uri.push(':'),
            _ => {
                // Cannot fail: it is memory.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_uri() {
        for (path, expected) in [
            ("a/b.py", "a/b.py"),
            ("插 件#?.py", "%E6%8F%92%20%E4%BB%B6%23%3F.py"),
            ("/tmp/a%.py", "file:///tmp/a%25.py"),
            ("C:/plugins/a.py", "file:///C:/plugins/a.py"),
            ("ab:c.py", "ab%3Ac.py"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
