//! Connections to agents: kept for the next request, and checked before they are used.
//!
//! Invariants: a connection is kept only when the request on it was sent whole and the reply ended
//! where it said, and for less time than the agent keeps it.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use rustix::net::RecvFlags;
use tokio::io::{AsyncReadExt, Interest};
use tokio::time::Instant;

use crate::shim::http::framing::Body;
use crate::shim::http::head::{Head, Scan};
use crate::shim::http::header::Kind;
use crate::shim::http::rejection::Rejection;
use crate::shim::serve::idle::IdleSenders;
use crate::shim::upstream::agent::Upstream;
use crate::shim::upstream::stream::Stream;

/// Connections kept for each agent in each thread.
const MAX_POOLED: usize = 128;
/// The largest head of a reply; senders take less.
const LARGEST_HEAD: usize = 64 << 10;
/// The room for what an agent sends, to begin with.
const INITIAL_CAPACITY: usize = 8 << 10;
/// An agent that closed a connection unexpectedly soon may do so again for this long.
const REUSE_BACKOFF: Duration = Duration::from_secs(60);

/// A connection to an agent.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The socket.
    pub(crate) stream: Stream,
    /// What has arrived and was not used.
    pub(crate) input: BytesMut,
    idle_since: Instant,
    /// Whether a request was answered on it before.
    pub(super) used: bool,
    /// Whether a request was sent on it whole, or none: else it cannot take another.
    is_between_requests: bool,
}

