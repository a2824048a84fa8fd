//! Signals that ask this program to end.
//!
//! While it has something that has to go, they do not end it at once: processes in groups of their
//! own, which Ctrl-C does not reach, are ended, and everything else looks at [`check`]. Otherwise they
//! end it. There is one state, as there is one process that signals are sent to.

use std::io;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::signals::Signals;
use crate::verify::error::VerifyError;

/// What this program ends with, as with any error.
const EXIT_CODE: i32 = 2;

static STATE: Mutex<State> = Mutex::new(State {
    is_listening: false,
    is_guarded: false,
    is_interrupted: false,
    groups: Vec::new(),
    callbacks: Vec::new(),
});

struct State {
    /// Whether there is a thread that listens.
    is_listening: bool,
    /// Whether there is something that has to go before the end.
    is_guarded: bool,
    /// Whether a signal came since then.
    is_interrupted: bool,
    /// The groups of processes, by their ids.
    groups: Vec<u32>,
    /// What is done at a signal.
    callbacks: Vec<Box<dyn FnOnce() + Send>>,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Signals do not end the program while this value is there.
#[derive(Debug)]
pub(crate) struct SignalGuard(());

/// From now on a signal is heard.
///
/// # Errors
/// When the system does not let it listen.
pub(crate) fn listen() -> io::Result<SignalGuard> {
    let mut state = state();
    if !state.is_listening {
        spawn_signal_thread()?;
    }
    state.is_listening = true;
    state.is_guarded = true;
    state.is_interrupted = false;
    Ok(SignalGuard(()))
}

impl Drop for SignalGuard {
    fn drop(&mut self) {
        let mut state = state();
        state.is_guarded = false;
        state.callbacks.clear();
    }
}

/// Whether to go on.
///
/// # Errors
/// [`VerifyError::Interrupted`] when a signal came.
pub(crate) fn check() -> Result<(), VerifyError> {
    if state().is_interrupted {
        return Err(VerifyError::Interrupted);
    }
    Ok(())
}

/// Does something when a signal comes, or at once if one came already.
pub(crate) fn at_signal(what: impl FnOnce() + Send + 'static) {
    let mut state = state();
    if state.is_interrupted {
        what();
    } else if state.is_guarded {
        state.callbacks.push(Box::new(what));
    }
}

/// A group of processes that ends at a signal. `start` gives its id, and what else it likes.
///
/// # Errors
/// Those of `start`, which is not even tried after a signal.
pub(crate) fn group<T>(start: impl FnOnce() -> io::Result<(u32, T)>) -> io::Result<T> {
    // As long as it is held no signal is heard, so that none falls between start and note.
    let mut state = state();
    if state.is_interrupted {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let (group, rest) = start()?;
    state.groups.push(group);
    Ok(rest)
}

/// Ends a group, if that has not been done. Its id has to be its own still: nobody has waited for its
/// first process.
pub(crate) fn end_group(group: u32) {
    let mut state = state();
    if let Some(place) = state.groups.iter().position(|&one| one == group) {
        state.groups.swap_remove(place);
        kill(group);
    }
}

fn kill(group: u32) {
    // What has ended already cannot be ended, which is what was wanted.
    #[cfg(unix)]
    if let Some(group) = rustix::process::Pid::from_raw(group.cast_signed()) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = group;
}

fn on_signal() {
    let mut state = state();
    if !state.is_guarded {
        process::exit(EXIT_CODE);
    }
    state.is_interrupted = true;
    for &group in &state.groups {
        kill(group);
    }
    for what in state.callbacks.drain(..) {
        what();
    }
}

/// Listens on a thread of its own, to the end of the program.
fn spawn_signal_thread() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Here, so that from now on no signal ends the program in the old way.
    let mut signals = {
        let _inside = runtime.enter();
        Signals::listen(true)?
    };
    thread::spawn(move || {
        runtime.block_on(async move {
            loop {
                signals.next().await;
                on_signal();
            }
        });
    });
    Ok(())
}
