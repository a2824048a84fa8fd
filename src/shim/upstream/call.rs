//! A request on its way to an agent: on a connection that was kept, or on a new one; again where that is
//! safe.
//!
//! Why not a client library: a webhook must neither be lost nor arrive twice, and whether a request
//! may be sent again depends on whether the kernel has taken a byte of it. That is known here.
//!
//! Invariants: a request is sent again only when no byte of it was taken; while nobody knows whether an
//! agent answers, one idempotent request finds out, and all others wait for it as for an agent that
//! refuses connections.

use std::cell::RefCell;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout_at};

use crate::shim::config::Limits;
use crate::shim::http::framing;
use crate::shim::http::head::Head;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::via::Via;
use crate::shim::observe::fd_limit;
use crate::shim::observe::metrics::UpstreamStats;
use crate::shim::upstream::agent::Upstream;
use crate::shim::upstream::dial::{DialError, dial};
use crate::shim::upstream::pool::{self, Answer, Connection, Pool};
use crate::shim::upstream::response_body::BufferedResponse;

/// A body up to this size goes out in one write with the head.
const SMALL_BODY: usize = 16 << 10;
/// A connection is used again for a request that must not arrive twice only so soon after its last
/// reply: no agent gives an idle connection up as fast as that, so that it cannot be doing so while
/// the request is on its way.
const NON_IDEMPOTENT_REUSE_WINDOW: Duration = Duration::from_millis(100);
/// How long to wait before a refused connection is tried again.
const CONNECT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// How long to wait before it is looked again whether another request has found out.
const PROBE_DELAY: Duration = Duration::from_millis(10);

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
    pub(crate) pool: &'a RefCell<Pool>,
    /// The agent.
    pub(crate) agent: &'a Upstream,
    /// Its counts.
    pub(crate) stats: &'a UpstreamStats,
    /// What bounds connections.
    pub(crate) limits: &'a Limits,
    /// What is asked for to find out whether it answers; nothing when that is not to be done.
    pub(crate) probe: Option<&'a str>,
    /// What this process calls itself: what comes round is to be known.
    pub(crate) via: &'a Via,
    /// When it has to be over.
    pub(crate) deadline: Instant,
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
            self.read_head(connection, reply).await?;
            // Interim replies are between the agent and us; 101 was not asked for.
            match reply.status() {
                101 => return Err(Rejection::UpstreamBroken),
                100..=199 => {}
                _ => return Ok(()),
            }
        }
    }

    /// Reads the head of a reply. An agent that ends the connection instead may be gone.
    pub(crate) async fn read_head(
        &self,
        connection: &mut Connection,
        reply: &mut Head,
    ) -> Result<(), Rejection> {
        let read = pool::read_head(connection, reply).await;
        if read.is_err() {
            if connection.used {
                self.pool.borrow_mut().distrust(self.agent);
            } else if connection.input.is_empty() {
                self.agent.doubt.raise();
            }
        }
        read
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
        let patience = Patience::new(self);
        let kept = self.pool.borrow_mut().take(self.agent, keep);
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.open(&patience).await?,
        };
        loop {
            let sent = timeout_at(self.deadline, send(&mut connection, head, rest)).await;
            match sent {
                Err(_) => return Err(Rejection::UpstreamSlow),
                // After some of it the agent may have answered (413, say) and closed.
                Ok(Ok(()) | Err(Sent::Some)) => return Ok(connection),
                // The kernel has refused the first byte: the agent cannot have seen any.
                Ok(Err(Sent::Nothing)) => {
                    self.stats.retries.fetch_add(1, Ordering::Relaxed);
                    self.agent.doubt.raise();
                    if !connection.used && !patience.waits().await {
                        return Err(Rejection::UpstreamBroken);
                    }
                    connection = self.open(&patience).await?;
                }
            }
        }
    }

    /// A new connection. While the agent refuses, as it does when it restarts, tries again for a
    /// while: no byte has been sent yet.
    async fn open(&self, patience: &Patience) -> Result<Connection, Rejection> {
        if Instant::now() >= self.deadline {
            // The time was used up before the agent was asked.
            return Err(Rejection::UpstreamSlow);
        }
        loop {
            let rejection = match self.connect().await {
                Ok(Some(connection)) => return Ok(connection),
                // Another request is finding out whether it answers.
                Ok(None) => {
                    sleep(PROBE_DELAY).await;
                    match patience.is_over(PROBE_DELAY) {
                        true => Rejection::UpstreamGone,
                        false => continue,
                    }
                }
                Err(Rejection::UpstreamSlow) => return Err(Rejection::UpstreamSlow),
                Err(rejection) => rejection,
            };
            if !patience.waits().await {
                return Err(rejection);
            }
        }
    }

    /// A new connection to an agent that is known to answer; none while another request is finding
    /// that out.
    async fn connect(&self) -> Result<Option<Connection>, Rejection> {
        let Some(probe) = self.probe.filter(|_| self.agent.doubt.is_raised()) else {
            return self.dial().await.map(Some);
        };
        let Some(probing) = self.agent.doubt.begin_probe() else {
            return Ok(None);
        };
        let connection = self.dial().await?;
        match timeout_at(self.deadline, self.ask(connection, probe)).await {
            Err(_) => Err(Rejection::UpstreamSlow),
            // It takes connections, and there is nobody behind it yet.
            Ok(None) => Err(Rejection::UpstreamGone),
            Ok(Some(kept)) => {
                probing.it_answers();
                match kept {
                    Some(connection) => Ok(Some(connection)),
                    None => self.dial().await.map(Some),
                }
            }
        }
    }

    async fn dial(&self) -> Result<Connection, Rejection> {
        let end = self.deadline.min(Instant::now() + self.limits.connect);
        let dialled = timeout_at(end, dial(&self.agent.url)).await;
        let too_long = || DialError::System(io::ErrorKind::TimedOut.into());
        let error = match dialled.unwrap_or_else(|_| Err(too_long())) {
            Ok(stream) => return Ok(Connection::new(stream)),
            Err(error) => error,
        };
        if let DialError::System(error) = &error
            && fd_limit::is_exhaustion(error)
        {
            self.pool.borrow_mut().give_up_idle();
        }
        Err(error.rejection())
    }

    /// Asks for `path`. Any reply will do, if it is whole; then gives the connection back, if it can be
    /// used again.
    async fn ask(&self, mut connection: Connection, path: &str) -> Option<Option<Connection>> {
        let (prefix, authority) = (self.agent.url.prefix(), self.agent.url.authority());
        let mut request =
            format!("GET {prefix}{path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: rehook\r\n")
                .into_bytes();
        let mut reply = Head::default();
        self.via.write(&reply, &mut request);
        request.extend_from_slice(b"\r\n");
        connection.stream.write_all(&request).await.ok()?;
        loop {
            pool::read_head(&mut connection, &mut reply).await.ok()?;
            if reply.status() >= 200 {
                break;
            }
        }
        let body = framing::of_reply(&reply, b"GET")?;
        let mut reading = BufferedResponse::from(Answer { connection, body });
        reading.finish(self.deadline).await.ok()?;
        let mut connection = reading.into_answer().connection;
        connection.used = true;
        let is_kept = pool::is_kept(&reply, body) && connection.input.is_empty();
        Some(is_kept.then_some(connection))
    }
}

