//! Requests to old URLs, kept in a file to be played to the migrated plugins: `rehook verify
//! --requests`.
//!
//! Invariants: serving never waits for the file. A request is copied and handed to a thread
//! that masks and writes; when that one does not keep up, requests are dropped and counted. Nobody
//! but the owner can read the file, and secrets are masked in it unless they were asked for.

mod file;
mod line;
mod redact_json;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::shim::http::head::Head;
use crate::shim::route::table::OldUrl;
use crate::shim::serve::worker::ServerState;
use crate::term;
use crate::text;
use crate::text::{Text, translate};

pub use file::probe;

/// Requests that may wait to be written.
const MOST_WAITING: usize = 1_024;
/// Bytes of all requests that wait to be written.
const MOST_BYTES: usize = 16 << 20;
/// A larger body is not kept.
const LARGEST_BODY: usize = 1 << 20;

/// A request that reached an old URL and whose body has arrived, copied.
#[derive(Debug)]
pub struct Entry {
    /// The old URL as the map has it; with secrets, and when it has parameters, as it came.
    path: String,
    method: Vec<u8>,
    /// With its `?`.
    query: Vec<u8>,
    /// `name:value\n` for each header: neither of them has a line end in it, and no name a colon.
    headers: Vec<u8>,
    body: Body,
    status: u16,
}

#[derive(Debug)]
enum Body {
    Whole(Vec<u8>),
    /// Its length.
    TooLarge(usize),
}

impl Entry {
    /// What it takes while it waits.
    fn size(&self) -> usize {
        let body = match &self.body {
            Body::Whole(bytes) => bytes.len(),
            Body::TooLarge(_) => 0,
        };
        size_of::<Self>() + self.path.len() + self.query.len() + self.headers.len() + body
    }
}

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
    pub written: AtomicU64,
    /// Requests that are not.
    pub dropped: AtomicU64,
}

impl Recorder {
    /// A recorder that puts lines at the end of the file at `path`, which nobody else can read; if
    /// it cannot be one, why, and the remedy.
    pub fn open(path: &Path, with_secrets: bool) -> Result<Self, Text> {
        let file = file::open(path)?;
        let (sender, receiver) = sync_channel(MOST_WAITING);
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

    /// Copies a request; none when too many wait already.
    pub fn copy(
        &self,
        head: &Head,
        url: &OldUrl,
        (path, query): (&[u8], &[u8]),
        has_parameters: bool,
        body: &[u8],
    ) -> Option<Box<Entry>> {
        if self.waiting.load(Ordering::Relaxed) > MOST_BYTES {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut headers = Vec::new();
        for (_, name, value) in head.lines() {
            for part in [name, b":", value, b"\n"] {
                headers.extend_from_slice(part);
            }
        }
        Some(Box::new(Entry {
            path: match has_parameters && self.with_secrets {
                true => String::from_utf8_lossy(path).into_owned(),
                false => url.path.clone(),
            },
            method: head.method().to_vec(),
            query: query.to_vec(),
            headers,
            body: match body.len() {
                0..=LARGEST_BODY => Body::Whole(body.to_vec()),
                length => Body::TooLarge(length),
            },
            status: 0,
        }))
    }

    /// Hands a request over, now that it has been answered with `status`.
    pub fn hand_over(&self, mut entry: Box<Entry>, status: u16) {
        entry.status = status;
        let size = entry.size();
        self.waiting.fetch_add(size, Ordering::Relaxed);
        if self.sender.try_send(Message::Write(entry)).is_err() {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write(&self, mut file: File, receiver: Receiver<Message>, complain: impl Fn(&io::Error)) {
        let mut complained = false;
        while let Ok(Message::Write(entry)) = receiver.recv() {
            let line = line::of(&entry, self.with_secrets);
            let counted = match file.write_all(line.as_bytes()) {
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

/// That requests cannot be recorded at `path`, why, and the remedy.
fn cannot_record(path: &Path, error: &io::Error) -> Text {
    let (path, reason) = (term::path(path), translate::io_error(error));
    let (en, zh) = reason.both();
    text!(
        "requests cannot be recorded in {path}: {en}; check the path given to --record and its \
         permissions",
        "无法把请求记录到 {path}：{zh}；请检查 --record 给出的路径和权限"
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is inside is taken out whole, or not at all.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to write, if anything is recorded.
pub fn begin(state: &Arc<ServerState>) -> io::Result<()> {
    let Some(recorder) = &state.recorder else {
        return Ok(());
    };
    let Some((file, receiver)) = lock(&recorder.begin).take() else {
        return Ok(());
    };
    let path = term::path(&recorder.path);
    state.log.event(&match recorder.with_secrets {
        true => text!(
            "requests are recorded in {path}, with their secrets",
            "正在把请求记录到 {path}，包括其中的密钥"
        ),
        false => text!(
            "requests are recorded in {path}, with secrets masked",
            "正在把请求记录到 {path}，密钥已打码"
        ),
    });
    let with_thread = Arc::clone(state);
    let thread = std::thread::Builder::new()
        .name("shim-record".to_owned())
        .spawn(move || {
            let Some(recorder) = &with_thread.recorder else {
                return;
            };
            recorder.write(file, receiver, |error| {
                let text = cannot_record(&recorder.path, error);
                with_thread.log.event(&text);
            });
        })?;
    *lock(&recorder.thread) = Some(thread);
    Ok(())
}

/// Ends writing: what waits is written, and the log says how much there is.
pub fn finish(state: &ServerState) {
    let Some(recorder) = &state.recorder else {
        return;
    };
    if let Some(thread) = lock(&recorder.thread).take() {
        // Fails when the thread has ended already, and then there is nothing to wait for.
        let _ = recorder.sender.send(Message::End);
        let _ = thread.join();
    }
    let path = term::path(&recorder.path);
    let written = recorder.written.load(Ordering::Relaxed);
    let dropped = recorder.dropped.load(Ordering::Relaxed);
    state.log.event(&text!(
        "{written} requests were recorded in {path}, {dropped} were dropped",
        "已把 {written} 个请求记录到 {path}，丢弃 {dropped} 个"
    ));
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

    #[test]
    fn what_cannot_be_written_in_time_is_dropped_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(&folder.path().join("a"), false).unwrap();
        // Nobody writes yet.
        for _ in 0..MOST_WAITING + 7 {
            recorder.hand_over(entry(1), 200);
        }
        assert_eq!(recorder.dropped.load(Ordering::Relaxed), 7);
        let (file, receiver) = lock(&recorder.begin).take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| recorder.write(file, receiver, |error| panic!("{error}")));
            recorder.sender.send(Message::End).unwrap();
        });
        assert_eq!(
            recorder.written.load(Ordering::Relaxed),
            MOST_WAITING as u64
        );
        assert_eq!(recorder.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn large_bodies_that_wait_have_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(&folder.path().join("a"), false).unwrap();
        for _ in 0..17 {
            recorder.hand_over(entry(1 << 20), 200);
        }
        assert_eq!(recorder.dropped.load(Ordering::Relaxed), 0);
        let mut head = Head::default();
        head.read_request(b"POST /o HTTP/1.1\r\nHost: h\r\n\r\n")
            .unwrap();
        let registry = crate::shim::observe::metrics::Registry::default();
        let url = OldUrl::for_test("/o", registry.url("/o"));
        let copied = recorder.copy(&head, &url, (b"/o", b""), false, b"");
        assert!(copied.is_none());
        assert_eq!(recorder.dropped.load(Ordering::Relaxed), 1);
    }
}
