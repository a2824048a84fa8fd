//! With real repos.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use std::process::Command;
use std::time::Duration;

use super::process::ENVIRONMENT;
use super::*;

struct Repo {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Repo {
    /// A repo with the committed files `a.py` and `sub/b.py`, in which `*.tmp` is ignored.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("repo");
        fs::create_dir_all(root.join("sub")).unwrap();
        let repo = Self {
            _folder: folder,
            root,
        };
        repo.git(&["init", "--quiet"]);
        repo.write("a.py", "a");
        repo.write("sub/b.py", "b");
        repo.write(".gitignore", "*.tmp\n");
        repo.commit();
        repo
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        for variable in ENVIRONMENT {
            git.env_remove(variable);
        }
        let output = git
            .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
            .args([
                "-c",
                "protocol.file.allow=always",
                "-c",
                "commit.gpgsign=false",
            ])
            .arg("-C")
            .arg(&self.root)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=x"]);
    }

    fn write(&self, name: impl AsRef<Path>, contents: &str) {
        fs::write(self.root.join(name), contents).unwrap();
    }

    fn check(&self, asked: &[&str], expected: &[&str]) {
        let paths =
            |names: &[&str]| -> Vec<_> { names.iter().map(|name| self.root.join(name)).collect() };
        assert_eq!(uncommitted(&paths(asked)).unwrap(), paths(expected));
    }
}

#[test]
fn the_root_is_found_upwards() {
    let repo = Repo::new();
    let root = Some(repo.root.clone());
    for name in [
        "",
        "a.py",
        "sub",
        "sub/b.py",
        "sub/missing.py",
        "no/such/folder",
    ] {
        assert_eq!(repo_root(&repo.root.join(name)), root, "{name}");
    }
    fs::create_dir(repo.root.join("sub/.git")).unwrap();
    assert_eq!(repo_root(&repo.root.join("sub/b.py")), root);
    repo.git(&["worktree", "add", "--quiet", "../tree"]);
    let tree = repo.root.with_file_name("tree");
    assert_eq!(repo_root(&tree.join("sub/b.py")), Some(tree));
}

#[test]
fn every_kind_of_change_is_seen_and_no_other_file_matters() {
    let repo = Repo::new();
    repo.check(&["a.py", "sub/b.py", "missing.py"], &[]);
    for name in [
        "staged.py",
        "edited.py",
        "deleted.py",
        "renamed.py",
        "assumed.py",
        "skipped.py",
    ] {
        repo.write(name, name);
    }
    repo.commit();
    repo.write("staged.py", "x");
    repo.git(&["add", "staged.py"]);
    repo.write("edited.py", "x");
    fs::remove_file(repo.root.join("deleted.py")).unwrap();
    repo.git(&["mv", "renamed.py", "moved.py"]);
    repo.git(&["update-index", "--assume-unchanged", "assumed.py"]);
    repo.git(&["update-index", "--skip-worktree", "skipped.py"]);
    repo.write("untracked.py", "");
    repo.write("intended.py", "");
    repo.git(&["add", "--intent-to-add", "intended.py"]);
    repo.write("ignored.tmp", "");
    let dirty = [
        "untracked.py",
        "staged.py",
        "edited.py",
        "deleted.py",
        "renamed.py",
        "moved.py",
        "assumed.py",
        "skipped.py",
        "intended.py",
        "ignored.tmp",
    ];
    repo.check(&dirty, &dirty);
    repo.check(&["a.py", "edited.py", "sub/b.py"], &["edited.py"]);
    repo.check(&["a.py", "sub/b.py"], &[]);
}

#[test]
fn odd_names_mean_themselves() {
    let repo = Repo::new();
    let names = [
        "*.py",
        ":(exclude)a.py",
        ":(top)c.py",
        "-x",
        "a b\"\\\n.py",
        "文.py",
        "[a].py",
    ];
    for name in names {
        repo.write(name, "");
    }
    repo.check(&names, &names);
    repo.check(&["a.py", "*.py"], &["*.py"]);
    repo.commit();
    for name in names {
        repo.check(&[name], &[]);
    }
    repo.write("a.py", "edited");
    repo.check(&names, &[]);

    let raw = repo.root.join(OsStr::from_bytes(b"\xff.py"));
    fs::write(&raw, "").unwrap();
    assert_eq!(
        uncommitted(std::slice::from_ref(&raw)).unwrap().as_slice(),
        std::slice::from_ref(&raw)
    );
    repo.commit();
    assert_eq!(uncommitted(&[raw]).unwrap(), [] as [PathBuf; 0]);
}

#[test]
fn more_files_than_arguments_may_be() {
    let repo = Repo::new();
    let names: Vec<_> = (0..3000)
        .map(|i| format!("{}{i}.py", "x".repeat(100)))
        .collect();
    for name in &names {
        repo.write(name, "");
    }
    repo.commit();
    repo.write(&names[2999], "edited");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    repo.check(&names, &names[2999..]);
}

