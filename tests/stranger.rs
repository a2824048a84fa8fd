//! A stranger's repo: a clone or an archive whose author wants to do harm to whoever runs `rehook` on
//! it. It runs nothing, hangs nothing, writes nothing of its author's, and what it is called cannot
//! steer a terminal.
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::repo::{Repo, Run};
use support::tree::{Entry, Tree};

/// A plugin that can be migrated, by its author and endpoint as they are written in Python.
fn plugin(author: &str, endpoint: &str) -> String {
    format!(
        r#"from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin("P", "door", "d", "0.1.0", {author}, "https://example.com")


@plugin.mount_webhook_method({endpoint}, "Name")
async def handle(_ctx: AgentCtx) -> None:
    print(_ctx)
"#
    )
}

fn door() -> String {
    plugin("\"dev\"", "\"open\"")
}

fn repo(files: &[(&str, String)]) -> Repo {
    let files = files.iter().map(|(path, text)| {
        let entry = Entry::File(text.clone().into_bytes(), false);
        ((*path).to_owned(), entry)
    });
    Repo::new(&Tree(files.collect())).expect("a repo can be made")
}

/// Runs `rehook`, which would be ended if it waited for ever.
#[track_caller]
fn rehook(repo: &Repo, args: &[&str]) -> Run {
    let all = [
        &["--kill-after=5", "120", env!("CARGO_BIN_EXE_rehook")],
        args,
    ]
    .concat();
    let run = repo.run(Path::new("timeout"), &all, b"").expect("it runs");
    let said = run.transcript();
    assert!(run.exit >= 0 && run.exit != 124, "it hangs: {said}");
    assert!(
        !said.contains("panicked") && !said.contains("bug in rehook"),
        "{said}"
    );
    run
}

#[track_caller]
fn check(run: &Run, exit: i32, expected: &[&str]) {
    let said = run.transcript();
    assert_eq!(run.exit, exit, "{said}");
    for text in expected {
        assert!(said.contains(text), "no {text:?} in {said}");
    }
}

fn fifo(path: &Path) {
    let made = Command::new("mkfifo")
        .arg(path)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
}

