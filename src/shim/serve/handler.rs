//! A request, from its head to the end of its reply.
//!
//! Invariants: every request is answered once, counted once and logged once; when its body
//! was not read to the end, the connection ends with the reply.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::shim::auth::{self, AuthPhase};
use crate::shim::http::forwarded::ClientAddr;
use crate::shim::http::framing::Body;
use crate::shim::http::head::Head;
use crate::shim::http::header::Kind;
use crate::shim::http::http_date;
use crate::shim::http::rejection::Rejection;
use crate::shim::observe::access_log::Access;
use crate::shim::route::decide::{Action, Decision, decide, rejected_by};
use crate::shim::route::deprecation;
use crate::shim::route::table::{Destination, OldUrl, Table};
use crate::shim::serve::fanout;
use crate::shim::serve::local_response;
use crate::shim::serve::passthrough;
use crate::shim::serve::read::{self, ReadError, Received};
use crate::shim::serve::relay;
use crate::shim::serve::worker::{RequestBuffers, Worker};
use crate::shim::upstream::agent::Upstream;
use crate::shim::upstream::pool::Call;
use crate::shim::upstream::request_head::{self, Forward, Origin};

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It may bring another request.
    Request,
    /// It ends.
    Close,
    /// It ends, but the sender may still be sending.
    Linger,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The status of the reply; 0 when the sender was gone before there was one.
    pub status: u16,
    /// For the log.
    pub label: &'static str,
    /// What becomes of the connection.
    pub next: Next,
    /// Bytes of the body that was received.
    pub received: u64,
}

/// A request that is being answered.
pub struct Request<'a> {
    /// The thread.
    pub worker: &'a Rc<Worker>,
    /// What is served.
    pub table: &'a Arc<Table>,
    /// The connection of the sender.
    pub stream: &'a mut TcpStream,
    /// Memory.
    pub buffers: &'a mut RequestBuffers,
    /// The head.
    pub head: &'a Head,
    /// Who sends it.
    pub sender: ClientAddr,
    /// When the head was there.
    pub start: Instant,
    /// Whether the sender may send another one.
    pub keep_alive: bool,
    /// Whether the body is still to be read.
    pub unread: bool,
    /// The headers of deprecation, as lines; none when the URL is no old one.
    pub signs: Cow<'a, [u8]>,
}

struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers the request whose head is in `buffers`.
pub async fn request(
    worker: &Rc<Worker>,
    table: &Arc<Table>,
    stream: &mut TcpStream,
    peer: SocketAddr,
    buffers: &mut RequestBuffers,
) -> Next {
    let start = Instant::now();
    let _in_flight = InFlight::new(&worker.state.registry.in_flight);
    let mut head = std::mem::take(&mut buffers.head);
    let named = head.mark_named_by_connection();
    let mut decision = decide(table, &head);
    if let (Err(rejection), Some(_)) = (named, decision.framing) {
        decision.action = Action::Reject(rejection);
    }
    let sender = ClientAddr::of(&head, peer.ip(), &table.config.trusted_proxies);
    let framing = decision.framing;
    let request = Request {
        worker,
        table,
        stream,
        buffers,
        head: &head,
        sender,
        start,
        keep_alive: framing.is_some_and(|framing| framing.keep_alive) && !*worker.stop.borrow(),
        unread: framing.is_none_or(|framing| framing.body != Body::Empty),
        signs: match &decision.action {
            Action::Webhook { url, values } => deprecation::of(&table.config, url, values),
            _ => Cow::Borrowed(b""),
        },
    };
    let outcome = request.answer(&decision).await;
    let url = match &decision.action {
        Action::Webhook { url, .. } => Some(*url),
        _ => None,
    };
    let (path, query) = (decision.path, decision.query);
    account(
        worker,
        &head,
        sender.address,
        url,
        (path, query),
        start,
        outcome,
    );
    if let (Some(entry), Some(recorder)) = (buffers.recorded.take(), &worker.state.recorder) {
        recorder.hand_over(entry, status_for_counts(outcome));
    }
    buffers.end_request();
    buffers.head = head;
    outcome.next
}

/// Counts and logs.
fn account(
    worker: &Worker,
    head: &Head,
    sender: IpAddr,
    url: Option<&Arc<OldUrl>>,
    (path, query): (&[u8], &[u8]),
    start: Instant,
    outcome: Outcome,
) {
    let duration = start.elapsed();
    let time = http_date::since_epoch();
    let agent = head.values(Kind::UserAgent).next().unwrap_or_default();
    if let Some(url) = url {
        let status = status_for_counts(outcome);
        url.stats
            .count(status, duration, sender, agent, time.as_secs());
    }
    if worker.state.log.has_requests() {
        worker.log(&Access {
            time,
            sender,
            method: head.method(),
            path: url.map_or(path, |url| url.path.as_bytes()),
            query,
            status: outcome.status,
            duration,
            received: outcome.received,
            outcome: outcome.label,
            agent,
        });
    }
}

/// A sender that went away before the reply has not been answered: a failure.
fn status_for_counts(outcome: Outcome) -> u16 {
    match outcome.status {
        0 => 499,
        status => status,
    }
}

/// Answers what is no request, or not yet one, and has begun at `start`.
pub async fn reject_unread(
    worker: &Rc<Worker>,
    stream: &mut TcpStream,
    peer: SocketAddr,
    rejection: Rejection,
    start: Instant,
) {
    worker.state.registry.reject(rejection);
    let table = worker.state.table.load_full();
    let local = local_response::rejection(rejection, None, &table, worker.state.lang);
    let mut out = Vec::new();
    local.write(b"", b"", false, &mut out);
    let _ = relay::write(stream, &out).await;
    let outcome = Outcome {
        status: local.status,
        label: rejection.label(),
        next: Next::Linger,
        received: 0,
    };
    let sender = peer.ip().to_canonical();
    let path = (&b"-"[..], &b""[..]);
    account(worker, &Head::default(), sender, None, path, start, outcome);
}