#[test]
fn each_file_is_asked_for_in_its_own_repo() {
    let (repo, inner) = (Repo::new(), Repo::new());
    let source = inner.root.to_str().unwrap();
    repo.git(&["submodule", "--quiet", "add", source, "module"]);
    repo.commit();
    repo.check(&["module/a.py", "a.py"], &[]);
    repo.write("module/a.py", "edited");
    repo.check(&["module/a.py", "a.py"], &["module/a.py"]);

    // Through a link, it is the file behind that is written.
    std::os::unix::fs::symlink(inner.root.join("a.py"), repo.root.join("link.py")).unwrap();
    repo.commit();
    repo.check(&["link.py"], &[]);
    inner.write("a.py", "edited");
    repo.check(&["link.py"], &["link.py"]);
}

#[test]
fn outside_of_git_everything_is_uncommitted() {
    let folder = tempfile::tempdir().unwrap();
    let (file, missing) = (folder.path().join("a.py"), folder.path().join("b.py"));
    fs::write(&file, "").unwrap();
    assert_eq!(uncommitted(&[missing, file.clone()]).unwrap(), [file]);
}

#[test]
fn a_repo_without_a_commit_is_a_repo() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let repo = Repo {
        _folder: folder,
        root,
    };
    repo.git(&["init", "--quiet"]);
    repo.write("a.py", "");
    repo.check(&["a.py"], &["a.py"]);
    repo.git(&["add", "a.py"]);
    repo.check(&["a.py"], &["a.py"]);
}

#[test]
fn a_monitor_that_the_repo_names_is_not_run() {
    let repo = Repo::new();
    let ran = repo.root.with_file_name("ran");
    let command = format!("touch {}; false", ran.display());
    repo.git(&["config", "core.fsmonitor", &command]);
    repo.check(&["a.py"], &[]);
    assert!(!ran.exists());
}

/// This test binary runs a test of this module again as a hook of another repo would.
#[test]
fn the_variables_of_a_hook_do_not_mislead() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "migrate::project::git::tests::odd_names_mean_themselves",
        ])
        .env("GIT_DIR", "/nowhere/.git")
        .env("GIT_WORK_TREE", "/nowhere")
        .env("GIT_INDEX_FILE", "/nowhere/.git/index")
        .env("GIT_GLOB_PATHSPECS", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
fn a_broken_repo_is_an_error() {
    let repo = Repo::new();
    fs::write(repo.root.join(".git/index"), "broken").unwrap();
    let error = uncommitted(&[repo.root.join("a.py")]).unwrap_err();
    let says = error.to_string();
    assert!(says.starts_with("git cannot tell which files"), "{says}");
}

#[test]
fn a_repo_that_only_looks_like_one_hides_nothing() {
    let repo = Repo::new();
    fs::create_dir(repo.root.join("sub/.git")).unwrap();
    repo.write("sub/.git/HEAD", "broken");
    repo.write("sub/b.py", "edited");
    repo.check(&["a.py", "sub/b.py"], &["sub/b.py"]);
}

#[test]
fn a_repo_of_somebody_else_is_an_error_with_its_remedy() {
    let repo = Repo::new();
    for name in [".git", "."] {
        if std::os::unix::fs::lchown(repo.root.join(name), Some(1234), None).is_err() {
            eprintln!("skipped: only root may give a folder away");
            return;
        }
    }
    match uncommitted(&[repo.root.join("a.py")]) {
        Ok(_) => eprintln!("skipped: git is configured to trust every folder"),
        Err(error) => assert_eq!(error, error::unsafe_ownership(&repo.root)),
    }
}

/// A program that leaves a file when it is run, and the file.
fn trap(repo: &Repo) -> (String, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let folder = repo.root.parent().unwrap();
    let (program, mark) = (folder.join("trap"), folder.join("ran"));
    let text = format!("#!/bin/sh\necho \"$@\" >> '{}'\ncat\n", mark.display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program.to_str().unwrap().to_owned(), mark)
}

#[test]
fn no_program_that_the_repo_names_is_run() {
    let repo = Repo::new();
    let (program, mark) = trap(&repo);
    let set = |name: &str, value: &str| repo.git(&["config", name, value]);
    // A program of each kind that git knows, and in each place where settings can be.
    set("extensions.worktreeConfig", "true");
    set("filter.clean.clean", &program);
    set("filter.Two.Names.process", &program);
    set("filter.required.required", "true");
    repo.git(&["config", "--worktree", "filter.of tree.clean", &program]);
    repo.git(&[
        "config",
        "--file",
        "included",
        "filter.included.clean",
        &program,
    ]);
    set("include.path", "../included");
    let root = repo.root.to_str().unwrap();
    set(&format!("includeIf.gitdir:{root}/.path"), "../included");
    for name in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.askPass",
        "core.editor",
        "diff.external",
        "diff.text.textconv",
        "alias.status",
        "pager.status",
        "credential.helper",
        "gpg.program",
    ] {
        set(name, &program);
    }
    set(
        "core.hooksPath",
        repo.root.parent().unwrap().to_str().unwrap(),
    );
    let attributes = [
        ("a.py", "clean"),
        ("two.py", "Two.Names"),
        ("three.py", "of tree"),
        ("four.py", "included"),
        ("five.py", "required"),
    ];
    for (name, _) in &attributes[1..] {
        repo.write(name, name);
    }
    repo.commit();
    let lines = attributes.map(|(name, filter)| match filter.contains(' ') {
        // No attribute can name it; it is switched off all the same.
        true => format!("{name} -filter\n"),
        false => format!("{name} filter={filter} diff=text\n"),
    });
    fs::write(repo.root.join(".git/info/attributes"), lines.concat()).unwrap();
    for (name, _) in attributes {
        let file = fs::File::options()
            .write(true)
            .open(repo.root.join(name))
            .unwrap();
        let past = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
        file.set_modified(past).unwrap();
    }
    let _ = fs::remove_file(&mark);

    let names = attributes.map(|(name, _)| name);
    repo.check(&names, &[]);
    repo.write("a.py", "edited");
    repo.write("three.py", "edited");
    repo.check(&names, &["a.py", "three.py"]);
    let asked = ["a.py", "three.py", "sub/b.py"].map(|name| repo.root.join(name));
    assert_eq!(
        behind_filters(&asked).unwrap(),
        [(repo.root.join("a.py"), "clean".to_owned())]
    );
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());
}

