//! Input that is not what it should be gets an error that says what and where, and nothing is lost:
//! files that are no Python, paths that lead nowhere, a disk that is full, a reader that goes away,
//! a process that is killed.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::repo::{Repo, Run};
use support::tree::{Entry, Tree};

/// A plugin that can be migrated.
const PLUGIN: &str = r#"from fastapi import Request
from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin("P", "NAME", "d", "0.1.0", "dev", "https://example.com")


@plugin.mount_webhook_method("/NAME", "Name")
async def handle(request: Request):
    return {"ok": True}, 201
"#;

fn plugin(name: &str) -> Vec<u8> {
    PLUGIN.replace("NAME", name).into_bytes()
}

fn repo(files: &[(&str, &[u8])]) -> Repo {
    let files = files.iter().map(|(path, bytes)| {
        let entry = Entry::File(bytes.to_vec(), false);
        ((*path).to_owned(), entry)
    });
    Repo::new(&Tree(files.collect())).expect("a repo can be made")
}

fn rehook(repo: &Repo, args: &[&str]) -> Run {
    let run = repo.rehook(args).expect("rehook runs");
    let said = run.transcript();
    assert!(
        !said.contains("panicked") && !said.contains("bug in rehook") && run.exit >= 0,
        "{said}"
    );
    run
}

/// The files without what is kept for `undo`.
fn files(repo: &Repo) -> Tree {
    let mut tree = repo.tree().expect("the repo can be read");
    tree.0.retain(|path, _| !path.starts_with(".rehook/"));
    tree
}

// ---------------------------------------------------------------- files that are no Python

/// A file of these bytes is named with `code` at `place`, and the plugin beside it is migrated.
#[track_caller]
fn check_file(bytes: &[u8], place: &str, code: &str) {
    let repo = repo(&[("bad.py", bytes), ("good.py", &plugin("good"))]);
    let scan = rehook(&repo, &["scan"]);
    let said = String::from_utf8_lossy(&scan.stderr).into_owned();
    let expected = format!("bad.py:{place}: {code} ");
    assert!(said.contains(&expected), "no {expected:?} in {said}");
    assert_eq!(scan.exit, 0, "{said}");

    let migrate = rehook(&repo, &["migrate"]);
    assert_eq!(migrate.exit, 1, "{}", migrate.transcript());
    let files = files(&repo);
    assert!(files.0.get("bad.py") == Some(&Entry::File(bytes.to_vec(), false)));
    assert!(files.0.get("good.py") != Some(&Entry::File(plugin("good"), false)));

    // Alone, nothing could be done at all.
    let alone = rehook(&repo, &["migrate", "bad.py"]);
    assert_eq!(alone.exit, 2, "{}", alone.transcript());
}

#[test]
fn a_syntax_error_is_named() {
    check_file(
        b"plugin.mount_webhook_method(\n\ndef f():\n",
        "1:29",
        "RH002",
    );
}

#[test]
fn python_2_is_named() {
    check_file(
        b"# mount_webhook_method\nx = 1\nprint 'x'\n",
        "3:7",
        "RH003",
    );
}

#[test]
fn a_null_byte_is_named() {
    check_file(b"x = 'mount_webhook_method'\ny = '\0'\n", "2:6", "RH004");
}

#[test]
fn bytes_that_are_not_utf_8_are_named() {
    check_file(
        b"x = 'mount_webhook_method'\ny = '\xd6\xd0'\n",
        "2:6",
        "RH005",
    );
}

#[test]
fn a_wrong_declaration_is_named() {
    let unknown = b"# -*- coding: no-such-encoding -*-\nx = 'mount_webhook_method'\n";
    check_file(unknown, "1:15", "RH006");
    let other = b"# -*- coding: gbk -*-\nx = 'mount_webhook_method'\ny = '\xff\xff'\n";
    check_file(other, "3:6", "RH006");
}

#[test]
fn brackets_of_ten_thousand_levels_are_named() {
    let mut text = b"x = 'mount_webhook_method'\ny = ".to_vec();
    text.extend("(".repeat(10_000).bytes());
    text.extend(")".repeat(10_000).bytes());
    text.push(b'\n');
    check_file(&text, "2:206", "RH007");
}

#[test]
fn an_empty_file_is_a_file_without_webhooks() {
    for bytes in [
        &b""[..],
        b"\n",
        b"\xef\xbb\xbf",
        b"# mount_webhook_method",
        b"\r\r",
        b"\x0c",
    ] {
        let repo = repo(&[("empty.py", bytes)]);
        let run = rehook(&repo, &["migrate"]);
        assert_eq!(run.exit, 0, "{bytes:?}: {}", run.transcript());
        assert!(files(&repo).0["empty.py"] == Entry::File(bytes.to_vec(), false));
    }
}

