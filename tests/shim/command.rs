//! The program: what it says when it cannot serve, reloading, and its end.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::*;

fn folder(routes: &str, config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), routes, config);
    folder
}

const UPSTREAM: &str = "upstream = \"http://127.0.0.1:9\"\n";

fn check(folder: &Path) -> (i32, String, String) {
    let output = run(folder, &["shim", "--config", "shim.toml", "--check"]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn check_says_what_would_be_served() {
    let config = "[[route]]\nplugin = \"KroMiose.github\"\n[[route.door]]\nkind = \"gitlab\"\nsecret_env = \"PATH\"\n";
    let folder = folder(GITHUB, &format!("{UPSTREAM}{config}"));
    let (code, out, err) = check(folder.path());
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.contains("/api/plugin/KroMiose.github/webhook/github [POST]"),
        "{out}"
    );
    assert!(
        out.contains(
            "-> http://127.0.0.1:9/plugins/KroMiose.github/github  KroMiose.github  (token)"
        ),
        "{out}"
    );
    assert!(out.contains("good: 3 old URLs"), "{out}");
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_remedy() {
    let wrong = "lisen = \"x\"\npassthrough = 1\nadmin = \"here\"\nsunset = \"soon\"\n[limits]\ntotal = 8\nbody = \"big\"\n[[route]]\nplugin = \"nobody.here\"\n";
    let folder = folder(
        GITHUB,
        &format!("{UPSTREAM}{wrong}").replace("admin", "admin2"),
    );
    let (code, out, err) = check(folder.path());
    assert_eq!((code, out.as_str()), (2, ""));
    for part in [
        "shim.toml:5: the key `lisen` is not known here; known are: ",
        "shim.toml:6: `passthrough` must be true or false",
        "shim.toml:8: `sunset` must be a date such as 2026-12-31",
        "shim.toml:10: `total` must be a duration such as \"8s\"",
        "shim.toml:11: `body` must be a size such as \"25MiB\"",
    ] {
        assert!(err.contains(part), "{part} is missing in\n{err}");
    }
}

#[test]
fn a_route_that_is_not_in_the_map_is_said() {
    let folder = folder(
        GITHUB,
        &format!("{UPSTREAM}[[route]]\nplugin = \"nobody.here\"\n"),
    );
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(err.contains("shim.toml:5: no route of the map is `*` of the plugin `nobody.here`; plugins in the map: KroMiose.github"), "{err}");
}

#[test]
fn a_broken_map_or_none_is_said() {
    let folder = folder(&format!("{GITHUB}plugin = 3\n"), UPSTREAM);
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("routes.toml:10: this is not a route map, at column "),
        "{err}"
    );
    std::fs::remove_file(folder.path().join("routes.toml")).unwrap();
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("routes.toml: the route map cannot be read")
            && err.contains("`rehook migrate` writes it"),
        "{err}"
    );
    let routes = route("a.b", "/t/{id}", &["/o/{other}"]);
    write_files(folder.path(), &routes, UPSTREAM);
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(err.contains("no parameter `id`"), "{err}");
    let routes = [
        route("a.b", "/t/{id}", &["/o/{id}"]),
        route("c.d", "/t/{key}", &["/o/{key}"]),
    ];
    write_files(folder.path(), &routes.concat(), UPSTREAM);
    let (code, _, err) = check(folder.path());
    assert_eq!(code, 2);
    assert!(
        err.contains("`/o/{id}` and `/o/{key}` match the same URLs"),
        "{err}"
    );
}

