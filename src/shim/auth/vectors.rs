//! The rules against requests as senders make them (`vectors.toml`), and against the same requests changed
//! a little.

use serde::Deserialize;

use super::{AuthPhase, AuthRule, authorize};
use crate::shim::config::{self, Flags};
use crate::shim::http::head::Head;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    vector: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    rule: String,
    secret: Option<String>,
    headers: Vec<String>,
    body: String,
    at: u64,
    /// The header that holds the time.
    time: Option<String>,
    /// Whether another body makes it another request.
    #[serde(default = "yes")]
    body_is_signed: bool,
    /// Whether it does not pass as it is.
    #[serde(default)]
    rejected: bool,
}

fn yes() -> bool {
    true
}

impl Vector {
    fn rule(&self) -> AuthRule {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shim.toml");
        let secret = self.secret.as_ref().map(|_| "secret_env = \"SECRET\"");
        let (rule, secret) = (&self.rule, secret.unwrap_or_default());
        let text = format!(
            "upstream = \"http://h\"\n[[route]]\nplugin = \"a.b\"\n[[route.auth]]\n{rule}\n{secret}\n"
        );
        std::fs::write(&path, text).unwrap();
        let flags = Flags {
            config: Some(path),
            ..Flags::default()
        };
        let environment = |name: &str| self.secret.clone().filter(|_| name == "SECRET");
        let config = config::load(&flags, &environment).unwrap();
        config.rules[0].auth[0].clone()
    }

    fn passes(&self, headers: &[String], body: &str, at: u64) -> bool {
        let mut head = Head::default();
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let text = format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        head.read_request(text.as_bytes()).unwrap();
        let sender = "192.0.2.1".parse().unwrap();
        let (rule, body) = (self.rule(), body.as_bytes());
        authorize(&[rule], AuthPhase::Body, &head, body, sender, at).is_ok()
    }
}

#[test]
fn senders_are_known_by_what_they_sign() {
    let file: File = toml_edit::de::from_str(include_str!("vectors.toml")).unwrap();
    for vector in file.vector {
        let (name, at) = (&vector.name, vector.at);
        let passes = |headers: &[String], body: &str, at: u64| vector.passes(headers, body, at);
        let as_it_is = passes(&vector.headers, &vector.body, at);
        assert_eq!(as_it_is, !vector.rejected, "{name}");
        if vector.rejected {
            continue;
        }
        for number in 0..vector.headers.len() {
            if vector.headers[number].starts_with("User-Agent")
                || vector.headers[number].starts_with("X-Bot")
            {
                continue;
            }
            let mut without = vector.headers.clone();
            let line = without.remove(number);
            assert!(
                !passes(&without, &vector.body, at),
                "{name}: without {line}"
            );
            let mut twice = vector.headers.clone();
            twice.push(line.clone());
            assert!(!passes(&twice, &vector.body, at), "{name}: {line} twice");
            let mut changed = vector.headers.clone();
            let last = changed[number].pop().unwrap();
            changed[number].push(if last == '1' { '2' } else { '1' });
            assert!(
                !passes(&changed, &vector.body, at),
                "{name}: {line} changed"
            );
            changed[number].pop();
            assert!(!passes(&changed, &vector.body, at), "{name}: {line} cut");
        }
        let other = format!("{} ", vector.body);
        let other = passes(&vector.headers, &other, at);
        let may_be_spaced = vector.headers.is_empty();
        assert!(
            other != vector.body_is_signed || may_be_spaced,
            "{name}: another body"
        );
        assert!(
            !passes(&vector.headers, "{}", at) || !vector.body_is_signed,
            "{name}: {{}}"
        );
        assert!(
            !passes(&vector.headers, "", at) || !vector.body_is_signed,
            "{name}: empty"
        );
        if vector.time.is_some() {
            for other in [0, at - 2 * 86_400, at + 2 * 86_400, u64::MAX] {
                assert!(
                    !passes(&vector.headers, &vector.body, other),
                    "{name}: at {other}"
                );
            }
        }
    }
}
