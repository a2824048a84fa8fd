use std::fs;

use super::*;
use crate::lang::Lang;

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
        assert_eq!(found.map_err(|e| e.text()).unwrap(), self.path(expected));
    }
}

#[test]
fn the_nearest_python_is_taken() {
    let folder = Folder::new();
    let places = folder.places();
    // The last choice first: each of the next ones is preferred to it.
    for name in [
        "bin/python",
        "bin/python3",
        "active/bin/python",
        "here/venv/bin/python",
        "here/.venv/bin/python",
        "here/below/.venv/bin/python",
        "repo/venv/bin/python",
        "repo/.venv/bin/python",
    ] {
        fake(&folder.path(name), "[3, 12, 1]", true);
        folder.check(&places, name);
    }
}

#[test]
fn what_does_not_run_is_passed_over_and_named() {
    let folder = Folder::new();
    let places = folder.places();
    script(
        &folder.path("repo/.venv/bin/python"),
        "echo 'no such version' >&2; exit 1",
    );
    fake(&folder.path("repo/venv/bin/python"), "[3, 10, 9]", true);
    script(&folder.path("active/bin/python"), "echo hello");
    let error = find(&places).unwrap_err().text();
    for expected in [
        "repo/.venv/bin/python (it does not run: no such version)",
        "repo/venv/bin/python (Python 3.10.9)",
        "active/bin/python (it is no Python)",
    ] {
        assert!(error.get(Lang::En).contains(expected), "{error}");
    }
    fake(&folder.path("bin/python3"), "[3, 11, 0]", true);
    folder.check(&places, "bin/python3");
}

#[test]
fn one_without_fastapi_is_the_last_resort() {
    let folder = Folder::new();
    let places = folder.places();
    fake(&folder.path("repo/.venv/bin/python"), "[3, 12, 1]", false);
    fake(&folder.path("active/bin/python"), "[3, 12, 1]", false);
    folder.check(&places, "repo/.venv/bin/python");
    fake(&folder.path("bin/python3"), "[3, 11, 0]", true);
    folder.check(&places, "bin/python3");
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
    let error = find(&named("nowhere/python")).unwrap_err().text();
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
    let error = find(&folder.places()).unwrap_err();
    assert!(error.text().get(Lang::En).contains("no .venv or venv"));
    assert!(error.remedy().get(Lang::En).contains("--python"));
    assert!(error.text().get(Lang::Zh).contains("找不到 Python"));
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
