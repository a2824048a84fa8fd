//! Requests that the user gives.

use std::fs;

use serde_json::{Value, json};

use crate::bench::{Bench, check, end, plugin, proof, ready};

#[test]
fn requests_go_to_the_routes_of_their_old_urls() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("b.py", plugin("b"))]);
    let python = bench.saying(&[ready(), proof("a", "same"), proof("b", "same"), end()]);
    let file = bench.path("requests.jsonl");
    let lines = r#"{"path": "/api/webhook/b", "headers": {"X": "1"}, "body": "{}", "settings": {"S": 1}}
{"path": "/api/plugin/b/webhook/b?q=1", "method": "put", "base64": "/w==", "about": "two"}
{"path": "/api/webhook/c"}
{"path": "/api/webhook/a", "body_omitted": 5242880}
{"path": "/api/webhook/a", "base64": "/w==", "body_omitted": null}
{"path": "/api/webhook/a", "body_omitted": 1048577}
"#;
    fs::write(&file, lines).expect("it can be written");
    let file = file.to_string_lossy();
    let run = bench.verify(&python, &["--requests", &file]);
    let notes = [
        format!(
            "{file}:3: /api/webhook/c is not an old URL of what was verified; the request was not sent\n"
        ),
        format!(
            "{file}:4: the request to /api/webhook/a was recorded without its body, which was too large, and was not sent (and 1 more like it)\n"
        ),
    ];
    check(&run, 0, &[&notes[0], &notes[1]]);
    let job = bench.job();
    let sent = &job["cases"][0]["requests"];
    assert_eq!(sent.as_array().map(Vec::len), Some(1));
    assert_eq!(sent[0]["base64"], "/w==");
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
        json!([
            {"line": 3, "path": "/api/webhook/c", "reason": "no_old_url"},
            {"line": 4, "path": "/api/webhook/a", "reason": "no_body"},
            {"line": 6, "path": "/api/webhook/a", "reason": "no_body"},
        ])
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
    check(&run, 2, &["nowhere.jsonl: no such file"]);
    assert!(!bench.path("job.json").exists());
}

#[test]
fn what_was_sent_is_saved_where_it_is_asked_for() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let mut proof = proof("a", "same");
    proof["requests"] = json!(2);
    let sent = json!({
        "event": "sent", "case": "dev.a", "plugin": "dev.a", "endpoint": "a",
        "request": {"about": {"known": {"kind": "plain"}}, "method": "POST",
            "path": "/api/webhook/a", "query": "q=1", "headers": [["X", "1"]], "body": "{}",
            "settings": {"S": 1}},
    });
    let python = bench.saying(&[ready(), proof, sent.clone(), end()]);
    let file = bench.path("saved.jsonl");
    let saved = file.to_string_lossy();
    let run = bench.verify(&python, &["--save-requests", &saved]);
    let note = format!("1 request was saved in {saved}: send them again with --requests\n");
    check(&run, 0, &[&note, "1 request was not saved"]);
    assert_eq!(bench.job()["save"], json!(true));
    let line = r#"{"path":"/api/webhook/a","method":"POST","query":"q=1","headers":[["X","1"]],"body":"{}","settings":{"S":1},"about":"a plain request"}"#;
    assert_eq!(
        fs::read_to_string(&file).expect("it is there"),
        format!("{line}\n")
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(&file).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    // What is there is not written over, and nothing is run then.
    fs::remove_file(bench.path("job.json")).expect("it is there");
    let run = bench.verify(&python, &["--save-requests", &saved]);
    check(&run, 2, &["saved.jsonl already exists", "--save-requests"]);
    assert!(!bench.path("job.json").exists());
    let run = bench.verify(&python, &["--save-requests", "no/such/folder/a"]);
    check(&run, 2, &["no/such/folder/a: no such file"]);
    // Nothing is reported about requests that are not asked for.
    bench.verify(&python, &[]);
    assert_eq!(bench.job()["save"], json!(false));
    // Of a case that there is not, there are none.
    let mut other = sent;
    other["case"] = json!("dev.b");
    let python = bench.saying(&[ready(), other, end()]);
    let file = bench.path("other.jsonl");
    let run = bench.verify(&python, &["--save-requests", &file.to_string_lossy()]);
    check(&run, 2, &["runner: dev.b"]);
    assert!(!file.exists());
}
