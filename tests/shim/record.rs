//! `--record`: what senders send, kept to be played again.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;

fn folder(agent: &Agent, routes: &str, config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let upstream = format!("upstream = \"http://{}\"\n{config}", agent.address);
    write_files(folder.path(), routes, &upstream);
    folder
}

fn lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("requests.jsonl")).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Sends requests to a shim that records, and says what it recorded and logged.
fn recorded(folder: &Path, arguments: &[&str], requests: &[Vec<u8>]) -> (Vec<Value>, String) {
    let arguments = [&["--record", "requests.jsonl"], arguments].concat();
    let mut process = Process::start(folder, &arguments);
    for request in requests {
        let mut stream = connect(process.address);
        stream.write_all(request).unwrap();
        read_message(&mut stream, false).expect("a reply");
    }
    process.signal(rustix::process::Signal::TERM);
    assert!(process.wait().success());
    (lines(folder), process.log())
}

#[test]
fn requests_to_old_urls_are_kept_and_secrets_are_not() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, GITHUB, "");
    let path = "/api/webhook/github";
    let secret = "X-Hub-Signature-256: sha256=hunter2\r\nX-B: 1\r\nx-b: 2\r\n";
    let json = "{\"token\": \"hunter2\", \"n\": 1.0}";
    let mut latin = b"POST /api/webhook/github HTTP/1.1\r\nHost: h\r\nX-L: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    latin.extend_from_slice(b"2\r\n\xff\xfe\r\n1\r\na\r\n0\r\n\r\n");
    let requests = [
        post(&format!("{path}?a=hunter2"), secret, json).into_bytes(),
        latin,
        // What never reaches a route: another method, another path.
        get(path).into_bytes(),
        get("/nowhere").into_bytes(),
        post(path, "", &"x".repeat((1 << 20) + 1)).into_bytes(),
    ];
    let (lines, log) = recorded(folder.path(), &[], &requests);
    assert_eq!(lines.len(), 3);
    // They stand in the order in which threads ended them.
    let with = |key: &str| lines.iter().find(|line| line.get(key).is_some()).unwrap();
    assert_eq!(
        *with("body"),
        json!({
            "path": path,
            "method": "POST",
            "query": "a=***",
            "headers": [
                ["Host", "old.example"], ["X-Hub-Signature-256", "***"], ["X-B", "1"], ["x-b", "2"],
                ["Content-Length", json.len().to_string()],
            ],
            "body": "{\"token\": \"***\", \"n\": 1.0}",
            "status": 200,
        })
    );
    assert_eq!(
        with("base64")["headers"][1],
        json!(["X-L", { "base64": "Y2Fm6Q==" }])
    );
    assert_eq!(with("base64")["base64"], "//5h");
    assert_eq!(with("body_omitted")["body_omitted"], (1 << 20) + 1);
    assert!(
        log.contains("requests are recorded in requests.jsonl, with secrets redacted"),
        "{log}"
    );
    assert!(
        log.contains("3 requests were recorded in requests.jsonl, 0 were dropped"),
        "{log}"
    );
    let file = folder.path().join("requests.jsonl");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The agent has got all of it as it came.
    assert!(agent.requests()[0].text().contains("hunter2"));
    // Again, at the end of what is there.
    let (lines, log) = recorded(folder.path(), &["--record-secrets"], &requests[..1]);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[3]["query"], "a=hunter2");
    assert_eq!(lines[3]["body"], json);
    assert_eq!(lines[3]["headers"][1][1], "sha256=hunter2");
    assert!(log.contains("with their secrets"), "{log}");
}

