//! A small repo, and what is promised about writing to it. `crash` stops and fails the program at
//! every step; `process` does it to real processes; `disks` has disks that refuse, `refusals` what
//! is refused before and after.

mod crash;
mod disks;
mod process;
mod refusals;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

/// A repo with an executable file, a private one, and a link to a file outside; with a migration
/// that changes all three and makes a fourth.
pub(super) struct Sandbox {
    _folder: Option<tempfile::TempDir>,
    base: PathBuf,
    root: PathBuf,
    changes: Vec<FileChange>,
}

/// Names below the base, with mode and contents; without the state folder.
type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

impl Sandbox {
    fn new() -> Self {
        // In memory where that is possible: every step waits for the disk otherwise.
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let base = folder.path().canonicalize().unwrap();
        Self::in_folder(base, Some(folder))
    }

    fn in_folder(base: PathBuf, folder: Option<tempfile::TempDir>) -> Self {
        let root = base.join("repo");
        fs::create_dir_all(root.join("sub")).unwrap();
        let file = |path: PathBuf, contents: &str, mode| {
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        file(root.join("a.py"), "old a\r\n", 0o755);
        file(root.join("sub/b.py"), "old b", 0o600);
        file(base.join("outside.py"), "old outside\n", 0o640);
        symlink("../outside.py", root.join("link.py")).unwrap();
        Self {
            changes: Self::changes(&base),
            _folder: folder,
            base,
            root,
        }
    }

    fn changes(base: &Path) -> Vec<FileChange> {
        let root = base.join("repo");
        vec![
            replacement(root.join("a.py"), b"old a\r\n", b"new a\r\n"),
            replacement(root.join("sub/b.py"), b"old b", b"new b, which is longer"),
            replacement(root.join("link.py"), b"old outside\n", b""),
            creation(root.join("routes.toml"), b"version = 1\n"),
        ]
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        let mut folders = vec![self.base.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::symlink_metadata(&path).unwrap();
                let name = path.strip_prefix(&self.base).unwrap().to_owned();
                if metadata.is_dir() {
                    if !path.ends_with(".rehook") {
                        folders.push(path);
                    }
                    continue;
                }
                let contents = if metadata.is_symlink() {
                    fs::read_link(&path)
                        .unwrap()
                        .into_os_string()
                        .into_encoded_bytes()
                } else {
                    fs::read(&path).unwrap()
                };
                tree.insert(name, (metadata.mode() & 0o7777, contents));
            }
        }
        tree
    }

    /// The tree as the migration makes it of `old`.
    fn migrated(&self, old: &Tree) -> Tree {
        let mut tree = old.clone();
        let mut set = |name: &str, contents: &[u8]| {
            tree.get_mut(Path::new(name)).unwrap().1 = contents.to_vec();
        };
        set("repo/a.py", b"new a\r\n");
        set("repo/sub/b.py", b"new b, which is longer");
        set("outside.py", b"");
        // As the umask has it.
        let probe = self.base.join("probe");
        fs::write(&probe, "").unwrap();
        let mode = fs::metadata(&probe).unwrap().mode() & 0o7777;
        fs::remove_file(probe).unwrap();
        tree.insert("repo/routes.toml".into(), (mode, b"version = 1\n".to_vec()));
        tree
    }

    fn state(&self, name: &str) -> PathBuf {
        self.root.join(".rehook").join(name)
    }

    fn has_state(&self) -> bool {
        self.root.join(".rehook").exists()
    }

    fn apply(&self) -> Result<(), ApplyError> {
        apply(&self.root, &self.changes)
    }
}

fn replacement(path: PathBuf, before: &[u8], after: &[u8]) -> FileChange {
    FileChange {
        path,
        before: Some(before.to_vec()),
        after: after.to_vec(),
    }
}

fn creation(path: PathBuf, after: &[u8]) -> FileChange {
    FileChange {
        path,
        before: None,
        after: after.to_vec(),
    }
}

