//! A request that is being answered, and what every way of answering it needs: the auth rules, its
//! body, a call to an agent, and the end, the reply of an agent or one of the shim's own.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::shim::auth::{self, AuthPhase};
use crate::shim::http::forwarded::ClientAddr;
use crate::shim::http::framing::{Body, Framing};
use crate::shim::http::head::Head;
use crate::shim::http::http_date;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target::PathAndQuery;
use crate::shim::observe::failures::FailedPlugin;
use crate::shim::observe::metrics::SENDER_GONE;
use crate::shim::route::decide::{Action, Decision};
use crate::shim::route::deprecation;
use crate::shim::route::old_url::{Destination, OldUrl};
use crate::shim::route::table::Table;
use crate::shim::serve::departure;
use crate::shim::serve::local_response::{self, LocalResponse};
use crate::shim::serve::read::{self, Place, ReadError, Received};
use crate::shim::serve::relay::{self, Client, RelayError};
use crate::shim::serve::worker::{RequestBuffers, Worker};
use crate::shim::upstream::agent::Upstream;
use crate::shim::upstream::call::Call;
use crate::shim::upstream::pool::{self, Answer};
use crate::shim::upstream::request_head::{self, Forward, Origin};

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It may bring another request.
    Request,
    /// It ends.
    Close,
    /// It ends, but the sender may still be sending.
    Linger,
}

/// How a request was answered.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// The status of the reply; [`SENDER_GONE`] when the sender had left before it had one.
    pub(super) status: u16,
    /// The status that there was for it, whether it was still there or not; 0 when none.
    pub(super) given: u16,
    /// For the log.
    pub(super) label: &'static str,
    /// What happened on the way to the agent; empty when it answered.
    pub(super) reason: &'static str,
    /// The plugins that failed, of several.
    pub(super) failed: Vec<FailedPlugin>,
    /// What becomes of the connection.
    pub(super) next: Next,
    /// Bytes of the body that was received.
    pub(super) received: u64,
}

impl Outcome {
    /// A reply with `status`.
    pub(super) fn new(status: u16, label: &'static str, next: Next, received: u64) -> Self {
        Self {
            status,
            given: status,
            label,
            reason: "",
            failed: Vec::new(),
            next,
            received,
        }
    }

    /// The sender has left, with so many bytes received of it.
    pub(super) fn sender_gone(received: u64) -> Self {
        Self {
            given: 0,
            ..Self::new(SENDER_GONE, "sender_gone", Next::Close, received)
        }
    }

    /// The sender has left before the reply of this outcome.
    fn not_delivered(self) -> Self {
        Self {
            status: SENDER_GONE,
            label: "sender_gone",
            next: Next::Close,
            ..self
        }
    }
}

/// A request that is being answered.
pub(super) struct Request<'a> {
    /// The thread.
    pub(super) worker: &'a Rc<Worker>,
    /// What is served.
    pub(super) table: &'a Arc<Table>,
    /// The connection of the sender.
    pub(super) stream: &'a mut TcpStream,
    /// Memory.
    pub(super) buffers: &'a mut RequestBuffers,
    /// The head.
    pub(super) head: &'a Head,
    /// Who sends it.
    pub(super) sender: ClientAddr,
    /// When all of it was there: the head first, then the body.
    pub(super) start: Instant,
    /// Whether the sender may send another one.
    pub(super) keep_alive: bool,
    /// Whether the body is still to be read.
    pub(super) unread: bool,
    /// The headers of deprecation, as lines; none for other URLs.
    pub(super) deprecation: Cow<'a, [u8]>,
}

impl<'a> Request<'a> {
    /// Checks the auth rules of a route.
    pub(super) fn authorize(
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

    /// Checks the auth rules of a route, and of all that the path which is sent would reach.
    pub(super) fn authorize_all(
        &self,
        destination: &Destination,
        path: &[u8],
        body: &[u8],
    ) -> Result<(), Rejection> {
        self.authorize(destination, AuthPhase::Body, body)?;
        let mut reached = self.table.reached(destination, path)?.iter();
        reached.try_for_each(|route| self.authorize(route, AuthPhase::Body, body))
    }

    /// Reads its body, of at most `most` bytes; waits for memory for up to `patience`. The time for the
    /// reply begins with its last byte.
    pub(super) async fn receive(
        &mut self,
        framing: Framing,
        most: u64,
        patience: Duration,
    ) -> Result<Received<'a>, ReadError> {
        if framing.expects_continue {
            read::send_continue(self.stream).await?;
        }
        let memory = &self.worker.state.memory;
        let received = read::body(
            self.stream,
            self.buffers,
            framing.body,
            most,
            memory,
            &self.table.config.limits,
            self.start + patience,
        )
        .await?;
        if framing.body != Body::Empty {
            self.start = Instant::now();
        }
        self.unread = false;
        Ok(received)
    }