/// A program that leaves a file when it is run.
fn trap(repo: &Repo) -> (PathBuf, PathBuf) {
    let root = repo.root();
    let folder = root.parent().expect("it is in a folder");
    let (program, mark) = (folder.join("trap"), folder.join("ran"));
    fs::write(
        &program,
        format!("#!/bin/sh\necho x >> '{}'\ncat\n", mark.display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program, mark)
}

// ---------------------------------------------------------------- files that are none

#[test]
fn what_is_no_file_is_not_waited_for_in_the_place_of_a_source() {
    let repo = repo(&[("door.py", door())]);
    let root = repo.root();
    fifo(&root.join("pipe"));
    fifo(&root.join("direct.py"));
    symlink("pipe", root.join("pipe.py")).unwrap();
    symlink("/dev/zero", root.join("zero.py")).unwrap();
    symlink("/proc/kmsg", root.join("kernel.py")).unwrap();
    let scan = rehook(&repo, &["scan"]);
    check(
        &scan,
        0,
        &[
            "zero.py: RH001",
            "pipe.py: RH001",
            "direct.py: RH001",
            "not a regular file",
        ],
    );
    let migrate = rehook(&repo, &["migrate"]);
    check(&migrate, 1, &["1 migrated"]);
    check(
        &rehook(&repo, &["scan", "zero.py"]),
        2,
        &["not a regular file"],
    );
}

#[test]
fn what_is_no_file_is_not_waited_for_in_the_place_of_settings() {
    for name in ["pyproject.toml", "ruff.toml", ".ruff.toml"] {
        for target in ["/dev/zero", "pipe"] {
            let repo = repo(&[("door.py", door())]);
            let root = repo.root();
            fifo(&root.join("pipe"));
            symlink(target, root.join(name)).unwrap();
            check(&rehook(&repo, &["migrate"]), 0, &["1 migrated"]);
        }
    }
}

#[test]
fn what_is_no_file_is_not_waited_for_in_the_place_of_a_gitignore() {
    for name in [".gitignore", ".ignore", "sub/.gitignore"] {
        for target in ["/dev/zero", "/pipe"] {
            let repo = repo(&[("door.py", door()), ("sub/other.py", door())]);
            let root = repo.root();
            fifo(&root.join("pipe"));
            let pipe = root.join("pipe");
            let target = if target == "/pipe" {
                pipe.as_path()
            } else {
                Path::new(target)
            };
            symlink(target, root.join(name)).unwrap();
            // What is excluded is not known, so nothing in that folder is looked at.
            let is_all = !name.contains('/');
            let run = rehook(&repo, &["scan"]);
            check(
                &run,
                if is_all { 2 } else { 0 },
                &[&format!("{name}: RH001")],
            );
            let said = run.transcript();
            assert_eq!(said.contains("door.py:"), !is_all, "{said}");
            assert!(!said.contains("other.py:"), "{said}");
            check(
                &rehook(&repo, &["migrate"]),
                if is_all { 2 } else { 1 },
                &[],
            );
        }
    }
}

#[test]
fn what_is_no_file_is_not_waited_for_in_the_place_of_a_map_or_a_configuration() {
    let map = "webhook-routes.toml";
    for target in ["/dev/zero", "pipe"] {
        let repo = repo(&[("door.py", door())]);
        fifo(&repo.root().join("pipe"));
        symlink(target, repo.root().join(map)).unwrap();
        for args in [
            &["scan"][..],
            &["migrate"],
            &["verify"],
            &["routes", "--as", "nginx"],
            &["shim", "--check", "--upstream", "http://127.0.0.1:1"],
        ] {
            check(&rehook(&repo, args), 2, &[map, "not a regular file"]);
        }
        let args = ["shim", "--check", "--config", map];
        check(&rehook(&repo, &args), 2, &["not a regular file"]);
    }
}

#[test]
fn what_is_no_file_is_not_waited_for_in_the_place_of_what_git_reads() {
    for name in [".git/config", ".git/HEAD"] {
        let repo = repo(&[("door.py", door())]);
        let path = repo.root().join(name);
        let text = fs::read(&path).unwrap();
        let spoil = || {
            fs::remove_file(&path).unwrap();
            fifo(&path);
        };
        let expected = [name, "not a regular file"];
        spoil();
        check(&rehook(&repo, &["migrate"]), 2, &expected);
        check(&rehook(&repo, &["scan"]), 0, &["dev.door open"]);
        fs::remove_file(&path).unwrap();
        fs::write(&path, &text).unwrap();
        check(&rehook(&repo, &["migrate"]), 0, &[]);
        // The original is in git.
        spoil();
        check(&rehook(&repo, &["verify"]), 2, &expected);
    }
}

// ---------------------------------------------------------------- programs

#[test]
fn a_filter_is_not_run_and_what_only_it_could_tell_counts_as_uncommitted() {
    let repo = repo(&[("door.py", door())]);
    let (program, mark) = trap(&repo);
    let git = |args: &[&str]| {
        let run = repo.git(args, b"").expect("git runs");
        assert_eq!(run.exit, 0, "{}", run.transcript());
    };
    git(&["config", "filter.own.clean", &program.to_string_lossy()]);
    fs::write(
        repo.root().join(".git/info/attributes"),
        "*.py filter=own\n",
    )
    .unwrap();
    let path = repo.root().join("door.py");
    fs::write(&path, door() + "# edited\n").unwrap();
    let run = rehook(&repo, &["migrate"]);
    check(
        &run,
        2,
        &[
            "uncommitted changes: door.py",
            "door.py (own)",
            "--allow-dirty",
        ],
    );
    check(
        &rehook(&repo, &["--lang", "zh", "migrate"]),
        2,
        &["过滤器", "door.py (own)"],
    );
    // Written anew, so that only the contents can tell.
    fs::write(&path, door()).unwrap();
    check(&rehook(&repo, &["migrate"]), 0, &["1 migrated"]);
    check(&rehook(&repo, &["undo"]), 0, &[]);
    assert!(!mark.exists());
}

#[test]
fn a_program_in_the_current_folder_is_not_taken_for_git() {
    let repo = repo(&[("door.py", door())]);
    let (program, mark) = trap(&repo);
    fs::copy(program, repo.root().join("git")).unwrap();
    let path = format!(".:{}", std::env::var("PATH").unwrap_or_default());
    let script = format!("PATH='{path}' '{}' migrate", env!("CARGO_BIN_EXE_rehook"));
    let run = repo.run(Path::new("sh"), &["-c", &script], b"").unwrap();
    check(&run, 0, &["1 migrated"]);
    assert!(!mark.exists());
}

#[test]
fn a_git_of_the_repo_is_not_started_wherever_the_path_leads() {
    let repo = repo(&[("door.py", door())]);
    let (program, mark) = trap(&repo);
    let root = repo.root();
    let folder = root.join(".venv/bin");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(program, folder.join("git")).unwrap();
    let link = root.with_file_name("link");
    symlink(&folder, &link).unwrap();
    let migrate = |path: &str, args: &str| {
        let script = format!("PATH='{path}' '{}' {args}", env!("CARGO_BIN_EXE_rehook"));
        repo.run(Path::new("/bin/sh"), &["-c", &script], b"")
            .unwrap()
    };
    for folder in [&folder, &link] {
        let folder = folder.display().to_string();
        // Said, where there is no other.
        let run = migrate(&folder, "migrate");
        check(&run, 2, &[&format!("{folder}/git"), "is not started"]);
        let run = migrate(&folder, "--lang zh migrate");
        check(&run, 2, &[&format!("{folder}/git"), "不会启动"]);
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        check(&migrate(&path, "migrate"), 0, &["1 migrated"]);
        check(&migrate(&path, "undo"), 0, &[]);
        // Nor from elsewhere, where git is asked about the interpreters of the PATH.
        let script = format!(
            "cd / && PATH='{path}' '{}' verify '{}'",
            env!("CARGO_BIN_EXE_rehook"),
            root.display()
        );
        let _ = repo.run(Path::new("/bin/sh"), &["-c", &script], b"");
    }
    assert!(!mark.exists());
}

/// A Python that is none, and says where it was started and with what.
fn fake_python(repo: &Repo) -> (PathBuf, PathBuf) {
    let root = repo.root();
    let parent = root.parent().expect("it is in a folder");
    let (folder, said) = (parent.join("fake"), parent.join("said"));
    fs::create_dir(&folder).unwrap();
    let program = folder.join("python3");
    let script = format!(
        "#!/bin/sh\n{{ pwd; export -p; }} >> '{}'\nexit 1\n",
        said.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, said)
}

/// An empty part of `PYTHONPATH` is the current folder, whose `sitecustomize.py` every Python runs.
#[test]
fn a_python_of_the_users_takes_nothing_from_the_repo_unless_it_is_named() {
    let repo = repo(&[("door.py", door())]);
    let root = repo.root();
    let (folder, said) = fake_python(&repo);
    let (root, folder) = (root.display().to_string(), folder.display().to_string());
    let verify = |args: &str| {
        fs::write(&said, "").unwrap();
        let script = format!(
            "PATH='{folder}' PYTHONPATH=':{root}/lib:relative:/usr/lib' PYTHONHOME='{root}' \
             PYTHONUSERBASE='{root}' PYTHONPYCACHEPREFIX='{root}' '{}' verify {args}",
            env!("CARGO_BIN_EXE_rehook")
        );
        let run = repo
            .run(Path::new("/bin/sh"), &["-c", &script], b"")
            .unwrap();
        check(&run, 2, &[]);
        let said = fs::read_to_string(&said).unwrap();
        let python: Vec<String> = said
            .lines()
            .map(|line| line.trim_start_matches("export ").replace('\'', ""))
            .filter(|line| line.starts_with("PYTHON") || line.starts_with('/'))
            .collect();
        assert!(!python.is_empty(), "it was started");
        python
    };
    let unasked = verify("");
    assert!(unasked.contains(&"/".to_owned()), "{unasked:?}");
    assert!(
        unasked.contains(&"PYTHONPATH=/usr/lib".to_owned()),
        "{unasked:?}"
    );
    assert!(
        !unasked.iter().any(|line| line.contains(&root)),
        "{unasked:?}"
    );
    let asked = verify("--python python3");
    assert!(asked.contains(&root), "{asked:?}");
    assert!(asked.contains(&format!("PYTHONHOME={root}")), "{asked:?}");
}

#[test]
fn no_interpreter_of_the_repo_is_started_and_it_is_said_how_to() {
    let repo = repo(&[("door.py", door())]);
    let (program, mark) = trap(&repo);
    for folder in [".venv/bin", "venv/bin", "tools"] {
        let folder = repo.root().join(folder);
        fs::create_dir_all(&folder).unwrap();
        for name in ["python", "python3"] {
            fs::copy(&program, folder.join(name)).unwrap();
        }
    }
    fs::create_dir_all(repo.root().with_file_name(".venv").join("bin")).unwrap();
    fs::copy(
        &program,
        repo.root().with_file_name(".venv").join("bin/python"),
    )
    .unwrap();
    let root = repo.root();
    let root = root.display();
    let script = format!(
        "PATH='{root}/tools' VIRTUAL_ENV='{root}/venv' '{}' verify",
        env!("CARGO_BIN_EXE_rehook")
    );
    let run = repo
        .run(Path::new("/bin/sh"), &["-c", &script], b"")
        .unwrap();
    check(
        &run,
        2,
        &[
            "/.venv (not started unless --python names it)",
            "tools/python3",
            "--python",
        ],
    );
    assert!(!mark.exists());
    // Nothing is started where there is nothing to verify, even if it is asked for.
    fs::remove_file(repo.root().join("door.py")).unwrap();
    let run = rehook(&repo, &["verify", "--python", ".venv"]);
    check(&run, 2, &["nothing to verify"]);
    assert!(!mark.exists());
}

// ---------------------------------------------------------------- what was planted

#[test]
fn a_planted_journal_is_refused_named_and_mentioned() {
    let victim = "# the file of the victim\n";
    let text = |name: &str, before: &str, after: &str| {
        let body = format!(
            "rehook journal 1\ntag 0000000000000001 mark 1-1 files 1\nfile {} 777 {} {}\n{name}{before}{after}\n",
            name.len(),
            before.len(),
            after.len()
        );
        let check = body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{body}check {check:016x}\n")
    };
    let planted = text("victim.py", "# of somebody else\n", victim);
    for name in ["journal", "undoing", "undo", "undo-1", "undo-7"] {
        let repo = repo(&[("door.py", door()), ("victim.py", victim.to_owned())]);
        let folder = repo.root().join(".rehook");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), &planted).unwrap();
        let said = [".rehook/", name, "not written by your rehook", "delete"];
        check(&rehook(&repo, &["scan"]), 0, &said);
        check(&rehook(&repo, &["diff"]), 0, &said);
        check(&rehook(&repo, &["undo"]), 2, &said);
        let is_at_work = !name.starts_with("undo-") && name != "undo";
        let run = rehook(&repo, &["migrate"]);
        check(&run, if is_at_work { 2 } else { 0 }, &[]);
        let now = fs::read_to_string(repo.root().join("victim.py")).unwrap();
        assert_eq!(now, victim);
        let mode = fs::metadata(repo.root().join("victim.py"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0);
    }
}

