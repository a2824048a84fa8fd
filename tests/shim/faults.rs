//! Agents that close connections at the wrong moment, or are restarted under load: no POST is lost
//! without a word, and none arrives twice.

use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::*;

/// How often each body has arrived.
fn arrivals(agents: &[&Agent]) -> HashMap<String, usize> {
    let mut seen = HashMap::new();
    for request in agents.iter().flat_map(|agent| agent.requests()) {
        *seen.entry(request.text()).or_insert(0) += 1;
    }
    seen
}

/// Sends POSTs from several threads, and says what became of each.
fn senders(shim: &Shim, each: usize, go_on: &AtomicBool) -> Vec<(String, u16)> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                scope.spawn(move || {
                    let mut replies = Vec::new();
                    let mut stream = shim.connect();
                    for number in 0..each {
                        if !go_on.load(Ordering::Relaxed) {
                            break;
                        }
                        let body = format!("{thread}-{number}");
                        let request = post("/api/webhook/github", "", &body);
                        stream.write_all(request.as_bytes()).unwrap();
                        let reply = read_message(&mut stream, false).expect("a reply");
                        replies.push((body, reply.status()));
                        // Pauses of all lengths, so that every moment is met.
                        std::thread::sleep(Duration::from_micros((number * 37 % 400) as u64));
                    }
                    replies
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn check(replies: &[(String, u16)], seen: &HashMap<String, usize>) {
    for (body, status) in replies {
        let times = seen.get(body).copied().unwrap_or(0);
        match status {
            200 => assert_eq!(times, 1, "{body} was answered"),
            502 | 503 => assert!(times <= 1, "{body} has arrived {times} times"),
            _ => panic!("{body}: {status}"),
        }
    }
}

#[test]
fn idle_connections_are_closed_at_the_wrong_moment() {
    let agent = Agent::start(|request, stream| {
        stream.write_all(reply(200, "", "ok").as_bytes()).unwrap();
        // Closes, without having said so, some time after the reply: with it, or when the next
        // request is on its way.
        let number: u64 = request.text().split('-').nth(1).unwrap().parse().unwrap();
        std::thread::sleep(Duration::from_micros(number * 53 % 500));
        Keep::No
    });
    let shim = Shim::start(agent.address, GITHUB, "");
    let replies = senders(&shim, 500, &AtomicBool::new(true));
    check(&replies, &arrivals(&[&agent]));
    let lost = replies.iter().filter(|(_, status)| *status != 200).count();
    // Between the last look at a connection and the first byte on it lie microseconds. What falls
    // into them is answered with 502, since nobody can know whether it was taken.
    assert!(
        lost * 50 <= replies.len(),
        "{lost} of {} were not delivered",
        replies.len()
    );
}

#[test]
fn an_agent_is_restarted_under_load() {
    let mut agent = Agent::start(ok);
    let address = agent.address;
    let shim = Shim::start(
        address,
        GITHUB,
        "[limits]\nreconnect = \"20s\"\ntotal = \"30s\"\n",
    );
    let go_on = AtomicBool::new(true);
    let mut dead = Vec::new();
    let replies = std::thread::scope(|scope| {
        let sending = scope.spawn(|| senders(&shim, usize::MAX, &go_on));
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(100));
            agent.stop();
            std::thread::sleep(Duration::from_millis(150));
            let next = Agent::start_at(address, ok);
            dead.push(std::mem::replace(&mut agent, next));
        }
        std::thread::sleep(Duration::from_millis(100));
        go_on.store(false, Ordering::Relaxed);
        sending.join().unwrap()
    });
    let agents: Vec<&Agent> = dead.iter().chain([&agent]).collect();
    check(&replies, &arrivals(&agents));
    let refused = replies.iter().filter(|(_, status)| *status == 503).count();
    assert_eq!(
        refused, 0,
        "while the agent was away, requests have waited for it"
    );
    assert!(replies.iter().filter(|(_, status)| *status == 200).count() > 20);
    assert_eq!(shim.post("after").status(), 200);
}

#[test]
fn connections_are_given_up_before_the_agent_closes_them() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "[limits]\nkeep = \"50ms\"\n");
    assert_eq!(shim.post("a").status(), 200);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(shim.post("b").status(), 200);
    assert_eq!(agent.connections(), 2);
}

#[test]
fn a_connection_is_soon_too_old_for_a_post_and_not_for_a_get() {
    let agent = Agent::start(ok);
    let shim = Shim::start(
        agent.address,
        &route("a.b", "/plugins/a.b/t", &["/o"]),
        "[limits]\nkeep = \"1h\"\n",
    );
    let pause = Duration::from_millis(300);
    for (request, connections) in [
        (post("/o", "", "x"), 1),
        (post("/o", "", "x"), 2),
        (get("/o"), 2),
    ] {
        assert_eq!(shim.send(request).status(), 200);
        assert_eq!(agent.connections(), connections);
        std::thread::sleep(pause);
    }
}

#[test]
fn what_an_agent_sends_unasked_is_not_taken_for_a_reply() {
    let agent = Agent::start(|_, stream| {
        stream.write_all(reply(200, "", "mine").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let _ = stream.write_all(reply(200, "", "poison").as_bytes());
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, "");
    for _ in 0..5 {
        assert_eq!(shim.post("x").text(), "mine");
        std::thread::sleep(Duration::from_millis(60));
    }
    // Together with the reply: the rest is not the next one.
    let agent = Agent::start(|_, stream| {
        let both = format!("{}{}", reply(200, "", "mine"), reply(200, "", "poison"));
        stream.write_all(both.as_bytes()).unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, "");
    for _ in 0..5 {
        assert_eq!(shim.post("x").text(), "mine");
    }
}
