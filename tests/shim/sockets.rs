//! An agent behind a socket in the file system.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use crate::support::*;

/// Takes connections at `path` and brings them to an agent.
fn bridge(path: &Path, agent: &Agent) {
    let listener = UnixListener::bind(path).unwrap();
    let agent = agent.address;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(unix), Ok(tcp)) = (stream, TcpStream::connect(agent)) else {
                return;
            };
            let (mut from_shim, mut to_shim) = (unix.try_clone().unwrap(), unix);
            let (mut from_agent, mut to_agent) = (tcp.try_clone().unwrap(), tcp);
            thread::spawn(move || {
                let _ = std::io::copy(&mut from_shim, &mut to_agent);
                let _ = to_agent.shutdown(Shutdown::Write);
            });
            thread::spawn(move || {
                let _ = std::io::copy(&mut from_agent, &mut to_shim);
                let _ = to_shim.shutdown(Shutdown::Write);
            });
        }
    });
}

fn at(path: &Path) -> String {
    format!("unix:{}", path.display())
}

#[test]
fn requests_reach_an_agent_behind_a_socket() {
    let agent = Agent::start(|message, stream| {
        if message.header("upgrade").is_some() {
            stream
                .write_all(
                    b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
                )
                .unwrap();
            let mut bytes = [0; 5];
            stream.read_exact(&mut bytes).unwrap();
            stream.write_all(&bytes).unwrap();
            return Keep::No;
        }
        ok(message, stream)
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    bridge(&path, &agent);
    let shim = Shim::try_start_at(&at(&path), GITHUB, "passthrough = true\n").unwrap();
    let mut stream = shim.connect();
    let large = "x".repeat(3 << 20);
    for body in ["{}", "", &large] {
        stream
            .write_all(post("/api/webhook/github?a=%2f", "", body).as_bytes())
            .unwrap();
        assert_eq!(read_message(&mut stream, false).unwrap().status(), 200);
    }
    let requests = agent.requests();
    assert_eq!(requests.len(), 3);
    for (request, length) in requests.iter().zip([2, 0, 3 << 20]) {
        assert_eq!(
            request.first,
            "POST /plugins/KroMiose.github/github?a=%2f HTTP/1.1"
        );
        assert_eq!(request.header("host").as_deref(), Some("localhost"));
        assert_eq!(request.body.len(), length);
    }
    let mut stream = shim.connect();
    stream
        .write_all(b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhello")
        .unwrap();
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 101);
    assert_eq!(read_to_end(&mut stream), b"hello");
    let mut admin = connect(shim.admin);
    admin
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    assert_eq!(read_message(&mut admin, false).unwrap().status(), 200);
}

#[test]
fn an_agent_that_makes_its_socket_later_is_waited_for() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let config = "[limits]\ntotal = \"60s\"\n";
    let shim = Shim::try_start_at(&at(&path), GITHUB, config).unwrap();
    let mut streams: Vec<_> = (0..3).map(|_| shim.connect()).collect();
    for stream in &mut streams {
        stream
            .write_all(post("/api/webhook/github", "", "x").as_bytes())
            .unwrap();
    }
    // A socket that nobody listens at, as one that was left behind.
    drop(UnixListener::bind(&path).unwrap());
    assert!(UnixStream::connect(&path).is_err());
    std::fs::remove_file(&path).unwrap();
    bridge(&path, &agent);
    for mut stream in streams {
        assert_eq!(read_message(&mut stream, false).unwrap().status(), 200);
    }
    assert_eq!(agent.requests().len(), 3);
}

#[test]
fn a_socket_that_is_not_there_is_said_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let limits = "[limits]\nreconnect = \"200ms\"\n";
    let shim = Shim::try_start_at(&at(&path), GITHUB, limits).unwrap();
    let reply = shim.post("x");
    assert_eq!(reply.status(), 503);
    assert!(reply.header("retry-after").is_some());
    assert!(shim.log().contains("refused"));
    let upstream = format!("upstream = {:?}\n", at(&path));
    write_files(folder.path(), GITHUB, &upstream);
    let output = run(folder.path(), &["shim", "--config", "shim.toml", "--check"]);
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.contains(&format!("no agent answers at {}: ", at(&path))),
        "{err}"
    );
    for (url, says) in [
        ("unix:agent.sock", "is not the socket of an agent"),
        ("unix:/", "is not the socket of an agent"),
    ] {
        write_files(folder.path(), GITHUB, &format!("upstream = {url:?}\n"));
        let output = run(folder.path(), &["shim", "--config", "shim.toml", "--check"]);
        assert_eq!(output.status.code(), Some(2));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains("shim.toml:4: ") && err.contains(says), "{err}");
    }
}
