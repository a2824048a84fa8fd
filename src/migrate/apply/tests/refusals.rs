//! What is refused, because the files or the state are not what they should be.

use super::*;

/// Applies the migration after `spoil` has been at the repo: it must be refused without a trace.
fn refused(spoil: impl FnOnce(&mut Sandbox)) -> ApplyError {
    let mut sandbox = Sandbox::new();
    spoil(&mut sandbox);
    let old = sandbox.tree();
    let error = sandbox.apply().unwrap_err();
    assert_eq!(sandbox.tree(), old);
    assert!(!sandbox.has_state());
    error
}

#[test]
fn a_repo_that_is_not_as_it_was_planned_for_is_refused() {
    let error = refused(|s| {
        fs::write(s.root.join("sub/b.py"), "edited").unwrap();
        fs::remove_file(s.root.join("a.py")).unwrap();
    });
    let ApplyError::Changed { paths } = error else {
        panic!("{error}");
    };
    let names: Vec<_> = paths.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(names, ["a.py", "b.py"]);

    let error = refused(|s| fs::write(s.root.join("routes.toml"), "mine").unwrap());
    assert!(matches!(error, ApplyError::Exists { .. }), "{error}");

    let error = refused(|s| symlink("nowhere", s.root.join("routes.toml")).unwrap());
    assert!(matches!(error, ApplyError::Exists { .. }), "{error}");

    let error = refused(|s| {
        let mode = fs::Permissions::from_mode(0o444);
        fs::set_permissions(s.root.join("a.py"), mode).unwrap();
    });
    assert!(matches!(error, ApplyError::ReadOnly { .. }), "{error}");

    let error = refused(|s| {
        let path = s.root.join("a.py");
        fs::remove_file(&path).unwrap();
        symlink("a.py", path).unwrap();
    });
    assert!(matches!(error, ApplyError::Io { .. }), "{error}");

    let error = refused(|s| s.changes[0].path = s.root.join("sub"));
    assert!(matches!(error, ApplyError::NotAFile { .. }), "{error}");

    let error = refused(|s| s.changes[3].path = s.root.join("missing/routes.toml"));
    assert!(matches!(error, ApplyError::Io { .. }), "{error}");
}

#[test]
fn a_state_folder_that_is_something_else_is_not_used() {
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.base.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, sandbox.root.join(".rehook")).unwrap();
    for result in [
        sandbox.apply(),
        recover(&sandbox.root).map(|_| ()),
        undo(&sandbox.root).map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, ApplyError::NoStateFolder { .. }), "{error}");
    }
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}

#[test]
fn a_file_may_be_named_twice_if_the_same_is_wanted() {
    let mut sandbox = Sandbox::new();
    let outside = sandbox.base.join("outside.py");
    let twice = replacement(outside.clone(), b"old outside\n", b"");
    sandbox.changes.push(twice);
    sandbox.apply().unwrap();
    assert_eq!(fs::read(&outside).unwrap(), b"");

    let error = refused(|s| {
        let outside = s.base.join("outside.py");
        s.changes
            .push(replacement(outside, b"old outside\n", b"other"));
    });
    assert!(matches!(error, ApplyError::Conflict { .. }), "{error}");
}

#[test]
fn a_file_that_changes_while_files_are_written_is_not_overwritten() {
    for (name, created) in [("sub/b.py", false), ("routes.toml", true)] {
        let sandbox = Sandbox::new();
        let mut old = sandbox.tree();
        let path = sandbox.root.join(name);
        let mut renamed = 0;
        let mut disk = Disk::with_hook(|action, at| {
            // After all checks that come before the first file changes sides; for the new file,
            // after the last look at it.
            if action == Action::Rename && !at.starts_with(sandbox.root.join(".rehook")) {
                renamed += 1;
                if (renamed == 1 && !created) || at == path {
                    fs::write(&path, "edited meanwhile").unwrap();
                }
            }
            Ok(())
        });
        let error = apply_on(&mut disk, &sandbox.root, &sandbox.changes).unwrap_err();
        drop(disk);
        assert_eq!(
            matches!(error, ApplyError::Exists { .. }),
            created,
            "{error}"
        );
        let mode = fs::metadata(&path).unwrap().mode() & 0o7777;
        let key = path.strip_prefix(&sandbox.base).unwrap().to_owned();
        old.insert(key, (mode, b"edited meanwhile".to_vec()));
        assert_eq!(sandbox.tree(), old);
        assert!(!sandbox.has_state());
    }
}

