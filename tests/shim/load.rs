//! Many at once, and those who take their time.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::*;

/// A shim as a process of its own, whose memory can be measured.
fn process(agent: &Agent, config: &str) -> (tempfile::TempDir, Process) {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "upstream = \"http://{}\"\nthreads = 1\nlog = \"off\"\n{config}",
        agent.address
    );
    write_files(folder.path(), GITHUB, &config);
    let process = Process::start(folder.path(), &[]);
    (folder, process)
}

#[test]
fn ten_thousand_connections_are_opened_and_left() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let most = limit.maximum.unwrap_or(u64::MAX).saturating_sub(500);
    let wanted = most.min(10_000) as usize;
    if wanted < 10_000 {
        println!("only {wanted} connections: the limit on open files allows no more");
    }
    let agent = Agent::start(ok);
    let (_folder, process) = process(&agent, "[limits]\nhead_time = \"10m\"\n");
    let mut open = Vec::with_capacity(wanted);
    for number in 0..wanted {
        open.push(connect(process.address));
        if number == 1_000 {
            assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
            let memory = process.peak_memory();
            assert!(memory < 64 << 10, "{memory} KiB with 1,000 connections");
        }
    }
    assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
    let memory = process.peak_memory();
    println!("{memory} KiB with {wanted} connections");
    assert!(memory < 128 << 10, "{memory} KiB with {wanted} connections");
    drop(open);
    assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
}

#[test]
fn five_hundred_send_a_header_at_a_time() {
    let limit = "[limits]\nhead_time = \"2s\"\n";
    send_headers_until_ended(limit, Duration::from_millis(100));
}

#[test]
fn five_hundred_send_a_header_a_second_until_the_limit_that_is_the_default() {
    send_headers_until_ended("", Duration::from_secs(1));
}

/// Five hundred begin a request and send a header every `pause`, until the shim has ended them all;
/// others are answered meanwhile.
fn send_headers_until_ended(config: &str, pause: Duration) {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, config);
    let registry = &shim.state.registry;
    let mut slow: Vec<_> = (0..500)
        .map(|_| {
            let mut stream = shim.connect();
            stream
                .write_all(b"POST /api/webhook/github HTTP/1.1\r\n")
                .unwrap();
            stream
        })
        .collect();
    // A test that hangs has to end.
    let end = Instant::now() + 2 * PATIENCE;
    let mut round = 0;
    // One connection is that of the request below.
    while registry.connections.load(Ordering::Relaxed) > 1 {
        assert!(Instant::now() < end, "they are still there");
        for stream in &mut slow {
            // It may have been ended meanwhile.
            let _ = write!(stream, "X-{round}: y\r\n");
        }
        round += 1;
        assert_eq!(shim.post("x").status(), 200, "others are answered");
        std::thread::sleep(pause);
    }
    assert_eq!(agent.requests().len(), round, "none of theirs has arrived");
    for mut stream in slow {
        let reply = read_to_end(&mut stream);
        // A sender that goes on may lose what it is told.
        assert!(
            reply.is_empty() || reply.starts_with(b"HTTP/1.1 408 "),
            "{}",
            reply.escape_ascii()
        );
    }
    let ended = registry.rejected(rehook::shim::Rejection::SenderSlow);
    assert_eq!(ended, 500);
}

#[test]
fn a_slow_reader_costs_no_memory_and_keeps_nobody_waiting() {
    let part = "x".repeat(1 << 20);
    let agent = Agent::start(move |request, stream| {
        if request.text() != "long" {
            return ok(request, stream);
        }
        let length = 200 << 20;
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
        );
        for _ in 0..200 {
            if stream.write_all(part.as_bytes()).is_err() {
                break;
            }
        }
        Keep::No
    });
    let (_folder, process) = process(&agent, "");
    let mut slow = connect(process.address);
    slow.write_all(post("/api/webhook/github", "", "long").as_bytes())
        .unwrap();
    let mut some = [0; 1_000];
    slow.read_exact(&mut some).unwrap();
    for _ in 0..50 {
        assert_eq!(
            process.status(&post("/api/webhook/github", "", "short")),
            200
        );
    }
    let memory = process.peak_memory();
    println!("{memory} KiB beside a slow reader");
    assert!(memory < 32 << 10, "{memory} KiB");
}

#[test]
fn large_bodies_at_once_stay_within_their_memory() {
    let agent = Agent::start(|request, stream| {
        let length = request.body.len().to_string();
        stream
            .write_all(reply(200, "", &length).as_bytes())
            .unwrap();
        Keep::Yes
    });
    let (_folder, process) = process(&agent, "[limits]\nmemory = \"64MiB\"\ntotal = \"60s\"\n");
    let body = "x".repeat(25 << 20);
    let request = post("/api/webhook/github", "", &body);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(process.status(&request), 200));
        }
    });
    let memory = process.peak_memory();
    println!("{memory} KiB for eight bodies of 25 MiB with a budget of 64 MiB");
    assert!(memory < 96 << 10, "{memory} KiB");
}

