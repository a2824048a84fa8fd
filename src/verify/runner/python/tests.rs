use std::fs;

use super::*;
use crate::text::Lang;

/// A program that answers as a Python of that version does.
fn fake(path: &Path, version: &str, fastapi: bool) {
    let executable: Vec<u32> = path.to_str().unwrap().chars().map(u32::from).collect();
    let fastapi = u8::from(fastapi);
    script(
        path,
        &format!(
            r#"echo '{{"executable": {executable:?}, "version": {version}, "user_base": [47, 117], "fastapi": {fastapi}}}'"#
        ),
    );
}

/// Another process writes it: a descriptor of this one, open for writing, could be inherited by
/// what another test starts, and the system runs no file that is open for writing.
fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let written = Command::new("sh")
        .args([
            "-c",
            r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#,
        ])
        .arg(path)
        .arg(text)
        .status();
    assert!(written.unwrap().success());
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn places(&self) -> Places {
        Places {
            named: None,
            root: self.path("repo"),
            current: self.path("here/below"),
            virtual_env: Some(self.path("active").into()),
            path: Some(self.path("bin").into()),
        }
    }

    #[track_caller]
    fn check(&self, places: &Places, expected: &str) {
        let found = find(places).map(|python| python.executable);
        assert_eq!(found.unwrap(), self.path(expected));
    }
}

fn failure(places: &Places) -> UserError {
    find(places).unwrap_err().into()
}

#[test]
fn the_active_environment_comes_before_the_path() {
    let folder = Folder::new();
    let places = folder.places();
    // The last choice first: each of the next ones is preferred to it.
    for name in ["bin/python", "bin/python3", "active/bin/python"] {
        fake(&folder.path(name), "[3, 12, 1]", true);
        folder.check(&places, name);
    }
}

/// An interpreter that leaves a file when it is started.
fn trap(folder: &Folder, path: &str) -> PathBuf {
    let mark = folder.path(&format!("started-{}", path.replace('/', "-")));
    script(&folder.path(path), &format!("touch '{}'", mark.display()));
    mark
}

#[test]
fn what_the_repo_or_the_current_folder_contains_is_named_and_not_started() {
    let folder = Folder::new();
    let places = Places {
        // Activated or not, and on the path or not.
        virtual_env: Some(folder.path("repo/env").into()),
        path: env::join_paths([folder.path("repo/tools"), folder.path("bin")]).ok(),
        ..folder.places()
    };
    let traps = [
        "repo/.venv/bin/python",
        "repo/venv/bin/python",
        "repo/env/bin/python",
        "repo/tools/python3",
        "here/.venv/bin/python",
        "here/below/.venv/bin/python",
    ];
    let marks = traps.map(|path| trap(&folder, path));
    let error = failure(&places);
    for path in traps.iter().filter(|path| !path.starts_with("here/.venv")) {
        let path = path.strip_suffix("/bin/python").unwrap_or(path);
        assert!(error.to_string().contains(path), "{path}: {error}");
    }
    fake(&folder.path("bin/python3"), "[3, 12, 1]", true);
    let python = find(&places).unwrap();
    assert_eq!(python.executable, folder.path("bin/python3"));
    assert_eq!(python.not_started.len(), 5, "{:?}", python.not_started);
    for mark in marks {
        assert!(!mark.exists(), "{}", mark.display());
    }
    // Unless it is asked for.
    fake(&folder.path("repo/.venv/bin/python"), "[3, 12, 1]", true);
    let named = Places {
        named: Some(folder.path("repo/.venv")),
        ..places
    };
    folder.check(&named, "repo/.venv/bin/python");
}

#[test]
fn a_link_does_not_hide_where_an_interpreter_is() {
    let folder = Folder::new();
    let mark = trap(&folder, "repo/python");
    fs::create_dir_all(folder.path("bin")).unwrap();
    std::os::unix::fs::symlink(folder.path("repo/python"), folder.path("bin/python3")).unwrap();
    std::os::unix::fs::symlink(folder.path("repo"), folder.path("tools")).unwrap();
    let places = Places {
        root: folder.path("repo").canonicalize().unwrap(),
        path: env::join_paths([folder.path("tools"), folder.path("bin")]).ok(),
        ..folder.places()
    };
    assert!(find(&places).is_err());
    assert!(!mark.exists());
}