#[test]
fn undo_touches_nothing_when_a_file_was_edited() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    sandbox.apply().unwrap();
    let new = sandbox.tree();
    let (a, routes) = (sandbox.root.join("a.py"), sandbox.root.join("routes.toml"));
    fs::write(&a, "edited").unwrap();
    fs::remove_file(&routes).unwrap();
    let before = sandbox.tree();
    let error = undo(&sandbox.root).unwrap_err();
    let ApplyError::EditedSinceMigration { paths } = &error else {
        panic!("{error}");
    };
    assert_eq!(*paths, [a.clone(), routes.clone()]);
    assert_eq!(sandbox.tree(), before);

    fs::write(&a, "new a\r\n").unwrap();
    fs::write(&routes, "version = 1\n").unwrap();
    assert_eq!(sandbox.tree(), new);
    undo(&sandbox.root).unwrap();
    assert_eq!(sandbox.tree(), old);
}

#[test]
fn a_link_in_the_place_of_a_file_is_an_edit() {
    let sandbox = Sandbox::new();
    sandbox.apply().unwrap();
    let (a, other) = (sandbox.root.join("a.py"), sandbox.base.join("other.py"));
    fs::rename(&a, &other).unwrap();
    symlink(&other, &a).unwrap();
    let tree = sandbox.tree();
    let error = undo(&sandbox.root).unwrap_err();
    assert!(
        matches!(error, ApplyError::EditedSinceMigration { .. }),
        "{error}"
    );
    assert_eq!(sandbox.tree(), tree);
}

#[test]
fn a_damaged_journal_is_named_and_blocks() {
    let sandbox = Sandbox::new();
    sandbox.apply().unwrap();
    let new = sandbox.tree();
    let mut bytes = fs::read(sandbox.state("undo-1")).unwrap();
    bytes[40] ^= 1;
    for name in ["undo-1", "journal", "undoing"] {
        let path = sandbox.state(name);
        fs::write(&path, &bytes).unwrap();
        let error = match name {
            "undo-1" => undo(&sandbox.root).unwrap_err(),
            _ => recover(&sandbox.root).unwrap_err(),
        };
        let ApplyError::Damaged { journal } = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!(*journal, path);
        assert!(error.user_error().help.to_string().contains(name));
        assert_eq!(sandbox.tree(), new);
        fs::remove_file(path).unwrap();
    }
    fs::write(sandbox.state("journal"), "rehook journal 2\n").unwrap();
    let error = recover(&sandbox.root).unwrap_err();
    assert!(
        matches!(error, ApplyError::UnknownVersion { .. }),
        "{error}"
    );
    assert!(matches!(
        sandbox.apply(),
        Err(ApplyError::Unfinished { .. })
    ));
    assert!(matches!(
        undo(&sandbox.root),
        Err(ApplyError::Unfinished { .. })
    ));
}

/// A journal that makes `before` of `after` in a file of the sandbox, as another one would write it.
fn planted(path: PathBuf, before: Option<&[u8]>, after: &[u8]) -> Vec<u8> {
    let journal = Journal {
        tag: 1,
        mark: "1-1".to_owned(),
        entries: vec![Entry {
            path,
            mode: Some(0o755),
            before: before.map(<[u8]>::to_vec),
            after: after.to_vec(),
        }],
    };
    journal.encode()
}

