//! No Python, and a runner that says or does what it should not.

use std::fs;
use std::process::{Command, Stdio};

use crate::bench::{Bench, check, plugin, proof, ready};

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
            "dev.b b\n  it breaks down: Fatal Python error",
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
