//! A shim that is told to forward to itself, and one that has no more files.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::support::*;

fn check(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let here = [
        "shim",
        "--config",
        "shim.toml",
        "--check",
        "--no-upstream-check",
    ];
    let all = [&here[..], arguments].concat();
    let output = run(folder, &all);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn an_upstream_that_is_the_shim_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), GITHUB, "");
    for (listen, upstream) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:8080", "http://localhost:8080"),
        ("[::]:8080", "http://[::1]:8080/base"),
    ] {
        let flags = ["--listen", listen, "--upstream", upstream];
        let (code, text) = check(folder.path(), &flags);
        assert_eq!(code, 2, "{text}");
        let said = format!(
            "the upstream `{upstream}` is the shim itself, which listens on {listen}: every"
        );
        assert!(text.contains(&said), "{text}");
        let other = ["--listen", listen, "--upstream", "http://127.0.0.1:8021"];
        assert_eq!(check(folder.path(), &other).0, 0);
    }
    let chinese = [
        "--lang",
        "zh",
        "--upstream",
        "http://127.0.0.1:9180",
        "--admin",
    ];
    let (code, text) = check(folder.path(), &[&chinese[..], &["127.0.0.1:9180"]].concat());
    assert_eq!(code, 2);
    assert!(
        text.contains("就是 shim 自己（监听 127.0.0.1:9180）"),
        "{text}"
    );
    // The agent of one route, with its line.
    let rule = "upstream = \"http://127.0.0.1:9\"\n[[route]]\nplugin = \"KroMiose.github\"\n\
        upstream = \"http://127.0.0.1:8080\"\n";
    write_files(folder.path(), GITHUB, rule);
    let (code, text) = check(folder.path(), &["--listen", "127.0.0.1:8080"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("shim.toml:5: the upstream `http://127.0.0.1:8080` is the shim itself"),
        "{text}"
    );
}

/// A proxy that sends whatever comes on to where it is told later, with its own mark.
fn proxy() -> (SocketAddr, std::sync::mpsc::Sender<SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let to: SocketAddr = told.recv().unwrap();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                while let Some(request) = read_message(&mut stream, false) {
                    let head = String::from_utf8(request.head).unwrap();
                    // It joins what stands in several lines, as proxies may.
                    let via = head.lines().filter_map(|line| line.strip_prefix("Via: "));
                    let via = via.collect::<Vec<_>>().join(", ");
                    let lines: Vec<&str> = head
                        .split_terminator("\r\n")
                        .filter(|line| !line.is_empty() && !line.starts_with("Via: "))
                        .collect();
                    let head = format!("{}\r\nVia: {via}, 1.1 between\r\n\r\n", lines.join("\r\n"));
                    let mut on = TcpStream::connect(to).unwrap();
                    on.write_all(head.as_bytes()).unwrap();
                    on.write_all(&request.body).unwrap();
                    let reply = read_message(&mut on, false).unwrap();
                    stream.write_all(&reply.head).unwrap();
                    stream.write_all(&reply.body).unwrap();
                }
            });
        }
    });
    (address, tell)
}

#[test]
fn a_request_that_comes_round_again_is_refused() {
    let (address, tell) = proxy();
    // Everything comes round by itself, the route's new URL too.
    let routes = route("a.b", "/plugins/a.b/x", &["/api/webhook/x"]);
    let shim = Shim::start(address, &routes, "passthrough = true\nwith_legacy = true\n");
    tell.send(shim.address).unwrap();
    for request in [
        post("/anything", "", "body"),
        get("/anything?a=b"),
        get("/api/webhook/x"),
        post("/api/webhook/other", "", "body"),
    ] {
        let reply = shim.send(&request);
        assert_eq!(reply.status(), 508, "{request}");
        assert_eq!(reply.json()["error"], "loop");
    }
    // Two calls, each of which has come round.
    assert_eq!(shim.send(post("/api/webhook/x", "", "body")).status(), 508);
    let log = shim.log();
    let looped = log.lines().filter(|line| line.contains(" loop "));
    let asked = |line: &&str| !line.contains(" GET /api/health ");
    assert_eq!(looped.filter(asked).count(), 6, "{log}");
}

#[test]
fn what_other_proxies_wrote_into_via_goes_on_before_our_own() {
    let agent = Agent::start(ok);
    let shim = Shim::start(agent.address, GITHUB, "");
    let lines = "Via: 1.0 fred, 1.1 p.example (Apache/1.1)\r\nX: y\r\nvia: 1.1 rehook-0\r\n";
    assert_eq!(
        shim.send(post("/api/webhook/github", lines, "x")).status(),
        200
    );
    let via = agent.request().header("via").unwrap();
    let own = via
        .strip_prefix("1.0 fred, 1.1 p.example (Apache/1.1), 1.1 rehook-0, 1.1 rehook-")
        .unwrap_or_else(|| panic!("{via}"));
    assert_eq!(own.len(), 16, "{via}");
    // Another shim in front of it is not taken for itself.
    let front = Shim::start(shim.address, GITHUB, "passthrough = true\n");
    assert_eq!(front.send(get("/elsewhere")).status(), 404);
}

#[test]
fn files_for_the_senders_of_a_small_server_are_enough_unless_more_are_asked_for() {
    let warning = |config: &str| {
        let folder = tempfile::tempdir().unwrap();
        let upstream = "upstream = \"http://127.0.0.1:9\"\nupstream_check = false\n";
        write_files(folder.path(), GITHUB, &format!("{upstream}{config}"));
        let log = Process::start_with_files(folder.path(), 2_200).log();
        log.contains("open files")
    };
    assert!(!warning(""));
    assert!(!warning("[limits]\nconnections = 1_024\n"));
    assert!(warning("[limits]\nconnections = 2_048\n"));
}

#[test]
fn without_files_connections_wait_and_the_log_says_so_once() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    // Nothing else ends them.
    let limits = "[limits]\nhead_time = \"1h\"\n";
    let config = format!(
        "upstream = \"http://{}\"\nthreads = 1\n{limits}",
        agent.address
    );
    write_files(folder.path(), GITHUB, &config);
    let process = Process::start_with_files(folder.path(), 64);
    assert!(
        process
            .log()
            .contains("warning: 1024 connections may need 2176 open files, and only 64 are"),
        "{}",
        process.log()
    );
    let mut open: Vec<TcpStream> = (0..100).map(|_| connect(process.address)).collect();
    let said = || process.log().matches("no connection can be taken").count();
    wait_until("the log says it", || said() == 1);
    // Many more attempts fail meanwhile.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(said(), 1, "{}", process.log());
    // Those that have waited longest are ended, and the others are served.
    let mut last = open.pop().unwrap();
    last.write_all(post("/api/webhook/github", "", "x").as_bytes())
        .unwrap();
    let mut start = [0; 12];
    last.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    let mut first = open.swap_remove(0);
    assert_eq!(read_to_end(&mut first), b"");
}

#[test]
fn enough_files_are_nothing_to_speak_of() {
    let agent = Agent::start(ok);
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "upstream = \"http://{}\"\n[limits]\nconnections = 100\n",
        agent.address
    );
    write_files(folder.path(), GITHUB, &config);
    let process = Process::start_with_files(folder.path(), 400);
    assert!(!process.log().contains("warning"), "{}", process.log());
}