#[test]
fn a_filter_that_cannot_be_switched_off_is_named() {
    let repo = Repo::new();
    let (program, mark) = trap(&repo);
    let mut config = fs::read_to_string(repo.root.join(".git/config")).unwrap();
    config += &format!("[filter \"x=y\"]\n\tclean = {program}\n");
    fs::write(repo.root.join(".git/config"), config).unwrap();
    repo.write(".gitattributes", "*.py filter=x=y\n");
    let error = uncommitted(&[repo.root.join("a.py")]).unwrap_err();
    assert!(error.to_string().contains("x=y"), "{error}");
    assert!(!mark.exists());
}

#[test]
fn nothing_is_fetched_for_a_partial_clone() {
    let repo = Repo::new();
    let (program, mark) = trap(&repo);
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let source = format!("file://{}", repo.root.display());
    let clone = repo.root.with_file_name("clone");
    repo.git(&[
        "clone",
        "--quiet",
        "--filter=blob:none",
        "--no-checkout",
        &source,
        clone.to_str().unwrap(),
    ]);
    let config = ["config", "core.sshCommand", &program];
    repo.git(&[&["-C", clone.to_str().unwrap()], &config[..]].concat());
    let config = ["config", "remote.origin.url", "ssh://x.invalid/y"];
    repo.git(&[&["-C", clone.to_str().unwrap()], &config[..]].concat());
    let output = command(&clone)
        .args(["cat-file", "-p", "HEAD:a.py"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(!mark.exists());
}

#[test]
fn a_pipe_in_the_place_of_a_file_of_git_is_not_waited_for() {
    for name in [
        ".gitattributes",
        "sub/.gitattributes",
        ".git/info/attributes",
    ] {
        let repo = Repo::new();
        let path = repo.root.join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
        let error = uncommitted(&[repo.root.join("sub/b.py")]).unwrap_err();
        assert_eq!(error, error::not_a_file(&path));
    }
}

/// A pipe that nobody writes into never ends, whatever the limit.
#[test]
fn git_is_ended_that_waits_for_a_pipe_among_its_own_files() {
    let repo = Repo::new();
    let pipe = repo.root.join(".git/pipe");
    repo.git(&["config", "include.path", "pipe"]);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
    let mut git = command(&repo.root);
    git.arg("status");
    let error = output(Place::of(&repo.root), git, Duration::from_millis(50)).unwrap_err();
    assert_eq!(error, error::timed_out(&repo.root));
}

/// Else files with changes of the user's would be taken for those of another folder.
#[test]
fn a_setting_cannot_have_other_files_compared() {
    let repo = Repo::new();
    let other = repo.root.with_file_name("other");
    fs::create_dir(&other).unwrap();
    fs::copy(repo.root.join("a.py"), other.join("a.py")).unwrap();
    repo.write("a.py", "edited");
    repo.git(&["config", "core.worktree", &other.to_string_lossy()]);
    repo.check(&["a.py", "sub/b.py"], &["a.py"]);
    repo.git(&["config", "--unset", "core.worktree"]);
    repo.git(&["config", "core.bare", "true"]);
    repo.check(&["a.py", "sub/b.py"], &["a.py"]);
}

#[test]
fn what_is_tracked_is_known() {
    let repo = Repo::new();
    repo.write("untracked.py", "");
    let is_tracked = |name: &str| is_tracked(&repo.root.join(name), &repo.root).unwrap();
    assert!(is_tracked("a.py") && is_tracked("sub"));
    assert!(!is_tracked("untracked.py") && !is_tracked("missing"));
}
