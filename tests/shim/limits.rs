//! Limits of size and time, and what is said when they are reached.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::support::*;

#[test]
fn a_body_over_the_limit_is_refused_from_its_head_alone() {
    let agent = Agent::start(ok);
    let config =
        "[limits]\nbody = \"100B\"\n[[route]]\nplugin = \"KroMiose.github\"\nbody = \"200B\"\n";
    let routes = [GITHUB, &route("a.b", "/plugins/a.b/t", &["/o"])].concat();
    let shim = Shim::start(agent.address, &routes, config);
    for (path, fits) in [("/o", 100), ("/api/webhook/github", 200)] {
        assert_eq!(shim.send(post(path, "", &"x".repeat(fits))).status(), 200);
        let mut stream = shim.connect();
        // Not a byte of the body, and no 100 Continue either.
        let length = fits + 1;
        write!(stream, "POST {path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n").unwrap();
        let bytes = read_to_end(&mut stream);
        assert!(
            bytes.starts_with(b"HTTP/1.1 413 "),
            "{}",
            bytes.escape_ascii()
        );
    }
    let chunks = format!("{:x}\r\n{}\r\n", 150, "x".repeat(150)).repeat(2);
    let request =
        format!("POST /o HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    assert_eq!(shim.send(request).status(), 413);
    assert_eq!(agent.requests().len(), 2);
}

#[test]
fn a_refused_sender_gets_to_read_why() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "[limits]\nbody = \"1KiB\"\n");
    let request = post("/api/webhook/github", "", &"x".repeat(1 << 20));
    let mut stream = shim.connect();
    // It goes on sending while it is refused; on a connection that was closed at once, the second
    // piece would be answered with a reset, which throws the reply away.
    for piece in request.as_bytes().chunks(300 << 10) {
        stream.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 413);
    assert_eq!(read_to_end(&mut stream), b"");
}

#[test]
fn headers_over_the_limit_are_refused() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "[limits]\nhead = \"2KiB\"\n");
    let with = |lines: &str| shim.send(post("/api/webhook/github", lines, "x")).status();
    assert_eq!(with(&format!("X: {}\r\n", "y".repeat(1_000))), 200);
    assert_eq!(with(&format!("X: {}\r\n", "y".repeat(2_000))), 431);
    assert_eq!(with(&format!("X: {}\r\n", "y".repeat(100_000))), 431);
    assert_eq!(with(&"X: y\r\n".repeat(129)), 431);
    let long = post(&format!("/{}", "y".repeat(5_000)), "", "x");
    assert_eq!(shim.send(long).status(), 431);
}

#[test]
fn a_sender_that_is_slow_is_given_up() {
    let agent = Agent::start(ok);
    let config = "[limits]\nhead_time = \"300ms\"\nbody_gap = \"300ms\"\nidle = \"300ms\"\n";
    let shim = Shim::start(agent.address, GITHUB, config);
    let started_a_head = "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\n";
    assert_eq!(shim.send(started_a_head).status(), 408);
    let started_a_body = format!("{started_a_head}Content-Length: 5\r\n\r\nab");
    assert_eq!(shim.send(started_a_body).status(), 408);
    let mut silent = shim.connect();
    assert_eq!(read_to_end(&mut silent), b"", "closed without a word");
    let mut kept = shim.connect();
    kept.write_all(post("/api/webhook/github", "", "x").as_bytes())
        .unwrap();
    assert_eq!(read_message(&mut kept, false).unwrap().status(), 200);
    assert_eq!(
        read_to_end(&mut kept),
        b"",
        "closed when no other request comes"
    );
    assert_eq!(agent.requests().len(), 1);
}

#[test]
fn a_head_that_never_ends_is_logged_with_the_time_that_it_took() {
    let agent = Agent::start(ok);
    let config = "log = \"json\"\n[limits]\nhead_time = \"300ms\"\nhead = \"1KiB\"\n";
    let shim = Shim::start(agent.address, GITHUB, config);
    assert_eq!(shim.send("POST / HTTP/1.1\r\n").status(), 408);
    let mut stream = shim.connect();
    stream.write_all(b"POST / HTTP/1.1\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let long = format!("X: {}\r\n", "y".repeat(2_000));
    stream.write_all(long.as_bytes()).unwrap();
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 431);
    let log = shim.log();
    for (status, least) in [(408, 299.0), (431, 50.0)] {
        let took = log.lines().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            (line["status"] == status).then(|| line["ms"].as_f64().unwrap())
        });
        assert!(took.unwrap() >= least, "{log}");
    }
}

