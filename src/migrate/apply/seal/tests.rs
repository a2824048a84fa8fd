use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[test]
fn a_seal_fits_its_journal_in_its_place_and_nothing_else() {
    let (key, other) = (Key([1; LENGTH]), Key([2; LENGTH]));
    let (root, elsewhere) = (Path::new("/a/b"), Path::new("/a"));
    let sealed = key.seal(root, b"journal\n".to_vec());
    let (journal, seal) = split(&sealed);
    assert_eq!(journal, b"journal\n");
    assert!(key.fits(root, journal, seal));
    assert!(!other.fits(root, journal, seal));
    assert!(!key.fits(elsewhere, journal, seal));
    assert!(!key.fits(root, b"journaL\n", seal));
    // Where the path ends and the journal begins is part of it.
    assert!(!key.fits(elsewhere, b"/bjournal\n", seal));
    for at in 0..sealed.len() {
        let mut sealed = sealed.clone();
        sealed[at] ^= 0x40;
        let (journal, seal) = split(&sealed);
        assert!(!key.fits(root, journal, seal), "byte {at}");
    }
    for end in 0..sealed.len() {
        let (journal, seal) = split(&sealed[..end]);
        assert!(!key.fits(root, journal, seal), "up to {end}");
    }
}

#[test]
fn the_key_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("state/rehook");
    assert!(Key::get_in(&folder).unwrap().is_none());
    let keys: Vec<[u8; LENGTH]> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Key::get_or_make_in(&folder).unwrap().0))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(
        keys.iter()
            .all(|key| *key == keys[0] && *key != [0; LENGTH])
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.join(FILE)), 0o600);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_key_that_others_may_know_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    Key::get_or_make_in(folder.path()).unwrap();
    let is_unsafe = || {
        matches!(
            Key::get_or_make_in(folder.path()),
            Err(ApplyError::UnsafeKey { .. })
        )
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(is_unsafe());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!is_unsafe());
    fs::write(&path, "short").unwrap();
    assert!(is_unsafe());
    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    assert!(is_unsafe());
}

#[test]
fn where_no_key_can_be_kept_it_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Key::get_or_make_in(&file.path().join("rehook"))
        .err()
        .unwrap();
    assert!(matches!(error, ApplyError::NoKey { .. }), "{error}");
    assert!(
        error
            .user_error()
            .help
            .to_string()
            .contains("XDG_STATE_HOME")
    );
}

#[test]
fn the_state_folder_is_where_the_specification_has_it() {
    let of = |state: Option<&str>, home: Option<&str>| {
        folder_of(state.map(PathBuf::from), home.map(PathBuf::from))
    };
    assert_eq!(of(Some("/s"), None), Some("/s/rehook".into()));
    assert_eq!(
        of(Some("s"), Some("/home/me")),
        Some("/home/me/.local/state/rehook".into())
    );
    assert_eq!(
        of(Some(""), Some("/h")),
        Some("/h/.local/state/rehook".into())
    );
    assert_eq!(of(None, Some("")), None);
    assert_eq!(of(None, None), None);
}
