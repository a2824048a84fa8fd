use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::super::runner;
use super::*;
use crate::text::Lang;

/// The runner's own files, without the stand-in.
fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = runner::FILES.iter().copied();
    own.filter(|(name, _)| !name.starts_with("standin/"))
}

/// What stands after each `before` in a text.
fn after<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1)
}

/// The literal that a text begins with.
fn literal(text: &str) -> Option<&str> {
    Some(text.strip_prefix('"')?.split_once('"')?.0)
}

/// Every kind that the runner can speak of, out of its sources.
fn kinds() -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for (name, text) in sources() {
        for rest in after(text, "Known(") {
            // Those of a table are in it.
            if rest.starts_with("kind") && name == "model/message.py" {
                continue;
            }
            let kind = literal(rest).unwrap_or_else(|| panic!("no literal in {name}: {rest:.60}"));
            kinds.insert(kind.to_owned());
        }
        for rest in after(text, "\nBODIES: ") {
            let (table, _) = rest.split_once("\n]").expect("the table ends");
            let bodies = after(table, "\n    (").map(|row| literal(row.trim_start()));
            let bodies = bodies.map(|kind| kind.expect("a row begins with its kind"));
            kinds.extend(bodies.map(str::to_owned));
        }
    }
    kinds
}

/// What `Kind` has, as it is written in a result.
fn ids() -> BTreeSet<String> {
    let error = serde_json::from_value::<Kind>(json!("?")).unwrap_err();
    let error = error.to_string();
    let (_, ids) = error
        .split_once("expected one of ")
        .expect("they are named");
    ids.split(", ")
        .map(|id| id.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn every_kind_of_the_runner_has_a_name_in_both_languages() {
    assert!(kinds().len() > 40, "the table of bodies was read");
    assert_eq!(kinds(), ids());
    let mut named = BTreeSet::new();
    for id in ids() {
        let shown = read(json!({"known": {"kind": id}}));
        let is_chinese = |c| ('\u{4e00}'..='\u{9fff}').contains(&c);
        assert!(shown.get(Lang::Zh).chars().any(is_chinese), "{shown:?}");
        assert!(!shown.get(Lang::En).chars().any(is_chinese), "{shown:?}");
        for lang in [Lang::En, Lang::Zh] {
            assert!(
                named.insert(shown.get(lang).to_owned()),
                "two kinds have one name"
            );
        }
    }
}

#[test]
fn every_part_that_the_runner_tries_is_known() {
    let mut parts = BTreeSet::new();
    for (_, text) in sources() {
        for before in ["Place(", "_part = "] {
            parts.extend(after(text, before).filter_map(literal));
        }
    }
    parts.remove("");
    assert_eq!(parts.len(), 8, "{parts:?}");
    for part in parts {
        let tried = json!({"tried": {"part": part, "name": "n", "value": "1"}});
        let shown = read(tried);
        let english = part.replace('_', " ");
        assert!(shown.get(Lang::En).starts_with(&english), "{shown}");
        assert!(!shown.get(Lang::Zh).contains(part), "{shown:?}");
    }
}

fn read(about: Value) -> Text {
    text(&serde_json::from_value(about).unwrap())
}

#[track_caller]
fn check(about: Value, en: &str, zh: &str) {
    assert_eq!(read(about).both(), (en, zh));
}

#[test]
fn parts_are_put_together_in_both_languages() {
    check(
        json!({"known": {"kind": "object_with_charset"}}),
        "an object, with a charset",
        "JSON 对象，类型带字符集",
    );
    check(
        json!({"known": {"kind": "form", "method": "PUT", "looked_for": false}}),
        "a form, by PUT",
        "表单，用 PUT 发送",
    );
    check(
        json!({"known": {"kind": "text", "method": "", "looked_for": true}}),
        "text, with the headers that are looked for",
        "普通文本，带有插件会查看的请求头",
    );
    let tried = |part, name, value| json!({"tried": {"part": part, "name": name, "value": value}});
    check(
        tried("body", "commits.0.id", "'x'"),
        "body commits.0.id = 'x'",
        "请求体 commits.0.id = 'x'",
    );
    check(
        tried("raw_body", "", "b'{'"),
        "raw body = b'{'",
        "原始请求体 = b'{'",
    );
    check(
        tried("method", "method", "'PUT'"),
        "method = 'PUT'",
        "请求方法 = 'PUT'",
    );
}

/// The user's own name is shown as it is, also where it is one that the runner uses.
#[test]
fn what_the_user_calls_it_stays() {
    for name in ["requests.jsonl:3", "an object", "body a = 'x'", ""] {
        check(json!({"given": name}), name, name);
    }
}

#[test]
fn what_is_no_name_is_no_result() {
    for about in [
        json!("an object"),
        json!({"known": {}}),
        json!({"known": {"kind": "an object"}}),
        json!({"known": {"kind": "text", "more": 1}}),
        json!({"tried": {"part": "weather", "name": "n", "value": "1"}}),
        json!({"given": "a", "known": {"kind": "text"}}),
        json!({"guessed": "a"}),
        json!({}),
    ] {
        assert!(
            serde_json::from_value::<About>(about.clone()).is_err(),
            "{about}"
        );
    }
}
