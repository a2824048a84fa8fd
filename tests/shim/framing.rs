//! Tricks with the framing: each is refused, and the agent has not seen a byte.

use std::io::Write;

use crate::support::*;

/// A request that is refused whatever its path.
fn check(shim: &Shim, agent: &Agent, status: u16, request: &[u8]) {
    let mut stream = shim.connect();
    // The shim may answer before it has read everything.
    let _ = stream.write_all(request);
    let reply = read_message(&mut stream, false)
        .unwrap_or_else(|| panic!("no reply to {}", request.escape_ascii()));
    assert_eq!(reply.status(), status, "{}", request.escape_ascii());
    assert_eq!(reply.header("connection").as_deref(), Some("close"));
    assert_eq!(read_to_end(&mut stream), b"", "nothing follows");
    assert_eq!(agent.connections(), 0, "{}", request.escape_ascii());
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let agent = Agent::start(ok);
    let shim = Shim::start(
        agent.address,
        GITHUB,
        "passthrough = true\nwith_legacy = true\n",
    );
    let smuggled = "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: h\r\n\r\n";
    for path in [
        "/api/webhook/github",
        "/anything/else",
        "/api/webhook/other",
    ] {
        for lines in [
            "Host: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            "Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n",
            "Host: h\r\ntransfer-encoding: Chunked\r\ncontent-length: 6\r\n",
            "Host: h\r\nTransfer-Encoding: xchunked\r\n",
            "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n",
            "Host: h\r\nTransfer-Encoding: chunked, identity\r\n",
            "Host: h\r\nTransfer-Encoding: identity\r\n",
            "Host: h\r\nTransfer-Encoding: \"chunked\"\r\n",
            "Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Host: h\r\nTransfer-Encoding:\x0bchunked\r\n",
            "Host: h\r\nTransfer-Encoding : chunked\r\n",
            "Host: h\r\nTransfer-Encoding: chun\r\n ked\r\n",
            "Host: h\r\nX: y\r\nTransfer-Encoding:\r\n chunked\r\n",
            "Host: h\r\nContent-Length: 6\r\nContent-Length: 6\r\n",
            "Host: h\r\nContent-Length: 6\r\nContent-Length: 7\r\n",
            "Host: h\r\nContent-Length: 6, 6\r\n",
            "Host: h\r\nContent-Length: +6\r\n",
            "Host: h\r\nContent-Length: -6\r\n",
            "Host: h\r\nContent-Length: 0x6\r\n",
            "Host: h\r\nContent-Length: 6 6\r\n",
            "Host: h\r\nContent-Length: \r\n",
            "Host: h\r\nContent-Length : 6\r\n",
            "Host: h\r\nContent-Length: 18446744073709551622\r\n",
            "",
            "Host: a\r\nHost: b\r\n",
            "Host: h\r\nhost: h\r\n",
            "Host: \r\n",
            "Host: a/b\r\n",
            "Host: h\r\nX: a\rContent-Length: 3\r\n",
            "Host: h\nX: y\r\n",
            "Host: h\r\nX: a\x00b\r\n",
            "Host: h\r\n: x\r\n",
            "Host: h\r\nno colon\r\n",
            "Host: h\r\nConnection: close, X-Hub-Signature-256\r\n",
            "Host: h\r\nConnection: authorization\r\n",
            "Host: h\r\nConnection: Content-Length\r\n",
            "Host: h\r\nConnection: x-forwarded-for\r\n",
            "Host: h\r\nConnection: Forwarded\r\n",
            "Host: h\r\nConnection: keep-alive, X-Gitlab-Token\r\n",
        ] {
            let request = format!("POST {path} HTTP/1.1\r\n{lines}\r\n{smuggled}");
            check(&shim, &agent, 400, request.as_bytes());
        }
    }
}