impl Connection {
    /// A new one.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::with_capacity(INITIAL_CAPACITY),
            idle_since: Instant::now(),
            used: false,
            is_between_requests: true,
        }
    }

    /// Whether the agent has neither closed it nor sent what nobody asked for. Asks the kernel:
    /// what the event loop knows may be older.
    fn is_alive(&self) -> bool {
        let mut byte = [0u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(
            rustix::net::recv(&self.stream, &mut byte, flags),
            Err(rustix::io::Errno::AGAIN)
        )
    }

    /// Sends `bytes`, or as much of them as the agent takes before it answers: one that has answered
    /// may read no more. Says whether it has answered.
    pub(crate) async fn send(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        while !bytes.is_empty() {
            let wanted = Interest::READABLE | Interest::WRITABLE;
            let ready = self.stream.ready(wanted).await?;
            if ready.is_readable() && self.read_ahead()? {
                return Ok(true);
            }
            if ready.is_writable() {
                match self.stream.try_write(bytes) {
                    Ok(taken) => bytes = &bytes[taken..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(false)
    }

    /// Comes when the agent has answered although its request has not come to its end, or has gone.
    pub(crate) async fn answers_early(&mut self) {
        while self.stream.readable().await.is_ok() {
            if !matches!(self.read_ahead(), Ok(false)) {
                return;
            }
        }
    }

    /// Reads what is there; says whether the head of the last reply is.
    fn read_ahead(&mut self) -> io::Result<bool> {
        self.make_room();
        match self.stream.try_read_buf(&mut self.input) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {
                let has_answered = has_final_head(&self.input);
                self.is_between_requests &= !has_answered;
                match has_answered || self.input.len() <= LARGEST_HEAD {
                    true => Ok(has_answered),
                    false => Err(io::ErrorKind::InvalidData.into()),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn make_room(&mut self) {
        if self.input.capacity() - self.input.len() < INITIAL_CAPACITY / 2 {
            self.input.reserve(INITIAL_CAPACITY);
        }
    }

    /// Reads more; 0 at the end.
    pub(crate) async fn read(&mut self) -> io::Result<usize> {
        self.make_room();
        self.stream.read_buf(&mut self.input).await
    }
}

/// Whether the head of a reply that is no interim one is in what has arrived.
fn has_final_head(mut input: &[u8]) -> bool {
    loop {
        let Ok(Some(end)) = Scan::default().find_end(input) else {
            return false;
        };
        // `HTTP/1.1 1…`: it is followed by another.
        match input.get(9) {
            Some(b'1') => input = &input[end..],
            _ => return true,
        }
    }
}

/// The connections of one thread to all agents.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// By the number of the agent.
    agents: Vec<IdleConnections>,
    /// What else gives way when the system has no more files.
    senders: Rc<IdleSenders>,
}

#[derive(Debug, Default)]
struct IdleConnections {
    /// Those used last come last.
    connections: Vec<Connection>,
    /// Until when no connection of this agent is used again: it closed one that it should not have.
    distrusted_until: Option<Instant>,
}

impl Pool {
    /// A pool without connections; those of `senders` give way when there are no more files.
    pub(crate) fn new(senders: Rc<IdleSenders>) -> Self {
        Self {
            agents: Vec::new(),
            senders,
        }
    }

    /// Closes connections that nobody uses at the moment, since the system has no more files.
    pub(crate) fn give_up_idle(&mut self) {
        for kept in &mut self.agents {
            kept.connections.clear();
        }
        self.senders.end_oldest();
    }

    fn of(&mut self, agent: &Upstream) -> &mut IdleConnections {
        if self.agents.len() <= agent.number {
            self.agents
                .resize_with(agent.number + 1, IdleConnections::default);
        }
        &mut self.agents[agent.number]
    }

    /// A connection that has been idle for less than `keep`, if there is one.
    pub(super) fn take(&mut self, agent: &Upstream, keep: Duration) -> Option<Connection> {
        let now = Instant::now();
        let kept = self.of(agent);
        if kept.distrusted_until.is_some_and(|until| now < until) {
            return None;
        }
        let last = kept.connections.last()?;
        // Those before it have waited longer still.
        if now.duration_since(last.idle_since) >= keep {
            return None;
        }
        let connection = kept.connections.pop()?;
        if connection.is_alive() {
            return Some(connection);
        }
        self.distrust(agent);
        None
    }

    /// An agent has closed a connection sooner than agents do: it may be gone.
    pub(super) fn distrust(&mut self, agent: &Upstream) {
        agent.doubt.raise();
        let kept = self.of(agent);
        kept.connections.clear();
        kept.distrusted_until = Some(Instant::now() + REUSE_BACKOFF);
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep_alive(&mut self, agent: &Upstream, mut connection: Connection) {
        let kept = &mut self.of(agent).connections;
        let is_usable = connection.is_between_requests && connection.input.is_empty();
        if kept.len() < MAX_POOLED && is_usable {
            connection.idle_since = Instant::now();
            connection.used = true;
            kept.push(connection);
        }
    }

    /// Closes what has waited too long.
    pub(crate) fn sweep(&mut self, keep: Duration) {
        let now = Instant::now();
        for kept in &mut self.agents {
            kept.connections
                .retain(|connection| now.duration_since(connection.idle_since) < keep);
        }
    }
}

/// A reply whose head has been read.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Where the body comes from.
    pub(crate) connection: Connection,
    /// The end of the body.
    pub(crate) body: Body,
}

/// Reads the head of a reply; what follows it stays in the connection.
pub(super) async fn read_head(
    connection: &mut Connection,
    reply: &mut Head,
) -> Result<(), Rejection> {
    let mut scan = Scan::default();
    loop {
        let end = scan
            .find_end(&connection.input)
            .map_err(|_| Rejection::UpstreamBroken)?;
        if end.is_some_and(|end| end > LARGEST_HEAD) {
            return Err(Rejection::UpstreamBroken);
        }
        if let Some(end) = end {
            let head = connection.input.split_to(end);
            reply.read_reply(&head).ok_or(Rejection::UpstreamBroken)?;
            // What the reply says about its connection is not for the sender; a name that would
            // be refused in a request is not dropped either.
            let _ = reply.mark_named_by_connection();
            return Ok(());
        }
        if connection.input.len() > LARGEST_HEAD {
            return Err(Rejection::UpstreamBroken);
        }
        match connection.read().await {
            Ok(0) | Err(_) => return Err(Rejection::UpstreamBroken),
            Ok(_) => {}
        }
    }
}

/// Whether the agent lets the connection be used again after a reply with this head.
pub(crate) fn is_kept(reply: &Head, body: Body) -> bool {
    reply.is_http_11() && body != Body::UntilClose && !reply.has_token(Kind::Connection, "close")
}
