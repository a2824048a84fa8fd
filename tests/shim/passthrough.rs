//! The shim in front of the whole agent: streams and WebSockets.

use std::io::{Read, Write};
use std::sync::mpsc;

use crate::support::*;

const ON: &str = "passthrough = true\n[limits]\nbody = \"1KiB\"\ntotal = \"500ms\"\n";

#[test]
fn everything_else_goes_to_the_agent_as_it_is() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, ON);
    let request = "DELETE /x/%2e%2e//y?a=b HTTP/1.1\r\nHost: h\r\nCookie: c\r\nX-Odd: 1\r\n\r\n";
    let reply = shim.send(request);
    assert_eq!((reply.status(), reply.text()), (200, "ok".to_owned()));
    assert_eq!(reply.header("deprecation"), None);
    let seen = agent.request();
    assert_eq!(seen.first, "DELETE /x/%2e%2e//y?a=b HTTP/1.1");
    assert_eq!(seen.header("x-odd").as_deref(), Some("1"));
    assert_eq!(shim.post("x").status(), 200);
    assert!(
        agent.requests()[1]
            .first
            .contains("/plugins/KroMiose.github/github")
    );
}

#[test]
fn bodies_are_streamed_whatever_their_size() {
    let agent = Agent::start(|request, stream| {
        let length = request.body.len().to_string();
        stream
            .write_all(reply(200, "", &length).as_bytes())
            .unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, ON);
    let mut stream = shim.connect();
    for _ in 0..2 {
        let body = "x".repeat(3 << 20);
        stream
            .write_all(post("/upload", "", &body).as_bytes())
            .unwrap();
        let reply = read_message(&mut stream, false).unwrap();
        assert_eq!(reply.text(), body.len().to_string());
        let head = "POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunk = format!("{:x}\r\n{}\r\n", 100_000, "y".repeat(100_000));
        stream
            .write_all(format!("{head}{}0\r\n\r\n", chunk.repeat(20)).as_bytes())
            .unwrap();
        assert_eq!(read_message(&mut stream, false).unwrap().text(), "2000000");
    }
}

#[test]
fn a_stream_arrives_piece_by_piece() {
    let (go_on, waits) = mpsc::channel::<()>();
    let waits = std::sync::Mutex::new(waits);
    let agent = Agent::start(move |_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            .unwrap();
        for number in 0..3 {
            let piece = format!("8\r\ndata: {number}\n\r\n");
            stream.write_all(piece.as_bytes()).unwrap();
            // The next piece is made only when this one has arrived.
            waits.lock().unwrap().recv().unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, ON);
    let mut stream = shim.connect();
    stream.write_all(get("/events").as_bytes()).unwrap();
    let mut text = String::new();
    for number in 0..3 {
        while !text.contains(&format!("data: {number}")) {
            let mut bytes = [0; 512];
            let read = stream.read(&mut bytes).unwrap();
            text += std::str::from_utf8(&bytes[..read]).unwrap();
        }
        go_on.send(()).unwrap();
    }
}

#[test]
fn a_short_reply_arrives_piece_by_piece_too() {
    let (go_on, waits) = mpsc::channel::<()>();
    let waits = std::sync::Mutex::new(waits);
    let agent = Agent::start(move |_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
            .unwrap();
        // The rest is made only when this has arrived.
        waits.lock().unwrap().recv().unwrap();
        stream.write_all(b"two").unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, ON);
    let mut stream = shim.connect();
    for _ in 0..2 {
        stream.write_all(get("/slow").as_bytes()).unwrap();
        let mut text = String::new();
        for (piece, last) in [("one", false), ("two", true)] {
            while !text.ends_with(piece) {
                let mut bytes = [0; 512];
                let read = stream.read(&mut bytes).unwrap();
                text += std::str::from_utf8(&bytes[..read]).unwrap();
            }
            if !last {
                go_on.send(()).unwrap();
            }
        }
    }
}

#[test]
fn a_stream_ends_when_its_reader_has_left() {
    let (left, noticed) = mpsc::channel();
    let left = std::sync::Mutex::new(left);
    let agent = Agent::start(move |_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            .unwrap();
        let mut byte = [0];
        left.lock()
            .unwrap()
            .send(stream.read(&mut byte).unwrap_or(0))
            .unwrap();
        Keep::No
    });
    let shim = Shim::start(agent.address, GITHUB, ON);
    let mut stream = shim.connect();
    stream.write_all(get("/events").as_bytes()).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    drop(stream);
    assert_eq!(
        noticed.recv_timeout(PATIENCE).unwrap(),
        0,
        "the agent sees the end"
    );
}

#[test]
fn a_websocket_goes_through_in_both_directions() {
    let agent = Agent::start(|request, stream| {
        assert_eq!(request.header("upgrade").as_deref(), Some("websocket"));
        assert_eq!(request.header("connection").as_deref(), Some("Upgrade"));
        assert_eq!(request.header("sec-websocket-key").as_deref(), Some("abc"));
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello")
            .unwrap();
        let mut bytes = [0; 1024];
        while let Ok(read @ 1..) = stream.read(&mut bytes) {
            stream.write_all(&bytes[..read]).unwrap();
        }
        Keep::No
    });
    let shim = Shim::start(agent.address, GITHUB, ON);
    let mut stream = shim.connect();
    // What follows the head at once must not be lost.
    stream
        .write_all(b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n\r\nearly")
        .unwrap();
    let head = read_message(&mut stream, false).unwrap();
    assert_eq!(head.status(), 101);
    assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
    assert_eq!(head.header("sec-websocket-accept").as_deref(), Some("x"));
    let mut echoed = [0; 10];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"helloearly");
    for round in 0..50u8 {
        let bytes = [round; 700];
        stream.write_all(&bytes).unwrap();
        let mut back = [0; 700];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, bytes);
    }
}

