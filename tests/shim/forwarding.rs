//! What goes on to the route, and what comes back, to the byte.

use std::io::{Read, Write};

use crate::support::*;

#[test]
fn a_request_goes_on_as_it_came() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let request = b"POST /api/webhook/github?a=%2F&b=&&c=%zz HTTP/1.1\r\nhOsT: old.example:8\r\n\
        X-Twice: 1\r\nx-RAW: \xff\xfe\r\nX-Twice: 2\r\nAccept: */*\r\nX-Twice: 1\r\n\
        X-Hub-Signature-256: sha256=AbC\r\nConnection: keep-alive, X-Own\r\nX-Own: gone\r\n\
        Keep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Authorization: gone\r\nTrailer: gone\r\n\
        X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Prefix: /gone\r\nForwarded: for=gone\r\n\
        Content-Length: 5\r\n\r\nb\x00\xffdy";
    assert_eq!(shim.send(request).status(), 200);
    let seen = agent.request();
    assert_eq!(
        seen.head.escape_ascii().to_string(),
        format!(
            "POST /plugins/KroMiose.github/github?a=%2F&b=&&c=%zz HTTP/1.1\r\nhOsT: {}\r\n\
             X-Twice: 1\r\nx-RAW: \u{1}\r\nX-Twice: 2\r\nAccept: */*\r\nX-Twice: 1\r\n\
             X-Hub-Signature-256: sha256=AbC\r\nContent-Length: 5\r\n\
             X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: old.example:8\r\n\
             X-Forwarded-Proto: http\r\nVia: {}\r\n\r\n",
            agent.address,
            seen.header("via").unwrap()
        )
        .as_bytes()
        .escape_ascii()
        .to_string()
        .replace("\\x01", "\\xff\\xfe")
    );
    assert_eq!(seen.body, b"b\x00\xffdy");
}

#[test]
fn every_documented_form_of_an_old_url_is_answered() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    for path in [
        "/api/webhook/github",
        "/api/plugin/KroMiose.github/webhook/github",
        "/api/plugin/github/webhook/github",
        "/api/webhook/%67ithub",
        "http://old.example/api/webhook/github",
    ] {
        assert_eq!(shim.send(post(path, "", "x")).status(), 200, "{path}");
    }
    for request in agent.requests() {
        assert!(
            request
                .first
                .starts_with("POST /plugins/KroMiose.github/github HTTP")
        );
    }
}

#[test]
fn a_body_in_chunks_arrives_whole_with_its_length() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let request = "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\
        X-After: 1\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n";
    assert_eq!(shim.send(request).status(), 200);
    let seen = agent.request();
    assert_eq!(seen.body, b"abcdefg");
    assert_eq!(seen.header("content-length").as_deref(), Some("7"));
    assert_eq!(seen.header("transfer-encoding"), None);
}

#[test]
fn a_reply_comes_back_as_it_was() {
    let agent = Agent::start(|_, stream| {
        let reply =
            b"HTTP/1.1 299 Odd Reason\r\nX-B: 1\r\nx-a: \xff\r\nX-B: 2\r\nConnection: X-Own\r\n\
            X-Own: gone\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
            Content-Length: 3\r\n\r\n\x00\xffx";
        stream.write_all(reply).unwrap();
        Keep::Yes
    });
    let shim = Shim::start(
        agent.address,
        GITHUB,
        "deprecated_since = 2026-01-02\nsunset = 2026-12-31\n",
    );
    let reply = shim.post("x");
    assert_eq!(
        reply.head.escape_ascii().to_string(),
        "HTTP/1.1 299 Odd Reason\\r\\nX-B: 1\\r\\nx-a: \\xff\\r\\nX-B: 2\\r\\nSet-Cookie: a\\r\\n\
         Set-Cookie: b\\r\\nContent-Length: 3\\r\\nDeprecation: @1767312000\\r\\n\
         Sunset: Thu, 31 Dec 2026 00:00:00 GMT\\r\\n\
         Link: </plugins/KroMiose.github/github>; rel=\\\"successor-version\\\"\\r\\n\\r\\n"
    );
    assert_eq!(reply.body, b"\x00\xffx");
}

