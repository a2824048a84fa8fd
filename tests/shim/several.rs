//! Several plugins behind one old URL, and plugins that are not migrated yet.

use std::io::{Read, Write};
use std::sync::{Arc, Barrier};

use crate::support::*;

const THREE: [&str; 3] = ["one.a", "two.b", "three.c"];

fn routes() -> String {
    THREE
        .map(|plugin| {
            let context = route(
                plugin,
                &format!("/plugins/{plugin}/ci"),
                &["/api/webhook/ci"],
            );
            context.replace("\"GET\", ", "")
        })
        .concat()
}

fn message(good: usize, bad: usize) -> serde_json::Value {
    serde_json::json!({
        "success": bad == 0,
        "message": format!("Webhook 处理完成，成功: {good}，失败: {bad}"),
        "data": { "results": [], "errors": [] },
    })
}

#[test]
fn all_are_called_at_the_same_time_each_once() {
    // Nobody is answered before all have been called.
    let all = Arc::new(Barrier::new(3));
    let agent = Agent::start(move |_, stream| {
        all.wait();
        ok(&read_nothing(), stream)
    });
    let shim = Shim::start(agent.address, &routes(), "");
    for round in 1..=3 {
        let reply = shim.send(post(
            "/api/webhook/ci?q",
            "X-Hub-Signature-256: s\r\n",
            "body",
        ));
        assert_eq!((reply.status(), reply.json()), (200, message(3, 0)));
        assert_eq!(
            reply
                .header("link")
                .unwrap()
                .matches("successor-version")
                .count(),
            3
        );
        let mut firsts: Vec<String> = agent.requests().into_iter().map(|r| r.first).collect();
        assert_eq!(firsts.len(), 3 * round);
        firsts.sort();
        firsts.dedup();
        assert_eq!(firsts.len(), 3);
    }
    for request in agent.requests() {
        assert_eq!(request.body, b"body");
        assert_eq!(request.header("x-hub-signature-256").as_deref(), Some("s"));
    }
    assert!(agent.connections() < 9, "connections are kept");
}

fn read_nothing() -> Message {
    Message {
        first: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        head: Vec::new(),
    }
}

