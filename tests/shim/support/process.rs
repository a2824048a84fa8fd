//! The program itself, as a process of its own.

use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{connect, read_message, wait_until};

/// Runs it to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rehook"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("LC_ALL")
        .env("LANG", "C")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A shim that runs until it is dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    pub address: SocketAddr,
}

impl Process {
    /// Starts `rehook shim` in `folder`, where `shim.toml` is.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn(
            folder,
            Command::new(env!("CARGO_BIN_EXE_rehook")),
            arguments,
        )
    }

    /// The same, where no more than `most` files can be open.
    pub(crate) fn start_with_files(folder: &Path, most: usize) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_rehook")]);
        Self::spawn(folder, shell, &[])
    }

    /// The same, where no file grows over a few KiB: as on a full disk, a write takes what fits.
    pub(crate) fn start_with_small_files(folder: &Path, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        // In blocks of 512 bytes in some shells, of 1 KiB in others.
        let script = "trap '' XFSZ; ulimit -f 6 && exec \"$0\" \"$@\"";
        shell.args(["-c", script, env!("CARGO_BIN_EXE_rehook")]);
        Self::spawn(folder, shell, arguments)
    }

    /// The same, with sockets that somebody else has opened: `names` as systemd writes them.
    pub(crate) fn start_with_sockets(
        folder: &Path,
        names: &str,
        senders: &TcpListener,
        admin: Option<&TcpListener>,
    ) -> Self {
        let mut shell = Command::new("sh");
        let passed = |listener: &TcpListener| OwnedFd::from(listener.try_clone().unwrap());
        let (open, count) = match admin {
            Some(admin) => {
                shell.stdout(passed(admin));
                ("exec 3<&0 4<&1 </dev/null >/dev/null", 2)
            }
            None => ("exec 3<&0 </dev/null", 1),
        };
        let script = format!(
            "{open}; LISTEN_FDS={count} LISTEN_FDNAMES={names} LISTEN_PID=$$ exec \"$0\" \"$@\""
        );
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_rehook")]);
        Self::spawn_with(folder, shell, &[], passed(senders).into())
    }

    fn spawn(folder: &Path, command: Command, arguments: &[&str]) -> Self {
        Self::spawn_with(folder, command, arguments, Stdio::null())
    }

    fn spawn_with(folder: &Path, mut command: Command, arguments: &[&str], input: Stdio) -> Self {
        let log = folder.join("log");
        let child = command
            .args(["--lang", "en", "shim", "--config", "shim.toml"])
            .args(arguments)
            .current_dir(folder)
            .stdin(input)
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let after = |marker: &str| {
            let text = std::fs::read_to_string(&log).unwrap();
            let start = text.find(marker)? + marker.len();
            let rest = text[start..].split_whitespace().next()?;
            rest.strip_prefix("http://")?.parse().ok()
        };
        wait_until("the shim serves", || after("old URLs at ").is_some());
        Self {
            address: after("old URLs at ").unwrap(),
            child,
            log,
        }
    }

    /// Where the operator looks.
    pub(crate) fn admin(&self) -> SocketAddr {
        let marker = "the page are at http://";
        wait_until("the log says where the page is", || {
            self.log().contains(marker)
        });
        let log = self.log();
        let (_, rest) = log.split_once(marker).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// The most memory that it ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The memory that is its own and no file's, in KiB.
    pub(crate) fn own_memory(&self) -> u64 {
        self.memory("RssAnon:")
    }

    /// The status of a reply.
    pub(crate) fn status(&self, request: &str) -> u16 {
        let mut stream = connect(self.address);
        stream.write_all(request.as_bytes()).unwrap();
        read_message(&mut stream, false).expect("a reply").status()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says that a test is skipped, and why; past the harness, which keeps what passing tests print.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Where a program is; says that a test is skipped when it is not there.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        skipped(&format!("{name} is not installed on this machine"));
    }
    found
}
