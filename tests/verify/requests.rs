//! Requests that the user gives.

use std::fs;

use serde_json::{Value, json};

use crate::bench::{Bench, check, end, plugin, proof, ready};

#[test]
fn requests_go_to_the_routes_of_their_old_urls() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("b.py", plugin("b"))]);
    let python = bench.saying(&[ready(), proof("a", "proved"), proof("b", "proved"), end()]);
    let file = bench.path("requests.jsonl");
    let lines = r#"{"path": "/api/webhook/b", "headers": {"X": "1"}, "body": "{}", "settings": {"S": 1}}
{"path": "/api/plugin/b/webhook/b?q=1", "method": "put", "base64": "/w==", "about": "two"}
{"path": "/api/webhook/c"}
"#;
    fs::write(&file, lines).expect("it can be written");
    let file = file.to_string_lossy();
    let run = bench.verify(&python, &["--requests", &file]);
    let note = format!("{file}:3: /api/webhook/c is no old URL of what was verified");
    check(&run, 0, &[&note]);
    let job = bench.job();
    assert_eq!(job["cases"][0]["requests"], json!([]));
    let expected = json!([
        {
            "plugin": "dev.b", "endpoint": "b", "place": "requests.jsonl:1",
            "about": "requests.jsonl:1", "method": "POST", "query": "", "headers": [["X", "1"]], "body": "{}",
            "settings": {"S": 1},
        },
        {
            "plugin": "dev.b", "endpoint": "b", "place": "requests.jsonl:2", "about": "two", "method": "PUT", "query": "q=1",
            "headers": [], "base64": "/w==", "settings": {},
        },
    ]);
    assert_eq!(job["cases"][1]["requests"], expected);
    let run = bench.verify(&python, &["--requests", &file, "--format", "json"]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!(
        report["unused_requests"],
        json!([{"line": 3, "path": "/api/webhook/c"}])
    );
}

#[test]
fn a_bad_requests_file_is_an_error_and_nothing_is_run() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let python = bench.python("exit 9");
    let file = bench.path("requests.jsonl");
    fs::write(&file, "{\"path\": \"/a\"}\n{\"pth\": 1}\n").expect("it can be written");
    let file = file.to_string_lossy();
    let run = bench.verify(&python, &["--requests", &file]);
    check(
        &run,
        2,
        &[
            &format!("{file}:2: column "),
            "unknown field `pth`",
            "hint: each line",
        ],
    );
    let run = bench.verify(&python, &["--requests", "nowhere.jsonl"]);
    check(&run, 2, &["nowhere.jsonl: No such file"]);
    assert!(!bench.path("job.json").exists());
}