/// In the place of files that only `rehook` itself makes.
#[test]
fn what_cannot_be_from_rehook_is_mentioned_refused_and_named() {
    for name in [
        "lock",
        "writing",
        ".gitignore",
        "journal",
        "undoing",
        "undo-3",
    ] {
        for kind in ["pipe", "folder", "link"] {
            let repo = repo(&[("door.py", door())]);
            let folder = repo.root().join(".rehook");
            let path = folder.join(name);
            fs::create_dir(&folder).unwrap();
            match kind {
                "pipe" => fifo(&path),
                "folder" => fs::create_dir_all(path.join("sub")).unwrap(),
                _ => symlink("/etc/passwd", &path).unwrap(),
            }
            let said = [".rehook/", name, "cannot be from rehook", "delete"];
            check(&rehook(&repo, &["scan"]), 0, &said);
            check(&rehook(&repo, &["undo"]), 2, &said);
            if name != "undo-3" {
                check(&rehook(&repo, &["migrate"]), 2, &said);
                continue;
            }
            // It is in nobody's way, and hides what is below it.
            check(&rehook(&repo, &["migrate"]), 0, &[]);
            let undo = rehook(&repo, &["undo"]);
            check(&undo, 0, &["restored door.py"]);
            let said = undo.transcript();
            assert!(!said.contains("earlier migration"), "{said}");
        }
    }
    let repo = repo(&[("door.py", door())]);
    let folder = repo.root().join(".rehook");
    fs::create_dir(&folder).unwrap();
    let huge = fs::File::create(folder.join("journal")).unwrap();
    huge.set_len(1 << 40).unwrap();
    check(&rehook(&repo, &["migrate"]), 2, &["cannot be from rehook"]);
}