#[test]
fn one_that_fails_does_not_keep_the_others_from_being_called() {
    let agent = Agent::start(|request, stream| {
        if request.first.contains("one.a") {
            // Ends without a reply.
            return Keep::No;
        }
        let status = if request.first.contains("two.b") {
            422
        } else {
            200
        };
        stream.write_all(reply(status, "", "x").as_bytes()).unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, &routes(), "");
    let reply = shim.send(post("/api/webhook/ci", "", "body"));
    // The first failure in the order of the map.
    assert_eq!((reply.status(), reply.json()), (502, message(1, 2)));
    assert_eq!(agent.requests().len(), 3);
}

#[test]
fn the_status_of_the_first_failure_has_its_phrase() {
    let agent = Agent::start(|_, stream| {
        stream.write_all(reply(422, "", "x").as_bytes()).unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, &routes(), "");
    let reply = shim.send(post("/api/webhook/ci", "", "body"));
    assert_eq!(reply.first, "HTTP/1.1 422 Unprocessable Entity");
}

#[test]
fn one_that_is_slow_is_a_failure_and_no_more() {
    let agent = Agent::start(|request, stream| {
        if request.first.contains("two.b") {
            std::thread::sleep(std::time::Duration::from_secs(3));
        }
        ok(request, stream)
    });
    let config = "[[route]]\nplugin = \"two.b\"\ntotal = \"300ms\"\n";
    let shim = Shim::start(agent.address, &routes(), config);
    let reply = shim.send(post("/api/webhook/ci", "", "body"));
    assert_eq!((reply.status(), reply.json()), (504, message(2, 1)));
}

#[test]
fn each_has_its_own_agent_and_auth_rules() {
    let (first, second) = (Agent::start(ok), Agent::start(ok));
    let config = format!(
        "[[route]]\nplugin = \"two.b\"\nupstream = \"http://{}\"\n\
         [[route]]\nplugin = \"three.c\"\n[[route.auth]]\nkind = \"addresses\"\nallow = [\"192.0.2.0/24\"]\n",
        second.address
    );
    let shim = Shim::start(first.address, &routes(), &config);
    let reply = shim.send(post("/api/webhook/ci", "", "body"));
    assert_eq!((reply.status(), reply.json()), (403, message(2, 1)));
    assert!(first.request().first.contains("one.a"));
    assert!(second.request().first.contains("two.b"));
}

#[test]
fn a_sender_that_leaves_does_not_undo_its_calls() {
    let agent = Agent::start(|request, stream| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        ok(request, stream)
    });
    let shim = Shim::start(agent.address, &routes(), "");
    let mut stream = shim.connect();
    stream
        .write_all(post("/api/webhook/ci", "", "body").as_bytes())
        .unwrap();
    drop(stream);
    wait_until("all three were called", || agent.requests().len() == 3);
}

fn agent_with_legacy(legacy: u16) -> Agent {
    Agent::start(move |request, stream| {
        let status = match request.first.contains(" /api/webhook/") {
            true => legacy,
            false => 202,
        };
        let body = format!("{status}");
        stream
            .write_all(reply(status, "", &body).as_bytes())
            .unwrap();
        Keep::Yes
    })
}

#[test]
fn the_agents_own_old_url_is_called_as_well() {
    let agent = agent_with_legacy(200);
    let shim = Shim::start(agent.address, GITHUB, "with_legacy = true\n");
    let reply = shim.post("x");
    assert_eq!((reply.status(), reply.json()), (200, message(2, 0)));
    let mut firsts: Vec<String> = agent.requests().into_iter().map(|r| r.first).collect();
    firsts.sort();
    assert_eq!(
        firsts,
        [
            "POST /api/webhook/github HTTP/1.1",
            "POST /plugins/KroMiose.github/github HTTP/1.1"
        ]
    );
    // An endpoint that no migrated plugin has.
    let reply = shim.send(post("/api/webhook/other?q", "", "x"));
    assert_eq!((reply.status(), reply.text()), (200, "200".to_owned()));
    assert_eq!(shim.send(post("/api/other", "", "x")).status(), 404);
}

#[test]
fn a_404_of_the_agents_own_old_url_counts_as_nothing() {
    let agent = agent_with_legacy(404);
    let shim = Shim::start(agent.address, GITHUB, "with_legacy = true\n");
    let reply = shim.post("x");
    assert_eq!(
        (reply.status(), reply.text()),
        (202, "202".to_owned()),
        "untouched"
    );
    let agent = agent_with_legacy(500);
    let shim = Shim::start(agent.address, GITHUB, "with_legacy = true\n");
    let reply = shim.post("x");
    assert_eq!((reply.status(), reply.json()), (500, message(1, 1)));
}

/// A reply that has not come to its end.
const BROKEN: [&str; 5] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
];

#[test]
fn a_reply_that_breaks_off_is_a_failure() {
    for broken in BROKEN {
        for (legacy, routes, path) in [
            (false, routes(), "/api/webhook/ci"),
            (true, GITHUB.to_owned(), "/api/webhook/github"),
        ] {
            let agent = Agent::start(move |request, stream| {
                if request.first.contains("two.b") || request.first.contains("KroMiose") {
                    stream.write_all(broken.as_bytes()).unwrap();
                    return Keep::No;
                }
                ok(request, stream)
            });
            let config = format!("with_legacy = {legacy}\n");
            let shim = Shim::start(agent.address, &routes, &config);
            let reply = shim.send(post(path, "", "body"));
            let good = agent.requests().len() - 1;
            assert_eq!((reply.status(), reply.json()), (502, message(good, 1)));
            assert!(reply.header("retry-after").is_some());
        }
    }
}