#[test]
fn the_path_is_the_one_of_the_map_and_the_status_the_one_of_the_reply() {
    let agent = Agent::start(|_, stream| {
        stream.write_all(reply(418, "", "no").as_bytes()).unwrap();
        Keep::Yes
    });
    let routes = [
        route("a.b", "/plugins/a.b/t/{id}", &["/o/{id}"]),
        route("a.b", "/plugins/a.b/x y", &["/x y"]),
        route("c.d", "/plugins/c.d/x z", &["/x y"]),
    ]
    .concat();
    let folder = folder(&agent, &routes, "");
    let requests = [get("/o/hunter2").into_bytes(), get("/x%20y").into_bytes()];
    let (lines, _) = recorded(folder.path(), &[], &requests);
    let seen = |line: &Value| (line["path"].clone(), line["status"].clone());
    let mut all: Vec<String> = lines
        .iter()
        .map(|line| format!("{:?}", seen(line)))
        .collect();
    all.sort();
    let of = |path: &str| format!("{:?}", (json!(path), json!(418)));
    assert_eq!(all, [of("/o/{id}"), of("/x y")]);
    let (lines, _) = recorded(folder.path(), &["--record-secrets"], &requests[..1]);
    assert_eq!(lines[2]["path"], "/o/hunter2");
}

#[test]
fn metrics_say_how_many_are_recorded() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, GITHUB, "");
    let process = Process::start(folder.path(), &["--record", "requests.jsonl"]);
    assert_eq!(process.status(&post("/api/webhook/github", "", "x")), 200);
    let log = process.log();
    let (_, admin) = log.split_once("the page are at http://").unwrap();
    let admin = admin.lines().next().unwrap().parse().unwrap();
    wait_until("it is counted", || {
        let mut stream = connect(admin);
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let text = read_message(&mut stream, false).unwrap().text();
        text.contains("rehook_shim_recorded_total{outcome=\"written\"} 1\n")
            && text.contains("rehook_shim_recorded_total{outcome=\"dropped\"} 0\n")
    });
}

#[test]
fn a_file_that_cannot_be_written_is_said_at_the_start() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, GITHUB, "");
    for check in [&["--check"][..], &[]] {
        let arguments = ["shim", "--config", "shim.toml", "--record", "nowhere/a"];
        let output = run(folder.path(), &[&arguments, check].concat());
        assert_eq!(output.status.code(), Some(2));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            err.contains(
                "requests cannot be recorded in nowhere/a: no such file or folder\n  hint: check"
            ),
            "{err}"
        );
    }
    let arguments = [
        "--lang",
        "zh",
        "shim",
        "--config",
        "shim.toml",
        "--record-secrets",
    ];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("--record"), "{err}");
}

/// The line in `docs/shim.md` and `docs/shim.zh-CN.md` is what this request gives.
#[test]
fn the_pages_show_what_is_recorded() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, GITHUB, "");
    let body = "{\"token\": \"hunter2\", \"n\": 1}";
    let signature = "X-Hub-Signature-256: sha256=hunter2\r\n";
    let request = post("/api/webhook/github?a=hunter2", signature, body);
    recorded(folder.path(), &[], &[request.into_bytes()]);
    let line = std::fs::read_to_string(folder.path().join("requests.jsonl")).unwrap();
    for page in ["docs/shim.md", "docs/shim.zh-CN.md"] {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let text = std::fs::read_to_string(page).unwrap();
        assert!(text.contains(&format!("```json\n{line}```")), "{line}");
    }
}

#[test]
fn a_full_disk_leaves_no_half_line() {
    let agent = Agent::start(ok);
    let folder = folder(&agent, GITHUB, "");
    let mut process =
        Process::start_with_small_files(folder.path(), &["--record", "requests.jsonl"]);
    let request = post("/api/webhook/github", "", &"x".repeat(1_500));
    for _ in 0..4 {
        assert_eq!(process.status(&request), 200, "serving goes on");
    }
    process.signal(rustix::process::Signal::TERM);
    assert!(process.wait().success());
    let text = std::fs::read_to_string(folder.path().join("requests.jsonl")).unwrap();
    assert!(text.ends_with('\n'));
    let written = lines(folder.path()).len();
    assert!((1..4).contains(&written), "{written}");
    let log = process.log();
    let said = format!(
        "{written} requests were recorded in requests.jsonl, {} were dropped",
        4 - written
    );
    assert!(log.contains(&said), "{log}");
    assert!(
        log.contains("requests cannot be recorded in requests.jsonl: "),
        "{log}"
    );
}