/// As in a container whose home is the folder of the clone: its author could have put a key there.
#[test]
fn a_key_in_the_repo_is_not_used() {
    let repo = repo(&[("door.py", door())]);
    let root = repo.root();
    let binary = env!("CARGO_BIN_EXE_rehook");
    let link = root.with_file_name("link");
    symlink(&root, &link).unwrap();
    for state in [root.join("state"), link.join("not/there")] {
        let state = state.display();
        let script = format!("XDG_STATE_HOME='{state}' '{binary}' migrate");
        let run = repo.run(Path::new("sh"), &["-c", &script], b"").unwrap();
        check(&run, 2, &["in the repo itself", "nothing was written"]);
        assert!(!root.join("state").exists() && !root.join("not").exists());
    }
    // Nor for a record that is there.
    check(&rehook(&repo, &["migrate"]), 0, &[]);
    let home = root.with_file_name("home").join(".local/state/rehook");
    let key = fs::read(home.join("journal-key")).unwrap();
    let inside = root.join("state/rehook");
    fs::create_dir_all(&inside).unwrap();
    let inside = inside.join("journal-key");
    fs::write(&inside, key).unwrap();
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o600)).unwrap();
    let script = format!("XDG_STATE_HOME='{}/state' '{binary}' undo", root.display());
    let run = repo.run(Path::new("sh"), &["-c", &script], b"").unwrap();
    check(&run, 2, &["in the repo itself"]);
    check(&rehook(&repo, &["undo"]), 0, &[]);
}

