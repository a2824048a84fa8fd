//! `rehook verify` from the outside: what it runs, what it makes of the results, and how it exits.
//!
//! A shell script stands in for Python: it says what a test lets it say, so that these tests need
//! no Python and no agent, and see what the runner is asked.
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::repo::{Repo, Run};
use support::tree::{Entry, Tree};

/// A plugin in the form of the releases.
const PLUGIN: &str = r#"from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin("P", "NAME", "d", "0.1.0", "dev", "https://example.com")


@plugin.mount_webhook_method("NAME", "Name")
async def handle(_ctx: AgentCtx):
    print(_ctx.webhook_request.body)
"#;

fn plugin(name: &str) -> String {
    PLUGIN.replace("NAME", name)
}

/// One that is left by hand.
fn by_hand() -> String {
    plugin("hand").replace("(\"hand\", \"Name\")", "(__name__, \"Name\")")
}

/// A repo, and a folder beside it for the stand-in and what it has seen.
struct Bench {
    repo: Repo,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(files: &[(&str, String)]) -> Self {
        let files = files.iter().map(|(path, text)| {
            let entry = Entry::File(text.clone().into_bytes(), false);
            ((*path).to_owned(), entry)
        });
        Self {
            repo: Repo::new(&Tree(files.collect())).expect("a repo can be made"),
            folder: tempfile::tempdir().expect("there is a temporary folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes the stand-in, which runs `script` in the place of the runner, with the job read and
    /// the trees copied.
    fn python(&self, script: &str) -> String {
        let python = self.path("python");
        let (executable, seen) = (python.display(), self.folder.path().display());
        let text = format!(
            r#"#!/bin/sh
if [ "$1" = -c ]; then
    echo '{{"executable": "{executable}", "version": [3, 12, 3], "user_base": null, "fastapi": true}}'
    exit
fi
cat > {seen}/job.json
cp -R trees {seen}/trees
pwd > {seen}/place
{script}
"#
        );
        // Another process writes it, so that none that is started meanwhile holds it open.
        let written = Command::new("sh")
            .args(["-c", r#"printf '%s' "$1" > "$0" && chmod +x "$0""#])
            .arg(&python)
            .arg(&text)
            .status()
            .expect("there is a shell");
        assert!(written.success());
        python.to_string_lossy().into_owned()
    }

    /// A stand-in that says these results.
    fn saying(&self, results: &[Value]) -> String {
        let lines: Vec<String> = results.iter().map(ToString::to_string).collect();
        fs::write(self.path("says"), lines.join("\n") + "\n").expect("it can be written");
        self.python(&format!("cat {}", self.path("says").display()))
    }

    fn verify(&self, python: &str, args: &[&str]) -> Run {
        let all = [&["verify", "--python", python], args].concat();
        let run = self.repo.rehook(&all).expect("rehook runs");
        let said = run.transcript();
        assert!(!said.contains("panicked") && run.exit >= 0, "{said}");
        run
    }

    fn job(&self) -> Value {
        let text = fs::read(self.path("job.json")).expect("there was a job");
        serde_json::from_slice(&text).expect("the job is JSON")
    }

    /// Files of a side of a case: their text by their path.
    fn side(&self, case: &Value, side: &str) -> BTreeMap<String, String> {
        let place = fs::read_to_string(self.path("place")).expect("it was run");
        let folder = Path::new(case[side].as_str().expect("a path"));
        let inside = folder.strip_prefix(place.trim()).expect("it is there");
        let tree = Tree::read(&self.folder.path().join(inside), &[]).expect("it was copied");
        let text = |entry| match entry {
            Entry::File(bytes, _) => String::from_utf8(bytes).expect("text"),
            Entry::Link(target) => panic!("a link to {}", target.display()),
        };
        let files = tree.0.into_iter();
        files.map(|(path, entry)| (path, text(entry))).collect()
    }

    fn commit(&self, message: &str) {
        for args in [&["add", "--all"][..], &["commit", "--quiet", "-m", message]] {
            let run = self.repo.git(args, b"").expect("git runs");
            assert_eq!(run.exit, 0, "{}", run.transcript());
        }
    }

    fn migrate(&self, args: &[&str]) {
        let run = self.repo.rehook(&[&["migrate"], args].concat());
        let run = run.expect("rehook runs");
        assert!(run.exit < 2, "{}", run.transcript());
    }
}

fn ready() -> Value {
    json!({"event": "ready", "agent": "nekro-agent 2.4.0", "python": "3.12.3", "network": "cut"})
}

fn end() -> Value {
    json!({"event": "end"})
}

fn proof(name: &str, verdict: &str) -> Value {
    json!({
        "event": "proof", "case": format!("dev.{name}"), "plugin": format!("dev.{name}"),
        "endpoint": name, "verdict": verdict, "requests": 9, "file": format!("{name}.py"),
        "first": 7, "last": 9, "reached": [9], "missed": [], "unproved": [], "differing": 0,
        "difference": null,
    })
}

fn stdout(run: &Run) -> String {
    String::from_utf8_lossy(&run.stdout).into_owned()
}

fn stderr(run: &Run) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[track_caller]
fn check(run: &Run, exit: i32, expected: &[&str]) {
    let said = run.transcript();
    assert_eq!(run.exit, exit, "{said}");
    for text in expected {
        assert!(said.contains(text), "no {text:?} in {said}");
    }
}

// ---------------------------------------------------------------- what is run

#[test]
fn a_webhook_of_the_source_is_compared_with_what_migrate_would_write() {
    let bench = Bench::new(&[
        ("plugins/a.py", plugin("a")),
        ("plugins/tools.py", "X = 1\n".to_owned()),
        ("plugins/data/b.json", "{}".to_owned()),
    ]);
    let python = bench.saying(&[ready(), proof("a", "proved"), end()]);
    let run = bench.verify(&python, &[]);
    check(&run, 0, &["1 proved, 0 differs"]);

    let job = bench.job();
    let case = &job["cases"][0];
    assert_eq!(job["agent"], "auto");
    assert_eq!(job["seconds"], 60);
    assert_eq!(case["name"], "dev.a");
    assert_eq!(
        (&case["item"], &case["place"]),
        (&json!("a.py"), &json!("workdir"))
    );
    let routes = json!([{
        "plugin": "dev.a", "endpoint": "a", "dialect": "context",
        "target": "/plugins/dev.a/a", "native": false,
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
    let python = bench.saying(&[ready(), proof("p", "proved"), end()]);
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
    let mut says = proof("own", "proved");
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

#[test]
fn options_reach_the_runner() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let python = bench.saying(&[ready(), proof("a", "proved"), end()]);
    let args = ["--native", "--agent", "stand-in", "--limit", "7"];
    check(&bench.verify(&python, &args), 0, &[]);
    let job = bench.job();
    assert_eq!(
        (&job["agent"], &job["seconds"]),
        (&json!("stand-in"), &json!(7))
    );
    let case = &job["cases"][0];
    assert_eq!(case["routes"][0]["native"], true);
    assert!(bench.side(case, "after")["a.py"].contains("request: Request"));
}

// ---------------------------------------------------------------- results and exit codes

#[test]
fn only_what_is_proved_gives_0() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("b.py", plugin("b"))]);
    let results = |other: Value| [ready(), proof("a", "proved"), other, end()];
    let mut differs = proof("b", "differs");
    differs["differing"] = json!(2);
    differs["difference"] = json!({
        "request": {"about": "plain", "method": "POST", "path": "/api/webhook/b", "query": "",
            "headers": [["A", "1"]], "body": "{}", "settings": {}},
        "parts": [{"part": "status", "old": 200, "new": 500}],
        "raised": {"old": "", "new": ""},
    });
    let failed = json!({"event": "failed", "case": "dev.b", "side": "new",
        "reason": "missing_module", "detail": "No module named 'aiohttp'"});
    let run = |other| bench.verify(&bench.saying(&results(other)), &[]);

    check(&run(proof("b", "proved")), 0, &["2 proved"]);
    check(
        &run(differs),
        1,
        &[
            "differs        dev.b b  2 of 9 requests",
            "    old: 200\n    new: 500\n",
            "1 proved, 1 differs",
        ],
    );
    check(
        &run(proof("b", "not_exercised")),
        1,
        &["1 proved, 0 differs, 1 not exercised"],
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
    // One is spoken of twice, or not at all.
    check(&run(proof("a", "proved")), 2, &["no result: dev.a a"]);
    let silent = bench.saying(&[ready(), proof("a", "proved"), end()]);
    check(
        &bench.verify(&silent, &[]),
        1,
        &["dev.b b\n  there is no result"],
    );
    let fatal = json!({"event": "fatal", "reason": "no_fastapi", "detail": ""});
    check(
        &bench.verify(&bench.saying(&[fatal]), &[]),
        2,
        &["FastAPI is not installed for", "hint: run `"],
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
            "not migrated   (unknown) (unknown)  RH1",
            "  hand.py:7:30  ",
            "0 proved, 0 differs, 0 not exercised, 1 not migrated, 0 failed\n",
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
    let python = bench.saying(&[ready(), proof("a", "proved"), end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        1,
        &["1 proved, 0 differs, 0 not exercised, 2 not migrated"],
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
    let python = bench.saying(&[ready(), proof("a", "proved"), refused, end()]);
    let run = bench.verify(&python, &["--format", "json"]);
    check(&run, 1, &[]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON alone is on stdout");
    let expected = json!({
        "version": 1,
        "agent": "nekro-agent 2.4.0",
        "python": "3.12.3",
        "network": "cut",
        "webhooks": [
            {
                "plugin": null, "endpoint": null, "dialect": null, "old_urls": [],
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
                "new_url": "/plugins/dev.a/a", "base": null, "verdict": "proved",
                "run": {
                    "path": "a.py", "first": 7, "last": 9, "requests": 9, "differing": 0,
                    "reached": [9], "missed": [], "unproved": [], "difference": null,
                },
                "reason": null,
            },
        ],
        "failed": [],
        "refused": [{"plugin": "dev.a", "what": ["run git"]}],
        "unused_requests": [],
        "summary": {
            "proved": 1, "differs": 0, "not_exercised": 0, "not_migrated": 1, "failed": 0,
        },
    });
    assert_eq!(report, expected, "{report:#}");
}

#[test]
fn it_is_said_beforehand_that_code_is_run() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let python = bench.saying(&[ready(), proof("a", "proved"), end()]);
    let run = bench.verify(&python, &[]);
    let expected =
        format!("running the code of 1 plugin, before and after, with {python} (Python 3.12.3)");
    assert!(stderr(&run).starts_with(&expected), "{}", stderr(&run));
    assert_eq!(stderr(&bench.verify(&python, &["--quiet"])), "");
    let run = bench.verify(&python, &["--lang", "zh"]);
    assert!(stderr(&run).starts_with("正在用 "), "{}", stderr(&run));
    assert!(
        stdout(&run).contains("已证实 1 个，有差异 0 个"),
        "{}",
        stdout(&run)
    );
}

// ---------------------------------------------------------------- requests

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
            "plugin": "dev.b", "endpoint": "b", "about": "requests.jsonl:1",
            "method": "POST", "query": "", "headers": [["X", "1"]], "body": "{}",
            "settings": {"S": 1},
        },
        {
            "plugin": "dev.b", "endpoint": "b", "about": "two", "method": "PUT", "query": "q=1",
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

// ---------------------------------------------------------------- a runner that misbehaves

#[test]
fn without_a_python_it_is_said_where_it_was_looked_for() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let run = bench.verify("/no/such/python", &[]);
    check(
        &run,
        2,
        &[
            "this Python cannot be used: /no/such/python (it does not run",
            "--python",
        ],
    );
    let run = bench.verify("/no/such/python", &["--lang", "zh"]);
    check(&run, 2, &["无法使用这个 Python"]);
}

#[test]
fn a_runner_that_misbehaves_is_an_error() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("b.py", plugin("b"))]);
    let run = |script: &str| bench.verify(&bench.python(script), &[]);
    check(&run("echo hello"), 2, &["no result: hello"]);
    check(
        &run("echo why >&2; exit 4"),
        2,
        &["ended before it had begun\nwhy"],
    );
    check(&run("head -c 20000000 /dev/zero"), 2, &["too long"]);
    // What it has said until then counts.
    let (ready, proof) = (ready(), proof("a", "proved"));
    let script = format!("echo '{ready}'; echo '{proof}'; echo 'Fatal Python error' >&2; exit 139");
    let run = run(&script);
    check(
        &run,
        1,
        &[
            "proved         dev.a a",
            "dev.b b\n  the process died: Fatal Python error",
            "1 proved",
        ],
    );
}

/// Its end takes the runner and the temporary folder with it.
#[test]
fn ctrl_c_leaves_nothing_behind() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let pipe = bench.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let script = format!(
        "exec 9> {}\necho begun >&9\nsleep 60\ntouch {}",
        pipe.display(),
        bench.path("survived").display()
    );
    let python = bench.python(&script);
    let temporary = bench.path("tmp");
    fs::create_dir(&temporary).expect("it can be made");
    let mut rehook = Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(["verify", "--python", &python])
        .current_dir(bench.repo.root())
        .env("TMPDIR", &temporary)
        .env("LC_ALL", "C.UTF-8")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("rehook runs");
    let mut pipe = std::io::BufReader::new(fs::File::open(pipe).expect("the runner begins"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut pipe, &mut line).expect("it can be read");
    assert_eq!(line, "begun\n");
    let id = rustix::process::Pid::from_child(&rehook);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it can be sent");
    let status = rehook.wait().expect("it ends");
    assert_eq!(status.code(), Some(2));
    // The runner held the other end.
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut pipe, &mut rest).expect("it can be read");
    assert_eq!(rest, "");
    assert!(!bench.path("survived").exists());
    let left = fs::read_dir(&temporary).expect("it is there").count();
    assert_eq!(left, 0);
}

// ---------------------------------------------------------------- what is migrated already

#[test]
fn what_is_migrated_is_compared_with_the_commit() {
    let bench = Bench::new(&[
        ("plugins/a.py", plugin("a")),
        ("plugins/tools.py", "X = 1\n".to_owned()),
        ("plugins/a.txt", "one".to_owned()),
        ("p/__init__.py", plugin("p")),
        ("p/data/x.json", "{}".to_owned()),
    ]);
    bench.migrate(&[]);
    // Edited by hand since: that is what is shown to be the same, or not.
    let file = bench.repo.root().join("plugins/a.py");
    let text = fs::read_to_string(&file).expect("it is there") + "# by hand\n";
    fs::write(&file, &text).expect("it can be written");
    fs::write(bench.repo.root().join("plugins/a.txt"), "two").expect("it can be written");

    let mut of_package = proof("p", "proved");
    of_package["file"] = json!("p/__init__.py");
    let python = bench.saying(&[ready(), proof("a", "proved"), of_package, end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        0,
        &[
            "2 proved",
            "  HEAD:plugins/a.py:7  ",
            "  HEAD:p/__init__.py:7  ",
        ],
    );
    let job = bench.job();
    let cases: BTreeMap<&str, &Value> = job["cases"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|case| (case["name"].as_str().expect("a name"), case))
        .collect();
    let case = cases["dev.a"];
    assert_eq!(case["routes"][0]["target"], "/plugins/dev.a/a");
    assert_eq!(case["routes"][0]["native"], false);
    let (before, after) = (bench.side(case, "before"), bench.side(case, "after"));
    assert_eq!((&before["a.py"], &after["a.py"]), (&plugin("a"), &text));
    assert_eq!(
        (before["a.txt"].as_str(), after["a.txt"].as_str()),
        ("one", "two")
    );
    assert_eq!(before["tools.py"], "X = 1\n");
    let case = cases["dev.p"];
    assert_eq!(case["item"], "p");
    let before = bench.side(case, "before");
    assert_eq!(
        (&before["p/__init__.py"], before["p/data/x.json"].as_str()),
        (&plugin("p"), "{}")
    );

    // Of a part of the repo.
    let python = bench.saying(&[ready(), proof("a", "proved"), end()]);
    check(&bench.verify(&python, &["plugins"]), 0, &["1 proved"]);
}

#[test]
fn a_commit_that_has_the_routes_too_is_no_original() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    bench.migrate(&[]);
    bench.commit("migrated");
    let python = bench.saying(&[ready(), proof("a", "proved"), end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        2,
        &[
            "dev.a: migrated already, and the commit HEAD shows no webhook",
            "name the commit before the migration, as in `--base HEAD~1`",
        ],
    );
    check(
        &bench.verify(&python, &["--base", "HEAD~1"]),
        0,
        &["HEAD~1:a.py:7"],
    );
    check(
        &bench.verify(&python, &["--base", "v9"]),
        2,
        &["there is no commit v9 in"],
    );

    // Beside something that can be verified it is one of the results.
    fs::write(bench.repo.root().join("b.py"), plugin("b")).expect("it can be written");
    let python = bench.saying(&[ready(), proof("b", "proved"), end()]);
    let run = bench.verify(&python, &[]);
    check(
        &run,
        1,
        &[
            "failed         dev.a a\n  migrated already",
            "1 proved",
            "1 failed",
        ],
    );
}

#[test]
fn what_is_and_what_is_not_migrated_go_together() {
    let bench = Bench::new(&[("a.py", plugin("a")), ("b.py", plugin("b"))]);
    bench.migrate(&["--native", "a.py"]);
    let python = bench.saying(&[ready(), proof("a", "proved"), proof("b", "proved"), end()]);
    let run = bench.verify(&python, &[]);
    check(&run, 0, &["2 proved", "  HEAD:a.py:7", "  b.py:7"]);
    let job = bench.job();
    // How `a` was migrated is seen from its handler.
    let native = |index: usize| job["cases"][index]["routes"][0]["native"].clone();
    assert_eq!(job["cases"][0]["name"], "dev.b");
    assert_eq!((native(0), native(1)), (json!(false), json!(true)));
}

#[test]
fn a_plugin_that_has_moved_since_is_named() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    bench.migrate(&[]);
    let root = bench.repo.root();
    fs::rename(root.join("a.py"), root.join("b.py")).expect("it can be renamed");
    let run = bench.verify("/no/such/python", &[]);
    check(&run, 2, &["dev.a: not at a.py any more", "--base"]);
}
