//! The signals by which this program is asked to end, heard in one way by all that runs for long.
//!
//! Invariant: a signal that was ignored when the program started, as `nohup` has it, stays ignored.

use std::future;
use std::io;

/// The signals that are heard; as long as it lives they do not end the program in the system's way.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    /// Hears SIGINT and SIGTERM, and SIGHUP too where that means the end. Has to be called in a runtime.
    ///
    /// # Errors
    /// When the system does not let it listen.
    pub(crate) fn listen(with_hangup: bool) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        let hangup = with_hangup.then(SignalKind::hangup);
        let ignored = ignored();
        let heard = kinds.into_iter().chain(hangup).filter(|kind| {
            let is_ignored = ignored >> (kind.as_raw_value() - 1) & 1 == 1;
            !is_ignored
        });
        heard.map(signal).collect::<Result<_, _>>().map(Self)
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        future::poll_fn(|context| {
            let mut signals = self.0.iter_mut();
            match signals.any(|signal| signal.poll_recv(context).is_ready()) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
    }
}

/// A bit for each signal that this process ignores; none where the system does not say.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen(_: bool) -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // There is nothing to hear, ever.
            future::pending::<()>().await;
        }
    }
}