#[test]
fn flags_are_checked_too_and_in_chinese() {
    let folder = folder(GITHUB, "");
    let output = run(
        folder.path(),
        &[
            "--lang",
            "zh",
            "shim",
            "--routes",
            "routes.toml",
            "--upstream",
            "https://a",
            "--listen",
            "x",
            "--sunset",
            "2026-02-30",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    for part in [
        "上游 `https://a` 是 https",
        "`x` 不能作为 `--listen` 的地址",
        "`2026-02-30` 不能作为 --sunset 的日期",
    ] {
        assert!(err.contains(part), "{err}");
    }
    let output = run(folder.path(), &["shim", "--routes", "routes.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("no agent is named; give --upstream"), "{err}");
}

#[test]
fn a_port_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder(GITHUB, UPSTREAM);
    for flag in ["--listen", "--admin"] {
        let output = run(
            folder.path(),
            &["shim", "--config", "shim.toml", flag, &address],
        );
        assert_eq!(output.status.code(), Some(2));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            err.contains(&format!("cannot listen on {address}")),
            "{err}"
        );
    }
}

#[test]
fn files_are_read_again_when_they_change_and_the_old_is_kept_when_they_are_wrong() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let process = Process::start(folder.path(), &[]);
    assert_eq!(process.status(&get("/o")), 404);
    let map = folder.path().join("routes.toml");
    let more = [GITHUB, &route("a.b", "/t", &["/o"])].concat();
    std::fs::write(&map, format!("version = 1\n{more}")).unwrap();
    wait_until("the new route is served", || {
        process.status(&get("/o")) == 200
    });
    std::fs::write(&map, "version = 1\nroute = [").unwrap();
    wait_until("the log complains", || {
        process
            .log()
            .contains("not reloaded, the old configuration is kept: ")
    });
    assert!(
        process
            .log()
            .contains("routes.toml:2: this is not a route map"),
        "{}",
        process.log()
    );
    assert_eq!(process.status(&get("/o")), 200);
    // It is not tried again before something changes.
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(process.log().matches("not reloaded").count(), 1);
    // By signal, without a change.
    std::fs::write(&map, format!("version = 1\n{GITHUB}")).unwrap();
    wait_until("the route is gone", || process.status(&get("/o")) == 404);
    let before = process.log().matches("reloaded: ").count();
    process.signal(Signal::HUP);
    wait_until("it is read again", || {
        process.log().matches("reloaded: ").count() > before
    });
}

#[test]
fn a_request_that_has_begun_ends_before_the_program_does() {
    let agent = Agent::start(|request, stream| {
        std::thread::sleep(Duration::from_millis(500));
        ok(request, stream)
    });
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let mut process = Process::start(folder.path(), &[]);
    let idle = connect(process.address);
    let mut stream = connect(process.address);
    stream
        .write_all(post("/api/webhook/github", "", "x").as_bytes())
        .unwrap();
    wait_until("it has reached the agent", || !agent.requests().is_empty());
    process.signal(Signal::TERM);
    let reply = read_message(&mut stream, false).unwrap();
    assert_eq!(reply.status(), 200);
    assert!(process.wait().success());
    assert!(std::net::TcpStream::connect(process.address).is_err());
    assert!(
        process.log().contains(" 200 "),
        "its line is in the log: {}",
        process.log()
    );
    drop(idle);
}

#[test]
fn it_starts_within_a_moment() {
    let agent = Agent::start(ok);
    let folder = folder(
        GITHUB,
        &format!("upstream = \"http://{}\"\n", agent.address),
    );
    let start = std::time::Instant::now();
    let process = Process::start(folder.path(), &[]);
    assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
    println!("{:?} to the first reply", start.elapsed());
    assert!(
        process.peak_memory() < 16 << 10,
        "{} KiB",
        process.peak_memory()
    );
}

#[test]
fn the_configuration_that_is_shipped_says_the_defaults() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/shim.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("webhook-routes.toml");
    std::fs::write(&map, format!("version = 1\n{GITHUB}")).unwrap();
    let load = |text: &str| {
        let file = folder.path().join("shim.toml");
        std::fs::write(&file, text).unwrap();
        let flags = rehook::shim::config::Flags {
            config: Some(file),
            ..Default::default()
        };
        rehook::shim::config::load(&flags, &|_| None).unwrap()
    };
    assert_eq!(load(&text), load("upstream = \"http://127.0.0.1:8021\"\n"));
}