#[test]
fn bodies_of_all_kinds_come_back() {
    let big = "0123456789abcdef".repeat(40_000);
    let sent = big.clone();
    let agent = Agent::start(move |request, stream| {
        let path = request.first.split(' ').nth(1).unwrap();
        let (bytes, keep) = match path {
            "/plugins/a.b/t/chunked" => (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX: y\r\n\r\n".to_owned(),
                Keep::Yes,
            ),
            "/plugins/a.b/t/close" => ("HTTP/1.1 200 OK\r\n\r\nuntil the end".to_owned(), Keep::No),
            "/plugins/a.b/t/empty" => ("HTTP/1.1 204 None\r\n\r\n".to_owned(), Keep::Yes),
            "/plugins/a.b/t/interim" => (
                format!("HTTP/1.1 103 Early\r\nLink: x\r\n\r\n{}", reply(200, "", "late")),
                Keep::Yes,
            ),
            "/plugins/a.b/t/big" => (reply(200, "", &sent), Keep::Yes),
            _ => ("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n".to_owned(), Keep::Yes),
        };
        stream.write_all(bytes.as_bytes()).unwrap();
        keep
    });
    let names = ["chunked", "close", "empty", "interim", "big", "head"];
    let routes: String = names
        .map(|name| {
            route(
                "a.b",
                &format!("/plugins/a.b/t/{name}"),
                &[&format!("/o/{name}")],
            )
        })
        .concat();
    let shim = Shim::start(agent.address, &routes, "");
    // On one connection, so that each reply has to end where it says.
    let mut stream = shim.connect();
    let mut fetch = |method: &str, name: &str| {
        write!(stream, "{method} /o/{name} HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        let reply = read_message(&mut stream, method == "HEAD").unwrap();
        (reply.status(), reply.text())
    };
    for _ in 0..2 {
        assert_eq!(fetch("GET", "chunked"), (200, "abcde".to_owned()));
        assert_eq!(fetch("GET", "close"), (200, "until the end".to_owned()));
        assert_eq!(fetch("GET", "empty"), (204, String::new()));
        assert_eq!(fetch("GET", "interim"), (200, "late".to_owned()));
        assert_eq!(fetch("HEAD", "head"), (200, String::new()));
        assert!(fetch("GET", "big") == (200, big.clone()));
    }
}

#[test]
fn requests_that_come_together_are_answered_in_their_order() {
    let agent = Agent::start(|request, stream| {
        stream
            .write_all(reply(200, "", &request.text()).as_bytes())
            .unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, "");
    let mut stream = shim.connect();
    let requests: String = (0..20)
        .map(|number| post("/api/webhook/github", "", &format!("body {number}")))
        .collect();
    // Cut in the middle of a head and of a body.
    let (first, second) = requests.split_at(requests.len() / 2 + 3);
    stream.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    stream.write_all(second.as_bytes()).unwrap();
    for number in 0..20 {
        let reply = read_message(&mut stream, false).unwrap();
        assert_eq!(reply.text(), format!("body {number}"));
    }
    assert_eq!(
        agent.connections(),
        1,
        "one connection is kept and used again"
    );
}

#[test]
fn a_sender_that_waits_for_100_gets_it() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let mut stream = shim.connect();
    stream
        .write_all(b"POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ab").unwrap();
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 200);
    assert_eq!(agent.request().header("expect"), None);
}

