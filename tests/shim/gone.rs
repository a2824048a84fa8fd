//! Senders that leave before they have a reply: each is counted as what it is.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use rustix::net::sockopt::set_socket_linger;

use crate::support::*;

/// An agent that answers with `text` once for each message that the test sends.
fn agent(text: &'static str) -> (Agent, Sender<()>) {
    let (go_on, wait): (Sender<()>, Receiver<()>) = channel();
    let wait = Arc::new(Mutex::new(wait));
    let agent = Agent::start(move |_, stream| {
        let _ = wait.lock().unwrap().recv();
        // The shim may have given up.
        let _ = stream.write_all(text.as_bytes());
        Keep::No
    });
    (agent, go_on)
}

const SHORT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";

fn leave_by_fin(stream: TcpStream) {
    drop(stream);
}

fn leave_by_rst(stream: TcpStream) {
    set_socket_linger(&stream, Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
}

fn calls(shim: &Shim, path: &str) -> (u64, u64, u64) {
    let counts = shim.state.registry.url(path).counts();
    (counts.calls(), counts.failures(), counts.gone())
}

/// What a sender that leaves so is in the log and in the counts.
#[track_caller]
fn check(path: &str, reply: &'static str, targets: usize, leave: fn(TcpStream)) {
    let (agent, go_on) = agent(reply);
    let routes = [
        GITHUB,
        &route("a.b", "/plugins/a.b/t", &["/shared"]),
        &route("c.d", "/plugins/c.d/t", &["/shared"]),
    ];
    let shim = Shim::start(agent.address, &routes.concat(), "");
    let mut stream = shim.connect();
    stream.write_all(post(path, "", "x").as_bytes()).unwrap();
    wait_until("it has reached the agent", || {
        agent.requests().len() == targets
    });
    leave(stream);
    for _ in 0..targets {
        go_on.send(()).unwrap();
    }
    wait_until("it is counted", || calls(&shim, path).0 == 1);
    assert_eq!(calls(&shim, path), (1, 1, 1));
    let log = shim.log();
    assert!(
        log.contains(&format!("POST {path} 499 ")) && log.contains("sender_gone"),
        "{log}"
    );
}

#[test]
fn one_that_has_left_was_not_answered() {
    for reply in [SHORT, CHUNKS] {
        for leave in [leave_by_fin, leave_by_rst] {
            check("/api/webhook/github", reply, 1, leave);
            check("/shared", reply, 2, leave);
        }
    }
}

#[test]
fn one_that_leaves_with_half_a_body_is_counted_the_same() {
    let agent = Agent::start(ok);
    let path = "/api/webhook/github";
    for leave in [leave_by_fin, leave_by_rst] {
        let shim = Shim::start(agent.address, GITHUB, "");
        let mut stream = shim.connect();
        let request = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
        stream.write_all(request.as_bytes()).unwrap();
        leave(stream);
        wait_until("it is counted", || calls(&shim, path).0 == 1);
        assert_eq!(calls(&shim, path), (1, 1, 1));
        let log = shim.log();
        assert!(log.contains(&format!("POST {path} 499 ")), "{log}");
    }
    assert!(agent.requests().is_empty());
}

#[test]
fn one_that_only_sends_no_more_is_answered() {
    let (agent, go_on) = agent(SHORT);
    let shim = Shim::start(agent.address, GITHUB, "");
    let mut stream = shim.connect();
    let path = "/api/webhook/github";
    stream.write_all(post(path, "", "x").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    wait_until("it has reached the agent", || agent.requests().len() == 1);
    go_on.send(()).unwrap();
    let reply = read_message(&mut stream, false).expect("a reply");
    assert_eq!((reply.status(), reply.text()), (200, "ok".to_owned()));
    wait_until("it is counted", || calls(&shim, path).0 == 1);
    assert_eq!(calls(&shim, path), (1, 0, 0));
}

#[test]
fn a_sender_that_gives_up_and_tries_again_is_seen_to() {
    let (agent, go_on) = agent(SHORT);
    let shim = Shim::start(agent.address, GITHUB, "");
    let path = "/api/webhook/github";
    for round in 1..=3 {
        let mut stream = shim.connect();
        stream.write_all(post(path, "", "x").as_bytes()).unwrap();
        wait_until("it has reached the agent", || {
            agent.requests().len() == round
        });
        drop(stream);
        go_on.send(()).unwrap();
        wait_until("it is counted", || calls(&shim, path).0 == round as u64);
    }
    let app = crate::admin::fetch(&shim, "/metrics").1;
    let line = format!("rehook_shim_senders_gone_total{{route=\"{path}\"}} 3\n");
    assert!(app.contains(&line), "{app}");
    let routes = crate::admin::fetch(&shim, "/api/routes").1;
    let routes: serde_json::Value = serde_json::from_str(&routes).unwrap();
    assert_eq!(routes["routes"][0]["senders_gone"], 3);
    let page = crate::admin::fetch(&shim, "/").1;
    assert!(page.contains("3 left before the reply"), "{page}");
}