    /// Calls one agent and sends its reply on.
    pub(super) async fn call(
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
            body: in_body,
            reply,
            output,
            ..
        } = &mut *self.buffers;
        let bytes = match body.place {
            Place::Body => in_body.bytes(),
            Place::Input => &input[..body.length],
        };
        output.clear();
        let origin = Origin {
            sender: &self.sender,
            authority: decision.authority,
            via: &self.table.via,
            legacy_token: match decision.action {
                Action::Legacy => self.table.config.legacy_token.as_ref(),
                _ => None,
            },
        };
        let forward = Forward::Whole(body.length);
        let target = PathAndQuery {
            path,
            query: decision.target.query,
        };
        request_head::write(self.head, agent, target, origin, forward, output);
        let stats = self.worker.agent_stats(agent.number);
        let call = Call {
            pool: &self.worker.pool,
            agent,
            stats: &stats,
            limits: &self.table.config.limits,
            probe: self.table.config.probe.as_deref(),
            via: &self.table.via,
            deadline,
        };
        let method = self.head.method();
        let answer = call.exchange(method, output, bytes, reply).await;
        let received = body.length as u64;
        // A sender that takes its time for the reply does not keep others waiting for memory.
        drop(body);
        in_body.clear();
        match answer {
            Ok(answer) => {
                self.relay(agent, answer, url, received, Some(deadline))
                    .await
            }
            Err(rejection) => self.reject(rejection, url).await,
        }
    }

    /// Sends the reply of an agent on, whose head is in the buffers.
    pub(super) async fn relay(
        self,
        agent: &Upstream,
        mut answer: Answer,
        url: Option<&OldUrl>,
        received: u64,
        deadline: Option<Instant>,
    ) -> Outcome {
        let RequestBuffers { reply, output, .. } = &mut *self.buffers;
        output.clear();
        let client = Client {
            stream: &mut *self.stream,
            http_11: self.head.is_http_11(),
            keep_alive: self.keep_alive,
        };
        let status = reply.status();
        let outcome = |status, label, next| Outcome::new(status, label, next, received);
        match relay::relay(
            client,
            reply,
            &mut answer,
            &self.deprecation,
            output,
            deadline,
        )
        .await
        {
            Ok(relayed) => {
                if pool::is_kept(reply, answer.body) {
                    self.worker
                        .pool
                        .borrow_mut()
                        .keep_alive(agent, answer.connection);
                }
                let next = match relayed.kept {
                    true if self.unread => Next::Linger,
                    true => Next::Request,
                    false => Next::Close,
                };
                let outcome = outcome(status, "answered", next);
                self.written(outcome, relayed.was_closed).await
            }
            Err(RelayError::BeforeHead(rejection)) => {
                self.worker.agent_stats(agent.number).fail(rejection);
                self.reject(rejection, url).await
            }
            Err(RelayError::Truncated) => {
                let stats = self.worker.agent_stats(agent.number);
                stats.fail(Rejection::UpstreamBroken);
                Outcome {
                    reason: Rejection::UpstreamBroken.reason(),
                    ..outcome(status, "cut", Next::Close)
                }
            }
            // Of what goes through as it is, a stream for instance, it has had what it wanted.
            Err(RelayError::ClientGone { has_begun: true }) if deadline.is_none() => {
                outcome(status, "sender_gone", Next::Close)
            }
            Err(RelayError::ClientGone { .. }) => {
                outcome(status, "answered", Next::Close).not_delivered()
            }
        }
    }

    /// The outcome of a request whose reply was written, perhaps to a sender that had left:
    /// `was_closed` says whether it had closed its side before.
    async fn written(self, outcome: Outcome, was_closed: bool) -> Outcome {
        // Another request behind this one shows that there are no more of them, and nothing else.
        let is_last = self.buffers.input.len() <= self.buffers.held;
        match was_closed && is_last {
            true if departure::has_left(self.stream).await => outcome.not_delivered(),
            true => Outcome {
                next: Next::Close,
                ..outcome
            },
            false => outcome,
        }
    }

    /// Answers that the request is rejected.
    pub(super) async fn reject(mut self, rejection: Rejection, url: Option<&OldUrl>) -> Outcome {
        self.worker.state.registry.reject(rejection);
        if rejection.is_for_want_of_proof() {
            self.say_no_way_in();
        }
        let lang = self.worker.state.lang;
        let local = local_response::rejection(rejection, url, self.table, lang);
        self.unread |= rejection.closes();
        let received = self.buffers.received as u64;
        Outcome {
            reason: rejection.reason(),
            ..self.local(&local, rejection.label(), received).await
        }
    }

    /// Whoever is refused is not told of the new routes.
    pub(super) fn say_no_way_in(&mut self) {
        self.deprecation = Cow::Owned(deprecation::without_links(&self.deprecation));
    }

    /// Answers, or not, a sender whose body did not arrive.
    pub(super) async fn ended(self, ended: ReadError, url: Option<&OldUrl>) -> Outcome {
        match ended {
            ReadError::Rejected(rejection) => self.reject(rejection, url).await,
            ReadError::ClientDisconnected => Outcome::sender_gone(0),
        }
    }

    /// Sends a reply of the shim's own.
    pub(super) async fn local(
        self,
        local: &LocalResponse,
        label: &'static str,
        received: u64,
    ) -> Outcome {
        let keep_alive = self.keep_alive && !self.unread;
        let output = &mut self.buffers.output;
        local.write(self.head.method(), &self.deprecation, keep_alive, output);
        let was_closed = departure::has_closed(self.stream);
        let next = match relay::write(self.stream, output).await {
            Ok(()) if keep_alive => Next::Request,
            Ok(()) if self.unread => Next::Linger,
            Ok(()) => Next::Close,
            Err(_) => {
                return Outcome::new(local.status, label, Next::Close, received).not_delivered();
            }
        };
        let outcome = Outcome::new(local.status, label, next, received);
        self.written(outcome, was_closed).await
    }
}