#[test]
fn an_old_version_of_http_gets_a_reply_that_it_understands() {
    let agent = Agent::start(|_, stream| {
        let reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        stream.write_all(reply.as_bytes()).unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, "");
    let mut stream = shim.connect();
    stream
        .write_all(b"POST /api/webhook/github HTTP/1.0\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
        .unwrap();
    let text = String::from_utf8(read_to_end(&mut stream)).unwrap();
    assert!(text.contains("Connection: close\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\nabc"), "{text}");
}

#[test]
fn parameters_of_a_path_go_on_as_they_came() {
    let agent = Agent::start(ok);
    let routes = route(
        "a.b",
        "/plugins/a.b/job/{id}",
        &["/api/plugin/a.b/webhook/job/{id}"],
    );
    let shim = Shim::start(
        agent.address,
        &routes,
        "public_url = \"https://new.example/\"\n",
    );
    let reply = shim.send(get("/api/plugin/a.b/webhook/job/%e4%b8%ad%20x?q"));
    assert_eq!(reply.status(), 200);
    assert!(
        agent
            .request()
            .first
            .starts_with("GET /plugins/a.b/job/%e4%b8%ad%20x?q HTTP")
    );
    assert_eq!(
        reply.header("link").as_deref(),
        Some("<https://new.example/plugins/a.b/job/%e4%b8%ad%20x>; rel=\"successor-version\"")
    );
    for path in ["a%2fb", "%2e%2e", "..", "a%5Cb", "%252f"] {
        let reply = shim.send(get(&format!("/api/plugin/a.b/webhook/job/{path}")));
        assert_eq!(reply.status(), 400, "{path}");
    }
    assert_eq!(agent.requests().len(), 1);
}

#[test]
fn what_the_server_itself_is_asked_it_answers_itself() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let reply = shim.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(reply.status(), 200);
    assert!(reply.header("allow").unwrap().contains("POST"));
    let reply = shim.send(get("/api/webhook/github"));
    assert_eq!(
        (reply.status(), reply.header("allow").as_deref()),
        (405, Some("POST"))
    );
    assert!(reply.header("deprecation").is_some());
    let reply = shim.send(get("/elsewhere"));
    assert_eq!(reply.status(), 404);
    assert!(reply.header("date").unwrap().ends_with(" GMT"));
    assert_eq!(reply.json()["served"][0], "/api/webhook/github");
    assert_eq!(agent.connections(), 0);
}

#[test]
fn ipv6_is_spoken_on_both_sides() {
    let agent = Agent::start_at("[::1]:0".parse().unwrap(), ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    assert_eq!(shim.post("x").status(), 200);
    assert_eq!(
        agent.request().header("host"),
        Some(agent.address.to_string())
    );
}

#[test]
fn bytes_beyond_ascii_in_a_target_go_on_as_they_came() {
    let agent = Agent::start(ok);
    let routes = [GITHUB, &route("a.b", "/plugins/a.b/t/{id}", &["/o/{id}"])].concat();
    let shim = Shim::start(agent.address, &routes, "passthrough = true\n");
    for (old, new) in [
        (
            &b"/api/webhook/github?a=\xff\xfe&b=\xe4\xb8\xad"[..],
            &b"/plugins/KroMiose.github/github?a=\xff\xfe&b=\xe4\xb8\xad"[..],
        ),
        (b"/o/\xe4\xb8\xff?\x80", b"/plugins/a.b/t/\xe4\xb8\xff?\x80"),
        (b"/else\xffwhere?\xc3", b"/else\xffwhere?\xc3"),
    ] {
        let version = [
            &b"POST "[..],
            old,
            b" HTTP/1.1\r\nHost: h\r\nX: \xff\r\n\r\n",
        ]
        .concat();
        assert_eq!(shim.send(version).status(), 200, "{}", old.escape_ascii());
        let seen = agent.request();
        let expected = [&b"POST "[..], new, b" HTTP/1.1\r\n"].concat();
        assert!(
            seen.head.starts_with(&expected),
            "{}",
            seen.head.escape_ascii()
        );
        assert!(memchr::memmem::find(&seen.head, b"\r\nX: \xff\r\n").is_some());
        agent.forget();
    }
}

#[test]
fn a_later_minor_version_is_read_as_the_one_that_is_known() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let mut stream = shim.connect();
    for _ in 0..2 {
        // The connection is kept, as with HTTP/1.1.
        let request = post("/api/webhook/github", "", "x").replace("HTTP/1.1", "HTTP/1.2");
        stream.write_all(request.as_bytes()).unwrap();
        let reply = read_message(&mut stream, false).unwrap();
        assert!(reply.first.starts_with("HTTP/1.1 200 "), "{}", reply.first);
    }
    assert!(agent.requests()[1].first.ends_with(" HTTP/1.1"));
}

#[test]
fn the_reason_of_a_reply_comes_back_as_it_was() {
    for reason in [
        &b" Gr\xfc\xdfe"[..],
        " 处理 完成".as_bytes(),
        b" Odd  one",
        b" ",
        b"",
    ] {
        let agent = Agent::start(move |_, stream| {
            let reply = [b"HTTP/1.1 200", reason, b"\r\nContent-Length: 0\r\n\r\n"].concat();
            stream.write_all(&reply).unwrap();
            Keep::Yes
        });
        let shim = Shim::start(agent.address, GITHUB, "");
        let reply = shim.post("x");
        let reason = if reason.is_empty() { b" " } else { reason };
        let first = [b"HTTP/1.1 200", reason, b"\r\n"].concat();
        assert!(
            reply.head.starts_with(&first),
            "{}",
            reply.head.escape_ascii()
        );
    }
}

#[test]
fn the_authority_of_a_whole_url_is_the_host_that_was_meant() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let url = "http://meant.example:81/api/webhook/github";
    assert_eq!(shim.send(post(url, "", "x")).status(), 200);
    let seen = agent.request();
    assert_eq!(seen.header("host"), Some(agent.address.to_string()));
    assert_eq!(
        seen.header("x-forwarded-host").as_deref(),
        Some("meant.example:81")
    );
}

