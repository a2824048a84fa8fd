//! No Python, and a runner that says or does what it should not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;

use rustix::process::Signal;
use serde_json::json;

use crate::bench::{Bench, check, end, plugin, proof, ready};

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
    check(&run("echo hello"), 2, &["runner: hello"]);
    check(
        &run("echo why >&2; exit 4"),
        2,
        &["ended before it was ready\nwhy"],
    );
    check(&run("head -c 20000000 /dev/zero"), 2, &["too long"]);
    // What it has said until then counts.
    let (ready, proof) = (ready(), proof("a", "same"));
    let script = format!("echo '{ready}'; echo '{proof}'; echo 'Fatal Python error' >&2; exit 139");
    let run = run(&script);
    check(
        &run,
        1,
        &[
            "same           dev.a a",
            "dev.b b\n  it breaks down: Fatal Python error",
            "1 same",
        ],
    );
}

/// Signals that ask a program to end.
const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// What is started from here begins with the usual signals, however these tests were started: a
/// program inherits that a signal is ignored (`nohup` does that, and `&` in a script), but not that it
/// is caught. So those that are ignored are caught, and nothing is made of them.
fn usual_signals() {
    use tokio::signal::unix::{SignalKind, signal};
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").ok();
        let mask = status.as_deref().and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
            u64::from_str_radix(line?.trim(), 16).ok()
        });
        // Where the system does not say, all of them.
        let ignored = mask.unwrap_or(u64::MAX);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let _inside = runtime.enter();
        for kind in [SignalKind::interrupt(), SignalKind::hangup()] {
            if ignored >> (kind.as_raw_value() - 1) & 1 == 1 {
                drop(signal(kind).expect("it can be caught"));
            }
        }
    });
}

/// What runs when a signal comes: a script that says that it has begun, and would go on.
fn waiting(bench: &Bench) -> String {
    let (pipe, survived) = (bench.path("pipe"), bench.path("survived"));
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    format!(
        "exec 9> {}\necho begun >&9\nsleep 60\ntouch {}",
        pipe.display(),
        survived.display()
    )
}

/// Sends a signal once that has begun. It ends then, and so does this program, and the temporary
/// folder is gone.
#[track_caller]
fn check_nothing_left(bench: &Bench, python: &str, path: &str, signal: Signal) {
    usual_signals();
    let temporary = bench.path("tmp");
    fs::create_dir(&temporary).expect("it can be made");
    let mut rehook = Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(["verify", "--python", python])
        .current_dir(bench.repo.root())
        .env("TMPDIR", &temporary)
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("rehook runs");
    let pipe = fs::File::open(bench.path("pipe")).expect("the script begins");
    let mut pipe = std::io::BufReader::new(pipe);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut pipe, &mut line).expect("it can be read");
    assert_eq!(line, "begun\n");
    let made = fs::read_dir(&temporary).expect("it is there").count();
    assert_eq!(made, 1, "the temporary folder");
    let id = rustix::process::Pid::from_child(&rehook);
    rustix::process::kill_process(id, signal).expect("it can be sent");
    let status = rehook.wait().expect("it ends");
    assert_eq!(status.code(), Some(2), "{signal:?}");
    // The script held the other end.
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut pipe, &mut rest).expect("it can be read");
    assert_eq!(rest, "");
    assert!(!bench.path("survived").exists());
    let left = fs::read_dir(&temporary).expect("it is there").count();
    assert_eq!(left, 0, "{signal:?}");
}

fn usual_path() -> String {
    std::env::var("PATH").expect("there is a PATH")
}

#[test]
fn a_signal_during_the_run_leaves_nothing_behind() {
    for signal in SIGNALS {
        let bench = Bench::new(&[("a.py", plugin("a"))]);
        let python = bench.python(&waiting(&bench));
        check_nothing_left(&bench, &python, &usual_path(), signal);
    }
}

