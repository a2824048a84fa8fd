//! Signals that ask this program to end. The runner is in a group of its own, so that Ctrl-C does
//! not reach it; and the temporary folder has to go as well.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use tokio::sync::oneshot;

use super::Heard;

/// Listens as long as this value is there.
pub struct Listening {
    _stop: oneshot::Sender<()>,
}

/// Says [`Heard::Signal`] when a signal comes that would end this program.
///
/// # Errors
/// When the system does not let it listen.
pub fn listen(sender: Sender<Heard>) -> io::Result<Listening> {
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Here, so that from now on no signal ends the program in the old way.
    let signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    thread::spawn(move || {
        runtime.block_on(async move {
            tokio::select! {
                _ = stopped => {}
                // If nobody listens any more, the program is at its end anyway.
                () = signals.any() => drop(sender.send(Heard::Signal)),
            }
        });
    });
    Ok(Listening { _stop: stop })
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn any(self) {
        let [mut interrupt, mut terminate, mut hangup] = self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn any(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
