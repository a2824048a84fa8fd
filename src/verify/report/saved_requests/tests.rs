use std::path::PathBuf;

use super::*;
use crate::routes::Dialect;
use crate::verify::requests::read;
use crate::verify::results::Webhook;
use crate::verify::runner::protocol::Event;

fn event(event: Value) -> Event {
    serde_json::from_value(event).unwrap()
}

/// A webhook of a plugin, of which there is a result with so many requests.
fn webhook(plugin: &str, endpoint: &str, requests: usize) -> Webhook {
    let result = event(json!({
        "event": "proof", "case": "c", "plugin": format!("dev.{plugin}"), "endpoint": endpoint,
        "verdict": "same", "requests": requests,
    }));
    let Event::Webhook(result) = result else {
        panic!("no result")
    };
    Webhook {
        plugin: Some(format!("dev.{plugin}")),
        route: Some(Route::new("dev", plugin, endpoint, Dialect::Context)),
        endpoint: Some(endpoint.to_owned()),
        base: None,
        status: Status::Run {
            result,
            path: PathBuf::new(),
            elsewhere: Vec::new(),
        },
    }
}

fn sent(plugin: &str, endpoint: &str, mut request: Value) -> Sent {
    request["path"] = json!("/not believed");
    let sent = event(json!({
        "event": "sent", "case": "c", "plugin": format!("dev.{plugin}"), "endpoint": endpoint,
        "request": request,
    }));
    match sent {
        Event::Sent(sent) => *sent,
        other => panic!("{other:?}"),
    }
}

fn results(webhooks: Vec<Webhook>, sent: Vec<Sent>) -> VerifyReport {
    VerifyReport {
        webhooks,
        sent,
        ..VerifyReport::default()
    }
}

#[test]
fn what_is_saved_is_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.jsonl");
    let all = [
        json!({
            "about": {"tried": {"part": "header", "name": "x", "value": "'1'"}}, "method": "PUT",
            "query": "?a=1&b=%20", "headers": [["X", "1"], ["x", {"base64": "6Q=="}]],
            "body": "{\"a\": \"中\\n\"}", "settings": {"S": [1, null, 2.5]},
        }),
        json!({
            "about": {"given": "mine"}, "method": "POST", "query": {"base64": "Yf8="},
            "base64": "/w==",
        }),
        // Of what would not be read there is no line.
        json!({"method": "POST", "headers": [["X", "1\r\nY: 2"]]}),
        json!({"method": "POST", "base64": "?"}),
        // Nor is one more than there were.
        json!({"method": "POST"}),
    ];
    let all: Vec<Sent> = all
        .into_iter()
        .map(|one| sent("p", "a?b%41", one))
        .collect();
    let results = results(vec![webhook("p", "a?b%41", 4)], all);
    assert!(can_save(&path).is_ok() && !path.exists());
    let saved = save(&path, &results).unwrap();
    assert_eq!((saved.written, saved.left_out), (2, 2));
    let read = read(&path).unwrap().requests;
    let [first, second] = &read[..] else {
        panic!("{read:?}")
    };
    assert!(read.iter().all(|one| one.path == "/api/webhook/a?b%41"));
    let expected = json!({
        "about": "header x = '1'", "method": "PUT", "query": "?a=1&b=%20",
        "headers": [["X", "1"], ["x", {"base64": "6Q=="}]], "body": {"body": "{\"a\": \"中\\n\"}"},
        "settings": {"S": [1, null, 2.5]},
    });
    let seen = |one: &crate::verify::requests::Request| {
        json!({
            "about": one.about, "method": one.method, "query": one.query, "headers": one.headers,
            "body": one.body, "settings": one.settings,
        })
    };
    assert_eq!(seen(first), expected);
    let expected = json!({
        "about": "mine", "method": "POST", "query": {"base64": "Yf8="}, "headers": [],
        "body": {"base64": "/w=="}, "settings": {},
    });
    assert_eq!(seen(second), expected);
}

#[test]
fn of_two_plugins_with_one_url_each_keeps_its_own() {
    let request = || json!({"method": "POST"});
    let results = results(
        vec![webhook("p", "a", 1), webhook("q", "a", 1)],
        vec![sent("p", "a", request()), sent("q", "a", request())],
    );
    let (text, _) = lines(&results);
    let text = String::from_utf8(text).unwrap();
    for (line, plugin) in text.lines().zip(["p", "q"]) {
        let expected = format!(r#"{{"path":"/api/plugin/dev.{plugin}/webhook/a","#);
        assert!(line.starts_with(&expected), "{line}");
    }
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn a_webhook_without_a_proof_has_no_requests() {
    let mut failed = webhook("p", "a", 1);
    failed.status = Status::Failed;
    let results = results(
        vec![failed],
        vec![sent("p", "a", json!({"method": "POST"}))],
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.jsonl");
    let saved = save(&path, &results).unwrap();
    assert_eq!((saved.written, saved.left_out), (0, 0));
    assert!(!path.exists());
}
