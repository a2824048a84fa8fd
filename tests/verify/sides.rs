//! What is compared with what, as the runner is told.

use std::fs;

use serde_json::json;

use crate::bench::{Bench, check, end, plugin, proof, ready, stdout};

#[test]
fn a_webhook_of_the_source_is_compared_with_what_migrate_would_write() {
    let bench = Bench::new(&[
        ("plugins/a.py", plugin("a")),
        ("plugins/tools.py", "X = 1\n".to_owned()),
        ("plugins/data/b.json", "{}".to_owned()),
    ]);
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    let run = bench.verify(&python, &[]);
    check(&run, 0, &["1 same, 0 differs"]);

    let job = bench.job();
    let case = &job["cases"][0];
    assert_eq!(bench.agent(), "auto");
    assert_eq!(job["limits"]["side_seconds"], 60);
    assert_eq!(case["name"], "dev.a");
    assert_eq!(
        (&case["item"], &case["place"]),
        (&json!("a.py"), &json!("workdir"))
    );
    let routes = json!([{
        "plugin": "dev.a", "endpoint": "a", "dialect": "context",
        "target": "/plugins/dev.a/a", "native": false,
        "written": {"file": "a.py", "line": 7, "name": "handle"},
    }]);
    assert_eq!(case["routes"], routes);
    let (before, after) = (bench.side(case, "before"), bench.side(case, "after"));
    let names: Vec<&String> = before.keys().collect();
    assert_eq!(names, ["a.py", "tools.py"]);
    assert_eq!(before["a.py"], plugin("a"));
    assert_eq!(before["tools.py"], after["tools.py"]);

    // Nothing of it is in the repo; then it is what `migrate` writes.
    let status = bench.repo.git(&["status", "--porcelain"], b"");
    assert_eq!(stdout(&status.expect("git runs")), "");
    bench.migrate(&[]);
    let written = fs::read_to_string(bench.repo.root().join("plugins/a.py"));
    assert_eq!(after["a.py"], written.expect("it is there"));
}

#[test]
fn packages_are_loaded_as_such() {
    let bench = Bench::new(&[
        ("all/p/__init__.py", "from .base import plugin\n".to_owned()),
        ("all/p/base.py", plugin("p")),
        ("all/p/data/a.json", "{}".to_owned()),
    ]);
    let python = bench.saying(&[ready(), proof("p", "same"), end()]);
    check(&bench.verify(&python, &[]), 0, &[]);
    let job = bench.job();
    let case = &job["cases"][0];
    assert_eq!(
        (&case["item"], &case["place"]),
        (&json!("p"), &json!("workdir"))
    );
    let before = bench.side(case, "before");
    let names: Vec<&String> = before.keys().collect();
    assert_eq!(names, ["p/__init__.py", "p/base.py", "p/data/a.json"]);

    let bench = Bench::new(&[
        ("__init__.py", "from .main import plugin\n".to_owned()),
        ("main.py", plugin("own")),
    ]);
    let mut says = proof("own", "same");
    says["file"] = json!("own/main.py");
    let python = bench.saying(&[ready(), says, end()]);
    check(
        &bench.verify(&python, &[]),
        0,
        &["  main.py:7  lines run: 9"],
    );
    let job = bench.job();
    let case = &job["cases"][0];
    assert_eq!(
        (&case["item"], &case["place"]),
        (&json!("own"), &json!("packages"))
    );
    let after = bench.side(case, "after");
    assert!(after["own/main.py"].contains("@webhook_route("));
}

/// Of two plugins one has more beside it than is copied: that one alone is not verified.
#[test]
fn a_plugin_that_is_too_large_is_no_hindrance_to_others() {
    let bench = Bench::new(&[
        ("big/a.py", plugin("a")),
        ("small/b.py", plugin("b")),
        ("small/b.txt", String::new()),
    ]);
    let dump = bench.repo.root().join("big/dump.bin");
    let check_both = || {
        let file = fs::File::create(&dump).expect("it can be made");
        file.set_len(300 << 20).expect("it can be that large");
        let python = bench.saying(&[ready(), proof("b", "same"), end()]);
        let run = bench.verify(&python, &[]);
        let (place, dump) = (bench.repo.root().join("big/a.py"), dump.display());
        let expected = format!(
            "failed         dev.a a\n  {}, with what is copied along, is more than is left of the 256 MiB that are copied at most, the largest of it {dump} (300 MiB), ",
            place.display()
        );
        check(&run, 1, &[&expected, "same           dev.b b", "1 same"]);
        assert_eq!(bench.job()["cases"].as_array().expect("a list").len(), 1);
    };
    check_both();
    fs::remove_file(&dump).expect("it is there");
    bench.migrate(&[]);
    check_both();
}

/// The agent takes one plugin of a module; the other cannot be run, which is nothing to the first.
#[test]
fn plugins_of_one_file_are_verified_each_by_itself() {
    let second = plugin("b").replace("plugin = ", "other = ");
    let second = second
        .replace("@plugin.", "@other.")
        .replace("handle", "handle_b");
    let bench = Bench::new(&[("pair.py", plugin("a") + &second)]);
    let failed = json!({"event": "failed", "case": "dev.b", "side": "old", "reason": "no_plugin"});
    let python = bench.saying(&[ready(), proof("a", "same"), failed, end()]);
    check(
        &bench.verify(&python, &[]),
        1,
        &["failed         dev.b b", "1 same", "1 failed"],
    );
    let job = bench.job();
    let (first, second) = (&job["cases"][0], &job["cases"][1]);
    assert_eq!(
        (&first["name"], &second["name"]),
        (&json!("dev.a"), &json!("dev.b"))
    );
    assert_eq!(
        (&first["item"], &second["item"]),
        (&json!("pair.py"), &json!("pair.py"))
    );
    assert_eq!(
        (&first["before"], &first["after"]),
        (&second["before"], &second["after"])
    );
    assert_ne!(first["before"], first["after"]);
}

#[test]
fn options_reach_the_runner() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    let args = ["--native", "--agent", "stand-in", "--limit", "7"];
    check(&bench.verify(&python, &args), 0, &[]);
    let job = bench.job();
    assert_eq!(bench.agent(), "stand-in");
    assert_eq!(job["limits"]["side_seconds"], 7);
    let case = &job["cases"][0];
    assert_eq!(case["routes"][0]["native"], true);
    assert!(bench.side(case, "after")["a.py"].contains("request: Request"));
}

/// Where that is has no form in JSON, and the job is JSON.
#[cfg(target_os = "linux")]
#[test]
fn the_temporary_folder_may_be_called_what_is_no_text() {
    use std::os::unix::ffi::OsStrExt;

    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    let temporary = bench.path("").join(std::ffi::OsStr::from_bytes(b"\xff"));
    fs::create_dir(&temporary).expect("it can be made");
    let rehook = std::process::Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(["verify", "--python", &python])
        .current_dir(bench.repo.root())
        .env("TMPDIR", &temporary)
        .output()
        .expect("rehook runs");
    let said = String::from_utf8_lossy(&rehook.stderr);
    assert_eq!(rehook.status.code(), Some(0), "{said}");
    let before = bench.side(&bench.job()["cases"][0], "before");
    assert_eq!(before["a.py"], plugin("a"));
}
