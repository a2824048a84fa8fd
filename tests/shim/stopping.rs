//! The end of the program: what has been sent is answered, and nothing else is waited for.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::*;

/// Longer than a test would wait: what waits for it to pass does not end.
const NO_GRACE: &str = "\n[limits]\ngrace = \"1h\"\n";

/// A program whose agent takes `time` for an answer.
fn start(time: Duration) -> (tempfile::TempDir, Agent, Process) {
    let agent = Agent::start(move |request, stream| {
        std::thread::sleep(time);
        ok(request, stream)
    });
    let folder = tempfile::tempdir().unwrap();
    let config = format!("upstream = \"http://{}\"\n{NO_GRACE}", agent.address);
    write_files(folder.path(), GITHUB, &config);
    let process = Process::start(folder.path(), &[]);
    (folder, agent, process)
}

fn send(stream: &mut TcpStream) {
    let request = post("/api/webhook/github", "", "x");
    stream.write_all(request.as_bytes()).unwrap();
}

fn end(process: &mut Process) {
    wait_until("it has ended", || process.has_ended());
    assert!(process.wait().success());
}

#[test]
fn a_request_that_has_begun_ends_before_the_program_does() {
    let (_folder, agent, mut process) = start(Duration::from_millis(500));
    let mut stream = connect(process.address);
    send(&mut stream);
    wait_until("it has reached the agent", || !agent.requests().is_empty());
    process.signal(Signal::TERM);
    let reply = read_message(&mut stream, false).unwrap();
    assert_eq!(reply.status(), 200);
    end(&mut process);
    let log = process.log();
    assert!(log.contains(" 200 "), "its line is in the log: {log}");
}

#[test]
fn senders_that_say_nothing_are_not_waited_for() {
    let (_folder, _agent, mut process) = start(Duration::ZERO);
    let silent = connect(process.address);
    let mut kept = connect(process.address);
    send(&mut kept);
    assert_eq!(read_message(&mut kept, false).unwrap().status(), 200);
    process.signal(Signal::TERM);
    end(&mut process);
    drop((silent, kept));
}

#[test]
fn what_has_been_sent_before_the_signal_is_answered() {
    let (_folder, _agent, mut process) = start(Duration::ZERO);
    let address = process.address;
    let taken = (0..8).map(|_| connect(address));
    let mut streams: Vec<TcpStream> = taken.collect();
    // It gets to see all of these at once: the signal, senders that are waiting to be taken, and
    // requests on connections that it has.
    process.signal(Signal::STOP);
    streams.extend((0..32).map(|_| connect(address)));
    streams.iter_mut().for_each(send);
    process.signal(Signal::TERM);
    process.signal(Signal::CONT);
    for stream in &mut streams {
        let reply = read_message(stream, false).expect("a reply");
        assert_eq!(reply.status(), 200);
    }
    end(&mut process);
}

#[test]
fn the_port_is_closed_last() {
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let agent = Agent::start(move |request, stream| {
        if request.text() == "slow" {
            let _ = wait.lock().unwrap().recv();
        }
        ok(request, stream)
    });
    let folder = tempfile::tempdir().unwrap();
    let config = format!("upstream = \"http://{}\"\n{NO_GRACE}", agent.address);
    write_files(folder.path(), GITHUB, &config);
    let mut process = Process::start(folder.path(), &[]);
    let mut slow = connect(process.address);
    let request = post("/api/webhook/github", "", "slow");
    slow.write_all(request.as_bytes()).unwrap();
    wait_until("it has reached the agent", || !agent.requests().is_empty());
    process.signal(Signal::TERM);
    wait_until("it is stopping", || process.log().contains("stopping"));
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..3 {
        let mut stream = connect(process.address);
        send(&mut stream);
        let reply = read_message(&mut stream, false).expect("a reply");
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.header("connection").as_deref(), Some("close"));
    }
    go_on.send(()).unwrap();
    assert_eq!(read_message(&mut slow, false).unwrap().status(), 200);
    end(&mut process);
}

#[test]
fn with_the_sockets_of_systemd_a_restart_refuses_nobody() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    // Ports of the configuration that nobody can have.
    let config = format!("upstream = \"http://{}\"\n", agent.address);
    write_files(folder.path(), GITHUB, &config);
    let file = folder.path().join("shim.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text =
        text.replacen("127.0.0.1:0", "192.0.2.1:1", 1)
            .replacen("127.0.0.1:0", "192.0.2.1:2", 1);
    std::fs::write(&file, text).unwrap();
    let senders = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = senders.local_addr().unwrap();
    let start =
        || Process::start_with_sockets(folder.path(), "listen:admin", &senders, Some(&admin));
    let go_on = std::sync::atomic::AtomicBool::new(true);
    let (sent, answered) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let (mut sent, mut answered) = (0, 0);
            while go_on.load(std::sync::atomic::Ordering::Relaxed) {
                let mut stream = connect(address);
                send(&mut stream);
                sent += 1;
                let reply = read_message(&mut stream, false);
                answered += usize::from(reply.is_some_and(|reply| reply.status() == 200));
            }
            (sent, answered)
        });
        for _ in 0..4 {
            let mut process = start();
            assert_eq!(process.address, address);
            let page = process.admin();
            assert_eq!(page, admin.local_addr().unwrap());
            std::thread::sleep(Duration::from_millis(100));
            process.signal(Signal::TERM);
            end(&mut process);
            std::thread::sleep(Duration::from_millis(100));
        }
        let process = start();
        go_on.store(false, std::sync::atomic::Ordering::Relaxed);
        let counts = sending.join().unwrap();
        drop(process);
        counts
    });
    assert_eq!(sent, answered);
    assert!(sent > 20, "{sent}");
}

#[test]
fn a_socket_of_an_unknown_name_is_not_left_alone() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let config = format!("upstream = \"http://{}\"\n", agent.address);
    write_files(folder.path(), GITHUB, &config);
    let senders = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = |name: &str| Process::start_with_sockets(folder.path(), name, &senders, None);
    assert_eq!(
        one("rehook-shim.socket").address,
        senders.local_addr().unwrap()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_FDNAMES=metrics LISTEN_PID=$$ exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_rehook"))
        .args(["--lang", "en", "shim", "--config", "shim.toml"])
        .current_dir(folder.path())
        .stdin(std::os::fd::OwnedFd::from(senders.try_clone().unwrap()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("a socket with the name `metrics`, which is not known"),
        "{text}"
    );
    assert!(text.contains("FileDescriptorName=listen"), "{text}");
}
