//! Disks that refuse: full ones, and folders without rights.

use std::process::Command;

use super::*;

/// A small file system of its own; none if only root may mount one and we are not root.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: this user may not mount a file system");
        }
        mounted.then(|| Self(folder))
    }

    fn remount(&self, options: &str) -> bool {
        Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.0.path())
            .status()
            .is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    let Some(disk) = SmallDisk::mount("size=256k") else {
        return;
    };
    let sandbox = Sandbox::in_folder(disk.0.path().canonicalize().unwrap(), None);
    // From no room at all up to where it fits: the journal, or a file aside, is what fails.
    let filler = sandbox.base.join("filler");
    let mut refused = 0;
    for room in 0.. {
        let mut pages = 0;
        fs::write(&filler, "").unwrap();
        while fs::write(&filler, vec![1; 4096 * (pages + 1)]).is_ok() {
            pages += 1;
        }
        fs::write(&filler, vec![1; 4096 * pages.saturating_sub(room)]).unwrap();
        let old = sandbox.tree();
        match sandbox.apply() {
            Ok(()) => {
                assert_eq!(sandbox.tree(), sandbox.migrated(&old));
                break;
            }
            Err(ApplyError::Io { reason, .. }) => {
                assert_eq!(reason.kind(), std::io::ErrorKind::StorageFull);
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(sandbox.tree(), old);
        assert!(!sandbox.has_state(), "room for {room} pages");
    }
    assert!(refused > 3, "{refused}");
}

#[test]
fn a_read_only_disk_is_named() {
    use crate::text::Lang;
    let Some(disk) = SmallDisk::mount("size=256k") else {
        return;
    };
    let sandbox = Sandbox::in_folder(disk.0.path().canonicalize().unwrap(), None);
    assert!(disk.remount("ro"));
    let error = sandbox.apply().unwrap_err();
    assert!(
        error
            .user_error()
            .message
            .get(Lang::Zh)
            .ends_with("文件系统只读"),
        "{error}"
    );
}

/// Root may write everywhere.
fn is_above_rights(folder: &Path) -> bool {
    let probe = folder.join("probe");
    let is_above = fs::write(&probe, "").is_ok();
    let _ = fs::remove_file(probe);
    if is_above {
        eprintln!("skipped: this user may write into folders without rights");
    }
    is_above
}

#[test]
fn a_folder_without_rights_leaves_everything_as_it_was() {
    for name in ["repo", "repo/sub"] {
        let sandbox = Sandbox::new();
        let folder = sandbox.base.join(name);
        let set = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        set(0o555);
        let old = sandbox.tree();
        if !is_above_rights(&folder) {
            let error = sandbox.apply().unwrap_err();
            assert!(matches!(error, ApplyError::Io { .. }), "{error}");
            assert!(
                error
                    .user_error()
                    .help
                    .to_string()
                    .contains(folder.to_str().unwrap())
            );
            assert_eq!(sandbox.tree(), old);
            assert!(!sandbox.has_state());
        }
        set(0o755);
    }
}

#[test]
fn a_folder_that_loses_its_rights_midway_is_taken_back_later() {
    let sandbox = Sandbox::new();
    let old = sandbox.tree();
    let folder = sandbox.root.join("sub");
    let set = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    set(0o555);
    let is_above = is_above_rights(&folder);
    set(0o755);
    if is_above {
        return;
    }
    let mut disk = Disk::with_hook(|action, path| {
        if action == Action::Rename && path.ends_with("routes.toml") {
            set(0o555);
            fs::write(path, "mine").unwrap();
        }
        Ok(())
    });
    // The file in `sub` comes after it.
    let error = apply_on(&mut disk, &sandbox.root, &sandbox.changes).unwrap_err();
    drop(disk);
    assert!(matches!(error, ApplyError::Halfway { .. }), "{error}");
    set(0o755);
    fs::remove_file(sandbox.root.join("routes.toml")).unwrap();
    assert!(matches!(
        recover(&sandbox.root).unwrap(),
        Some(Recovered::MigrationTakenBack(_))
    ));
    assert_eq!(sandbox.tree(), old);
    assert!(!sandbox.has_state());
}
