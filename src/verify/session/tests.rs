use std::path::PathBuf;

use super::super::protocol::Detail;
use super::*;
use crate::text::Lang;
use crate::verify::job;
use crate::verify::protocol::Kept;

const READY: &str =
    r#"echo '{"event":"ready","agent":"a","python":"3.12.0","network":"cut","files":"cut"}'"#;
const END: &str = r#"echo '{"event":"end"}'"#;

/// Runs a shell script in the place of Python, with its folder; ample time unless told otherwise.
struct Fake {
    folder: tempfile::TempDir,
    limit: Duration,
}

impl Fake {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            limit: Duration::from_secs(60),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, script: &str) -> Result<SessionOutput, VerifyError> {
        let executable = self.path("python");
        // Another process writes it, so that none that is started meanwhile holds it open.
        let written = Command::new("sh")
            .args([
                "-c",
                r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#,
            ])
            .arg(&executable)
            .arg(script)
            .status();
        assert!(written.unwrap().success());
        let python = Python {
            executable,
            version: "3.12.0".to_owned(),
            user_base: Some("/user/base".into()),
            not_started: Vec::new(),
            repo: None,
        };
        let work = self.path("work");
        fs::create_dir_all(&work).unwrap();
        let job = Job {
            seconds: 1,
            save: false,
            cases: Vec::new(),
        };
        Runner::start(AgentChoice::Auto, &python, &work)?.run_within(self.limit, &job)
    }

    #[track_caller]
    fn check_error(&self, script: &str, expected: &str) {
        let error = self.run(script).unwrap_err().text();
        assert!(error.get(Lang::En).contains(expected), "{error}");
    }
}

#[test]
fn the_job_goes_in_and_results_come_out() {
    let fake = Fake::new();
    let said = fake
        .run(&format!(
            r#"cat > ../job; printf '%s\n' "$@" > ../arguments; env > ../environment; pwd > ../folder
{READY}
echo '{{"event":"failed","case":"c","side":"old","reason":"hang","detail":"d"}}'
echo '{{"event":"refused","case":"c","what":["run git"]}}'
{END}"#
        ))
        .unwrap();
    assert_eq!(said.ready.unwrap().network, Kept::Cut);
    assert_eq!((said.failed.len(), said.refused.len()), (1, 1));
    assert!(said.cut_off.is_none());
    let read = |name: &str| fs::read_to_string(fake.path(name)).unwrap();
    let job: serde_json::Value = serde_json::from_str(&read("job")).unwrap();
    assert_eq!(job["seconds"], 1);
    let work = fake.path("work");
    let main = work.join("runner/_rehook_runner/__main__.py");
    let scratch = work.join("scratch");
    assert_eq!(
        read("arguments"),
        format!("-B\n{}\nauto\n{}\n", main.display(), scratch.display())
    );
    assert!(main.is_file());
    let environment = read("environment");
    let has = |name: &str, value: &str| environment.lines().any(|l| l == format!("{name}={value}"));
    let below = |name: &str| work.join(name).display().to_string();
    assert!(has("HOME", &below("home")), "{environment}");
    assert!(has("TMPDIR", &below("tmp")));
    assert!(has("XDG_CACHE_HOME", &below("home/cache")));
    assert!(has("PYTHONUSERBASE", "/user/base") || env::var_os("PYTHONUSERBASE").is_some());
    let folder = Path::new(read("folder").trim()).canonicalize().unwrap();
    assert_eq!(folder, work.canonicalize().unwrap());
}

#[test]
fn what_is_no_result_ends_it() {
    let fake = Fake::new();
    fake.check_error("echo hello; sleep 60", "runner: hello");
    fake.check_error(
        r#"echo '{"event":"surprise"}'"#,
        "runner: {\"event\":\"surprise\"}",
    );
    fake.check_error(&format!("{END}; sleep 60"), "runner: ");
    fake.check_error("head -c 20000000 /dev/zero; echo; sleep 60", "too long");
}

