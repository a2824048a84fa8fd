//! The end of the program: what has been sent is answered, and nothing else is waited for.

use std::io::Write;
use std::net::TcpStream;
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
