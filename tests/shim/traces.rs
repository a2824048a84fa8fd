//! A failure can be traced: in the log, in `/api/routes`, on the page and in the metrics.

use std::io::Write;

use serde_json::{Value, json};

use crate::admin::fetch;
use crate::support::*;

const DELIVERY: &str =
    "X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958\r\nX-GitHub-Event: push\r\n";
const ID: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

/// An agent that answers by the plugin that is called.
fn agent() -> Agent {
    Agent::start(|request, stream| {
        let status = match request.first.as_str() {
            first if first.contains("/plugins/bad.b/") => 500,
            first if first.contains("/plugins/gone.b/") => return Keep::No,
            _ => 200,
        };
        stream.write_all(reply(status, "", "x").as_bytes()).unwrap();
        Keep::Yes
    })
}

fn routes(shim: &Shim) -> Value {
    let (_, body) = fetch(shim, "/api/routes");
    serde_json::from_str(&body).unwrap()
}

fn wait_for_calls(shim: &Shim, path: &str, calls: u64) {
    let stats = shim.state.registry.url(path);
    wait_until("it is counted", || stats.counts().calls() == calls);
}

#[test]
fn the_plugin_that_failed_behind_a_shared_url_is_named() {
    let agent = agent();
    let mut map = String::new();
    for plugin in ["good.a", "bad.b", "gone.b"] {
        map += &route(plugin, &format!("/plugins/{plugin}/x"), &["/shared"]);
    }
    let shim = Shim::start(agent.address, &map, "log = \"json\"\n");
    assert_eq!(shim.send(post("/shared", DELIVERY, "x")).status(), 500);
    wait_for_calls(&shim, "/shared", 1);
    let failed = json!([
        { "plugin": "bad.b", "status": 500, "reason": "" },
        { "plugin": "gone.b", "status": 502, "reason": "broke_off" },
    ]);
    let routes = routes(&shim);
    let row = &routes["routes"][0];
    let call = &row["failed_calls"][0];
    assert_eq!(call["delivery"], ID);
    assert_eq!(
        (&call["event"], &call["status"]),
        (&json!("push"), &json!(500))
    );
    assert_eq!(call["failed"], failed);
    let failures: Vec<_> = (0..3)
        .map(|n| row["targets"][n]["failures"].clone())
        .collect();
    assert_eq!(failures, [0, 1, 1]);
    let (_, metrics) = fetch(&shim, "/metrics");
    for line in [
        r#"target_requests_total{plugin="good.a",target="/plugins/good.a/x",outcome="2xx"} 1"#,
        r#"target_requests_total{plugin="bad.b",target="/plugins/bad.b/x",outcome="5xx"} 1"#,
        r#"target_requests_total{plugin="gone.b",target="/plugins/gone.b/x",outcome="5xx"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
    let (_, page) = fetch(&shim, "/");
    for shown in [
        ">500</b>",
        "<code>several</code>",
        "<code>bad.b: 500</code>",
        "<code>gone.b: 502 broke_off</code>",
        " · push",
        &format!("<code>{ID}</code>"),
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    let log = shim.log();
    let line = log.lines().find(|line| line.contains("/shared")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["delivery"], &line["event"]),
        (&json!(ID), &json!("push"))
    );
    assert_eq!(line["failed"], failed);
}

#[test]
fn the_reason_of_a_failure_is_said() {
    let agent = agent();
    let mut stopped = Agent::start(ok);
    stopped.stop();
    let silent = Agent::start(|_, stream| {
        let _ = std::io::Read::read(stream, &mut [0]);
        Keep::No
    });
    let mut map = String::new();
    let mut config = "[limits]\nreconnect = \"100ms\"\ntotal = \"300ms\"\n".to_owned();
    for (plugin, upstream) in [
        ("refused.b", stopped.address.to_string()),
        ("gone.b", agent.address.to_string()),
        ("nameless.b", "no-such-host.invalid:1".to_owned()),
        ("silent.b", silent.address.to_string()),
        ("bad.b", agent.address.to_string()),
        ("good.b", agent.address.to_string()),
    ] {
        map += &route(
            plugin,
            &format!("/plugins/{plugin}/x"),
            &[&format!("/{plugin}")],
        );
        config += &format!("[[route]]\nplugin = {plugin:?}\nupstream = \"http://{upstream}\"\n");
    }
    let shim = Shim::start(agent.address, &map, &config);
    let expected = [
        ("refused.b", 503, "refused"),
        ("gone.b", 502, "broke_off"),
        ("nameless.b", 503, "name_not_found"),
        ("silent.b", 504, "timeout"),
        ("bad.b", 500, ""),
        ("good.b", 200, ""),
    ];
    for (plugin, status, _) in expected {
        let path = format!("/{plugin}");
        let reply = shim.send(post(&path, "webhook-id: msg_1\r\n", "x"));
        assert_eq!(reply.status(), status, "{plugin}");
        wait_for_calls(&shim, &path, 1);
    }
    let routes = routes(&shim);
    for (index, (plugin, status, reason)) in expected.into_iter().enumerate() {
        let calls = &routes["routes"][index]["failed_calls"];
        if status == 200 {
            assert_eq!(calls, &json!([]));
            continue;
        }
        let call = &calls[0];
        assert_eq!(
            (&call["status"], &call["reason"]),
            (&json!(status), &json!(reason)),
            "{plugin}"
        );
        assert_eq!(call["delivery"], "msg_1");
    }
    let log = shim.log();
    for (plugin, status, reason) in expected {
        let line = log
            .lines()
            .find(|line| line.contains(&format!("/{plugin} {status} ")));
        let line = line.unwrap_or_else(|| panic!("{plugin}\n{log}"));
        let said = match reason {
            "" => " delivery=\"msg_1\"".to_owned(),
            reason => format!(" delivery=\"msg_1\" reason=\"{reason}\""),
        };
        assert!(line.ends_with(&said), "{line}");
    }
}

#[test]
fn a_sender_cannot_fill_the_memory_with_failures_nor_write_into_the_log() {
    let agent = agent();
    let map = route("bad.b", "/plugins/bad.b/x", &["/o"]);
    let shim = Shim::start(agent.address, &map, "");
    let long = format!("webhook-id: a\"\\\u{202e}<b>{}\r\n", "x".repeat(5_000));
    for _ in 0..20 {
        assert_eq!(shim.send(post("/o", &long, "x")).status(), 500);
    }
    wait_for_calls(&shim, "/o", 20);
    let (_, body) = fetch(&shim, "/api/routes");
    assert!(body.len() < 16_000, "{}", body.len());
    let (_, page) = fetch(&shim, "/");
    assert!(
        !page.contains("<b>x") && !page.contains('\u{202e}'),
        "{page}"
    );
    let log = shim.log();
    assert_eq!(log.matches(" POST /o 500 ").count(), 20);
    assert!(log.contains(r#"delivery="a\"\\\xe2\x80\xae<b>x"#), "{log}");
}