#[test]
fn an_agent_that_never_answers_is_a_504() {
    // It holds the request until the reply is there: whoever waits for it waits for ever.
    let (answered, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let agent = Agent::start(move |_, _| {
        let _ = wait.lock().unwrap().recv();
        Keep::No
    });
    let shim = Shim::start(agent.address, GITHUB, "[limits]\ntotal = \"300ms\"\n");
    assert_eq!(shim.post("x").status(), 504);
    assert_eq!(agent.requests().len(), 1, "it was asked");
    drop(answered);
}

#[test]
fn an_agent_that_answers_half_is_a_502() {
    for half in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "SSH-2.0-x\r\n\r\n",
    ] {
        let agent = Agent::start(move |_, stream| {
            stream.write_all(half.as_bytes()).unwrap();
            Keep::No
        });
        let shim = Shim::start(agent.address, GITHUB, "");
        let reply = shim.post("x");
        assert_eq!(reply.status(), 502, "{half:?}");
        assert!(reply.header("retry-after").is_some());
        assert_eq!(agent.requests().len(), 1, "not sent twice");
    }
}

#[test]
fn half_of_a_long_reply_is_not_taken_for_a_whole_one() {
    let agent = Agent::start(|_, stream| {
        let half = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n{}",
            "x".repeat(400_000)
        );
        stream.write_all(half.as_bytes()).unwrap();
        Keep::No
    });
    let shim = Shim::start(agent.address, GITHUB, "");
    let mut stream = shim.connect();
    stream
        .write_all(post("/api/webhook/github", "", "x").as_bytes())
        .unwrap();
    assert!(read_message(&mut stream, false).is_none());
}

#[test]
fn an_agent_that_is_not_there_is_a_503() {
    let mut agent = Agent::start(ok);
    agent.stop();
    let shim = Shim::start(agent.address, GITHUB, "[limits]\nreconnect = \"200ms\"\n");
    let reply = shim.post("x");
    assert_eq!(reply.status(), 503);
    assert!(reply.header("retry-after").is_some());
    assert_eq!(reply.json()["error"], "upstream_gone");
}

#[test]
fn an_agent_that_is_not_there_is_a_503_also_when_there_is_less_time_than_to_wait_for_it() {
    let mut agent = Agent::start(ok);
    agent.stop();
    let config = "[limits]\nreconnect = \"20s\"\ntotal = \"300ms\"\n";
    let shim = Shim::start(agent.address, GITHUB, config);
    let reply = shim.post("x");
    assert_eq!((reply.status(), reply.text().contains("gone")), (503, true));
    assert!(reply.header("retry-after").is_some());
}

#[test]
fn an_agent_that_takes_no_bytes_is_a_504() {
    // Takes connections, and reads nothing from them.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = "[limits]\ntotal = \"2s\"\n";
    let shim = Shim::start(listener.local_addr().unwrap(), GITHUB, config);
    assert_eq!(shim.post(&"x".repeat(24 << 20)).status(), 504);
}

#[test]
fn a_short_reply_that_does_not_come_to_its_end_in_time_is_a_504() {
    let agent = Agent::start(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            .unwrap();
        // Nothing more comes, and the connection stays.
        let mut byte = [0];
        let _ = std::io::Read::read(stream, &mut byte);
        Keep::No
    });
    let shim = Shim::start(agent.address, GITHUB, "[limits]\ntotal = \"300ms\"\n");
    assert_eq!(shim.post("x").status(), 504);
}

#[test]
fn an_agent_that_answers_before_it_has_read_everything_is_heard() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut some = [0; 1000];
        std::io::Read::read_exact(&mut stream, &mut some).unwrap();
        stream
            .write_all(reply(413, "", "too much").as_bytes())
            .unwrap();
        // Closed with the rest unread: whoever writes on is told so by a reset.
        std::thread::sleep(Duration::from_millis(300));
    });
    let shim = Shim::start(address, GITHUB, "probe = \"off\"\n");
    let reply = shim.post(&"x".repeat(24 << 20));
    assert_eq!((reply.status(), reply.text()), (413, "too much".to_owned()));
    answering.join().unwrap();
}

/// An agent that answers when it has read the beginning of a request, and then neither reads on nor
/// closes.
fn answers_early(wait: mpsc::Receiver<()>) -> (std::net::SocketAddr, std::thread::JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Read::read_exact(&mut stream, &mut [0; 1000]).unwrap();
        let text = reply(413, "", "too much");
        stream.write_all(b"HTTP/1.1 103 Early\r\n\r\n").unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let _ = wait.recv();
    });
    (address, answering)
}