#[test]
fn what_a_route_says_of_its_own_end_holds() {
    const CONFIG: &str = "deprecated_since = 2026-01-02\nsunset = 2026-12-31\n";
    const LINK: &str = "</plugins/KroMiose.github/github>; rel=\"successor-version\"";
    const SUNSET: &str = "Thu, 31 Dec 2026 00:00:00 GMT";
    for (own, deprecation, sunset, link) in [
        ("", "@1767312000", SUNSET, LINK.to_owned()),
        ("dePRECation: @1\r\n", "@1", SUNSET, LINK.to_owned()),
        ("sunset: soon\r\n", "@1767312000", "soon", LINK.to_owned()),
        (
            "Deprecation: @2\r\nSunset: later\r\nLink: </next>; rel=\"next\"\r\n",
            "@2",
            "later",
            format!("</next>; rel=\"next\", {LINK}"),
        ),
    ] {
        let agent = Agent::start(move |_, stream| {
            stream.write_all(reply(200, own, "ok").as_bytes()).unwrap();
            Keep::Yes
        });
        let shim = Shim::start(agent.address, GITHUB, CONFIG);
        let reply = shim.post("x");
        let header = |name| reply.header(name).unwrap();
        assert_eq!(header("deprecation"), deprecation);
        assert_eq!(header("sunset"), sunset);
        assert_eq!(header("link"), link);
    }
}

#[test]
fn where_a_request_comes_from_is_not_for_anyone_to_say() {
    let claims = "X-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-Port: 1\r\n";
    let disguised = "X_Forwarded_For: 1.2.3.4\r\nX-Real_IP: 1.2.3.4\r\nx_forwarded-host: evil\r\n";
    for (config, arrive) in [("", false), ("trusted_proxies = [\"127.0.0.1\"]\n", true)] {
        let agent = Agent::start(ok);
        let shim = Shim::start(agent.address, GITHUB, config);
        let lines = format!("{claims}{disguised}X_Own: 1\r\n");
        assert_eq!(
            shim.send(post("/api/webhook/github", &lines, "x")).status(),
            200
        );
        let seen = agent.request();
        for name in ["X-Real-IP", "Forwarded", "X-Forwarded-Port"] {
            assert_eq!(seen.header(name).is_some(), arrive, "{name}");
        }
        for name in ["X_Forwarded_For", "X-Real_IP", "x_forwarded-host"] {
            assert_eq!(seen.header(name), None, "{name}");
        }
        assert_eq!(seen.header("x-forwarded-for").as_deref(), Some("127.0.0.1"));
        assert_eq!(seen.header("x_own").as_deref(), Some("1"));
    }
}
