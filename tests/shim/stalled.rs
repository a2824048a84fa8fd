//! What waits on the outside: a log that nobody reads, connections that say nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::*;

/// A program whose log goes into a pipe of which only the beginning has been read.
struct Piped {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
    admin: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Piped {
    fn start(agent: &Agent) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!("upstream = \"http://{}\"\n", agent.address);
        write_files(folder.path(), GITHUB, &config);
        let mut child = Command::new(env!("CARGO_BIN_EXE_rehook"))
            .args(["--lang", "en", "shim", "--config", "shim.toml"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut after = |marker: &str| loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "no {marker}");
            if let Some((_, rest)) = line.split_once(marker) {
                let address = rest.split_whitespace().next().unwrap();
                return address.parse().unwrap();
            }
        };
        Self {
            address: after("old URLs at http://"),
            admin: after("the page are at http://"),
            child,
            log,
            _folder: folder,
        }
    }

    /// Sends so much that the pipe, and what is kept of the log, are full; each is answered.
    fn fill(&self) {
        let path = format!("/{}", "x".repeat(2_000));
        let mut stream = connect(self.address);
        for _ in 0..3_000 {
            stream.write_all(get(&path).as_bytes()).unwrap();
            assert_eq!(read_message(&mut stream, false).unwrap().status(), 404);
        }
    }

    fn dropped(&self) -> u64 {
        let metrics = fetch(self.admin, "/metrics").text();
        let name = "\nrehook_shim_log_lines_dropped_total ";
        let (_, rest) = metrics.split_once(name).unwrap();
        rest.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fetch(address: SocketAddr, path: &str) -> Message {
    let mut stream = connect(address);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    read_message(&mut stream, false).expect("a reply")
}

#[test]
fn a_log_that_nobody_reads_stops_neither_serving_nor_the_end() {
    let agent = Agent::start(ok);
    let mut shim = Piped::start(&agent);
    shim.fill();
    let mut stream = connect(shim.address);
    let request = post("/api/webhook/github", "", "x");
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(read_message(&mut stream, false).unwrap().status(), 200);
    assert!(shim.dropped() > 0);
    assert_eq!(fetch(shim.admin, "/healthz").status(), 200);
    kill_process(Pid::from_child(&shim.child), Signal::TERM).unwrap();
    wait_until("it has ended", || shim.child.try_wait().unwrap().is_some());
    assert!(shim.child.wait().unwrap().success());
}

#[test]
fn what_is_missing_in_a_log_is_said_in_its_place() {
    let agent = Agent::start(ok);
    let mut shim = Piped::start(&agent);
    shim.fill();
    // Workers hand their lines over a little later.
    let mut before = 0;
    wait_until("all lines have been dealt with", || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let now = shim.dropped();
        std::mem::replace(&mut before, now) == now && now > 0
    });
    kill_process(Pid::from_child(&shim.child), Signal::TERM).unwrap();
    let mut text = String::new();
    shim.log.read_to_string(&mut text).unwrap();
    // What is small may still fit in after something larger did not: then it is said twice.
    let missing = |line: &str| {
        let (count, _) = line.split_once(" lines of the log are missing here")?;
        count.rsplit(' ').next()?.parse::<u64>().ok()
    };
    let said: u64 = text.lines().filter_map(missing).sum();
    assert_eq!(said, before);
    let written = text.matches(" GET /x").count() as u64;
    assert_eq!(written + said, 3_000);
    let last = text.lines().last().unwrap();
    assert!(last.contains("stopping"), "{last}");
}

#[test]
fn idle_connections_to_the_admin_port_take_nothing_from_senders() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let config = format!("upstream = \"http://{}\"\n", agent.address);
    write_files(folder.path(), GITHUB, &config);
    let process = Process::start_with_files(folder.path(), 100);
    let admin = process.admin();
    let open: Vec<TcpStream> = (0..150).map(|_| connect(admin)).collect();
    let request = post("/api/webhook/github", "", "x");
    for _ in 0..3 {
        assert_eq!(process.status(&request), 200);
        assert_eq!(fetch(admin, "/healthz").status(), 200);
    }
    assert!(!process.log().contains("no connection can be taken"));
    drop(open);
}