#[test]
fn an_agent_that_answers_and_reads_no_more_is_heard_at_once() {
    let body = "x".repeat(24 << 20);
    // Nothing but the answer ends any of these.
    let config = "probe = \"off\"\npassthrough = true\n[limits]\ntotal = \"1h\"\nidle = \"1h\"\nbody_gap = \"1h\"\n";
    let head = "POST /elsewhere HTTP/1.1\r\nHost: h\r\n";
    for request in [
        post("/api/webhook/github", "", &body),
        post("/elsewhere", "", &body),
        format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}",
            25 << 20
        ),
        // A sender that is slow itself.
        format!("{head}Content-Length: 9000\r\n\r\n{}", "x".repeat(2_000)),
    ] {
        let (end, wait) = mpsc::channel();
        let (address, answering) = answers_early(wait);
        let shim = Shim::start(address, GITHUB, config);
        let mut stream = shim.connect();
        let mut sending = stream.try_clone().unwrap();
        let sent = std::thread::spawn(move || {
            // It is not read to its end.
            let _ = sending.write_all(request.as_bytes());
        });
        let reply = read_message(&mut stream, false).expect("a reply");
        assert_eq!((reply.status(), reply.text()), (413, "too much".to_owned()));
        drop(end);
        answering.join().unwrap();
        drop(shim);
        sent.join().unwrap();
    }
}

#[test]
fn the_time_for_the_answer_begins_with_the_last_byte_of_the_body() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "[limits]\ntotal = \"500ms\"\n");
    let mut stream = shim.connect();
    let request = post("/api/webhook/github", "", "0123456789");
    let (beginning, end) = request.split_at(request.len() - 5);
    stream.write_all(beginning.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(1_000));
    stream.write_all(end.as_bytes()).unwrap();
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 200);
}

#[test]
fn a_body_that_trickles_in_is_given_up() {
    let agent = Agent::start(ok);
    let config = "[limits]\nbody_gap = \"1h\"\nbody_rate = \"1MiB\"\n";
    let shim = Shim::start(agent.address, GITHUB, config);
    let mut stream = shim.connect();
    let head = "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut sending = stream.try_clone().unwrap();
    let sent = std::thread::spawn(move || {
        while sending.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 408);
    drop((shim, stream));
    sent.join().unwrap();
}

#[test]
fn large_bodies_share_their_memory() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let agent = Agent::start(move |request, stream| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        now.fetch_sub(1, Ordering::SeqCst);
        ok(request, stream)
    });
    let config = "[limits]\nmemory = \"4MiB\"\ntotal = \"60s\"\n";
    let shim = Shim::start(agent.address, GITHUB, config);
    let body = "x".repeat(2 << 20);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(shim.post(&body).status(), 200));
        }
    });
    let most = seen.load(Ordering::SeqCst);
    assert!((1..=2).contains(&most), "{most} bodies at once");
}

#[test]
fn a_body_that_never_fits_is_answered_and_warned_of() {
    let agent = Agent::start(ok);
    let limits = "[limits]\nmemory = \"1MiB\"\nbody = \"4MiB\"\ntotal = \"2s\"\n";
    let shim = Shim::start(agent.address, GITHUB, limits);
    let large = "x".repeat(2 << 20);
    let chunked = format!(
        "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let with_length = post("/api/webhook/github", "", &large);
    for request in [with_length, chunked] {
        let mut stream = shim.connect();
        // It may be answered before it has been read.
        let _ = stream.write_all(request.as_bytes());
        let reply = read_message(&mut stream, false).unwrap();
        assert_eq!(
            (reply.status(), reply.json()["error"].as_str()),
            (503, Some("busy"))
        );
    }
    assert!(agent.requests().is_empty());
    assert_eq!(shim.post("x").status(), 200);
    let folder = tempfile::tempdir().unwrap();
    let upstream = format!("upstream = \"http://{}\"\n{limits}", agent.address);
    write_files(folder.path(), GITHUB, &upstream);
    let output = run(folder.path(), &["shim", "--config", "shim.toml", "--check"]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        err.contains("`memory` is smaller than the largest `body`"),
        "{err}"
    );
}

#[test]
fn too_many_connections_are_not_taken() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "[limits]\nconnections = 3\n");
    let kept: Vec<_> = (0..3).map(|_| shim.connect()).collect();
    let mut one_more = shim.connect();
    assert_eq!(read_to_end(&mut one_more), b"");
    drop(kept);
    wait_until("there is room again", || {
        let mut stream = shim.connect();
        let _ = stream.write_all(post("/api/webhook/github", "", "x").as_bytes());
        read_message(&mut stream, false).is_some()
    });
}