#[test]
fn without_a_place_for_the_key_nothing_is_written_and_it_is_said_where_to_put_it() {
    let repo = repo(&[("door.py", door())]);
    let before = repo.tree().unwrap();
    let binary = env!("CARGO_BIN_EXE_rehook");
    let state = repo.root().with_file_name("state");
    // A file in the place of the folder: so it is for root too.
    fs::write(&state, "").unwrap();
    let script = format!("XDG_STATE_HOME='{}' '{binary}' migrate", state.display());
    let run = repo.run(Path::new("sh"), &["-c", &script], b"").unwrap();
    check(&run, 2, &["nothing was written", "XDG_STATE_HOME"]);
    assert!(repo.tree().unwrap() == before);
    let good = repo.root().with_file_name("good");
    for command in ["migrate", "undo"] {
        let script = format!(
            "HOME= XDG_STATE_HOME='{}' '{binary}' {command}",
            good.display()
        );
        let run = repo.run(Path::new("sh"), &["-c", &script], b"").unwrap();
        check(&run, 0, &[]);
    }
    assert!(repo.tree().unwrap() == before);
}

#[test]
fn a_map_that_leads_elsewhere_is_refused_by_all_who_read_it() {
    for target in [
        "/api/admin",
        "/plugins/../api/admin",
        "/plugins/dev.door/%2e%2e/%2e%2e/api/admin",
        "//evil.example/plugins/dev.door/open",
        "http://evil.example/plugins/dev.door/open",
    ] {
        let map = format!(
            "version = 1\n\n[[route]]\nplugin = \"dev.door\"\nendpoint = \"x\"\ndialect = \"context\"\nmethods = [\"POST\"]\ntarget = \"{target}\"\nlegacy = [\"/api/webhook/x\"]\n"
        );
        let repo = repo(&[("door.py", door()), ("webhook-routes.toml", map)]);
        for args in [
            &["scan"][..],
            &["diff"],
            &["migrate"],
            &["verify"],
            &["routes", "--as", "nginx"],
            &["routes", "--as", "caddy"],
            &["shim", "--check", "--upstream", "http://127.0.0.1:1"],
        ] {
            check(
                &rehook(&repo, args),
                2,
                &["webhook-routes.toml:8", "not a path below /plugins/"],
            );
            let zh = [&["--lang", "zh"], args].concat();
            check(
                &rehook(&repo, &zh),
                2,
                &["webhook-routes.toml:8", "不是 /plugins/ 之下的路径"],
            );
        }
    }
}

