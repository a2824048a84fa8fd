//! What writes the log: a thread of its own, so that serving never waits for whoever reads it.
//!
//! Invariants: no more than [`CAPACITY`] bytes wait to be written; what does not fit is dropped and
//! counted, and the line after it says how many; what is written keeps its order, and no line is
//! mixed with half of another.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that may wait.
const CAPACITY: usize = 1 << 20;
/// How long to wait for an output that takes nothing at the moment and does not let us wait for it.
const FULL: Duration = Duration::from_millis(20);

/// Makes the line that says how many lines were dropped.
type Notice = Box<dyn Fn(u64) -> String + Send>;
/// Opens the output anew; a line that says why it cannot be.
pub(super) type Opener = Box<dyn Fn() -> Result<Box<dyn Write + Send>, String> + Send>;

#[derive(Debug)]
enum Piece {
    /// Whole lines.
    Lines(Vec<u8>),
    /// So many lines are missing here.
    Dropped(u64),
    /// What follows goes to a file that is opened anew, since this one was moved away.
    Reopen,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    /// Bytes of all pieces, and of the one that is being written.
    bytes: usize,
    is_writing: bool,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write, or nothing more to come.
    more: Condvar,
    /// Everything has been written.
    idle: Condvar,
    dropped: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Whole at every moment: nothing in between can fail.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes lines, and writes them when it can.
#[derive(Debug)]
pub(super) struct LogWriter {
    shared: Arc<Shared>,
}

impl LogWriter {
    /// Begins to write to `out`; `notice` makes the line that says how many are missing, and `opener`
    /// opens it anew, where that can be done.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        out: Box<dyn Write + Send>,
        notice: Notice,
        opener: Option<Opener>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("shim-log".to_owned())
            .spawn(move || {
                let output = Output {
                    out,
                    notice,
                    opener,
                    lost: 0,
                    in_line: false,
                };
                run(&of_thread, output);
            })?;
        Ok(Self { shared })
    }

    /// Takes whole lines; drops them when too much waits already.
    pub(super) fn push(&self, lines: &[u8]) {
        let mut queue = self.shared.lock();
        if queue.bytes + lines.len() <= CAPACITY {
            queue.bytes += lines.len();
            queue.pieces.push_back(Piece::Lines(lines.to_vec()));
        } else {
            let count = count(lines);
            self.shared.dropped.fetch_add(count, Ordering::Relaxed);
            match queue.pieces.back_mut() {
                Some(Piece::Dropped(dropped)) => *dropped += count,
                _ => queue.pieces.push_back(Piece::Dropped(count)),
            }
        }
        drop(queue);
        self.shared.more.notify_one();
    }

    /// Has what comes from now on written to a file that is opened anew.
    pub(super) fn reopen(&self) {
        self.shared.lock().pieces.push_back(Piece::Reopen);
        self.shared.more.notify_one();
    }

