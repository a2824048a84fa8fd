//! What is made of results: text, JSON and exit codes.

use serde_json::{Value, json};

use crate::bench::{Bench, by_hand, check, end, plugin, proof, ready, stderr, stdout};

#[test]
fn only_what_is_proved_gives_0() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("b.py", plugin("b"))]);
    let results = |other: Value| [ready(), proof("a", "same"), other, end()];
    let mut differs = proof("b", "differs");
    differs["differing"] = json!(2);
    differs["difference"] = json!({
        "request": {"about": {"known": {"kind": "plain"}}, "method": "POST", "path": "/api/webhook/b", "query": "",
            "headers": [["A", "1"]], "body": "{}", "settings": {}},
        "parts": [{"part": "status", "old": 200, "new": 500}],
    });
    let failed = json!({"event": "failed", "case": "dev.b", "side": "new",
        "reason": "missing_module", "detail": "No module named 'aiohttp'"});
    let run = |other| bench.verify(&bench.saying(&results(other)), &[]);

    check(&run(proof("b", "same")), 0, &["2 same"]);
    check(
        &run(differs),
        1,
        &[
            "differs        dev.b b  2 of 9 requests",
            "    old: 200\n    new: 500\n",
            "1 same, 1 differs",
        ],
    );
    check(
        &run(proof("b", "not_covered")),
        1,
        &["1 same, 0 differs, 1 not covered"],
    );
    check(
        &run(failed),
        1,
        &[
            "failed         dev.b b\n",
            "is not installed after the migration: No module named 'aiohttp'",
            "install it in the environment of",
            "1 failed; on nekro-agent 2.4.0, Python 3.12.3",
        ],
    );
    // A request that did not end is said beside the verdict, which it does not change.
    let endless = |seconds: u64| {
        let mut proof = proof("b", "same");
        proof["endless"] = json!([{
            "request": {"method": "POST", "path": "/api/webhook/b"},
            "seconds": seconds, "went_on": true,
        }]);
        proof
    };
    check(
        &run(endless(5)),
        0,
        &[
            "2 same",
            "a request had not ended after 5 s; it was not compared",
        ],
    );
    // What cannot be read says nothing about the others.
    check(
        &run(endless(0)),
        1,
        &[
            "1 same",
            "dev.b b\n  there is a result, but it cannot be read: a request that was not waited for\n",
        ],
    );
    // One is spoken of twice, or not at all.
    check(&run(proof("a", "same")), 2, &["runner: dev.a a"]);
    let silent = bench.saying(&[ready(), proof("a", "same"), end()]);
    check(
        &bench.verify(&silent, &[]),
        1,
        &["dev.b b\n  there is no result"],
    );
    let fatal = json!({"event": "fatal", "reason": "broken_fastapi", "detail": "ImportError: x"});
    let python = bench.saying(&[fatal]);
    check(
        &bench.verify(&python, &["--agent", "stand-in"]),
        2,
        &["it or what it needs cannot be imported: ImportError: x\n"],
    );
    let fatal = json!({"event": "fatal", "reason": "no_fastapi", "detail": ""});
    check(
        &bench.verify(&bench.saying(&[fatal]), &[]),
        2,
        &[
            "FastAPI is not installed for",
            ", so no code was run\n",
            "hint: run `",
        ],
    );
}

#[test]
fn what_is_left_by_hand_is_listed_and_nothing_is_run_for_it() {
    let bench = Bench::new(&[("hand.py", by_hand())]);
    let run = bench.verify("/no/such/python", &[]);
    check(
        &run,
        1,
        &[
            "not migrated   dev.hand (unknown)  RH1",
            "  hand.py:7:30  ",
            "0 same, 0 differs, 0 not covered, 1 not migrated, 0 failed\n",
        ],
    );
    let bench = Bench::new(&[("broken.py", "mount_webhook_method(\n".to_owned())]);
    let run = bench.verify("/no/such/python", &[]);
    check(&run, 2, &["1 not migrated"]);
    // Beside others it is listed as well, and so is a file that cannot be read.
    let bench = Bench::new(&[
        ("hand.py", by_hand()),
        ("a.py", plugin("a")),
        ("broken.py", "mount_webhook_method(\n".to_owned()),
    ]);
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        1,
        &["1 same, 0 differs, 0 not covered, 2 not migrated"],
    );
}

#[test]
fn nothing_to_verify_is_an_error() {
    let bench = Bench::new(&[("a.py", "x = 1\n".to_owned())]);
    let run = bench.verify("/no/such/python", &[]);
    check(
        &run,
        2,
        &["nothing to verify: no webhook in 1 Python files"],
    );
}

#[test]
fn json_is_for_programs() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("hand.py", by_hand())]);
    let refused = json!({"event": "refused", "case": "dev.a", "what": ["run git"]});
    let python = bench.saying(&[ready(), proof("a", "same"), refused, end()]);
    let run = bench.verify(&python, &["--format", "json"]);
    check(&run, 1, &[]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON alone is on stdout");
    let expected = json!({
        "version": 1,
        "agent": "nekro-agent 2.4.0",
        "python": "3.12.3",
        "network": "cut",
        "files": "cut",
        "webhooks": [
            {
                "plugin": "dev.hand", "endpoint": null, "dialect": null, "old_urls": [],
                "new_url": null, "base": null, "verdict": "not_migrated", "run": null,
                "reason": {
                    "code": "RH103", "path": "hand.py", "line": 7, "column": 30,
                    "message": "the endpoint is not a constant that can be seen",
                    "hint": "write the endpoint as a literal or a constant",
                },
            },
            {
                "plugin": "dev.a", "endpoint": "a", "dialect": "context",
                "old_urls": ["/api/webhook/a", "/api/plugin/dev.a/webhook/a", "/api/plugin/a/webhook/a"],
                "new_url": "/plugins/dev.a/a", "base": null, "verdict": "same",
                "run": {
                    "path": "a.py", "first": 7, "last": 9, "requests": 9, "differing": 0,
                    "reached": [9], "missed": [], "uncovered": [], "uncovered_elsewhere": [], "one_way": [],
                    "difference": null, "endless": [],
                },
                "reason": null,
            },
        ],
        "failed": [],
        "refused": [{"plugin": "dev.a", "what": ["run git"]}],
        "unused_requests": [],
        "summary": {
            "same": 1, "differs": 0, "not_covered": 0, "not_migrated": 1, "failed": 0,
        },
    });
    assert_eq!(report, expected, "{report:#}");
}

#[test]
fn it_is_said_beforehand_that_code_is_run() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    let run = bench.verify(&python, &[]);
    let expected = format!(
        "running the code of 1 plugin (dev.a), before and after, with {python} (Python 3.12.3)"
    );
    assert!(stderr(&run).starts_with(&expected), "{}", stderr(&run));
    assert_eq!(stderr(&bench.verify(&python, &["--quiet"])), "");
    let run = bench.verify(&python, &["--lang", "zh"]);
    assert!(stderr(&run).starts_with("正在用 "), "{}", stderr(&run));
    assert!(
        stdout(&run).contains("一致 1 个，有差异 0 个"),
        "{}",
        stdout(&run)
    );
}
