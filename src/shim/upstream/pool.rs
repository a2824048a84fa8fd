//! Connections to agents: kept for the next request, made anew, checked before they are used.
//!
//! Why not a client library: a webhook must neither be lost nor arrive twice, and whether a request
//! may be sent again depends on whether the kernel has taken a byte of it. That is known here.
//!
//! Invariants: a request is sent again only when no byte of it was taken; a connection is
//! kept only when the reply on it ended where it said, and for less time than the agent keeps it.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use rustix::net::RecvFlags;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::shim::config::Limits;
use crate::shim::http::framing::{self, Body};
use crate::shim::http::head::{Head, Scan};
use crate::shim::http::header::Kind;
use crate::shim::http::rejection::Rejection;
use crate::shim::observe::fd_limit;
use crate::shim::observe::metrics::UpstreamStats;
use crate::shim::serve::idle::IdleSenders;
use crate::shim::upstream::agent::Upstream;

/// Connections kept for each agent in each thread.
const MAX_POOLED: usize = 128;
/// The largest head of a reply.
const LARGEST_HEAD: usize = 256 << 10;
/// The room for what an agent sends, to begin with.
const INITIAL_CAPACITY: usize = 8 << 10;
/// A body up to this size goes out in one write with the head.
const SMALL_BODY: usize = 16 << 10;
/// A connection is used again for a request that must not arrive twice only so soon after its last
/// reply: no agent gives an idle connection up as fast as that, so that it cannot be doing so while
/// the request is on its way.
const NON_IDEMPOTENT_REUSE_WINDOW: Duration = Duration::from_millis(100);
/// An agent that closed a connection unexpectedly soon may do so again for this long.
const REUSE_BACKOFF: Duration = Duration::from_secs(60);
/// How long to wait before a refused connection is tried again.
const CONNECT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A connection to an agent.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The socket.
    pub(crate) stream: TcpStream,
    /// What has arrived and was not used.
    pub(crate) input: BytesMut,
    idle_since: Instant,
    /// Whether a request was answered on it before.
    used: bool,
}

impl Connection {
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

