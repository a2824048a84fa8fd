//! Waiting for an agent that is not there yet, or not any more.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;

/// A port that docker has published: it takes connections, and closes them at once unless somebody
/// listens behind it.
struct Published {
    address: SocketAddr,
    is_up: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
    probes: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Published {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let published = Self {
            address: listener.local_addr().unwrap(),
            is_up: Arc::default(),
            taken: Arc::default(),
            probes: Arc::default(),
            requests: Arc::default(),
        };
        let (is_up, taken) = (Arc::clone(&published.is_up), Arc::clone(&published.taken));
        let (probes, requests) = (
            Arc::clone(&published.probes),
            Arc::clone(&published.requests),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                taken.fetch_add(1, Ordering::SeqCst);
                if !is_up.load(Ordering::SeqCst) {
                    continue;
                }
                let (probes, requests) = (Arc::clone(&probes), Arc::clone(&requests));
                std::thread::spawn(move || {
                    // One request on each connection.
                    let Some(message) = read_message(&mut stream, false) else {
                        return;
                    };
                    match is_probe(&message) {
                        true => {
                            probes.fetch_add(1, Ordering::SeqCst);
                        }
                        false => requests.lock().unwrap().push(message.text()),
                    }
                    let text = reply(200, "Connection: close\r\n", "ok");
                    stream.write_all(text.as_bytes()).unwrap();
                });
            }
        });
        published
    }

    fn set_up(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::SeqCst);
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn wait_for_more_connections(&self) {
        let before = self.taken.load(Ordering::SeqCst);
        wait_until("it was tried again", || {
            self.taken.load(Ordering::SeqCst) > before + 1
        });
    }
}

/// Nothing ends before it is over.
const PATIENT: &str = "[limits]\ntotal = \"1h\"\n";

#[test]
fn what_closes_connections_at_once_is_no_agent_yet() {
    let agent = Published::start();
    let shim = Shim::start(agent.address, GITHUB, PATIENT);
    std::thread::scope(|scope| {
        // Before the first request nothing is known of it.
        let sent: Vec<_> = (0..8).map(|_| scope.spawn(|| shim.post("a"))).collect();
        agent.wait_for_more_connections();
        agent.set_up(true);
        for sent in sent {
            assert_eq!(sent.join().unwrap().status(), 200);
        }
    });
    assert_eq!(agent.requests(), ["a"; 8]);
    assert_eq!(agent.probes.load(Ordering::SeqCst), 1, "one asks for all");
    // It goes away, and the first request finds it out.
    agent.set_up(false);
    let reply = shim.post("lost");
    assert_eq!(reply.status(), 502);
    assert!(reply.header("retry-after").is_some());
    std::thread::scope(|scope| {
        let sent: Vec<_> = (0..4).map(|_| scope.spawn(|| shim.post("b"))).collect();
        agent.wait_for_more_connections();
        agent.set_up(true);
        for sent in sent {
            assert_eq!(sent.join().unwrap().status(), 200);
        }
    });
    assert_eq!(agent.requests()[8..], ["b"; 4]);
}

#[test]
fn what_closes_connections_at_once_is_gone_when_the_time_is_over() {
    let agent = Published::start();
    let shim = Shim::start(agent.address, GITHUB, "[limits]\ntotal = \"500ms\"\n");
    let reply = shim.post("a");
    assert_eq!(reply.status(), 503);
    assert_eq!(reply.json()["error"], "upstream_gone");
    assert!(reply.header("retry-after").is_some());
    // Whoever does not want it to be asked finds it out by the request itself.
    let config = "probe = \"off\"\n[limits]\ntotal = \"500ms\"\n";
    let shim = Shim::start(agent.address, GITHUB, config);
    assert_eq!(shim.post("a").status(), 502);
}

#[test]
fn what_goes_through_waits_too() {
    let agent = Published::start();
    let shim = Shim::start(
        agent.address,
        GITHUB,
        &format!("passthrough = true\n{PATIENT}"),
    );
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| shim.send(post("/elsewhere", "", "a")));
        agent.wait_for_more_connections();
        agent.set_up(true);
        assert_eq!(sent.join().unwrap().status(), 200);
    });
    assert_eq!(agent.requests(), ["a"]);
}

#[test]
fn a_request_waits_for_an_agent_as_long_as_for_its_reply() {
    let mut agent = Agent::start(ok);
    let address = agent.address;
    let shim = Shim::start(address, GITHUB, "");
    assert_eq!(shim.post("a").status(), 200);
    agent.stop();
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| shim.post("b"));
        std::thread::sleep(Duration::from_millis(2_500));
        let next = Agent::start_at(address, ok);
        assert_eq!(sent.join().unwrap().status(), 200);
        assert_eq!(next.request().text(), "b");
    });
}

#[test]
fn a_host_that_has_no_address_is_said_to_have_none() {
    let agent = Agent::start(ok);
    let routes = route("a.b", "/plugins/a.b/x", &["/o"]);
    let config = "[limits]\nreconnect = \"100ms\"\n[[route]]\nplugin = \"a.b\"\n\
        upstream = \"http://no-such-host.invalid:1\"\n";
    let shim = Shim::start(agent.address, &routes, config);
    let reply = shim.send(post("/o", "", "x"));
    assert_eq!(reply.status(), 503);
    assert_eq!(reply.json()["error"], "upstream_name");
}