#[test]
fn a_result_that_cannot_be_read_is_one_of_its_case() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for (value, why) in [
        (r#""\ud800""#.to_owned(), "escape"),
        (format!("1{}", "0".repeat(400)), "number out of range"),
        (deep, "recursion limit exceeded"),
        ("{".to_owned(), "EOF while parsing"),
    ] {
        let line = format!(r#"{{"event":"refused","case":"b","what":{value}}}"#);
        let fine = r#"{"event":"refused","case":"c","what":[]}"#;
        let said = Fake::new()
            .run(&format!(
                "{READY}\ncat <<'L'\n{line}\n{fine}\nhello\nL\n{END}"
            ))
            .unwrap();
        assert!(said.cut_off.is_none());
        assert_eq!(said.refused.len(), 1, "{line}");
        let [failed] = &said.failed[..] else {
            panic!("{:?}", said.failed);
        };
        assert_eq!(
            (failed.case.as_str(), failed.reason),
            ("b", Reason::Unreadable)
        );
        assert!(
            matches!(&failed.detail, Detail::SessionOutput(said) if said.contains(why)),
            "{:?}",
            failed.detail
        );
    }
}

#[test]
fn one_that_dies_first_is_quoted() {
    let fake = Fake::new();
    fake.check_error(
        "echo some reason >&2; exit 3",
        "ended before it had begun\nsome reason",
    );
    // However much it says there, the last of it is kept.
    fake.check_error("yes | head -c 1000000 >&2; echo at last >&2", "\nat last");
    fake.check_error(
        r#"echo '{"event":"fatal","reason":"no_fastapi"}'; sleep 60"#,
        "FastAPI is not installed for",
    );
}

#[test]
fn one_that_dies_later_leaves_what_it_has_said() {
    let said = Fake::new()
        .run(&format!("{READY}; echo 'half a li' >&2; printf '{{'"))
        .unwrap();
    assert!(said.ready.is_some());
    let (ending, stderr) = said.cut_off.unwrap();
    assert_eq!((ending, stderr.trim()), (Ending::Died, "half a li"));
}

/// All that it has started ends with it: a pipe that they hold is closed then.
#[test]
fn its_children_end_with_it() {
    let fake = Fake::new();
    let pipe = fake.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let reader = thread::spawn(move || fs::read_to_string(pipe).unwrap());
    let script = format!("exec 9> ../pipe\n(sleep 60; touch ../survived) &\n{READY}\n{END}\nwait");
    let said = fake.run(&script).unwrap();
    assert!(said.cut_off.is_none());
    assert_eq!(reader.join().unwrap(), "");
    assert!(!fake.path("survived").exists());
}

/// It may or may not have come to its first word by then.
#[test]
fn one_that_hangs_is_ended() {
    let fake = Fake {
        limit: Duration::from_millis(300),
        ..Fake::new()
    };
    let ending = match fake.run(&format!("{READY}\nsleep 600; touch ../survived")) {
        Ok(said) => said.cut_off.unwrap().0,
        Err(VerifyError::Silent { ending, .. }) => ending,
        Err(error) => panic!("{error}"),
    };
    assert!(matches!(ending, Ending::Overdue(_)));
    assert!(!fake.path("survived").exists());
}

/// Wherever the user has them put, what is compiled here is of no use to anybody later.
#[test]
fn compiled_files_stay_in_the_folder() {
    let fake = Fake::new();
    let python = Python {
        executable: fake.path("python"),
        version: "3.12.0".to_owned(),
        user_base: None,
        not_started: Vec::new(),
        repo: None,
    };
    let main = fake.path("main.py");
    let command = command(&python, &main, fake.folder.path()).unwrap();
    let prefix = ("PYTHONPYCACHEPREFIX".as_ref(), None);
    assert!(command.get_envs().any(|one| one == prefix));
}

#[test]
fn there_is_time_for_all_that_a_plugin_may_take() {
    let route = || job::Route {
        plugin: "p",
        endpoint: "e",
        dialect: "context",
        target: "/t",
        native: false,
        written: None,
    };
    let case = |routes: usize| Case {
        name: "c",
        before: Path::new("before"),
        after: Path::new("after"),
        item: "",
        place: "workdir",
        routes: (0..routes).map(|_| route()).collect(),
        requests: Vec::new(),
    };
    let seconds = |seconds, cases| {
        let job = Job {
            seconds,
            save: false,
            cases,
        };
        limit(&job).as_secs()
    };
    assert_eq!(seconds(30, Vec::new()), STARTING_SECONDS);
    // Four searches of 30 + 20 + 5 seconds, six runs of 30 + 5.
    let one = 4 * 55 + 6 * 35;
    assert_eq!(seconds(30, vec![case(1)]), STARTING_SECONDS + one);
    let more = one + 2 * 55 + 2 * 35;
    assert_eq!(
        seconds(30, vec![case(1), case(3)]),
        STARTING_SECONDS + one + more
    );
    assert_eq!(seconds(u64::MAX, vec![case(1)]), u64::from(u32::MAX));
}

#[test]
fn one_that_never_begins_is_an_error() {
    let fake = Fake {
        limit: Duration::from_millis(100),
        ..Fake::new()
    };
    fake.check_error("sleep 60", "had not begun after");
}

#[test]
fn the_end_does_not_wait_for_what_holds_the_output_open() {
    let said = Fake::new()
        .run(&format!("sleep 60 &\n{READY}\n{END}\nsleep 60"))
        .unwrap();
    assert!(said.cut_off.is_none());
}