/// How long a request waits for an agent that is not there.
struct Patience {
    end: Instant,
}

impl Patience {
    fn new(call: &Call<'_>) -> Self {
        let longest = call
            .limits
            .reconnect
            .map(|longest| Instant::now() + longest);
        Self {
            end: longest.map_or(call.deadline, |end| end.min(call.deadline)),
        }
    }

    fn is_over(&self, next: Duration) -> bool {
        Instant::now() + next >= self.end
    }

    /// Waits a little; says whether it is worth another try.
    async fn waits(&self) -> bool {
        if self.is_over(CONNECT_RETRY_DELAY) {
            return false;
        }
        sleep(CONNECT_RETRY_DELAY).await;
        true
    }
}

/// How much of a request was taken when sending it failed.
enum Sent {
    Nothing,
    Some,
}

async fn send(connection: &mut Connection, head: &[u8], rest: &[u8]) -> Result<(), Sent> {
    let taken = connection
        .stream
        .write(head)
        .await
        .map_err(|_| Sent::Nothing)?;
    if taken == 0 {
        return Err(Sent::Nothing);
    }
    for part in [&head[taken..], rest] {
        // Once it has answered, it need not take the rest.
        if connection.send(part).await.map_err(|_| Sent::Some)? {
            return Ok(());
        }
    }
    Ok(())
}
