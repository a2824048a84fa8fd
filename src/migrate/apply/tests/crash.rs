//! Stopping and failing at every step.
//!
//! A crash is a panic in the hook: nothing in the code under test catches it or cleans up while it
//! unwinds, so the disk is left as a killed process leaves it, and the lock is released likewise.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::*;

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Crash,
    Failure,
}

/// Runs `operation`; at the steps of `fates`, counted from 0, it meets its fate. None if that was
/// a crash; and how many steps were begun.
fn run<T>(
    fates: &[(usize, Fate)],
    operation: impl FnOnce(&mut Disk<'_>) -> Result<T, ApplyError>,
) -> (Option<Result<T, ApplyError>>, usize) {
    let mut steps = 0;
    let mut disk = Disk::with_hook(|_, _| {
        let fate = fates.iter().find(|(step, _)| *step == steps);
        steps += 1;
        match fate {
            Some((_, Fate::Crash)) => resume_unwind(Box::new("crash")),
            Some((_, Fate::Failure)) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            None => Ok(()),
        }
    });
    let result = catch_unwind(AssertUnwindSafe(|| operation(&mut disk))).ok();
    drop(disk);
    (result, steps)
}

/// Calls `check` for every step of `operation`, until it goes through.
fn at_every_step(mut check: impl FnMut(usize) -> bool) {
    let mut step = 0;
    while check(step) {
        step += 1;
        assert!(step < 1000, "it does not end");
    }
    assert!(step > 5, "there are no steps: {step}");
}

fn migrate(sandbox: &Sandbox) -> impl Fn(&mut Disk<'_>) -> Result<(), ApplyError> {
    |disk| apply_on(disk, &sandbox.root, &sandbox.changes)
}

/// After a recovery: all old or all new, and nothing left behind; then it can be done anew.
fn check_recovered(sandbox: &Sandbox, old: &Tree, what: &str) {
    let new = sandbox.migrated(old);
    let tree = sandbox.tree();
    assert!(tree == *old || tree == new, "{what}: {tree:#?}");
    assert_eq!(sandbox.has_state(), tree == new, "{what}");
    assert_eq!(recover(&sandbox.root).unwrap(), None, "{what}");
    if tree == *old {
        sandbox.apply().unwrap();
    }
    assert_eq!(sandbox.tree(), new, "{what}");
    undo(&sandbox.root).unwrap();
    assert_eq!(sandbox.tree(), *old, "{what}");
    assert!(!sandbox.has_state(), "{what}");
}

/// Every file by itself is old or new; what is aside has a name of ours.
fn check_whole(sandbox: &Sandbox, old: &Tree, what: &str) {
    let new = sandbox.migrated(old);
    for (name, file) in sandbox.tree() {
        let known = [old, &new]
            .iter()
            .any(|tree| tree.get(&name) == Some(&file));
        let is_aside = name.to_string_lossy().contains(".rehook-");
        assert!(known || is_aside, "{what}: {name:?} is {file:?}");
    }
    for name in old.keys() {
        assert!(
            sandbox.base.join(name).symlink_metadata().is_ok(),
            "{what}: {name:?}"
        );
    }
}

#[test]
fn a_migration_that_crashes_at_any_step_is_recovered() {
    let mut finished = 0;
    at_every_step(|step| {
        let sandbox = Sandbox::new();
        let old = sandbox.tree();
        let what = format!("crash at step {step}");
        let (result, _) = run(&[(step, Fate::Crash)], migrate(&sandbox));
        check_whole(&sandbox, &old, &what);
        let is_changed = sandbox.tree() != old;
        let left = sandbox.state("writing").exists() || sandbox.state("journal").exists();
        let recovered = recover(&sandbox.root).unwrap();
        // Whatever was left is spoken of.
        assert_eq!(recovered.is_some(), left, "{what}");
        assert!(recovered.is_some() || !is_changed || sandbox.tree() == sandbox.migrated(&old));
        if let Some(Recovered::MigrationFinished(files)) = recovered {
            assert_eq!(files.len(), 4);
            finished += 1;
        }
        check_recovered(&sandbox, &old, &what);
        result.is_none()
    });
    assert!(finished > 0);
}

#[test]
fn a_recovery_that_crashes_is_recovered() {
    at_every_step(|first| {
        let mut went_on = false;
        for second in 0.. {
            let sandbox = Sandbox::new();
            let old = sandbox.tree();
            let what = format!("crash at step {first}, then at step {second} of the recovery");
            let (result, _) = run(&[(first, Fate::Crash)], migrate(&sandbox));
            went_on |= result.is_none();
            let (recovery, _) = run(&[(second, Fate::Crash)], |disk| {
                recover_on(disk, &sandbox.root)
            });
            check_whole(&sandbox, &old, &what);
            recover(&sandbox.root).unwrap();
            check_recovered(&sandbox, &old, &what);
            if recovery.is_some() {
                break;
            }
        }
        went_on
    });
}

#[test]
fn a_migration_that_fails_at_any_step_leaves_no_trace() {
    at_every_step(|step| {
        let sandbox = Sandbox::new();
        let old = sandbox.tree();
        let what = format!("failure at step {step}");
        let (result, steps) = run(&[(step, Fate::Failure)], migrate(&sandbox));
        match result.unwrap() {
            // The last syncing is not needed.
            Ok(()) => assert_eq!(sandbox.tree(), sandbox.migrated(&old), "{what}"),
            Err(error) => {
                assert!(matches!(error, ApplyError::Io { .. }), "{what}: {error}");
                assert_eq!(sandbox.tree(), old, "{what}");
                assert!(!sandbox.state("journal").exists(), "{what}");
                assert!(!sandbox.state("writing").exists(), "{what}");
                recover(&sandbox.root).unwrap();
                assert!(!sandbox.has_state(), "{what}");
                sandbox.apply().unwrap();
            }
        }
        undo(&sandbox.root).unwrap();
        assert_eq!(sandbox.tree(), old, "{what}");
        step < steps
    });
}

#[test]
fn a_migration_that_fails_and_cannot_be_taken_back_is_recovered() {
    for fate in [Fate::Failure, Fate::Crash] {
        let mut halfway = 0;
        at_every_step(|first| {
            let mut steps = usize::MAX;
            let mut second = first + 1;
            while second < steps {
                let sandbox = Sandbox::new();
                let old = sandbox.tree();
                let what = format!("failure at step {first}, then {fate:?} at step {second}");
                let fates = [(first, Fate::Failure), (second, fate)];
                let (result, begun) = run(&fates, migrate(&sandbox));
                steps = begun;
                check_whole(&sandbox, &old, &what);
                if let Some(Err(ApplyError::Halfway { .. })) = result {
                    halfway += 1;
                }
                recover(&sandbox.root).unwrap();
                check_recovered(&sandbox, &old, &what);
                second += 1;
            }
            first < steps
        });
        assert_eq!(halfway > 0, fate == Fate::Failure);
    }
}

#[test]
fn an_undo_that_crashes_at_any_step_is_recovered() {
    let mut finished = 0;
    at_every_step(|step| {
        let sandbox = Sandbox::new();
        let old = sandbox.tree();
        sandbox.apply().unwrap();
        let what = format!("crash at step {step}");
        let (result, _) = run(&[(step, Fate::Crash)], |disk| undo_on(disk, &sandbox.root));
        check_whole(&sandbox, &old, &what);
        let left = sandbox.state("undoing").exists();
        let recovered = recover(&sandbox.root).unwrap();
        assert_eq!(recovered.is_some(), left, "{what}");
        if let Some(Recovered::UndoFinished(_)) = recovered {
            finished += 1;
            assert_eq!(sandbox.tree(), old, "{what}");
        }
        check_recovered(&sandbox, &old, &what);
        result.is_none()
    });
    assert!(finished > 0);
}

#[test]
fn an_undo_that_fails_at_any_step_can_be_repeated() {
    at_every_step(|step| {
        let sandbox = Sandbox::new();
        let old = sandbox.tree();
        sandbox.apply().unwrap();
        let new = sandbox.tree();
        let what = format!("failure at step {step}");
        let (result, steps) = run(&[(step, Fate::Failure)], |disk| {
            undo_on(disk, &sandbox.root)
        });
        if result.unwrap().is_err() {
            assert_eq!(sandbox.tree(), new, "{what}");
            assert!(!sandbox.state("undoing").exists(), "{what}");
            undo(&sandbox.root).unwrap();
        }
        assert_eq!(sandbox.tree(), old, "{what}");
        step < steps
    });
}

#[test]
fn an_interrupted_second_migration_leaves_the_first_to_be_undone() {
    at_every_step(|step| {
        let sandbox = Sandbox::new();
        let old = sandbox.tree();
        sandbox.apply().unwrap();
        let first = sandbox.tree();
        let second = [replacement(
            sandbox.root.join("a.py"),
            b"new a\r\n",
            b"newer",
        )];
        let (result, _) = run(&[(step, Fate::Crash)], |disk| {
            apply_on(disk, &sandbox.root, &second)
        });
        recover(&sandbox.root).unwrap();
        let is_taken_back = sandbox.tree() == first;
        undo(&sandbox.root).unwrap();
        let expected = if is_taken_back { &old } else { &first };
        assert_eq!(sandbox.tree(), *expected, "crash at step {step}");
        result.is_none()
    });
}

#[test]
fn what_was_edited_after_a_crash_is_not_overwritten() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    let mut step = 0;
    // Up to where the first file has changed and the others have not.
    while sandbox.tree().get(Path::new("outside.py")) == old.get(Path::new("outside.py")) {
        recover(&sandbox.root).unwrap();
        assert!(run(&[(step, Fate::Crash)], migrate(&sandbox)).0.is_none());
        step += 1;
    }
    let edited = sandbox.root.join("sub/b.py");
    fs::write(&edited, "edited").unwrap();
    let tree = sandbox.tree();
    let error = recover(&sandbox.root).unwrap_err();
    let ApplyError::EditedSinceInterruption { paths, journal } = &error else {
        panic!("{error}");
    };
    assert_eq!(*paths, [edited]);
    assert!(matches!(
        sandbox.apply(),
        Err(ApplyError::Unfinished { .. })
    ));
    assert_eq!(sandbox.tree(), tree);
    // The remedy that the error names.
    fs::remove_file(journal).unwrap();
    assert_eq!(recover(&sandbox.root).unwrap(), None);
    assert!(!sandbox.has_state());
}
