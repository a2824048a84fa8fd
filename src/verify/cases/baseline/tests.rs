use super::*;

fn git(root: &Path, args: &[&str]) {
    let output = git::command(root)
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{output:?}");
}

fn repo(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("git")
        .args(["init", "--quiet"])
        .arg(folder.path())
        .status();
    assert!(made.unwrap().success());
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    std::os::unix::fs::symlink("a.py", folder.path().join("link.py")).unwrap();
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message=one"]);
    folder
}

#[test]
fn files_come_as_they_were_committed() {
    let files: [(&str, &[u8]); 4] = [
        ("a.py", b"one\n"),
        ("empty.py", b""),
        ("sub/你 b\n.py", b"x\r\n\0\xff"),
        ("sub/data.bin", &[7; 100_000]),
    ];
    let repo = repo(&files);
    fs::write(repo.path().join("a.py"), "two\n").unwrap();
    let original = Baseline::open(repo.path(), "HEAD").unwrap();
    let target = tempfile::tempdir().unwrap();
    let mut budget = CopyBudget::default();
    original
        .write(target.path(), |_| true, &mut budget)
        .unwrap();
    for (name, bytes) in files {
        assert_eq!(fs::read(target.path().join(name)).unwrap(), bytes, "{name}");
    }
    let link = fs::read_link(target.path().join("link.py")).unwrap();
    assert_eq!(link, Path::new("a.py"));
}

#[test]
fn only_what_is_wanted_is_written() {
    let repo = repo(&[("a.py", b"1"), ("b.txt", b"2")]);
    let original = Baseline::open(repo.path(), "HEAD").unwrap();
    let target = tempfile::tempdir().unwrap();
    let mut budget = CopyBudget::new(10, 10);
    let wanted = |path: &Path| path.extension().is_some_and(|e| e == "txt");
    original.write(target.path(), wanted, &mut budget).unwrap();
    assert!(target.path().join("b.txt").exists());
    assert!(!target.path().join("a.py").exists());
    let error = original.write(target.path(), |_| true, &mut CopyBudget::new(1, 10));
    assert!(matches!(error, Err(VerifyError::TooLarge(_))));
}

#[test]
fn a_revision_that_is_not_there_is_named() {
    let repo = repo(&[("a.py", b"1")]);
    for revision in ["nothing", "--help", "HEAD:a.py", ""] {
        let error = Baseline::open(repo.path(), revision);
        assert!(
            matches!(&error, Err(VerifyError::NotRun(one)) if one.reason == "no_revision"),
            "{revision}: {error:?}"
        );
    }
}

#[test]
fn a_path_that_leads_elsewhere_is_passed_over() {
    let parse = |path: &str| File::parse(format!("100644 blob abc\t{path}").as_bytes());
    assert!(parse("a/b.py").is_some());
    for path in ["../a", "/a", "a/../b", ".git/config", "a/.GIT/hooks/x"] {
        assert_eq!(parse(path), None, "{path}");
    }
    assert_eq!(File::parse(b"160000 commit abc\tsub"), None);
}
