//! Real processes: this test binary runs itself, to be killed or kept waiting.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::*;

const BASE: &str = "REHOOK_TEST_BASE";
const PAUSE: &str = "REHOOK_TEST_PAUSE_MICROS";
const OPERATION: &str = "REHOOK_TEST_OPERATION";

/// What the child runs. It waits for a line before it begins, so that the time that a process
/// needs to start does not matter, and says so at each step.
#[test]
#[ignore = "run by the tests of this module, as a process of its own"]
fn child() {
    let Some(base) = std::env::var_os(BASE) else {
        return;
    };
    let number = |name| -> u64 { std::env::var(name).unwrap().parse().unwrap() };
    let pause = Duration::from_micros(number(PAUSE));
    let base = PathBuf::from(base);
    let (root, changes) = (base.join("repo"), Sandbox::changes(&base));
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let mut disk = Disk::with_hook(|_, _| {
        let _ = writeln!(std::io::stdout(), "step");
        sleep(pause);
        Ok(())
    });
    let result = match std::env::var(OPERATION).unwrap().as_str() {
        "apply" => apply_on(&mut disk, &root, &changes),
        _ => undo_on(&mut disk, &root).map(|_| ()),
    };
    match result {
        Ok(()) => println!("done"),
        Err(error) => println!("error: {error}"),
    }
}

struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(sandbox: &Sandbox, operation: &str, pause: Duration) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "migrate::apply::tests::process::child"])
            .args(["--ignored", "--nocapture", "--test-threads=1"])
            .env(BASE, &sandbox.base)
            .env(PAUSE, pause.as_micros().to_string())
            .env(OPERATION, operation)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, output };
        process.wait_for("ready");
        process
    }

    fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Reads up to a line that ends with `word`.
    fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while !line.trim_end().ends_with(word) {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "no {word}");
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// All that it says until it ends.
    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap();
        rest
    }
}

/// Kills a process that runs `operation` at many moments, and recovers.
fn kill_at_many_moments(operation: &str) {
    let (mut taken_back, mut went_through) = (0, 0);
    for round in 0..40_u64 {
        let sandbox = Sandbox::new();
        let old = sandbox.tree();
        let new = sandbox.migrated(&old);
        if operation == "undo" {
            sandbox.apply().unwrap();
        }
        let mut process = Process::start(&sandbox, operation, Duration::from_micros(300));
        process.go();
        // After some step, and some time more: in the middle of an operation, too.
        for _ in 0..round {
            let mut line = String::new();
            process.output.read_line(&mut line).unwrap();
        }
        sleep(Duration::from_micros(150 * (round % 5)));
        process.kill();
        match recover(&sandbox.root).unwrap() {
            Some(Recovered::MigrationTakenBack(_) | Recovered::UndoFinished(_)) => taken_back += 1,
            _ => went_through += 1,
        }
        let now = sandbox.tree();
        assert!(
            now == old || now == new,
            "{operation}, round {round}: {now:#?}"
        );
        assert_eq!(
            sandbox.has_state(),
            now == new,
            "{operation}, round {round}"
        );
    }
    assert!(
        taken_back > 5,
        "{taken_back} of {}",
        taken_back + went_through
    );
}

#[test]
fn a_migration_that_is_killed_is_recovered() {
    kill_at_many_moments("apply");
}

#[test]
fn an_undo_that_is_killed_is_recovered() {
    kill_at_many_moments("undo");
}

#[test]
fn the_second_of_two_runs_at_once_is_refused() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    let mut process = Process::start(&sandbox, "apply", Duration::from_millis(50));
    process.go();
    while !sandbox.state("journal").exists() {
        process.wait_for("step");
    }
    for result in [
        sandbox.apply(),
        undo(&sandbox.root).map(|_| ()),
        recover(&sandbox.root).map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, ApplyError::Busy { .. }), "{error}");
    }
    assert!(process.rest().contains("done"));
    assert_eq!(sandbox.tree(), sandbox.migrated(&old));
}

#[test]
fn runs_that_start_together_never_mix() {
    for _ in 0..5 {
        let sandbox = Sandbox::new();
        let old = sandbox.tree();
        let mut processes: Vec<_> = (0..3)
            .map(|_| Process::start(&sandbox, "apply", Duration::ZERO))
            .collect();
        for process in &mut processes {
            process.go();
        }
        let said: Vec<String> = processes.into_iter().map(Process::rest).collect();
        let done = said.iter().filter(|said| said.contains("done")).count();
        assert_eq!(done, 1, "{said:?}");
        assert_eq!(sandbox.tree(), sandbox.migrated(&old));
        undo(&sandbox.root).unwrap();
        assert!(!sandbox.has_state());
    }
}

#[test]
fn only_one_holds_the_lock_though_each_takes_its_file_away() {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    let sandbox = Sandbox::new();
    let is_held = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut disk = Disk::new();
                let mut held = 0;
                while held < 200 {
                    match State::lock(&mut disk, &sandbox.root) {
                        Ok(state) => {
                            assert!(!is_held.swap(true, SeqCst), "two at once");
                            held += 1;
                            std::thread::yield_now();
                            is_held.store(false, SeqCst);
                            state.close(&mut disk);
                        }
                        Err(ApplyError::Busy { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert!(!sandbox.has_state());
}
