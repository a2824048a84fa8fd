//! Processes that end: each gets a group of its own, which is killed by its id with everything that
//! it has started.

use std::io::{self, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::interrupt;

/// A process, and all that it starts and that does not leave its group; they end with this value.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts a process in a group of its own, which ends at a signal ([`interrupt`]) as well.
    ///
    /// # Errors
    /// When it cannot be started, or this program is to end.
    pub(crate) fn spawn(mut command: Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = interrupt::group(|| {
            let child = command.spawn()?;
            Ok((child.id(), child))
        })?;
        Ok(Self { child })
    }

    /// The process.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Ends the group, then waits for the process: as long as nobody has waited for it, its id, and
    /// so that of the group, belongs to nobody else.
    fn kill(&mut self) {
        interrupt::end_group(self.child.id());
        // What has ended already cannot be ended, which is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ends a group when something takes longer than it may.
#[derive(Debug)]
pub(crate) struct Watchdog {
    is_over: Arc<AtomicBool>,
    /// Dropping it says that all is well.
    _done: mpsc::Sender<()>,
}

impl Watchdog {
    /// From now on `group` has `limit`, unless this value goes before.
    pub(crate) fn over(group: &Group, limit: Duration) -> Self {
        let (done, heard) = mpsc::channel::<()>();
        let is_over = Arc::new(AtomicBool::new(false));
        let (id, over) = (group.child.id(), is_over.clone());
        thread::spawn(move || {
            if heard.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                over.store(true, Ordering::Relaxed);
                // Only if it is there still; what has been waited for is no longer known.
                interrupt::end_group(id);
            }
        });
        Self {
            is_over,
            _done: done,
        }
    }

    /// Whether the group was ended for that reason.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// The most that is kept of what a process writes when it is only asked something.
const MOST: u64 = 64 * 1024;

/// What a process writes until it closes both outputs; none when that takes longer than `limit`, or
/// a signal comes. Either way it is ended then.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn output_within(command: Command, limit: Duration) -> io::Result<Option<Output>> {
    let Some((mut group, [stdout, stderr])) = outputs(command, limit, MOST)? else {
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

/// What a process writes, and how it ends; an error when that takes longer than `limit`, or a signal
/// comes.
///
/// # Errors
/// When it cannot be started, or this program is to end; [`io::ErrorKind::TimedOut`].
pub(crate) fn output(command: Command, limit: Duration) -> io::Result<Output> {
    let Some((mut group, [stdout, stderr])) = outputs(command, limit, u64::MAX)? else {
        return Err(match interrupt::check() {
            Ok(()) => io::ErrorKind::TimedOut.into(),
            Err(_) => io::ErrorKind::Interrupted.into(),
        });
    };
    // Without reaping it, as its id is its own only until then.
    #[cfg(unix)]
    if let Some(id) = rustix::process::Pid::from_raw(group.child().id().cast_signed()) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        while let Err(rustix::io::Errno::INTR) = waitid(
            WaitId::Pid(id),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        ) {}
    }
    group.kill();
    let status = group.child().wait()?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// A process that has closed both outputs, with `most` bytes of each.
fn outputs(
    mut command: Command,
    limit: Duration,
    most: u64,
) -> io::Result<Option<(Group, [Vec<u8>; 2])>> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let deadline = Instant::now() + limit;
    let mut group = Group::spawn(command)?;
    let (sender, heard) = mpsc::channel();
    collect(0, group.child().stdout.take(), most, &sender);
    collect(1, group.child().stderr.take(), most, &sender);
    // What has left the group may hold the outputs open for ever.
    interrupt::at_signal(move || drop(sender.send(None)));
    let mut outputs = [Vec::new(), Vec::new()];
    for _ in 0..outputs.len() {
        let rest = deadline.saturating_duration_since(Instant::now());
        let next = heard.recv_timeout(rest).ok();
        match next.flatten() {
            Some((0, bytes)) => outputs[0] = bytes,
            Some((_, bytes)) => outputs[1] = bytes,
            None => return Ok(None),
        }
    }
    Ok(Some((group, outputs)))
}

/// What a thread that reads has read of which output; none at a signal.
type Collected = Option<(usize, Vec<u8>)>;

/// Reads to the end on a thread of its own, which may outlive the process that is read from.
fn collect(
    which: usize,
    pipe: Option<impl Read + Send + 'static>,
    most: u64,
    sender: &mpsc::Sender<Collected>,
) {
    let sender = sender.clone();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until an error is all there is; nobody may be waiting for it any more.
            let _ = pipe.by_ref().take(most).read_to_end(&mut bytes);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        let _ = sender.send(Some((which, bytes)));
    });
}

#[cfg(all(test, unix))]
mod tests;
