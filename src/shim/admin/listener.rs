//! Connections to the admin port: few at a time, and none for long, so that whoever opens them and
//! says nothing takes away neither the files that senders need nor the page from the operator.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

/// Connections at the same time; when there is one more, the oldest ends.
const MOST: usize = 32;
/// How long a connection may be without a byte in either direction.
const IDLE: Duration = Duration::from_secs(10);
/// How long to wait when the system gives no connection.
const NO_MORE: Duration = Duration::from_millis(100);

/// The admin port.
#[derive(Debug)]
pub(crate) struct AdminListener {
    listener: tokio::net::TcpListener,
    /// Those that are open, the oldest first; to drop one ends the connection.
    open: VecDeque<oneshot::Sender<()>>,
}

impl AdminListener {
    /// Takes connections of `listener`.
    pub(crate) fn new(listener: tokio::net::TcpListener) -> Self {
        Self {
            listener,
            open: VecDeque::with_capacity(MOST),
        }
    }
}

impl axum::serve::Listener for AdminListener {
    type Io = AdminStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (AdminStream, SocketAddr) {
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(_) => {
                    // One less here, and there is a file for the next.
                    self.open.pop_front();
                    sleep(NO_MORE).await;
                    continue;
                }
            };
            self.open.retain(|open| !open.is_closed());
            while self.open.len() >= MOST {
                self.open.pop_front();
            }
            let (kept, ended) = oneshot::channel();
            self.open.push_back(kept);
            let stream = AdminStream {
                stream,
                ended,
                idle: Box::pin(sleep(IDLE)),
            };
            return (stream, peer);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection to the admin port.
#[derive(Debug)]
pub(crate) struct AdminStream {
    stream: TcpStream,
    ended: oneshot::Receiver<()>,
    idle: Pin<Box<Sleep>>,
}

impl AdminStream {
    /// Whether it has to end; if not yet, the task is told when.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let over = Pin::new(&mut self.ended).poll(context).is_ready()
            || self.idle.as_mut().poll(context).is_ready();
        match over {
            true => Poll::Ready(io::ErrorKind::TimedOut.into()),
            false => Poll::Pending,
        }
    }

    /// `result`, unless it is still to come and the connection has to end.
    fn unless_over<T>(
        &mut self,
        result: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if result.is_pending() {
            return Poll::Ready(Err(ready!(self.poll_end(context))));
        }
        self.idle.as_mut().reset(Instant::now() + IDLE);
        result
    }
}

impl AsyncRead for AdminStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.unless_over(result, context)
    }
}

impl AsyncWrite for AdminStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_over(result, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