#[test]
fn an_endpoint_that_would_lead_elsewhere_needs_a_manual_change() {
    for endpoint in [
        r#""/../../api/admin""#,
        r#""a/%2e%2e/b""#,
        r#""a\\..\\b""#,
        r#""a\nb""#,
    ] {
        let repo = repo(&[("door.py", plugin("\"dev\"", endpoint))]);
        let before = repo.tree().unwrap();
        check(&rehook(&repo, &["migrate"]), 1, &["RH104"]);
        assert!(repo.tree().unwrap() == before);
    }
    let repo = repo(&[("door.py", plugin("\"../../x\"", "\"open\""))]);
    check(&rehook(&repo, &["migrate"]), 1, &["RH104"]);
}

#[test]
fn a_file_of_another_repo_behind_a_link_is_not_edited_unless_it_is_named() {
    // A plugin of another key: two of one key would be left for that reason.
    let lib = plugin("\"other\"", "\"open\"");
    let (here, other) = (repo(&[("own.py", door())]), repo(&[("lib.py", lib)]));
    let file = other.root().join("lib.py").canonicalize().unwrap();
    symlink(&file, here.root().join("link.py")).unwrap();
    let before = other.tree().unwrap();
    for args in [&["migrate"][..], &["migrate", "--allow-dirty"]] {
        let run = rehook(&here, args);
        let expected = format!("link.py -> {}", file.display());
        check(
            &run,
            2,
            &["nothing was written", &expected, "rehook migrate"],
        );
    }
    assert!(other.tree().unwrap() == before);
    check(&rehook(&here, &["migrate", "own.py"]), 0, &["1 migrated"]);
    check(&rehook(&here, &["migrate", "link.py"]), 0, &["1 migrated"]);
    assert!(other.tree().unwrap() != before);
}