impl<'a> Request<'a> {
    async fn answer(mut self, decision: &Decision<'_, '_>) -> Outcome {
        let Some(framing) = decision.framing else {
            let rejection = match decision.action {
                Action::Reject(rejection) => rejection,
                _ => Rejection::Malformed,
            };
            return self.reject(rejection, None).await;
        };
        match &decision.action {
            Action::Reject(rejection) => self.reject(*rejection, None).await,
            Action::ServerOptions => {
                self.local(&local_response::server_options(), "options", 0)
                    .await
            }
            Action::Passthrough => passthrough::serve(self, decision, framing).await,
            Action::Legacy => {
                let limits = self.table.config.limits.route;
                let deadline = self.start + limits.total;
                let body = match self
                    .receive(
                        framing.body,
                        framing.expects_continue,
                        limits.body,
                        deadline,
                    )
                    .await
                {
                    Ok(body) => body,
                    Err(ended) => return self.ended(ended, None).await,
                };
                let agent = Arc::clone(&self.table.agent);
                self.call(&agent, decision, decision.path, body, deadline, None)
                    .await
            }
            Action::Webhook { url, values } => {
                if let Some(rejection) = rejected_by(url, self.head, framing) {
                    return self.reject(rejection, Some(url)).await;
                }
                self.webhook(
                    decision,
                    url,
                    values,
                    framing.body,
                    framing.expects_continue,
                )
                .await
            }
        }
    }

    async fn webhook(
        mut self,
        decision: &Decision<'_, '_>,
        url: &Arc<OldUrl>,
        values: &[&[u8]],
        framed: Body,
        expects_continue: bool,
    ) -> Outcome {
        let alone = match url.destinations.as_slice() {
            [destination] if !url.with_legacy => Some(destination),
            _ => None,
        };
        if let Some(destination) = alone
            && let Err(rejection) = self.authorize(destination, AuthPhase::Head, b"")
        {
            return self.reject(rejection, Some(url)).await;
        }
        let legacy = url
            .with_legacy
            .then_some(self.table.config.limits.route.total);
        let totals = url.destinations.iter().map(|d| d.limits.total);
        let deadline = self.start + totals.chain(legacy).max().unwrap_or_default();
        let received = self
            .receive(framed, expects_continue, url.body, deadline)
            .await;
        let body = match received {
            Ok(body) => body,
            Err(ended) => return self.ended(ended, Some(url)).await,
        };
        if let Some(recorder) = &self.worker.state.recorder {
            let target = (decision.path, decision.query);
            let (bytes, has_parameters) = (body.bytes(self.buffers), !values.is_empty());
            self.buffers.recorded = recorder.copy(self.head, url, target, has_parameters, bytes);
        }
        let Some(destination) = alone else {
            return fanout::serve(self, decision, url, values, body).await;
        };
        let authorized = self.authorize(destination, AuthPhase::Body, body.bytes(self.buffers));
        if let Err(rejection) = authorized {
            return self.reject(rejection, Some(url)).await;
        }
        let path = destination.path(url, values);
        self.call(
            &destination.agent,
            decision,
            &path,
            body,
            deadline,
            Some(url),
        )
        .await
    }

    /// Checks the auth rules of a route.
    pub fn authorize(
        &self,
        destination: &Destination,
        phase: AuthPhase,
        body: &[u8],
    ) -> Result<(), Rejection> {
        if destination.auth.is_empty() {
            return Ok(());
        }
        let (sender, now) = (self.sender.address, http_date::now());
        auth::authorize(&destination.auth, phase, self.head, body, sender, now)
    }

    async fn receive(
        &mut self,
        body: Body,
        expects_continue: bool,
        most: u64,
        deadline: Instant,
    ) -> Result<Received<'a>, ReadError> {
        if expects_continue {
            read::send_continue(self.stream).await?;
        }
        let memory = &self.worker.state.memory;
        let received = read::body(self.stream, self.buffers, body, most, memory, deadline).await?;
        self.unread = false;
        Ok(received)
    }

    /// Calls one agent and sends its reply on.
    async fn call(
        self,
        agent: &Upstream,
        decision: &Decision<'_, '_>,
        path: &[u8],
        body: Received<'_>,
        deadline: Instant,
        url: Option<&OldUrl>,
    ) -> Outcome {
        let RequestBuffers {
            input,
            body: chunks,
            reply,
            output,
            ..
        } = &mut *self.buffers;
        let bytes = match body.in_chunks {
            true => chunks.as_slice(),
            false => &input[..body.length],
        };
        output.clear();
        let origin = Origin {
            sender: &self.sender,
            authority: decision.authority,
            via: &self.table.via,
        };
        let forward = Forward::Whole(body.length);
        let target = (path, decision.query);
        request_head::write(self.head, agent, target, origin, forward, output);
        let stats = self.worker.agent_stats(agent.number);
        let call = Call {
            pool: &self.worker.pool,
            agent,
            stats: &stats,
            limits: &self.table.config.limits,
            deadline,
        };
        let method = self.head.method();
        match call.exchange(method, output, bytes, reply).await {
            Ok(answer) => {
                let received = body.length as u64;
                self.relay(agent, answer, url, received, Some(deadline))
                    .await
            }
            Err(rejection) => self.reject(rejection, url).await,
        }
    }
}
