use super::*;

/// A program that waits for whoever writes into a pipe, which nobody does.
fn endless() -> (tempfile::TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
    let mut command = Command::new("cat");
    command.arg(pipe).stdout(Stdio::piped());
    (folder, command)
}

#[test]
fn what_does_not_answer_is_an_error() {
    let (_folder, command) = endless();
    let error = output(command, Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn what_is_watched_ends_and_what_ends_in_time_is_left_alone() {
    let (_folder, command) = endless();
    let mut group = Group::spawn(command).unwrap();
    let watchdog = Watchdog::over(&group, Duration::from_millis(20));
    let mut said = Vec::new();
    let mut stdout = group.child().stdout.take().unwrap();
    stdout.read_to_end(&mut said).unwrap();
    assert!(watchdog.is_over());

    let mut command = Command::new("echo");
    command.stdout(Stdio::piped());
    let mut group = Group::spawn(command).unwrap();
    let watchdog = Watchdog::over(&group, Duration::MAX);
    let mut stdout = group.child().stdout.take().unwrap();
    stdout.read_to_end(&mut said).unwrap();
    assert_eq!(said, b"\n");
    assert!(!watchdog.is_over());
}