#[test]
fn a_migration_is_written_and_taken_back_to_the_byte() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    sandbox.apply().unwrap();
    assert_eq!(sandbox.tree(), sandbox.migrated(&old));
    assert_eq!(recover(&sandbox.root).unwrap(), None);

    let undone = undo(&sandbox.root).unwrap();
    assert_eq!(sandbox.tree(), old);
    assert!(!sandbox.has_state());
    let outside = sandbox.base.join("outside.py");
    let restored: [&Path; 3] = [&outside, Path::new("a.py"), Path::new("sub/b.py")];
    assert_eq!(undone.restored, restored);
    assert_eq!(undone.removed, [Path::new("routes.toml")]);
    assert!(matches!(
        undo(&sandbox.root),
        Err(ApplyError::NothingToUndo { .. })
    ));
    assert!(!sandbox.has_state());
}

#[test]
fn git_never_sees_the_state() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.root.join(".rehook")).unwrap();
    fs::write(sandbox.state(".gitignore"), "").unwrap();
    sandbox.apply().unwrap();
    assert_eq!(fs::read(sandbox.state(".gitignore")).unwrap(), b"*\n");
}

#[test]
fn undo_gives_the_mode_back_too() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    sandbox.apply().unwrap();
    let path = sandbox.root.join("a.py");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    undo(&sandbox.root).unwrap();
    assert_eq!(sandbox.tree(), old);
}

#[test]
fn the_owner_is_kept() {
    let sandbox = Sandbox::new();
    let path = sandbox.root.join("a.py");
    if std::os::unix::fs::chown(&path, Some(1234), Some(4321)).is_err() {
        eprintln!("skipped: only root may give a file away");
        return;
    }
    sandbox.apply().unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (1234, 4321));
    assert_eq!(metadata.mode() & 0o7777, 0o755);
}

/// Writes `text` over `before` in a file of the sandbox, as a run of its own.
fn rewrite(sandbox: &Sandbox, name: &str, before: &[u8], after: &[u8]) {
    let change = replacement(sandbox.root.join(name), before, after);
    apply(&sandbox.root, &[change]).unwrap();
}

#[test]
fn migrations_are_taken_back_one_at_a_time_the_newest_first() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    sandbox.apply().unwrap();
    let first = sandbox.tree();
    rewrite(&sandbox, "a.py", b"new a\r\n", b"newer");
    let second = sandbox.tree();
    rewrite(&sandbox, "a.py", b"newer", b"newest");
    for (expected, earlier) in [(second, 2), (first, 1), (old, 0)] {
        assert_eq!(undo(&sandbox.root).unwrap().earlier, earlier);
        assert_eq!(sandbox.tree(), expected);
    }
    assert!(matches!(
        undo(&sandbox.root),
        Err(ApplyError::NothingToUndo { .. })
    ));
    assert!(!sandbox.has_state());
}

#[test]
fn an_edit_stands_in_the_way_of_the_run_that_wrote_the_file() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    sandbox.apply().unwrap();
    rewrite(&sandbox, "a.py", b"new a\r\n", b"newer");
    let b = sandbox.root.join("sub/b.py");
    fs::write(&b, "edited").unwrap();
    // The newest did not write it.
    undo(&sandbox.root).unwrap();
    let error = undo(&sandbox.root).unwrap_err();
    let ApplyError::EditedSinceMigration { paths } = &error else {
        panic!("{error}");
    };
    assert_eq!(paths.as_slice(), std::slice::from_ref(&b));
    fs::write(&b, "new b, which is longer").unwrap();
    undo(&sandbox.root).unwrap();
    assert_eq!(sandbox.tree(), old);
}

#[test]
fn only_so_many_migrations_are_kept() {
    let sandbox = Sandbox::new();
    let text = |number: usize| format!("a {number}").into_bytes();
    fs::write(sandbox.root.join("a.py"), text(0)).unwrap();
    for number in 0..limits::MOST_RUNS + 2 {
        rewrite(&sandbox, "a.py", &text(number), &text(number + 1));
    }
    for _ in 0..limits::MOST_RUNS {
        undo(&sandbox.root).unwrap();
    }
    assert_eq!(fs::read(sandbox.root.join("a.py")).unwrap(), text(2));
    let error = undo(&sandbox.root).unwrap_err();
    assert!(matches!(error, ApplyError::NothingToUndo { .. }), "{error}");
}