#[test]
fn what_git_tracks_is_not_started() {
    let folder = Folder::new();
    fake(&folder.path("other/env/bin/python"), "[3, 12, 1]", true);
    fs::write(folder.path("other/env/pyvenv.cfg"), "").unwrap();
    let places = Places {
        virtual_env: Some(folder.path("other/env").into()),
        ..folder.places()
    };
    folder.check(&places, "other/env/bin/python");
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder.path("other")).args(args);
        assert!(git.status().unwrap().success());
    };
    git(&["init", "--quiet"]);
    folder.check(&places, "other/env/bin/python");
    // Not the interpreter itself: what is beside it decides what is run.
    git(&["add", "env/pyvenv.cfg"]);
    let error = failure(&places);
    assert!(error.to_string().contains("git tracks it"), "{error}");
}

#[test]
fn what_another_user_owns_is_not_started() {
    let folder = Folder::new();
    let path = folder.path("active/bin/python");
    fake(&path, "[3, 12, 1]", true);
    folder.check(&folder.places(), "active/bin/python");
    // Only root can give a file away.
    if std::os::unix::fs::chown(&path, Some(12345), None).is_ok() {
        let error = failure(&folder.places());
        assert!(
            error.to_string().contains("another user owns it"),
            "{error}"
        );
    }
}

#[test]
fn relative_folders_of_the_path_are_no_places() {
    let folder = Folder::new();
    let places = Places {
        virtual_env: Some("active".into()),
        path: Some("bin:".into()),
        ..folder.places()
    };
    assert_eq!(places.candidates(), [] as [PathBuf; 0]);
}

#[test]
fn what_does_not_run_is_passed_over_and_named() {
    let folder = Folder::new();
    let places = folder.places();
    script(
        &folder.path("active/bin/python"),
        "echo 'no such version' >&2; exit 1",
    );
    fake(&folder.path("bin/python3"), "[3, 10, 9]", true);
    script(&folder.path("bin/python"), "echo hello");
    let error = failure(&places).message;
    for expected in [
        "active/bin/python (it does not run: no such version)",
        "bin/python3 (Python 3.10.9)",
        "bin/python (it is not a Python)",
    ] {
        assert!(error.get(Lang::En).contains(expected), "{error}");
    }
    fake(&folder.path("bin/python"), "[3, 11, 0]", true);
    folder.check(&places, "bin/python");
}

#[test]
fn one_without_fastapi_is_the_last_resort() {
    let folder = Folder::new();
    let places = folder.places();
    fake(&folder.path("active/bin/python"), "[3, 12, 1]", false);
    fake(&folder.path("bin/python3"), "[3, 12, 1]", false);
    folder.check(&places, "active/bin/python");
    fake(&folder.path("bin/python"), "[3, 11, 0]", true);
    folder.check(&places, "bin/python");
}

#[test]
fn what_is_named_is_all_that_is_looked_at() {
    let folder = Folder::new();
    fake(&folder.path("bin/python3"), "[3, 12, 1]", true);
    fake(&folder.path("bin/python3.11"), "[3, 11, 1]", true);
    fake(
        &folder.path("here/below/own/bin/python"),
        "[3, 12, 1]",
        true,
    );
    let named = |name: &str| Places {
        named: Some(name.into()),
        ..folder.places()
    };
    folder.check(&named("python3.11"), "bin/python3.11");
    folder.check(&named("own"), "here/below/own/bin/python");
    folder.check(&named("./own/bin/python"), "here/below/./own/bin/python");
    let error = failure(&named("nowhere/python")).message;
    assert!(
        error
            .get(Lang::En)
            .starts_with("this Python cannot be used: "),
        "{error}"
    );
    assert!(error.get(Lang::En).contains("here/below/nowhere/python"));
}

#[test]
fn without_any_it_is_said_where_it_would_have_been() {
    let folder = Folder::new();
    let error = failure(&folder.places());
    assert!(error.message.get(Lang::En).contains("no VIRTUAL_ENV"));
    assert!(error.help.get(Lang::En).contains("--python"));
    assert!(error.message.get(Lang::Zh).contains("找不到 Python"));
}

#[test]
fn paths_are_read_from_the_characters_of_pythons_text() {
    use std::os::unix::ffi::OsStringExt;
    let path =
        |characters: &[u32]| path_of(characters).map(|path| path.into_os_string().into_vec());
    for (characters, expected) in [
        (vec![47, 117], Some(b"/u".to_vec())),
        (vec![47, 0x4E2D, 0x1F600], Some("/中😀".as_bytes().to_vec())),
        (vec![47, 0xDCFF, 117], Some(b"/\xFFu".to_vec())),
        (vec![47, 0xD800], None),
        (vec![], None),
    ] {
        assert_eq!(path(&characters), expected, "{characters:?}");
    }
}