#[test]
fn a_journal_that_came_with_the_tree_is_not_carried_out() {
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.root.join("elsewhere");
    fs::create_dir(sandbox.root.join(".rehook")).unwrap();
    let old = sandbox.tree();
    let bytes = planted("a.py".into(), Some(b"evil"), b"old a\r\n");
    let key = Key::get_or_make(&sandbox.root).unwrap();
    let for_another_place = key.seal(&elsewhere, bytes.clone());
    let mut forged = bytes.clone();
    forged.extend_from_slice(format!("seal {}\n", "0".repeat(64)).as_bytes());
    for bytes in [bytes, for_another_place, forged] {
        for name in ["undo-1", "journal", "undoing"] {
            let path = sandbox.state(name);
            fs::write(&path, &bytes).unwrap();
            let error = match name {
                "undo-1" => undo(&sandbox.root).unwrap_err(),
                _ => recover(&sandbox.root).unwrap_err(),
            };
            assert!(
                matches!(&error, ApplyError::Foreign { journal } if *journal == path),
                "{name}: {error}"
            );
            assert!(
                error
                    .user_error()
                    .help
                    .to_string()
                    .contains(path.to_str().unwrap())
            );
            assert!(matches!(
                pending(&sandbox.root),
                Some(Pending::Refused(ApplyError::Foreign { .. }))
            ));
            assert_eq!(sandbox.tree(), old);
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_journal_that_git_tracks_is_not_carried_out() {
    let sandbox = Sandbox::new();
    sandbox.apply().unwrap();
    let new = sandbox.tree();
    for args in [
        &["init", "--quiet"][..],
        &["add", "--force", ".rehook/undo-1"],
    ] {
        let status = std::process::Command::new("git")
            .arg("-C")
            .arg(&sandbox.root)
            .args(args)
            .status();
        assert!(status.unwrap().success());
    }
    let error = undo(&sandbox.root).unwrap_err();
    assert!(matches!(error, ApplyError::Tracked { .. }), "{error}");
    assert!(matches!(pending(&sandbox.root), Some(Pending::Refused(_))));
    fs::remove_dir_all(sandbox.root.join(".git")).unwrap();
    assert_eq!(sandbox.tree(), new);
    undo(&sandbox.root).unwrap();
}

#[test]
fn a_moved_tree_is_not_taken_back() {
    let sandbox = Sandbox::new();
    sandbox.apply().unwrap();
    let moved = sandbox.base.join("moved");
    fs::rename(&sandbox.root, &moved).unwrap();
    let error = undo(&moved).unwrap_err();
    assert!(matches!(error, ApplyError::Foreign { .. }), "{error}");
    fs::rename(&moved, &sandbox.root).unwrap();
    undo(&sandbox.root).unwrap();
}

#[test]
fn an_interrupted_run_of_ours_is_pending() {
    let sandbox = Sandbox::new();
    assert!(pending(&sandbox.root).is_none());
    sandbox.apply().unwrap();
    assert!(pending(&sandbox.root).is_none());
    fs::rename(sandbox.state("undo-1"), sandbox.state("journal")).unwrap();
    assert!(matches!(
        pending(&sandbox.root),
        Some(Pending::Interrupted { .. })
    ));
    recover(&sandbox.root).unwrap();
    assert!(pending(&sandbox.root).is_none());
}

#[test]
fn what_stands_in_the_place_of_the_lock_is_not_waited_for() {
    for place in ["pipe", "link"] {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.root.join(".rehook")).unwrap();
        let lock = sandbox.state("lock");
        match place {
            "pipe" => rustix::fs::mkfifoat(rustix::fs::CWD, &lock, 0o600.into()).unwrap(),
            _ => symlink("../a.py", &lock).unwrap(),
        }
        let old = sandbox.tree();
        let error = sandbox.apply().unwrap_err();
        assert!(
            matches!(&error, ApplyError::Obstacle { path } if *path == lock),
            "{error}"
        );
        assert_eq!(sandbox.tree(), old);
    }
}

#[test]
fn a_copy_of_a_journal_of_ours_cannot_write_outside_or_into_git() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.root.join(".git/hooks")).unwrap();
    symlink("..", sandbox.root.join("up")).unwrap();
    fs::create_dir(sandbox.root.join(".rehook")).unwrap();
    let key = Key::get_or_make(&sandbox.root).unwrap();
    let plant = |path: PathBuf, before: Option<&[u8]>, after: &[u8]| {
        let sealed = key.seal(&sandbox.root, planted(path, before, after));
        fs::write(sandbox.state("undo-1"), sealed).unwrap();
        undo(&sandbox.root)
    };
    let evil: Option<&[u8]> = Some(b"evil");
    let hook = sandbox.root.join(".git/hooks/pre-commit");
    fs::write(&hook, "").unwrap();
    for path in [
        sandbox.base.join("outside.py"),
        PathBuf::from("up/outside.py"),
        PathBuf::from(".git/hooks/pre-commit"),
        PathBuf::from(".GIT/hooks/pre-commit"),
    ] {
        let error = plant(path, evil, b"old outside\n").unwrap_err();
        assert!(matches!(error, ApplyError::Outside { .. }), "{error}");
    }
    // Within the root it is what was written here.
    plant("a.py".into(), evil, b"old a\r\n").unwrap();
    assert_eq!(fs::read(sandbox.root.join("a.py")).unwrap(), b"evil");
}