    /// Waits until everything is written, but for no longer than `most`.
    pub(super) fn flush(&self, most: Duration) {
        let end = Instant::now() + most;
        let mut queue = self.shared.lock();
        while queue.is_writing || !queue.pieces.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.shared.idle.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lines that were dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.more.notify_one();
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

/// Where lines go, and what could not be written to it.
struct Output {
    out: Box<dyn Write + Send>,
    notice: Notice,
    opener: Option<Opener>,
    /// Lines that it did not take, and that were not spoken of yet.
    lost: u64,
    /// Whether half of a line was written.
    in_line: bool,
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut left = bytes;
        while !left.is_empty() {
            match self.out.write(left) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    self.in_line = left[taken - 1] != b'\n';
                    left = &left[taken..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A terminal, or a pipe that somebody else has set so.
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(FULL),
                Err(error) => return Err(error),
            }
        }
        self.out.flush()
    }

    /// Ends a line of which only half was written, and says how many are missing.
    fn catch_up(&mut self) -> io::Result<()> {
        if self.in_line {
            self.write(b"\n")?;
        }
        if self.lost > 0 {
            let notice = (self.notice)(self.lost);
            self.write(notice.as_bytes())?;
            self.lost = 0;
        }
        Ok(())
    }

    /// Goes over to a file that is opened anew; stays with this one when that cannot be.
    fn reopen(&mut self) {
        let Some(opener) = &self.opener else { return };
        match opener() {
            Ok(out) => {
                let _ = self.catch_up();
                self.out = out;
                self.in_line = false;
            }
            Err(line) => {
                let _ = self.catch_up().and_then(|()| self.write(line.as_bytes()));
            }
        }
    }

    /// Writes `lines`; counts those that cannot be.
    fn put(&mut self, lines: &[u8], dropped: &AtomicU64) {
        let written = self.catch_up().and_then(|()| self.write(lines));
        if written.is_err() {
            let count = count(lines);
            self.lost += count;
            dropped.fetch_add(count, Ordering::Relaxed);
        }
    }
}

fn run(shared: &Shared, mut output: Output) {
    let mut queue = shared.lock();
    loop {
        match queue.pieces.pop_front() {
            Some(Piece::Lines(lines)) => {
                queue.is_writing = true;
                drop(queue);
                output.put(&lines, &shared.dropped);
                queue = shared.lock();
                queue.is_writing = false;
                queue.bytes -= lines.len();
            }
            Some(Piece::Dropped(count)) => {
                output.lost += count;
                queue.is_writing = true;
                drop(queue);
                // Fails where the lines before it have failed; it is said before the next ones then.
                let _ = output.catch_up();
                queue = shared.lock();
                queue.is_writing = false;
            }
            Some(Piece::Reopen) => {
                queue.is_writing = true;
                drop(queue);
                output.reopen();
                queue = shared.lock();
                queue.is_writing = false;
            }
            None => {
                shared.idle.notify_all();
                if queue.is_closed {
                    return;
                }
                let waited = shared.more.wait(queue);
                queue = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that takes nothing before it is told to.
    #[derive(Clone, Default)]
    struct Gate(Arc<(Mutex<Taken>, Condvar)>);

    #[derive(Default)]
    struct Taken {
        is_open: bool,
        text: Vec<u8>,
    }

    impl Gate {
        fn open(&self) {
            self.0.0.lock().unwrap().is_open = true;
            self.0.1.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().text.clone()).unwrap()
        }
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let state = self.0.0.lock().unwrap();
            let mut state = self.0.1.wait_while(state, |state| !state.is_open).unwrap();
            state.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start(out: impl Write + Send + 'static) -> LogWriter {
        let notice = Box::new(|count| format!("-{count}\n"));
        LogWriter::start(Box::new(out), notice, None).unwrap()
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn what_does_not_fit_is_dropped_and_said_in_its_place() {
        let gate = Gate::default();
        let writer = start(gate.clone());
        let line = format!("{}\n", "x".repeat(1023));
        for _ in 0..CAPACITY / line.len() {
            writer.push(line.as_bytes());
        }
        writer.push(b"a\nb\n");
        writer.push(b"c\n");
        assert_eq!(writer.dropped(), 3);
        writer.flush(Duration::ZERO);
        gate.open();
        writer.flush(PATIENCE);
        writer.push(b"d\n");
        writer.flush(PATIENCE);
        let text = gate.text();
        assert_eq!(text.replace(&line, ""), "-3\nd\n");
        assert_eq!(text.len(), CAPACITY + 5);
    }

    /// Takes half of the second write, and nothing more until its fourth.
    #[derive(Clone, Default)]
    struct Full(Arc<Mutex<(u32, Vec<u8>)>>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (call, text) = &mut *self.0.lock().unwrap();
            *call += 1;
            let taken = match call {
                2 => bytes.len() / 2,
                3 | 4 => return Err(ErrorKind::StorageFull.into()),
                _ => bytes.len(),
            };
            text.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_a_full_disk_lines_are_whole_again() {
        let full = Full::default();
        let writer = start(full.clone());
        for line in ["one\n", "two2\n", "three\n", "four\n"] {
            writer.push(line.as_bytes());
            writer.flush(PATIENCE);
        }
        let text = String::from_utf8(full.0.lock().unwrap().1.clone()).unwrap();
        assert_eq!(text, "one\ntw\n-2\nfour\n");
        assert_eq!(writer.dropped(), 2);
    }
}
