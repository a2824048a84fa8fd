//! Requests to old URLs, kept in a file to be played to the migrated plugins: `rehook verify
//! --requests`.
//!
//! Invariants: serving never waits for the file. A request is copied and handed to a thread
//! that redacts and writes; when that one does not keep up, requests are dropped and counted. Nobody
//! but the owner can read the file, and secrets are redacted in it unless they were asked for.

mod entry;
mod file;
mod line;
mod redact_json;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::shim::http::head::Head;
use crate::shim::http::target::PathAndQuery;
use crate::shim::observe::access_log::Log;
use crate::term;
use crate::text;
use crate::user_error::UserError;

use entry::{Body, LARGEST_BODY};

pub(crate) use entry::Entry;
pub(crate) use file::probe;

use file::cannot_record;

/// Requests that may wait to be written.
const MAX_WAITING: usize = 1_024;
/// Bytes of all requests that wait to be written.
const MAX_BYTES: usize = 16 << 20;

#[derive(Debug)]
enum Message {
    Write(Box<Entry>),
    End,
}

/// Where requests go that are recorded.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    with_secrets: bool,
    sender: SyncSender<Message>,
    /// What the writing thread takes with it when it begins.
    begin: Mutex<Option<(File, Receiver<Message>)>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    waiting: AtomicUsize,
    /// Requests that are in the file.
    pub(super) written: AtomicU64,
    /// Requests that are not.
    pub(super) dropped: AtomicU64,
}

impl Recorder {
    /// A recorder that puts lines at the end of the file at `path`, which nobody else can read; if
    /// it cannot be one, why, and the remedy.
    pub(super) fn open(path: &Path, with_secrets: bool) -> Result<Self, UserError> {
        let file = file::open(path)?;
        let (sender, receiver) = sync_channel(MAX_WAITING);
        Ok(Self {
            path: path.to_owned(),
            with_secrets,
            sender,
            begin: Mutex::new(Some((file, receiver))),
            thread: Mutex::default(),
            waiting: AtomicUsize::new(0),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    /// Copies a request to the old URL that the map has as `url`; none when too many wait already.
    pub(super) fn copy(
        &self,
        head: &Head,
        url: &str,
        target: PathAndQuery<'_>,
        has_parameters: bool,
        body: &[u8],
    ) -> Option<Box<Entry>> {
        if self.waiting.load(Ordering::Relaxed) > MAX_BYTES {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut headers = Vec::new();
        for (_, name, value) in head.lines() {
            for part in [name, b":", value, b"\n"] {
                headers.extend_from_slice(part);
            }
        }
        let entry = Box::new(Entry {
            path: match has_parameters && self.with_secrets {
                true => String::from_utf8_lossy(target.path).into_owned(),
                false => url.to_owned(),
            },
            method: head.method().to_vec(),
            query: target.query.to_vec(),
            headers,
            body: match body.len() {
                0..=LARGEST_BODY => Body::Whole(body.to_vec()),
                length => Body::TooLarge(length),
            },
            status: 0,
        });
        // From now on, and not only when it is handed over: its agent may take long to answer.
        self.waiting.fetch_add(entry.size(), Ordering::Relaxed);
        Some(entry)
    }

    /// Hands a request over that was copied, now that it has been answered with `status`.
    pub(super) fn hand_over(&self, mut entry: Box<Entry>, status: u16) {
        entry.status = status;
        let size = entry.size();
        if self.sender.try_send(Message::Write(entry)).is_err() {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Begins to write.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn begin(self: &Arc<Self>, log: &Arc<Log>) -> io::Result<()> {
        let Some((file, receiver)) = lock(&self.begin).take() else {
            return Ok(());
        };
        let path = term::path(&self.path);
        log.event(&match self.with_secrets {
            true => text!(
                "requests are recorded in {path}, with their secrets",
                "正在把请求记录到 {path}，包括其中的密钥"
            ),
            false => text!(
                "requests are recorded in {path}, with secrets redacted",
                "正在把请求记录到 {path}，密钥已脱敏"
            ),
        });
        let (recorder, log) = (Arc::clone(self), Arc::clone(log));
        let thread = std::thread::Builder::new()
            .name("shim-record".to_owned())
            .spawn(move || {
                recorder.write(file, receiver, |error| {
                    log.event(&cannot_record(&recorder.path, error).in_one_line());
                });
            })?;
        *lock(&self.thread) = Some(thread);
        Ok(())
    }

    /// Ends writing: what waits is written, and the log says how much there is.
    pub(super) fn finish(&self, log: &Log) {
        if let Some(thread) = lock(&self.thread).take() {
            // Fails when the thread has ended already, and then there is nothing to wait for.
            let _ = self.sender.send(Message::End);
            let _ = thread.join();
        }
        let path = term::path(&self.path);
        let written = self.written.load(Ordering::Relaxed);
        let dropped = self.dropped.load(Ordering::Relaxed);
        log.event(&text!(
            "{written} requests were recorded in {path}, {dropped} were dropped",
            "已把 {written} 个请求记录到 {path}，丢弃 {dropped} 个"
        ));
    }

    fn write(&self, mut file: File, receiver: Receiver<Message>, complain: impl Fn(&io::Error)) {
        let mut complained = false;
        while let Ok(Message::Write(entry)) = receiver.recv() {
            let line = line::of(&entry, self.with_secrets);
            let counted = match file::append(&mut file, line.as_bytes()) {
                Ok(()) => &self.written,
                Err(error) => {
                    if !complained {
                        complain(&error);
                    }
                    complained = true;
                    &self.dropped
                }
            };
            counted.fetch_add(1, Ordering::Relaxed);
            self.waiting.fetch_sub(entry.size(), Ordering::Relaxed);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is inside is taken out whole, or not at all.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: usize) -> Box<Entry> {
        Box::new(Entry {
            path: "/o".to_owned(),
            method: b"POST".to_vec(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Whole(vec![b'a'; body]),
            status: 0,
        })
    }

    /// One as `copy` makes it.
    fn counted(recorder: &Recorder, body: usize) -> Box<Entry> {
        let entry = entry(body);
        let size = entry.size();
        recorder.waiting.fetch_add(size, Ordering::Relaxed);
        entry
    }

    #[test]
    fn what_cannot_be_written_in_time_is_dropped_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(&folder.path().join("a"), false).unwrap();
        // Nobody writes yet.
        for _ in 0..MAX_WAITING + 7 {
            recorder.hand_over(counted(&recorder, 1), 200);
        }
        assert_eq!(recorder.dropped.load(Ordering::Relaxed), 7);
        let (file, receiver) = lock(&recorder.begin).take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| recorder.write(file, receiver, |error| panic!("{error}")));
            recorder.sender.send(Message::End).unwrap();
        });
        assert_eq!(recorder.written.load(Ordering::Relaxed), MAX_WAITING as u64);
        assert_eq!(recorder.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn large_bodies_that_wait_have_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(&folder.path().join("a"), false).unwrap();
        let answered = |_| recorder.hand_over(counted(&recorder, 1 << 20), 200);
        (0..16).for_each(answered);
        // One that is not answered yet counts as well.
        let _running = counted(&recorder, 1 << 20);
        assert_eq!(recorder.dropped.load(Ordering::Relaxed), 0);
        let mut head = Head::default();
        head.read_request(b"POST /o HTTP/1.1\r\nHost: h\r\n\r\n")
            .unwrap();
        let copied = recorder.copy(&head, "/o", PathAndQuery::of(b"/o"), false, b"");
        assert!(copied.is_none());
        assert_eq!(recorder.dropped.load(Ordering::Relaxed), 1);
    }
}