#[test]
fn a_line_of_ten_megabytes_is_read() {
    let mut bytes = plugin("long");
    let numbers = "1, ".repeat(100_000);
    let text = "中".repeat(10 * 1024 * 1024 / 3);
    bytes.extend(format!("\nDATA = [{numbers}\"{text}\"]\n").bytes());
    let repo = repo(&[("long.py", &bytes)]);
    let run = rehook(&repo, &["migrate"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let Entry::File(after, _) = &files(&repo).0["long.py"] else {
        panic!("a link in place of a file");
    };
    assert!(after.len() > bytes.len() && after.ends_with("中\"]\n".as_bytes()));
}

// ---------------------------------------------------------------- paths

#[test]
#[cfg(unix)]
fn links_that_lead_nowhere_or_in_circles_do_not_stop_the_others() {
    let repo = repo(&[("good.py", &plugin("good"))]);
    let link = |target: &str, path: &str| {
        std::os::unix::fs::symlink(target, repo.root().join(path)).expect("a link can be made");
    };
    link("missing.py", "dangling.py");
    link("circle.py", "circle.py");
    fs::create_dir(repo.root().join("folder")).expect("a folder can be made");
    link("..", "folder/up");
    link("folder", "again");

    let run = rehook(&repo, &["scan"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    // What cannot be read might have a webhook in it, so it is said.
    for name in ["dangling.py", "circle.py"] {
        assert!(said.contains(&format!("{name}: RH001 ")), "{said}");
    }
    assert!(
        said.contains("1 reference to the old API in 1 Python file"),
        "{said}"
    );

    for path in ["dangling.py", "circle.py"] {
        let run = rehook(&repo, &["migrate", path]);
        assert_eq!(run.exit, 2, "{}", run.transcript());
        assert!(String::from_utf8_lossy(&run.stderr).contains(path));
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = repo(&[
        ("closed.py", &plugin("closed")),
        ("good.py", &plugin("good")),
    ]);
    let closed = repo.root().join("closed.py");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("the mode can be set");
    if fs::read(&closed).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let run = rehook(&repo, &["scan"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(String::from_utf8_lossy(&run.stderr).contains("closed.py: RH001 "));
}

/// A mode that forbids writing is the author's to keep: the file is replaced, and has it still.
#[test]
#[cfg(unix)]
fn a_read_only_file_stays_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = repo(&[("locked.py", &plugin("locked"))]);
    let locked = repo.root().join("locked.py");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o444)).expect("the mode can be set");
    let run = rehook(&repo, &["migrate"]);
    let mode = fs::metadata(&locked)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o444);
    let is_old = fs::read(&locked).expect("it can be read") == plugin("locked");
    assert_eq!(run.exit, if is_old { 2 } else { 0 }, "{}", run.transcript());
}

#[test]
fn a_path_outside_of_the_current_folder_is_its_own_place() {
    let here = repo(&[("here.py", b"")]);
    let there = repo(&[
        ("plugins/there.py", &plugin("there")),
        ("other.py", &plugin("other")),
    ]);
    let path = there.root().join("plugins");
    let path = path.to_str().expect("unicode");

    let diff = rehook(&here, &["diff", path]);
    assert_eq!(diff.exit, 0, "{}", diff.transcript());
    let migrate = rehook(&here, &["migrate", path]);
    assert_eq!(migrate.exit, 0, "{}", migrate.transcript());
    // The map is at the root of that repo; nothing is left here.
    let after = files(&there);
    assert!(after.0.contains_key("webhook-routes.toml"));
    assert!(after.0["other.py"] == Entry::File(plugin("other"), false));
    assert_eq!(here.tree().expect("it can be read").0.len(), 1);

    let undo = rehook(&here, &["undo", path]);
    assert_eq!(undo.exit, 0, "{}", undo.transcript());
    assert!(files(&there).0["plugins/there.py"] == Entry::File(plugin("there"), false));
}

// ---------------------------------------------------------------- readers and disks

/// As in `rehook scan | head -0`: a reader that has enough is no error, and nothing to speak of.
#[test]
fn a_closed_pipe_ends_quietly() {
    let names: Vec<String> = (0..20).map(|n| format!("p{n}.py")).collect();
    let contents: Vec<Vec<u8>> = names
        .iter()
        .map(|name| plugin(&name.replace('.', "_")))
        .collect();
    let all: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&contents)
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let repo = repo(&all);
    for args in [
        &["scan", "--quiet"][..],
        &["scan", "--quiet", "--format", "json"],
        &["scan", "--quiet", "--format", "markdown"],
        &["diff", "--quiet"],
        &["diff", "--quiet", "--stat"],
        &["explain"],
        &["--help"],
    ] {
        let (reader, writer) = io::pipe().expect("a pipe can be made");
        drop(reader);
        let output = command(&repo)
            .args(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .and_then(Child::wait_with_output)
            .expect("rehook runs");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

/// Nobody reads what `migrate` says; what it did is done all the same.
#[test]
fn a_closed_pipe_does_not_undo_a_migration() {
    let repo = repo(&[("good.py", &plugin("good"))]);
    let (reader, writer) = io::pipe().expect("a pipe can be made");
    drop(reader);
    let status = command(&repo)
        .arg("migrate")
        .stdout(writer)
        .status()
        .expect("rehook runs");
    assert_eq!(status.code(), Some(0));
    assert_eq!(rehook(&repo, &["undo"]).exit, 0);
    assert!(files(&repo).0["good.py"] == Entry::File(plugin("good"), false));
}

/// What is left to do is said, and told by the exit code, whether somebody reads the results or not.
#[test]
fn a_closed_pipe_does_not_change_what_is_said() {
    let by_hand = String::from_utf8(plugin("by_hand")).expect("unicode");
    let by_hand = by_hand.replace("\"/by_hand\"", "input()");
    let repo = repo(&[
        ("good.py", &plugin("good")),
        ("hand.py", by_hand.as_bytes()),
    ]);
    for args in [
        &["migrate", "--check"][..],
        &["diff", "--exit-code"],
        &["migrate"],
    ] {
        let (reader, writer) = io::pipe().expect("a pipe can be made");
        drop(reader);
        let output = command(&repo)
            .args(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .and_then(Child::wait_with_output)
            .expect("rehook runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("1 needs a manual change"), "{args:?}: {said}");
    }
}

/// An exit code of 2 says that nothing was written, so a report that cannot be shown does not.
#[test]
fn results_that_cannot_be_written_are_no_other_error() {
    let full = || fs::File::options().write(true).open("/dev/full");
    let Ok(_) = full() else {
        eprintln!("skipped: there is no /dev/full");
        return;
    };
    let repo = repo(&[("good.py", &plugin("good"))]);
    for (args, exit, said) in [
        (&["scan"][..], 2, "hint: "),
        (&["diff"], 2, "cannot write the results"),
        (&["--lang", "zh", "scan"], 2, "磁盘空间不足"),
        (&["migrate"], 1, "written all the same"),
        (&["undo"], 0, "taken back all the same"),
    ] {
        let output = command(&repo)
            .args(args)
            .stdout(full().expect("it is there"))
            .stderr(Stdio::piped())
            .spawn()
            .and_then(Child::wait_with_output)
            .expect("rehook runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
        let is_new = files(&repo).0["good.py"] != Entry::File(plugin("good"), false);
        assert_eq!(is_new, args == ["migrate"]);
    }
}

#[test]
fn a_full_disk_leaves_every_file_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(folder.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        eprintln!("skipped: this user may not mount a file system");
        return;
    }
    struct Mounted<'a>(&'a Path);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0).status();
        }
    }
    let _mounted = Mounted(folder.path());
    fs::write(folder.path().join("good.py"), plugin("good")).expect("there is room for it");
    let mut pages = 0;
    while fs::write(folder.path().join("filler"), vec![1; 4096 * (pages + 1)]).is_ok() {
        pages += 1;
    }
    let path = folder.path().to_str().expect("unicode");
    let elsewhere = repo(&[("here.py", b"")]);
    let run = rehook(&elsewhere, &["migrate", "--allow-dirty", path]);
    assert_eq!(run.exit, 2, "{}", run.transcript());
    let good = fs::read(folder.path().join("good.py")).expect("it is there");
    assert!(good == plugin("good"));
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("no space is left"), "{said}");
    assert!(said.contains("hint: "), "{said}");
}

// ---------------------------------------------------------------- processes

fn command(repo: &Repo) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehook"));
    command
        .current_dir(repo.root())
        .env("HOME", repo.root())
        .env(
            "XDG_STATE_HOME",
            repo.root().with_file_name("home").join(".local/state"),
        )
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    command
}

/// A repo of many plugins, and what it is before and after its migration.
struct Many {
    repo: Repo,
    before: Tree,
    after: Tree,
}

impl Many {
    fn new() -> Self {
        let tree = Tree(
            (0..60)
                .map(|n| {
                    let bytes = plugin(&format!("p{n}"));
                    (format!("p{n:03}.py"), Entry::File(bytes, false))
                })
                .collect::<BTreeMap<_, _>>(),
        );
        let repo = Repo::new(&tree).expect("a repo can be made");
        assert_eq!(rehook(&repo, &["migrate", "--quiet"]).exit, 0);
        let after = files(&repo);
        assert_eq!(rehook(&repo, &["undo"]).exit, 0);
        let before = files(&repo);
        assert!(before == tree && after != tree);
        Self {
            repo,
            before,
            after,
        }
    }

    /// How many files are not as they were; reads no file whole that is new.
    fn changed(&self) -> usize {
        let is_old = |(path, entry): (&String, &Entry)| {
            let Entry::File(bytes, _) = entry else {
                return true;
            };
            fs::read(self.repo.root().join(path)).is_ok_and(|now| now == *bytes)
        };
        self.before.0.iter().filter(|one| !is_old(*one)).count()
    }

    /// Starts a migration, ends it with `end` when `wanted` files are changed, or as soon as that
    /// can be seen; then the next run has to finish it or take it back, and `undo` too.
    fn interrupt(&self, wanted: usize, end: impl Fn(&mut Child)) {
        let mut child = command(&self.repo)
            .args(["migrate", "--quiet", "--allow-dirty"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rehook runs");
        while self.changed() < wanted && child.try_wait().expect("it is ours").is_none() {}
        end(&mut child);
        child.wait().expect("it is ours");
        let changed = self.changed();
        let is_halfway = 0 < changed && changed < self.before.0.len();

        // Whatever the moment, each file is old or new and whole.
        for (path, entry) in &files(&self.repo).0 {
            let (old, new) = (self.before.0.get(path), self.after.0.get(path));
            let is_whole = old == Some(entry) || new == Some(entry);
            // A file that was put aside, to be renamed into place.
            assert!(
                is_whole || (old.is_none() && new.is_none()),
                "{path} is neither old nor new"
            );
        }
        let run = rehook(&self.repo, &["migrate", "--quiet", "--allow-dirty"]);
        assert_eq!(run.exit, 0, "{}", run.transcript());
        let says_so = String::from_utf8_lossy(&run.stderr).contains("migration was interrupted");
        assert!(says_so || !is_halfway, "{}", run.transcript());
        assert!(files(&self.repo) == self.after, "{}", run.transcript());
        let run = rehook(&self.repo, &["undo"]);
        assert_eq!(run.exit, 0, "{}", run.transcript());
        assert!(files(&self.repo) == self.before, "{}", run.transcript());
    }
}

#[test]
fn a_migration_that_is_killed_is_finished_or_taken_back_by_the_next_run() {
    let many = Many::new();
    for wanted in [0, 1, 20, 59] {
        many.interrupt(wanted, |child| {
            // It may have ended by itself.
            let _ = child.kill();
        });
    }
}

#[test]
#[cfg(unix)]
fn a_migration_that_is_interrupted_is_finished_or_taken_back_by_the_next_run() {
    let many = Many::new();
    for (signal, wanted) in [("-INT", 1), ("-TERM", 10), ("-HUP", 30)] {
        many.interrupt(wanted, |child| {
            let _ = Command::new("kill")
                .args([signal, &child.id().to_string()])
                .output();
        });
    }
}

#[test]
fn two_migrations_at_once_do_not_mix() {
    let many = Many::new();
    let start = || {
        command(&many.repo)
            .args(["migrate", "--quiet", "--allow-dirty"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rehook runs")
    };
    let children = [start(), start(), start()];
    let mut done = 0;
    for mut child in children {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut said).expect("UTF-8");
        }
        match child.wait().expect("it is ours").code() {
            Some(0) => done += 1,
            // Refused: another one is at work, or was faster.
            Some(2) => assert!(said.contains("hint: ") && !said.contains("bug"), "{said}"),
            other => panic!("{other:?}: {said}"),
        }
    }
    assert!(done > 0, "none of them did it");
    assert!(files(&many.repo) == many.after);
    assert_eq!(rehook(&many.repo, &["undo"]).exit, 0);
    assert!(files(&many.repo) == many.before);
}

/// The plan was made from bytes that are not there any more when it is to be written.
#[test]
fn a_file_that_changes_between_plan_and_write_stops_the_migration() {
    use rehook::migrate::apply::{FileChange, apply};
    let repo = repo(&[("a.py", b"planned\n"), ("b.py", b"planned\n")]);
    let root = repo.root().canonicalize().expect("it is there");
    let change = |name: &str| FileChange {
        path: root.join(name),
        before: Some(b"planned\n".to_vec()),
        after: b"migrated\n".to_vec(),
    };
    let changes = [change("a.py"), change("b.py")];
    let edited: PathBuf = root.join("b.py");

    fs::write(&edited, "edited meanwhile\n").expect("it can be written");
    let error = apply(&root, &changes).expect_err("b.py is not what was planned for");
    assert!(error.to_string().contains("b.py"), "{error}");
    fs::remove_file(&edited).expect("it can be removed");
    let error = apply(&root, &changes).expect_err("b.py is gone");
    assert!(error.to_string().contains("b.py"), "{error}");
    assert_eq!(
        fs::read(root.join("a.py")).expect("it is there"),
        b"planned\n"
    );
}