    /// Reads more; 0 at the end.
    pub(crate) async fn read(&mut self) -> io::Result<usize> {
        if self.input.capacity() - self.input.len() < INITIAL_CAPACITY / 2 {
            self.input.reserve(INITIAL_CAPACITY);
        }
        self.stream.read_buf(&mut self.input).await
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
    fn take(&mut self, agent: &Upstream, keep: Duration) -> Option<Connection> {
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

    /// An agent has closed a connection sooner than agents do.
    fn distrust(&mut self, agent: &Upstream) {
        let kept = self.of(agent);
        kept.connections.clear();
        kept.distrusted_until = Some(Instant::now() + REUSE_BACKOFF);
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep_alive(&mut self, agent: &Upstream, mut connection: Connection) {
        let kept = &mut self.of(agent).connections;
        if kept.len() < MAX_POOLED && connection.input.is_empty() {
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

/// Whether a request with this method has the same effect when it arrives twice (RFC 9110, 9.2.2).
fn is_idempotent(method: &[u8]) -> bool {
    matches!(
        method,
        b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS" | b"TRACE"
    )
}

/// What is needed to reach an agent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The connections of this thread.
    pub(crate) pool: &'a std::cell::RefCell<Pool>,
    /// The agent.
    pub(crate) agent: &'a Upstream,
    /// Its counts.
    pub(crate) stats: &'a UpstreamStats,
    /// What bounds connections.
    pub(crate) limits: &'a Limits,
    /// When it has to be over.
    pub(crate) deadline: Instant,
}

/// A reply whose head has been read.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Where the body comes from.
    pub(crate) connection: Connection,
    /// The end of the body.
    pub(crate) body: Body,
}

impl Call<'_> {
    /// Sends a request with its whole body and reads the head of the reply into `reply`. `head` is
    /// used up.
    pub(crate) async fn exchange(
        &self,
        method: &[u8],
        head: &mut Vec<u8>,
        body: &[u8],
        reply: &mut Head,
    ) -> Result<Answer, Rejection> {
        self.stats.requests.fetch_add(1, Ordering::Relaxed);
        let result = self.try_exchange(method, head, body, reply).await;
        result.inspect_err(|&rejection| self.stats.fail(rejection))
    }

    async fn try_exchange(
        &self,
        method: &[u8],
        head: &mut Vec<u8>,
        body: &[u8],
        reply: &mut Head,
    ) -> Result<Answer, Rejection> {
        let rest = if body.len() <= SMALL_BODY {
            head.extend_from_slice(body);
            &[]
        } else {
            body
        };
        let mut connection = self.begin(method, head, rest).await?;
        let read = self.read_final_head(&mut connection, reply);
        match timeout_at(self.deadline, read).await {
            Ok(read) => read?,
            Err(_) => return Err(Rejection::UpstreamSlow),
        }
        let body = framing::of_reply(reply, method).ok_or(Rejection::UpstreamBroken)?;
        Ok(Answer { connection, body })
    }

    async fn read_final_head(
        &self,
        connection: &mut Connection,
        reply: &mut Head,
    ) -> Result<(), Rejection> {
        loop {
            if let Err(rejection) = read_head(connection, reply).await {
                if connection.used {
                    self.pool.borrow_mut().distrust(self.agent);
                }
                return Err(rejection);
            }
            // Interim replies are between the agent and us; 101 was not asked for.
            match reply.status() {
                101 => return Err(Rejection::UpstreamBroken),
                100..=199 => {}
                _ => return Ok(()),
            }
        }
    }

    /// Sends `head` and `rest` on a connection, before the deadline. An agent to which no byte
    /// could be sent by then is gone; one that takes no more of them is slow.
    pub(crate) async fn begin(
        &self,
        method: &[u8],
        head: &[u8],
        rest: &[u8],
    ) -> Result<Connection, Rejection> {
        let keep = match is_idempotent(method) {
            true => self.limits.keep,
            false => self.limits.keep.min(NON_IDEMPOTENT_REUSE_WINDOW),
        };
        let kept = self.pool.borrow_mut().take(self.agent, keep);
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.open().await?,
        };
        loop {
            let sent = timeout_at(self.deadline, send(&mut connection.stream, head, rest)).await;
            match sent {
                Err(_) => return Err(Rejection::UpstreamSlow),
                // After some of it the agent may have answered (413, say) and closed.
                Ok(Ok(()) | Err(Sent::Some)) => return Ok(connection),
                Ok(Err(Sent::Nothing)) if connection.used => {
                    // The kernel has refused the first byte: the agent cannot have seen any.
                    self.stats.retries.fetch_add(1, Ordering::Relaxed);
                    connection = self.open().await?;
                }
                Ok(Err(Sent::Nothing)) => return Err(Rejection::UpstreamBroken),
            }
        }
    }

    /// A new connection. While the agent refuses, as it does when it restarts, tries again for a
    /// while: no byte has been sent yet.
    async fn open(&self) -> Result<Connection, Rejection> {
        let start = Instant::now();
        if start >= self.deadline {
            // The time was used up before the agent was asked.
            return Err(Rejection::UpstreamSlow);
        }
        let until = self.deadline.min(start + self.limits.reconnect);
        loop {
            let end = self.deadline.min(Instant::now() + self.limits.connect);
            match timeout_at(end, dial(self.agent)).await {
                Ok(Ok(stream)) => {
                    return Ok(Connection {
                        stream,
                        input: BytesMut::with_capacity(INITIAL_CAPACITY),
                        idle_since: Instant::now(),
                        used: false,
                    });
                }
                Ok(Err(error)) if Instant::now() + CONNECT_RETRY_DELAY < until => {
                    if fd_limit::is_exhaustion(&error) {
                        self.pool.borrow_mut().give_up_idle();
                    }
                    tokio::time::sleep(CONNECT_RETRY_DELAY).await
                }
                Ok(Err(_)) | Err(_) => return Err(Rejection::UpstreamGone),
            }
        }
    }
}

async fn dial(agent: &Upstream) -> io::Result<TcpStream> {
    let (host, port) = (agent.url.host(), agent.url.port());
    let stream = match host.parse() {
        Ok(address) => TcpStream::connect(SocketAddr::new(address, port)).await?,
        Err(_) => TcpStream::connect((host, port)).await?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// How much of a request was taken when sending it failed.
enum Sent {
    Nothing,
    Some,
}

async fn send(stream: &mut TcpStream, head: &[u8], rest: &[u8]) -> Result<(), Sent> {
    let taken = stream.write(head).await.map_err(|_| Sent::Nothing)?;
    if taken == 0 {
        return Err(Sent::Nothing);
    }
    for part in [&head[taken..], rest] {
        if !part.is_empty() {
            stream.write_all(part).await.map_err(|_| Sent::Some)?;
        }
    }
    Ok(())
}

/// Reads the head of a reply; what follows it stays in the connection.
pub(crate) async fn read_head(
    connection: &mut Connection,
    reply: &mut Head,
) -> Result<(), Rejection> {
    let mut scan = Scan::default();
    loop {
        let end = scan
            .find_end(&connection.input)
            .map_err(|_| Rejection::UpstreamBroken)?;
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
