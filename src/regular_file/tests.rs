use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

#[test]
fn only_regular_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "x").unwrap();
    symlink("file", at("link")).unwrap();
    symlink("/dev/zero", at("zero")).unwrap();
    symlink("/proc/kmsg", at("kernel")).unwrap();
    symlink("/proc/self/environ", at("environment")).unwrap();
    symlink(".", at("folder")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), 0o600.into()).unwrap();
    symlink("pipe", at("to_pipe")).unwrap();
    let _listener = UnixListener::bind(at("socket")).unwrap();
    let large = File::create(at("large")).unwrap();
    large.set_len(MOST_BYTES + 1).unwrap();

    assert_eq!(read(&at("file")).unwrap(), b"x");
    assert_eq!(read(&at("link")).unwrap(), b"x");
    for (name, expected) in [
        ("zero", ErrorKind::InvalidInput),
        ("pipe", ErrorKind::InvalidInput),
        ("to_pipe", ErrorKind::InvalidInput),
        ("socket", ErrorKind::InvalidInput),
        ("folder", ErrorKind::IsADirectory),
        (".", ErrorKind::IsADirectory),
        ("large", ErrorKind::FileTooLarge),
        ("missing", ErrorKind::NotFound),
    ] {
        assert_eq!(read(&at(name)).unwrap_err().kind(), expected, "{name}");
    }
    // Elsewhere they are not there.
    if cfg!(target_os = "linux") {
        for name in ["kernel", "environment"] {
            let error = read(&at(name)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
        }
    }
}