#[test]
fn several_plugins_share_one_copy_of_a_large_body() {
    let agent = Agent::start(ok);
    let routes: String = ["a.b", "c.d", "e.f"]
        .map(|plugin| route(plugin, &format!("/plugins/{plugin}/x"), &["/o"]))
        .concat();
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "upstream = \"http://{}\"\nthreads = 1\nlog = \"off\"\n\
         [limits]\nmemory = \"24MiB\"\ntotal = \"60s\"\n",
        agent.address
    );
    write_files(folder.path(), &routes, &config);
    let process = Process::start(folder.path(), &[]);
    let body = "x".repeat(10 << 20);
    let plain = post("/o", "", &body);
    let chunked = format!(
        "POST /o HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    std::thread::scope(|scope| {
        for request in [&plain, &chunked, &plain, &chunked] {
            let process = &process;
            scope.spawn(move || assert_eq!(process.status(request), 200));
        }
    });
    assert_eq!(agent.requests().len(), 12);
    assert!(
        agent
            .requests()
            .iter()
            .all(|request| request.body.len() == body.len())
    );
    let memory = process.peak_memory();
    println!("{memory} KiB for four bodies of 10 MiB for three plugins with a budget of 24 MiB");
    assert!(memory < 48 << 10, "{memory} KiB");
}

#[test]
fn memory_is_given_back_after_a_burst() {
    let agent = Agent::start(|_, stream| {
        // So that many are there at the same time.
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(reply(200, "", "ok").as_bytes()).unwrap();
        Keep::Yes
    });
    let (_folder, process) = process(&agent, "[limits]\ntotal = \"60s\"\n");
    let burst = |size: usize, is_chunked: bool| {
        let body = "x".repeat(size);
        let request = match is_chunked {
            false => post("/api/webhook/github", "", &body),
            true => format!(
                "POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                 {size:x}\r\n{body}\r\n0\r\n\r\n"
            ),
        };
        std::thread::scope(|scope| {
            for _ in 0..200 {
                scope.spawn(|| assert_eq!(process.status(&request), 200));
            }
        });
        agent.forget();
    };
    burst(10, false);
    let before = process.own_memory();
    for (size, is_chunked) in [
        (40 << 10, false),
        (200 << 10, false),
        (1 << 20, false),
        (200 << 10, true),
    ] {
        burst(size, is_chunked);
        let after = process.own_memory();
        println!("{before} KiB before, {after} KiB after 200 bodies of {size} bytes");
        assert!(after < before + (8 << 10), "{before} KiB, then {after} KiB");
    }
}

#[test]
fn who_takes_its_time_for_a_reply_holds_no_memory_for_its_body() {
    let part = "x".repeat(1 << 20);
    let agent = Agent::start(move |request, stream| {
        if request.header("x-short").is_some() {
            return ok(request, stream);
        }
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            200 << 20
        );
        for _ in 0..200 {
            if stream.write_all(part.as_bytes()).is_err() {
                break;
            }
        }
        Keep::No
    });
    let (_folder, process) = process(&agent, "[limits]\nmemory = \"4MiB\"\n");
    let body = "x".repeat(2 << 20);
    let slow: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = connect(process.address);
            stream
                .write_all(post("/api/webhook/github", "", &body).as_bytes())
                .unwrap();
            stream.read_exact(&mut [0; 100]).unwrap();
            stream
        })
        .collect();
    let request = post("/api/webhook/github", "X-Short: 1\r\n", &body);
    assert_eq!(process.status(&request), 200);
    drop(slow);
}

#[test]
fn many_requests_on_many_connections_are_all_answered() {
    let agent = Agent::start(|request, stream| {
        stream
            .write_all(reply(200, "", &request.text()).as_bytes())
            .unwrap();
        Keep::Yes
    });
    let shim = Shim::start(agent.address, GITHUB, "threads = 2\n");
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let shim = &shim;
            scope.spawn(move || {
                let mut stream = shim.connect();
                for number in 0..200 {
                    let body = format!("{thread}-{number}");
                    let request = post("/api/webhook/github", "", &body);
                    stream.write_all(request.as_bytes()).unwrap();
                    assert_eq!(read_message(&mut stream, false).unwrap().text(), body);
                }
            });
        }
    });
    assert_eq!(agent.requests().len(), 16 * 200);
    let counts = shim.state.registry.url("/api/webhook/github").counts();
    assert_eq!((counts.calls(), counts.failures()), (16 * 200, 0));
}