#[test]
fn the_record_of_a_release_that_kept_one_is_the_oldest() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    sandbox.apply().unwrap();
    fs::rename(sandbox.state("undo-1"), sandbox.state("undo")).unwrap();
    rewrite(&sandbox, "a.py", b"new a\r\n", b"newer");
    assert_eq!(undo(&sandbox.root).unwrap().earlier, 1);
    assert_eq!(undo(&sandbox.root).unwrap().earlier, 0);
    assert_eq!(sandbox.tree(), old);
}

#[test]
fn what_was_written_last_is_known() {
    let sandbox = Sandbox::new();
    sandbox.apply().unwrap();
    rewrite(&sandbox, "a.py", b"new a\r\n", b"newer");
    let path = |name: &str| sandbox.root.join(name);
    let (a, b, link, routes) = (
        path("a.py"),
        path("sub/b.py"),
        path("link.py"),
        path("routes.toml"),
    );
    let b_text: &[u8] = b"new b, which is longer";
    let files: [(&Path, &[u8]); 4] = [
        (&a, b"newer"),
        (&b, b_text),
        (&link, b""),
        (&routes, b"version = 1\n# mine\n"),
    ];
    let mut ours = written_last(&sandbox.root, &files);
    ours.sort();
    assert_eq!(ours, [&*a, &*link, &*b]);
    // The run before wrote that, and not the last.
    assert!(written_last(&sandbox.root, &[(&a, b"new a\r\n")]).is_empty());
    // A record that cannot be used hides those below it.
    fs::write(sandbox.state("undo-2"), "damaged").unwrap();
    assert!(written_last(&sandbox.root, &[(&b, b_text)]).is_empty());
    assert!(written_last(&sandbox.root, &[]).is_empty());
}

#[test]
fn what_changes_nothing_is_no_migration() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    let same = replacement(sandbox.root.join("a.py"), b"x", b"x");
    apply(&sandbox.root, std::slice::from_ref(&same)).unwrap();
    apply(&sandbox.root, &[]).unwrap();
    assert!(!sandbox.has_state());
    sandbox.apply().unwrap();
    apply(&sandbox.root, &[same]).unwrap();
    undo(&sandbox.root).unwrap();
    assert_eq!(sandbox.tree(), old);
}

#[test]
fn names_that_are_no_unicode_survive() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let folder = sandbox.root.join(OsStr::from_bytes(b"\xff\n"));
    fs::create_dir(&folder).unwrap();
    let path = folder.join(OsStr::from_bytes(b"\xc4\xe3 .py"));
    fs::write(&path, "old").unwrap();
    apply(&sandbox.root, &[replacement(path.clone(), b"old", b"new")]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    let undone = undo(&sandbox.root).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(undone.restored, [path.strip_prefix(&sandbox.root).unwrap()]);
}

#[test]
fn every_error_speaks_both_languages() {
    use crate::text::Lang;
    let path = PathBuf::from("a.py");
    let io = |kind| ApplyError::io(Action::Write, &path, std::io::Error::from(kind));
    let errors = [
        ApplyError::Busy { root: path.clone() },
        ApplyError::Halfway {
            cause: Box::new(io(std::io::ErrorKind::StorageFull)),
            obstacle: Box::new(io(std::io::ErrorKind::PermissionDenied)),
        },
        ApplyError::Damaged {
            journal: path.clone(),
        },
    ];
    for error in errors {
        let shown = error.user_error();
        for text in [&shown.message, &shown.help] {
            assert_ne!(text.get(Lang::En), text.get(Lang::Zh));
            assert!(text.get(Lang::En).is_ascii(), "{text}");
        }
        assert!(shown.message.get(Lang::Zh).contains("a.py"));
        assert_eq!(error.to_string(), shown.message.get(Lang::En));
    }
}
