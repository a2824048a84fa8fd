//! Auth rules, through the configuration and the socket.

use std::io::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::support::*;

fn sign(secret: &str, text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text);
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn shim(agent: &Agent, rule: &str) -> Shim {
    let folder = std::env::temp_dir();
    let secret = tempfile::NamedTempFile::new_in(folder).unwrap();
    std::fs::write(secret.path(), "hunter2\n").unwrap();
    let config = format!(
        "trusted_proxies = [\"127.0.0.1\"]\n[[route]]\nplugin = \"KroMiose.github\"\nendpoint = \"github\"\n\
         [[route.auth]]\n{rule}\n"
    )
    .replace("SECRET", &format!("secret_file = {:?}", secret.path()));
    Shim::start(agent.address, GITHUB, &config)
}

#[test]
fn a_signature_of_the_bytes_that_came_opens_and_still_verifies_behind() {
    let agent = Agent::start(ok);
    let shim = shim(&agent, "kind = \"github\"\nSECRET");
    let body = "{\"a\":  1, \"b\":\u{4e2d}}\r\n";
    let signature = sign("hunter2", body.as_bytes());
    let line = format!("X-Hub-Signature-256: sha256={signature}\r\n");
    assert_eq!(
        shim.send(post("/api/webhook/github", &line, body)).status(),
        200
    );
    let seen = agent.request();
    assert_eq!(sign("hunter2", &seen.body), signature);
    assert_eq!(
        seen.header("x-hub-signature-256"),
        Some(format!("sha256={signature}"))
    );
    // The same in chunks.
    let (first, second) = body.split_at(7);
    let request = format!(
        "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\n{line}Transfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    assert_eq!(shim.send(request).status(), 200);
    for (lines, body) in [
        (line.as_str(), "another"),
        ("", body),
        ("X-Hub-Signature-256: sha256=\r\n", body),
        (&line.repeat(2), body),
    ] {
        let reply = shim.send(post("/api/webhook/github", lines, body));
        assert_eq!(reply.status(), 401, "{lines:?}");
        assert!(reply.header("www-authenticate").is_some());
    }
    assert_eq!(agent.requests().len(), 2);
    // The connection can be used again after a refusal.
    let mut stream = shim.connect();
    for _ in 0..2 {
        stream
            .write_all(post("/api/webhook/github", "", "x").as_bytes())
            .unwrap();
        assert_eq!(read_message(&mut stream, false).unwrap().status(), 401);
    }
}

#[test]
fn tokens_open_before_the_body_is_there() {
    let agent = Agent::start(ok);
    for (rule, line) in [
        ("kind = \"gitlab\"\nSECRET", "X-Gitlab-Token: "),
        ("kind = \"token\"\nheader = \"X-Mine\"\nSECRET", "x-mine: "),
        ("kind = \"bearer\"\nSECRET", "Authorization: Bearer "),
        ("kind = \"gitee\"\nSECRET", "X-Gitee-Token: "),
    ] {
        let shim = shim(&agent, rule);
        let with = |secret: &str| {
            let line = format!("{line}{secret}\r\n");
            shim.send(post("/api/webhook/github", &line, "x")).status()
        };
        assert_eq!(with("hunter2"), 200, "{rule}");
        assert_eq!(with("hunter3"), 401, "{rule}");
        assert_eq!(with(""), 401, "{rule}");
    }
}

#[test]
fn the_address_of_the_peer_decides() {
    let agent = Agent::start(ok);
    let shim = shim(&agent, "kind = \"addresses\"\nallow = [\"192.0.2.0/24\"]");
    let from = |claimed: &str| {
        let line = format!("X-Forwarded-For: {claimed}\r\n");
        shim.send(post("/api/webhook/github", &line, "x")).status()
    };
    // The peer, 127.0.0.1, is a trusted proxy here.
    assert_eq!(from("192.0.2.7"), 200);
    assert_eq!(from("192.0.2.7, 198.51.100.1"), 403);
    assert_eq!(from("198.51.100.1"), 403);
    assert_eq!(from(""), 403);
    let config = "[[route]]\nplugin = \"KroMiose.github\"\n[[route.auth]]\nkind = \"addresses\"\nallow = [\"192.0.2.0/24\"]\n";
    let shim = Shim::start(agent.address, GITHUB, config);
    let line = "X-Forwarded-For: 192.0.2.7\r\n";
    assert_eq!(
        shim.send(post("/api/webhook/github", line, "x")).status(),
        403
    );
}

/// A rule of kind `hmac` with one line more.
macro_rules! HMAC {
    ($line:literal) => {
        concat!(
            "kind = \"hmac\"\nheader = \"X-S\"\nsecret_env = \"PATH\"\n",
            $line
        )
    };
}

#[test]
fn a_rule_without_its_secret_does_not_open_it_keeps_the_shim_from_starting() {
    let agent = Agent::start(ok);
    for (rule, says) in [
        (
            "kind = \"github\"\nsecret_env = \"REHOOK_TEST_NOT_SET\"",
            "missing or empty",
        ),
        (
            "kind = \"github\"\nsecret_file = \"not-there\"",
            "missing or empty",
        ),
        (
            "kind = \"github\"\nsecret = \"hunter2\"",
            "never stands in this file",
        ),
        ("kind = \"github\"", "has no secret; write one of"),
        (
            "kind = \"githup\"\nsecret_env = \"PATH\"",
            "is unknown; write one of",
        ),
        ("kind = \"token\"\nsecret_env = \"PATH\"", "needs `header`"),
        ("kind = \"addresses\"", "no `allow`"),
        (
            "kind = \"addresses\"\nallow = [\"nowhere\"]",
            "not a network",
        ),
        (
            "kind = \"standard-webhooks\"\nsecret_env = \"PATH\"",
            "base64",
        ),
        ("kind = \"feishu\"", "has no secret"),
        ("kind = \"feishu-token\"", "has no secret"),
        ("kind = \"dingtalk\"", "has no secret"),
        ("kind = \"qq\"", "has no secret"),
        ("kind = \"hmac\"\nheader = \"X-S\"", "has no secret"),
        (
            "kind = \"qq\"\nsecret_env = \"PATH\"\npublic_key = \"00\"",
            "unknown key `public_key`",
        ),
        (
            "kind = \"dingtalk\"\nsecret_env = \"PATH\"\ntolerance = 5",
            "`tolerance` is invalid",
        ),
        ("kind = \"discord\"", "needs a valid `public_key`; copy"),
        ("kind = \"discord\"\npublic_key = []", "needs a valid"),
        ("kind = \"discord\"\npublic_key = \"00ff\"", "needs a valid"),
        // A point of small order: anybody could sign for it.
        (
            "kind = \"discord\"\n\
             public_key = \"0100000000000000000000000000000000000000000000000000000000000000\"",
            "needs a valid",
        ),
        (
            "kind = \"discord\"\nsecret_env = \"PATH\"",
            "unknown key `secret_env`",
        ),
        (
            "kind = \"hmac\"\nsecret_env = \"PATH\"",
            "\"hmac\" needs `header`",
        ),
        (
            "kind = \"hmac\"\nsecret_env = \"PATH\"\nheader = \"a b\"",
            "\"hmac\" needs `header`",
        ),
        (HMAC!("hash = \"md5\""), "`hash` is invalid; write one of"),
        (HMAC!("encoding = \"hax\""), "`encoding` is invalid"),
        (HMAC!("signed = \"{boby}\""), "`signed` is not understood"),
        (HMAC!("signed = \"{timestamp}\""), "leaves the body out"),
        (
            HMAC!("signed = \"{timestamp}.{body}\""),
            "`timestamp_header` and {timestamp}",
        ),
        (
            HMAC!("timestamp_header = \"X-T\""),
            "a time that is not signed proves nothing",
        ),
        (
            HMAC!("timestamp_header = \"\""),
            "`timestamp_header` is not the name",
        ),
        (
            HMAC!("tolerance = \"5m\""),
            "means nothing without `timestamp_header`",
        ),
    ] {
        let config = format!("[[route]]\nplugin = \"KroMiose.github\"\n[[route.auth]]\n{rule}\n");
        let Err(errors) = Shim::try_start(agent.address, GITHUB, &config) else {
            panic!("{rule} was taken");
        };
        let shown: Vec<String> = errors
            .iter()
            .map(|error| error.in_one_line().to_string())
            .collect();
        let shown = shown.join("\n");
        assert!(shown.contains(says), "{rule}: {shown}");
        assert!(shown.contains("shim.toml:"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn secrets_are_nowhere_to_be_seen() {
    let agent = Agent::start(|_, _| Keep::No);
    let shim = shim(&agent, "kind = \"gitlab\"\nSECRET");
    for (token, query) in [
        ("hunter2", "?key=querysecret"),
        ("wrongsecret", "?querysecret"),
    ] {
        let line = format!("X-Gitlab-Token: {token}\r\nCookie: cookiesecret\r\n");
        shim.send(post(
            &format!("/api/webhook/github{query}"),
            &line,
            "bodysecret",
        ));
        shim.send(post(&format!("/elsewhere{query}"), &line, "bodysecret"));
        shim.send(format!(
            "POST /api/webhook/github{query} HTTP/1.1\r\nHost: a\r\nHost: b\r\n{line}\r\n"
        ));
    }
    let state = std::sync::Arc::clone(&shim.state);
    let mut shown = format!("{:?}", state.table.load());
    for path in ["/", "/metrics", "/api/routes", "/readyz"] {
        let mut stream = connect(shim.admin);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        shown += &String::from_utf8(read_to_end(&mut stream)).unwrap();
    }
    let log = shim.log();
    assert!(log.contains("key=***"), "{log}");
    shown += &log;
    for secret in [
        "hunter2",
        "wrongsecret",
        "querysecret",
        "bodysecret",
        "cookiesecret",
    ] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

/// A shim that lets everything through, before a route of which only those learn who know the token.
fn open_shim(agent: &Agent, rule: &str, config: &str) -> Shim {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("secret_file = {path:?}")
    };
    let (one, other) = (secret("one", "hunter2\n"), secret("other", "hunter3\n"));
    let both = format!(
        "secret_file = {:?}",
        [folder.path().join("one"), folder.path().join("other")]
    );
    let rule = rule
        .replace("SECRETS", &both)
        .replace("SECRET", &one)
        .replace("OTHER", &other);
    let config = format!(
        "{config}[[route]]\nplugin = \"KroMiose.github\"\n[[route.auth]]\n{rule}\n\
         [[route]]\nplugin = \"a.b\"\n[[route.auth]]\n{rule}\n"
    );
    let routes = [GITHUB, &route("a.b", "/plugins/a.b/中/{id}", &["/o/{id}"])].concat();
    Shim::start(agent.address, &routes, &config)
}

const GITLAB: &str = "kind = \"gitlab\"\nSECRET";

#[test]
fn the_new_urls_are_no_way_around_a_rule() {
    let agent = Agent::start(ok);
    let shim = open_shim(&agent, GITLAB, "passthrough = true\n");
    let new = "/plugins/KroMiose.github/github";
    let paths = [
        new,
        "/plugins/KroMiose%2Egithub/github",
        "/plugins/KroMiose.github/%67ithub",
        "/plugins/KroMiose.github/github/",
        "/plugins/KroMiose.github%2Fgithub",
        "/plugins/KroMiose.github/github?x=1",
        "http://elsewhere.example/plugins/KroMiose.github/github",
        "/plugins/a.b/%E4%B8%AD/7",
        "/plugins/a.b/%e4%b8%ad/7/",
        "/api/webhook/github/",
    ];
    for path in paths {
        for method in ["GET", "POST", "HEAD", "OPTIONS", "PATCH", "ODD"] {
            for lines in [
                "",
                "X-Gitlab-Token: wrong\r\n",
                "Connection: upgrade\r\nUpgrade: websocket\r\n",
            ] {
                let request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
                let reply = shim.send(request);
                assert_eq!(reply.status(), 401, "{method} {path} {lines}");
                assert_eq!(reply.header("Link"), None);
            }
        }
    }
    // What one server reads in this way and another in that.
    for path in [
        "/plugins/KroMiose.github//github",
        "//plugins/KroMiose.github/github",
        "/plugins/./KroMiose.github/github",
        "/x/../plugins/KroMiose.github/github",
        "/x/%2e%2e/plugins/KroMiose.github/github",
        "/plugins/KroMiose.github/%2567ithub",
        "/plugins/KroMiose.github%252Fgithub",
        "/plugins/KroMiose.github\\github",
        "/plugins/KroMiose.github%5Cgithub",
        "/plugins/KroMiose.github/github;x=1",
        "/plugins/a.b/%E4%B8%AD/..",
        "/api//webhook/github",
        "/api/webhook/%2567ithub",
    ] {
        for lines in ["", "X-Gitlab-Token: hunter2\r\n"] {
            let reply = shim.send(post(path, lines, "x"));
            assert_eq!(reply.status(), 400, "{path}");
            assert_eq!(reply.json()["error"], "unclear_path");
        }
    }
    assert!(agent.requests().is_empty(), "{:?}", agent.requests());
    for path in paths {
        let reply = shim.send(post(path, "X-Gitlab-Token: hunter2\r\n", "x"));
        assert_eq!(reply.status(), 200, "{path}");
    }
    assert_eq!(agent.requests().len(), paths.len());
    // Nothing else is anybody's business.
    for path in [
        "/",
        "/plugins/KroMiose.github/other",
        "/plugins//x",
        "/a/../b",
        "/a%2fb",
        "/a%252fb",
    ] {
        assert_eq!(shim.send(get(path)).status(), 200, "{path}");
    }
}

#[test]
fn a_path_that_is_encoded_again_and_again_is_unclear_at_once() {
    let agent = Agent::start(ok);
    let shim = open_shim(&agent, GITLAB, "passthrough = true\n");
    let nested = format!("/plugins/%{}61", "25".repeat(30_000));
    let mut stream = shim.connect();
    // As long as it is, times its length, this took a thread for minutes.
    for _ in 0..100 {
        stream.write_all(get(&nested).as_bytes()).unwrap();
        let reply = read_message(&mut stream, false).unwrap();
        assert_eq!(
            (reply.status(), &reply.json()["error"]),
            (400, &"unclear_path".into())
        );
    }
    assert!(agent.requests().is_empty());
}

#[test]
fn a_parameter_is_no_way_into_another_route() {
    let agent = Agent::start(ok);
    let routes = [
        route("a.b", "/plugins/a.b/secret", &["/s"]),
        route("a.b", "/plugins/a.b/{name}", &["/o/{name}"]),
        route("c.d", "/plugins/c.d/x", &["/o/{name}"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter2").unwrap();
    let config = format!(
        "[[route]]\nplugin = \"a.b\"\nendpoint = \"/plugins/a.b/secret\"\n\
         [[route.auth]]\nkind = \"gitlab\"\nsecret_file = {secret:?}\n"
    );
    for routes in [routes[..2].concat(), routes.concat()] {
        let shim = Shim::start(agent.address, &routes, &config);
        let status = |path: &str, lines: &str| shim.send(post(path, lines, "x")).status();
        let token = "X-Gitlab-Token: hunter2\r\n";
        for path in ["/o/secret", "/o/%73ecret"] {
            assert_eq!(status(path, ""), 401, "{path}");
            assert_eq!(status(path, token), 200, "{path}");
        }
        assert_eq!(status("/o/%2573ecret", token), 400);
        assert_eq!(status("/o/open", ""), 200);
    }
    let to = |path: &str| {
        let requests = agent.requests();
        let first = format!("POST {path} HTTP/1.1");
        requests
            .iter()
            .filter(|request| request.first == first)
            .count()
    };
    assert_eq!(to("/plugins/a.b/secret") + to("/plugins/a.b/%73ecret"), 4);
    assert_eq!(to("/plugins/a.b/open"), 2);
}

#[test]
fn a_signature_is_asked_for_at_the_new_url_too() {
    let agent = Agent::start(ok);
    let shim = open_shim(&agent, "kind = \"github\"\nSECRET", "passthrough = true\n");
    let path = "/plugins/KroMiose.github/github";
    let signed = |body: &str| {
        let signature = sign("hunter2", body.as_bytes());
        format!("X-Hub-Signature-256: sha256={signature}\r\n")
    };
    for (lines, body, status) in [
        ("", "x", 401),
        (&*signed("x"), "y", 401),
        (&*signed("x"), "x", 200),
        (&*signed(""), "", 200),
        ("", "", 401),
    ] {
        let reply = shim.send(post(path, lines, body));
        assert_eq!(reply.status(), status, "{lines} {body}");
        let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";
        let status = if status == 200 { 200 } else { 401 };
        let reply = shim.send(post(path, &format!("{upgrade}{lines}"), body));
        assert_eq!(reply.status(), status);
    }
    let chunks = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\n{}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        signed("x")
    );
    assert_eq!(shim.send(chunks).status(), 200);
    let bodies: Vec<String> = agent.requests().iter().map(Message::text).collect();
    assert_eq!(bodies, ["x", "x", "", "", "x"]);
}

#[test]
fn what_a_rule_refuses_does_not_reach_the_agents_own_old_url() {
    let agent = Agent::start(ok);
    for rule in [GITLAB, "kind = \"github\"\nSECRET"] {
        let shim = open_shim(&agent, rule, "with_legacy = true\npassthrough = true\n");
        for path in [
            "/api/webhook/github",
            "/api/webhook/%67ithub",
            "/api/webhook/github/",
        ] {
            let reply = shim.send(post(path, "X-Gitlab-Token: wrong\r\n", "x"));
            assert_eq!(reply.status(), 401, "{path}");
            assert_eq!(reply.header("Link"), None);
        }
        assert!(agent.requests().is_empty(), "{:?}", agent.requests());
    }
    let shim = open_shim(&agent, GITLAB, "with_legacy = true\n");
    let reply = shim.send(post(
        "/api/webhook/github",
        "X-Gitlab-Token: hunter2\r\n",
        "x",
    ));
    assert_eq!(reply.status(), 200);
    assert!(reply.header("Link").is_some());
    assert_eq!(agent.requests().len(), 2, "the route, and the agent's own");
}

#[test]
fn who_is_refused_by_one_of_several_is_told_no_other_way_in() {
    let agent = Agent::start(ok);
    let routes = [
        route("a.b", "/plugins/a.b/x", &["/o"]),
        route("c.d", "/plugins/c.d/x", &["/o"]),
    ];
    let config = "[[route]]\nplugin = \"a.b\"\n[[route.auth]]\nkind = \"addresses\"\nallow = [\"192.0.2.0/24\"]\n";
    let shim = Shim::start(agent.address, &routes.concat(), config);
    let reply = shim.send(post("/o", "", "x"));
    assert_eq!((reply.status(), reply.header("Link")), (403, None));
    assert!(reply.header("Deprecation").is_some());
    assert!(agent.request().first.contains("c.d"), "the other is called");
}

#[test]
fn new_senders_open_at_the_old_url_and_at_the_new_one() {
    let agent = Agent::start(ok);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    let body = r#"{"token":"hunter2"}"#;
    let of_time = Hmac::<Sha256>::new_from_slice(b"hunter2").unwrap();
    let of_time = of_time.chain_update(format!("{now}000\nhunter2"));
    let of_time = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        of_time.finalize().into_bytes(),
    );
    let mut lark = sha2::Sha256::default();
    sha2::Digest::update(&mut lark, format!("{now}nhunter2{body}"));
    let lark: String = sha2::Digest::finalize(lark)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for (rule, lines) in [
        (
            "kind = \"dingtalk\"\nSECRET",
            format!("timestamp: {now}000\r\nsign: {of_time}\r\n"),
        ),
        (
            "kind = \"feishu\"\nSECRET",
            format!(
                "X-Lark-Request-Timestamp: {now}\r\nX-Lark-Request-Nonce: n\r\n\
                 X-Lark-Signature: {lark}\r\n"
            ),
        ),
        (
            "kind = \"hmac\"\nheader = \"X-S\"\nSECRET",
            format!("X-S: {}\r\n", sign("hunter2", body.as_bytes())),
        ),
        ("kind = \"feishu-token\"\nSECRET", String::new()),
    ] {
        let shim = open_shim(&agent, rule, "passthrough = true\n");
        for path in ["/api/webhook/github", "/plugins/KroMiose.github/github"] {
            let send = |lines: &str, body: &str| shim.send(post(path, lines, body)).status();
            assert_eq!(send(&lines, body), 200, "{rule} {path}");
            let other = if lines.is_empty() { "{}" } else { body };
            assert_eq!(send("", other), 401, "{rule} {path}");
            assert_eq!(send("", ""), 401, "{rule} {path}");
        }
    }
    assert_eq!(agent.requests().len(), 8);
}

#[test]
fn any_of_several_secrets_opens() {
    let agent = Agent::start(ok);
    for rule in [
        "kind = \"gitlab\"\nSECRETS",
        "kind = \"gitlab\"\nSECRET\nsecret_env = [\"PATH\"]",
    ] {
        let shim = open_shim(&agent, rule, "");
        let other = match rule.contains("PATH") {
            true => std::env::var("PATH").unwrap(),
            false => "hunter3".to_owned(),
        };
        for (token, status) in [("hunter2", 200), (&*other, 200), ("hunter4", 401)] {
            let lines = format!("X-Gitlab-Token: {token}\r\n");
            assert_eq!(
                shim.send(post("/api/webhook/github", &lines, "x")).status(),
                status
            );
        }
    }
}