#[test]
fn a_reply_that_is_reset_is_a_failure() {
    let agent = Agent::start(|request, stream| {
        if !request.first.contains("two.b") {
            return ok(request, stream);
        }
        // Without a length, the end of the connection would be the end of the reply.
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nsome").unwrap();
        Keep::Reset
    });
    let shim = Shim::start(agent.address, &routes(), "");
    let reply = shim.send(post("/api/webhook/ci", "", "body"));
    assert_eq!((reply.status(), reply.json()), (502, message(2, 1)));
}

#[test]
fn whole_replies_of_all_kinds_are_successes() {
    let big = "0123456789abcdef".repeat(20_000);
    let agent = Agent::start(move |request, stream| {
        let (text, keep) = match &request.first {
            first if first.contains("one.a") => (reply(201, "", &big), Keep::Yes),
            first if first.contains("two.b") => (
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{big}\r\n0\r\nX: y\r\n\r\n",
                    big.len()
                ),
                Keep::Yes,
            ),
            _ => (format!("HTTP/1.1 200 OK\r\n\r\n{big}"), Keep::No),
        };
        stream.write_all(text.as_bytes()).unwrap();
        keep
    });
    let shim = Shim::start(agent.address, &routes(), "");
    for _ in 0..3 {
        let reply = shim.send(post("/api/webhook/ci", "", "body"));
        assert_eq!((reply.status(), reply.json()), (200, message(3, 0)));
    }
    assert!(agent.connections() <= 5, "connections are kept");
}

#[test]
fn a_redirect_is_a_failure() {
    for status in [301, 304, 307] {
        let agent = Agent::start(move |request, stream| {
            if !request.first.contains("two.b") {
                return ok(request, stream);
            }
            let head = reply(status, "Location: /elsewhere\r\n", "");
            stream.write_all(head.as_bytes()).unwrap();
            Keep::Yes
        });
        let shim = Shim::start(agent.address, &routes(), "");
        let reply = shim.send(post("/api/webhook/ci", "", "body"));
        assert_eq!((reply.status(), reply.json()), (502, message(2, 1)));
        assert_eq!(reply.header("location"), None);
    }
}

#[test]
fn an_agent_that_is_not_there_says_when_to_try_again() {
    let mut agent = Agent::start(ok);
    agent.stop();
    let config = "[limits]\nreconnect = \"100ms\"\n";
    let shim = Shim::start(agent.address, &routes(), config);
    let reply = shim.send(post("/api/webhook/ci", "", "body"));
    assert_eq!((reply.status(), reply.json()), (503, message(0, 3)));
    assert!(reply.header("retry-after").is_some());
    let agent = agent_with_legacy(500);
    let shim = Shim::start(agent.address, GITHUB, "with_legacy = true\n");
    assert_eq!(shim.post("x").header("retry-after"), None);
}

#[test]
fn the_one_that_counts_has_its_own_time_from_the_start_of_the_request() {
    let begun = "x".repeat(100_000);
    for (reply, status) in [
        (
            "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n".to_owned(),
            Some(504),
        ),
        // Too long to be read before it is sent on: it ends with the connection.
        (format!("Content-Length: 200000\r\n\r\n{begun}"), None),
    ] {
        let agent = Agent::start(move |request, stream| {
            if request.first.contains("/api/webhook/") {
                stream
                    .write_all(b"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n")
                    .unwrap();
                return Keep::Yes;
            }
            write!(stream, "HTTP/1.1 200 OK\r\n{reply}").unwrap();
            // Nothing more comes, and the connection stays.
            let _ = stream.read(&mut [0]);
            Keep::No
        });
        let config = "with_legacy = true\n[limits]\ntotal = \"10m\"\n\
            [[route]]\nplugin = \"KroMiose.github\"\ntotal = \"300ms\"\n";
        let shim = Shim::start(agent.address, GITHUB, config);
        let mut stream = shim.connect();
        stream
            .write_all(post("/api/webhook/github", "", "x").as_bytes())
            .unwrap();
        match status {
            Some(status) => assert_eq!(read_message(&mut stream, false).unwrap().status(), status),
            None => {
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).expect("the end, in time");
                assert!(bytes.starts_with(b"HTTP/1.1 200 ") && bytes.len() > begun.len());
            }
        }
    }
}
