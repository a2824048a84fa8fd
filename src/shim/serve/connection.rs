//! A connection of a sender: one request after another, until either side has had enough.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::shim::serve::exchange::Next;
use crate::shim::serve::handler;
use crate::shim::serve::idle::IdleSenders;
use crate::shim::serve::read::{self, ReadError};
use crate::shim::serve::worker::{RequestBuffers, Worker};

/// How long after the signal to stop is looked for what has come before it: the system tells of that
/// no sooner than of the signal. Closing a connection with a request in it would lose the request.
pub(super) const SHUTDOWN_ACCEPT_WINDOW: Duration = Duration::from_millis(50);
/// How long a sender that was rejected in the middle of its request may go on sending, so that it
/// gets to read the reply.
const LINGER: Duration = Duration::from_secs(5);
/// How much of it is read.
const LINGER_BYTES: usize = 4 << 20;

/// Counts a connection for as long as it lives.
pub(crate) struct Counted {
    worker: Rc<Worker>,
    is_late: bool,
}

impl Counted {
    /// Counts one more; says how many there are.
    pub(super) fn new(worker: &Rc<Worker>) -> (Self, usize) {
        worker.open.set(worker.open.get() + 1);
        let connections = &worker.state.registry.connections;
        let all = connections.fetch_add(1, Ordering::Relaxed) + 1;
        let is_late = *worker.stop.borrow();
        worker.late.set(worker.late.get() + usize::from(is_late));
        let worker = Rc::clone(worker);
        (Self { worker, is_late }, all)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let worker = &self.worker;
        worker.open.set(worker.open.get() - 1);
        worker
            .late
            .set(worker.late.get() - usize::from(self.is_late));
        let connections = &worker.state.registry.connections;
        connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve(counted: Counted, mut stream: TcpStream, peer: SocketAddr) {
    let worker = Rc::clone(&counted.worker);
    let mut stop = worker.stop.clone();
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::pin!(stopped);
    let mut deadline = Instant::now() + worker.state.table.load().config.limits.head_time;
    let mut stopping = false;
    let place = IdleSenders::join(&worker.idle);
    loop {
        place.waits(true);
        let readable = tokio::select! {
            biased;
            _ = &mut stopped, if !stopping => None,
            readable = timeout_at(deadline, stream.readable()) => Some(readable),
            () = place.has_to_end() => return,
        };
        place.waits(false);
        match readable {
            None => {
                stopping = true;
                deadline = Instant::now() + SHUTDOWN_ACCEPT_WINDOW;
                continue;
            }
            Some(Ok(Ok(()))) => {}
            Some(_) => return,
        }
        let mut buffers = worker.take_buffers();
        buffers.make_room();
        // It may be called readable when nothing has come: then it is still idle.
        match read_now(&mut stream, &mut buffers.input).await {
            Poll::Ready(Ok(1..)) => {}
            Poll::Pending => {
                worker.give_back(buffers);
                continue;
            }
            Poll::Ready(Ok(0) | Err(_)) => {
                worker.give_back(buffers);
                return;
            }
        }
        let next = loop {
            let next = Box::pin(serve_one(&worker, &mut stream, peer, &mut buffers)).await;
            // Requests that came together with this one are answered before the next wait.
            if !matches!(next, Next::Request) || buffers.input.is_empty() {
                break next;
            }
        };
        match next {
            Next::Request => {
                worker.give_back(buffers);
                if !stopping {
                    deadline = Instant::now() + worker.state.table.load().config.limits.idle;
                }
            }
            Next::Close => {
                buffers.input.clear();
                worker.give_back(buffers);
                return;
            }
            Next::Linger => {
                drop(buffers);
                linger(&mut stream).await;
                return;
            }
        }
    }
}

/// Reads what is there. Not with `try_read_buf`: after that the event loop does not know that nothing
/// is left, and the next wait would end at once, for a read that gives nothing.
async fn read_now(stream: &mut TcpStream, input: &mut BytesMut) -> Poll<io::Result<usize>> {
    poll_fn(|context| {
        let read = pin!(stream.read_buf(input));
        Poll::Ready(read.poll(context))
    })
    .await
}

async fn serve_one(
    worker: &Rc<Worker>,
    stream: &mut TcpStream,
    peer: SocketAddr,
    buffers: &mut RequestBuffers,
) -> Next {
    let table = worker.state.table.load_full();
    // Something of it is there already.
    let start = Instant::now();
    match read::head(stream, buffers, &table.config.limits, start).await {
        Ok(()) => handler::request(worker, &table, stream, peer, buffers).await,
        Err(ReadError::ClientDisconnected) => Next::Close,
        Err(ReadError::Rejected(rejection)) => {
            handler::reject_unread(worker, stream, peer, rejection, start).await;
            Next::Linger
        }
    }
}

/// Ends a connection whose sender may still be sending: closing it at once would make its kernel
/// throw the reply away.
async fn linger(stream: &mut TcpStream) {
    let _ = stream.shutdown().await;
    let mut left = LINGER_BYTES;
    let mut bytes = [0u8; 1024];
    let _ = timeout(LINGER, async {
        while let Ok(read) = stream.read(&mut bytes).await {
            left = left.saturating_sub(read);
            if read == 0 || left == 0 {
                return;
            }
        }
    })
    .await;
}
