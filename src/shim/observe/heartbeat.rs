//! Whether the threads that serve still turn: a shim whose threads hang is not healthy, whatever its
//! admin port says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A thread that was not heard of for so long hangs; each says that it lives ten times a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The threads that serve, and when each was heard of.
#[derive(Debug)]
pub(crate) struct Heartbeats {
    start: Instant,
    /// In milliseconds since `start`.
    threads: Mutex<Vec<Arc<AtomicU64>>>,
}

impl Default for Heartbeats {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            threads: Mutex::default(),
        }
    }
}

/// How a thread says that it lives.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    start: Instant,
    last: Arc<AtomicU64>,
}

impl Heartbeat {
    /// Says it.
    pub(crate) fn beat(&self) {
        self.last
            .store(since(self.start, Instant::now()), Ordering::Relaxed);
    }
}

impl Heartbeats {
    /// One more thread that serves.
    pub(crate) fn join(&self) -> Heartbeat {
        let heartbeat = Heartbeat {
            start: self.start,
            last: Arc::default(),
        };
        heartbeat.beat();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(Arc::clone(&heartbeat.last));
        heartbeat
    }

    /// How many threads there are, and how many of them hang or have died.
    pub(crate) fn count(&self, now: Instant) -> (usize, usize) {
        let now = since(self.start, now);
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = |last: &&Arc<AtomicU64>| {
            let silent = now.saturating_sub(last.load(Ordering::Relaxed));
            u128::from(silent) > PATIENCE.as_millis()
        };
        (threads.len(), threads.iter().filter(hangs).count())
    }
}

fn since(start: Instant, now: Instant) -> u64 {
    let passed = now.saturating_duration_since(start).as_millis();
    u64::try_from(passed).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_not_heard_of_hangs() {
        let heartbeats = Heartbeats::default();
        let threads = [heartbeats.join(), heartbeats.join()];
        let now = Instant::now();
        assert_eq!(heartbeats.count(now + PATIENCE / 2), (2, 0));
        assert_eq!(heartbeats.count(now + PATIENCE * 2), (2, 2));
        std::thread::sleep(Duration::from_millis(20));
        threads[1].beat();
        let between = now + PATIENCE + Duration::from_millis(10);
        assert_eq!(heartbeats.count(between), (2, 1));
    }
}
