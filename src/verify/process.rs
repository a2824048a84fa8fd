//! Processes that end: each gets a group of its own, which is killed by its id with everything that
//! it has started.

use std::io::{self, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A process, and all that it starts and that does not leave its group; they end with this value.
#[derive(Debug)]
pub struct Group {
    child: Child,
}

impl Group {
    /// Starts a process in a group of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(mut command: Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn()?;
        Ok(Self { child })
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Ends the group, then waits for the process: as long as nobody has waited for it, its id, and
    /// so that of the group, belongs to nobody else.
    fn kill(&mut self) {
        // What has ended already cannot be ended, which is what was wanted.
        #[cfg(unix)]
        if let Some(group) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The most that is kept of what a process writes when it is only asked something.
const MOST: u64 = 64 * 1024;

/// What a process writes until it closes both outputs; none when that takes longer than `limit`.
/// Either way it is ended then.
///
/// # Errors
/// When it cannot be started.
pub fn output_within(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let deadline = Instant::now() + limit;
    let mut group = Group::spawn(command)?;
    let stdout = collect(group.child().stdout.take());
    let stderr = collect(group.child().stderr.take());
    let rest = || deadline.saturating_duration_since(Instant::now());
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(rest()), stderr.recv_timeout(rest()))
    else {
        return Ok(None);
    };
    group.kill();
    let status = group.child().wait()?;
    Ok(Some(Output {
        status,
        stdout,
        stderr,
    }))
}

/// Reads to the end on a thread of its own, which may outlive the process that is read from.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until an error is all there is; nobody may be waiting for it any more.
            let _ = pipe.by_ref().take(MOST).read_to_end(&mut bytes);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        let _ = sender.send(bytes);
    });
    receiver
}