/// Nothing can be done then; the next run removes what is left, but for what is of one that lives.
#[test]
fn the_folder_of_a_run_that_was_killed_goes_with_the_next() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let temporary = bench.path("tmp");
    fs::create_dir(&temporary).expect("it can be made");
    let names = || {
        let entries = fs::read_dir(&temporary).expect("it is there");
        let names = entries.map(|entry| entry.expect("it can be read").file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let (pipe, hold) = (bench.path("pipe"), bench.path("hold"));
    let made = Command::new("mkfifo").args([&pipe, &hold]).status();
    assert!(made.expect("mkfifo runs").success());
    // What is started ends once nobody holds it.
    let _hold = fs::File::options().read(true).write(true).open(&hold);
    let script = format!(
        "exec 9> {}\necho begun >&9\ncat {}",
        pipe.display(),
        hold.display()
    );
    let begin = |python: &str| {
        let rehook = Command::new(env!("CARGO_BIN_EXE_rehook"))
            .args(["verify", "--python", python])
            .current_dir(bench.repo.root())
            .env("TMPDIR", &temporary)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        rehook.expect("rehook runs")
    };
    let python = bench.python(&script);
    let wait = || {
        let pipe = fs::File::open(&pipe).expect("the script begins");
        let mut pipe = std::io::BufReader::new(pipe);
        let mut line = String::new();
        std::io::BufRead::read_line(&mut pipe, &mut line).expect("it can be read");
        assert_eq!(line, "begun\n");
        pipe
    };
    let mut killed = begin(&python);
    let _first = wait();
    killed.kill().expect("it can be ended");
    killed.wait().expect("it ends");
    let left = names();
    assert_eq!(left.len(), 1);
    let mut living = begin(&python);
    let _second = wait();
    let of_living = names();
    assert_eq!(of_living.len(), 1);
    assert_ne!(of_living, left);
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    assert!(begin(&python).wait().expect("it ends").success());
    assert_eq!(names(), of_living);
    let id = rustix::process::Pid::from_child(&living);
    rustix::process::kill_process(id, Signal::TERM).expect("it can be sent");
    living.wait().expect("it ends");
    assert!(names().is_empty());
}

/// As `nohup` starts it.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_from_the_start_stays_so() {
    usual_signals();
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let python = bench.saying(&[ready(), proof("a", "same"), end()]);
    // Of what runs in its place, the parent is the program.
    let script = fs::read_to_string(&python).expect("it can be read");
    let script = script.replacen('\n', "\nkill -HUP $PPID\n", 1);
    fs::write(&python, script).expect("it can be written");
    let run = |start: &str| {
        let status = Command::new("sh")
            .args(["-c", start, env!("CARGO_BIN_EXE_rehook"), "verify"])
            .args(["--python", &python])
            .current_dir(bench.repo.root())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.expect("it runs").code()
    };
    assert_eq!(run("exec \"$0\" \"$@\""), Some(2));
    assert_eq!(run("trap '' HUP; exec \"$0\" \"$@\""), Some(0));
}

#[test]
fn nor_does_one_while_python_is_looked_for() {
    for signal in SIGNALS {
        let bench = Bench::new(&[("a.py", plugin("a"))]);
        let script = waiting(&bench);
        let python = bench.script("python", &script);
        check_nothing_left(&bench, &python, &usual_path(), signal);
    }
}

#[test]
fn nor_does_one_while_git_is_asked_for_the_original() {
    for signal in SIGNALS {
        let bench = Bench::new(&[("a.py", plugin("a"))]);
        bench.migrate(&[]);
        let path = usual_path();
        let git = format!(
            "case \" $* \" in *\" rev-parse --verify \"*)\n{}\nesac\nPATH={path} exec git \"$@\"",
            waiting(&bench)
        );
        let git = bench.script("bin/git", &git);
        let folder = Path::new(&git).parent().expect("it is in a folder");
        let path = format!("{}:{path}", folder.display());
        check_nothing_left(&bench, "/no/such/python", &path, signal);
    }
}

/// Its report goes into a pipe that nobody reads: it is busy with that for ever.
#[test]
fn a_signal_after_the_run_ends_it_too() {
    let bench = Bench::new(&[("a.py", plugin("a"))]);
    let mut long = proof("a", "differs");
    long["differing"] = json!(1);
    long["difference"] = json!({
        "request": {"method": "POST", "path": "/p", "body": "x".repeat(1_000_000)},
        "parts": [],
    });
    let python = bench.saying(&[ready(), long, end()]);
    let temporary = bench.path("tmp");
    fs::create_dir(&temporary).expect("it can be made");
    let mut rehook = Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(["verify", "--format", "json", "--python", &python])
        .current_dir(bench.repo.root())
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("rehook runs");
    let mut stdout = rehook.stdout.take().expect("it is a pipe");
    // Its first byte: the run is over.
    let mut first = [0];
    std::io::Read::read_exact(&mut stdout, &mut first).expect("it says something");
    let id = rustix::process::Pid::from_child(&rehook);
    rustix::process::kill_process(id, Signal::TERM).expect("it can be sent");
    assert_eq!(rehook.wait().expect("it ends").code(), Some(2));
    assert_eq!(fs::read_dir(&temporary).expect("it is there").count(), 0);
}