#[test]
fn nothing_else_goes_through_when_it_is_off() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    assert_eq!(
        shim.send(get("/plugins/KroMiose.github/github")).status(),
        404
    );
    assert_eq!(agent.connections(), 0);
}

#[test]
fn an_upgrade_is_not_made_on_a_webhook() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, ON);
    let lines = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    assert_eq!(
        shim.send(post("/api/webhook/github", lines, "x")).status(),
        200
    );
    assert_eq!(agent.request().header("upgrade"), None);
}

/// Behind `h2c` there would be requests that nobody here has looked at.
#[test]
fn no_other_protocol_is_switched_to() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, ON);
    for lines in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
        "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
    ] {
        let request = format!("GET /ws HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        assert_eq!(shim.send(request).status(), 200, "{lines}");
    }
    let requests = agent.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert_eq!(request.header("upgrade"), None);
        assert_eq!(request.header("connection"), None);
    }
}

/// A sender that has vanished says nothing, not even that.
#[test]
fn the_system_asks_whether_who_is_silent_is_still_there() {
    let agent = Agent::start(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            .unwrap();
        let _ = stream.read(&mut [0]);
        Keep::No
    });
    let shim = Shim::start(agent.address, GITHUB, ON);
    let mut stream = shim.connect();
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .unwrap();
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 101);
    let sender = stream.local_addr().unwrap().port();
    let (to_sender, to_agent) = (
        format!(":{:04X} 0100007F:{sender:04X}", shim.address.port()),
        format!(" 0100007F:{:04X}", agent.address.port()),
    );
    // The kind of the timer that runs: 02 is that of keepalive.
    let is_asked = |of: &str| {
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut lines = sockets.lines().filter(|line| line.contains(of));
        lines.any(|line| line.split_whitespace().nth(5).unwrap().starts_with("02:"))
    };
    wait_until("the sender is asked", || is_asked(&to_sender));
    wait_until("the agent is asked", || is_asked(&to_agent));
}