#[test]
fn a_route_map_behind_a_link_out_of_the_repo_is_not_written_unless_it_is_named() {
    let repo = repo(&[("door.py", door())]);
    let map = repo.root().with_file_name("map.toml");
    fs::write(&map, "version = 1\n").unwrap();
    let map = map.canonicalize().unwrap();
    symlink(&map, repo.root().join("webhook-routes.toml")).unwrap();
    let name = format!("--routes {}", map.display());
    for args in [&["migrate"][..], &["migrate", "--allow-dirty"]] {
        check(
            &rehook(&repo, args),
            2,
            &["lead out of the repo", "webhook-routes.toml -> ", &name],
        );
    }
    assert_eq!(fs::read_to_string(&map).unwrap(), "version = 1\n");
    let named = [
        "migrate",
        "--allow-dirty",
        "--routes",
        &map.display().to_string(),
    ];
    check(&rehook(&repo, &named), 0, &["1 migrated"]);
    assert!(fs::read_to_string(&map).unwrap().contains("dev.door"));
}

// ---------------------------------------------------------------- names that steer a terminal

/// What a terminal would obey, as Python writes it.
const EVIL: &str = r"\x1b]0;owned\x07\x1b[2J\u202edaol\n| x |\x9b31m";

/// Whether anything in an output would steer a terminal.
fn steers(output: &[u8]) -> bool {
    let text = String::from_utf8_lossy(output);
    text.chars().any(|c| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn names_cannot_steer_a_terminal_nor_end_a_docstring() {
    let evil_file = "a\u{1b}[2J\u{202e}\nb.py";
    let author = r#"'d"""'"#;
    let repo = repo(&[
        (evil_file, plugin("\"dev\"", &format!("\"{EVIL}\""))),
        ("author.py", plugin(&format!("\"{EVIL}\""), "\"ok\"")),
        ("quote.py", plugin(author, "\"ok\"")),
        (
            "broken\u{202e}.py",
            "mount_webhook_method(\x1b[2J".to_owned(),
        ),
    ]);
    for args in [
        &["scan"][..],
        &["scan", "--format", "json"],
        &["scan", "--format", "markdown"],
        &["-v", "scan"],
        &["--lang", "zh", "scan"],
        &["diff", "--stat"],
        &["diff", "--format", "json"],
        &["migrate", "--check"],
        &["verify", "--python", "/nonexistent"],
    ] {
        let run = rehook(&repo, args);
        assert!(
            !steers(&run.stdout) && !steers(&run.stderr),
            "{args:?}: {:?}",
            run.transcript()
        );
        if args.contains(&"json") {
            let value: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
            let webhooks = value["webhooks"].as_array().unwrap();
            let has_name = |name: &str| webhooks.iter().any(|w| w["path"] == name);
            assert!(has_name(evil_file), "{value:#}");
        }
    }
    let colored = rehook(&repo, &["diff", "--color", "always"]);
    let text = String::from_utf8_lossy(&colored.stdout).replace("\x1b[0m", "");
    let text = ["1", "31", "32", "36"].iter().fold(text, |text, style| {
        text.replace(&format!("\x1b[{style}m"), "")
    });
    assert!(!steers(text.as_bytes()), "{text:?}");

    let run = rehook(&repo, &["migrate", "--allow-dirty"]);
    assert!(
        !steers(&run.stdout) && !steers(&run.stderr),
        "{:?}",
        run.transcript()
    );
    let written = fs::read_to_string(repo.root().join("quote.py")).unwrap();
    assert!(
        written.contains("    \"\"\"Return the plugin's router.\"\"\"\n"),
        "{written}"
    );
    // Neither a route nor a line of the map is made of such a name.
    for name in [evil_file, "author.py"] {
        let text = fs::read_to_string(repo.root().join(name)).unwrap();
        assert!(text.contains("mount_webhook_method"), "{text}");
    }
    let map = fs::read(repo.root().join("webhook-routes.toml")).unwrap();
    assert!(!steers(&map));
}