#[test]
fn broken_chunks_are_refused() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    for body in [
        "\r\n",
        "-1\r\n",
        "0x1\r\na\r\n",
        "1\nab\r\n",
        "1\r\nabc\r\n0\r\n\r\n",
        "1\r\na\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "1 ;\n\r\na\r\n",
        "0\r\nX: y\n\r\n",
        "g\r\n",
        "1 x\r\na\r\n0\r\n\r\n",
        "1 0\r\na\r\n0\r\n\r\n",
        "1\t1;x\r\na\r\n0\r\n\r\n",
    ] {
        let request = format!(
            "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        );
        check(&shim, &agent, 400, request.as_bytes());
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "passthrough = true\n");
    for (status, request) in [
        (
            405,
            &b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"[..],
        ),
        (
            405,
            b"CONNECT /api/webhook/github HTTP/1.1\r\nHost: h\r\n\r\n",
        ),
        (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"),
        (400, b"GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET api/webhook/github HTTP/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"),
        (
            400,
            b"GET http://user:password@h/a HTTP/1.1\r\nHost: h\r\n\r\n",
        ),
        (
            400,
            b"GET http:///api/webhook/github HTTP/1.1\r\nHost: h\r\n\r\n",
        ),
        (400, b"GET http://a,b\"<>/ HTTP/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET http://h\xff/ HTTP/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET /\r\n\r\n"),
        (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (400, b"PO ST / HTTP/1.1\r\nHost: h\r\n\r\n"),
        (505, b"GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
        (505, b"GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
        (400, b"GET / HTTP/1.10\r\nHost: h\r\n\r\n"),
        (400, b"GET / http/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET /?a\x7f HTTP/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET /?\xff\x01 HTTP/1.1\r\nHost: h\r\n\r\n"),
        (400, b"GET / HTTP/1.0\r\n\r\n"),
        (
            400,
            b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            417,
            b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n",
        ),
        (400, b"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    ] {
        check(&shim, &agent, status, request);
    }
}

#[test]
fn replies_that_can_be_read_in_two_ways_do_not_get_through() {
    for lines in [
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: x\r\n",
    ] {
        let agent = Agent::start(move |_, stream| {
            write!(stream, "HTTP/1.1 200 OK\r\n{lines}\r\nab").unwrap();
            Keep::No
        });
        let shim = Shim::start(agent.address, GITHUB, "");
        assert_eq!(shim.post("x").status(), 502, "{lines:?}");
    }
}

/// What an agent that answers with `text` and closes looks like to a sender.
fn answered(text: impl Into<String>) -> Message {
    let text = text.into();
    let agent = Agent::start(move |_, stream| {
        let _ = stream.write_all(text.as_bytes());
        Keep::No
    });
    Shim::start(agent.address, GITHUB, "").post("x")
}

#[test]
fn a_size_may_be_padded_and_have_an_extension() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    for body in [
        "1 \r\na\r\n0\r\n\r\n",
        "1\t ;a=b\r\na\r\n0;x\r\n\r\n",
        "001\r\na\r\n00\r\n\r\n",
    ] {
        let head =
            "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(shim.send(format!("{head}{body}")).status(), 200, "{body:?}");
    }
}

#[test]
fn a_reply_has_one_length_where_it_has_a_body() {
    let twice =
        answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\ncontent-length: 2\r\n\r\nab");
    assert_eq!((twice.status(), twice.text()), (200, "ab".to_owned()));
    assert_eq!(twice.header("content-length").as_deref(), Some("2"));
    let none = answered("HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((none.status(), none.header("content-length")), (204, None));
    let empty = answered("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(empty.header("content-length").as_deref(), Some("0"));
}

#[test]
fn a_status_has_three_digits_that_count() {
    for status in ["042", "000", "099"] {
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(answered(text).status(), 502, "{status}");
    }
}

#[test]
fn a_reply_may_have_a_head_of_64_kib() {
    let head = |size: usize| {
        let line = format!("X: {}\r\n", "y".repeat(995));
        format!(
            "HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n",
            line.repeat(size)
        )
    };
    assert_eq!(answered(head(64)).status(), 200);
    assert_eq!(answered(head(70)).status(), 502);
}
