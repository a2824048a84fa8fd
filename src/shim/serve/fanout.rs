//! Several plugins behind one old URL: all are called at the same time, each once.
//!
//! Invariants: a route that fails, is slow or whose auth check fails does not keep another from being
//! called; a call that was begun is ended, even when the sender has left; the reply counts what
//! really happened, and a reply of a route that breaks off has not succeeded.

use std::rc::Rc;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::shim::auth::AuthPhase;
use crate::shim::http::head::Head;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target::PathAndQuery;
use crate::shim::observe::failures::{FailedPlugin, LEGACY};
use crate::shim::route::decide::Decision;
use crate::shim::route::old_url::{Destination, OldUrl};
use crate::shim::route::table::Table;
use crate::shim::serve::body::BodyBuffer;
use crate::shim::serve::exchange::{Outcome, Request};
use crate::shim::serve::local_response;
use crate::shim::serve::read::{Place, Received};
use crate::shim::serve::worker::{RequestBuffers, Worker};
use crate::shim::upstream::agent::Upstream;
use crate::shim::upstream::call::Call;
use crate::shim::upstream::pool;
use crate::shim::upstream::request_head::{self, Forward, Origin};
use crate::shim::upstream::response_body::BufferedResponse;

/// What became of a call: a reply, of which at least the head is there.
type Called = Result<(Head, BufferedResponse), Rejection>;

/// A call that is being made, or was rejected before.
struct Member {
    agent: Arc<Upstream>,
    /// The route; none when it is the agent's own old URL, where 404 means that nobody is there.
    route: Option<Arc<Destination>>,
    /// When it has to be over.
    deadline: Instant,
    call: Result<JoinHandle<Called>, Rejection>,
}

/// A call that counts.
struct Counted {
    agent: Arc<Upstream>,
    route: Option<Arc<Destination>>,
    deadline: Instant,
    called: Called,
}

/// Calls everything behind `url` that takes the method, and answers.
pub(super) async fn serve(
    mut request: Request<'_>,
    decision: &Decision<'_, '_>,
    url: &Arc<OldUrl>,
    values: &[&[u8]],
    body: Received<'_>,
) -> Outcome {
    let received = body.length as u64;
    let members = call_all(&mut request, decision, url, values, &body);
    let is_refused = |member: &Member| {
        let rejection = member.call.as_ref().err();
        rejection.is_some_and(|rejection| rejection.is_for_want_of_proof())
    };
    if members.iter().any(is_refused) {
        request.say_no_way_in();
    }
    let mut counted = Vec::with_capacity(members.len());
    for member in members {
        let called = match member.call {
            // A task that panicked has failed; the others have not.
            Ok(task) => task.await.unwrap_or(Err(Rejection::UpstreamBroken)),
            Err(rejection) => Err(rejection),
        };
        if member.route.is_none() && matches!(&called, Ok((reply, _)) if reply.status() == 404) {
            continue;
        }
        counted.push(Counted {
            agent: member.agent,
            route: member.route,
            deadline: member.deadline,
            called,
        });
    }
    // All have sent it.
    drop(body);
    if counted.len() == 1
        && let Some(one) = counted.pop()
    {
        let outcome = match one.called {
            Ok((reply, reading)) => {
                request.buffers.reply = reply;
                let answer = reading.into_answer();
                request
                    .relay(&one.agent, answer, Some(url), received, Some(one.deadline))
                    .await
            }
            Err(rejection) => request.reject(rejection, Some(url)).await,
        };
        if let Some(route) = one.route {
            route.stats.count(outcome.given);
        }
        return outcome;
    }
    if counted.is_empty() {
        // Nothing but the agent's own old URL takes this method, and nobody is there.
        return request.reject(Rejection::Method, Some(url)).await;
    }
    let mut good = 0;
    let mut first_failure = None;
    let mut failed = Vec::new();
    let all = counted.len();
    // At the same time as well: none uses up the time of another.
    let ends: Vec<_> = counted
        .into_iter()
        .map(|one| {
            let route = one.route.clone();
            let end = tokio::task::spawn_local(one.end(Rc::clone(request.worker)));
            (route, end)
        })
        .collect();
    for (route, end) in ends {
        let mut reason = "";
        let status = match end.await.unwrap_or(Err(Rejection::UpstreamBroken)) {
            Ok(status) => status,
            Err(rejection) => {
                request.worker.state.registry.reject(rejection);
                reason = match rejection.reason() {
                    "" => rejection.label(),
                    reason => reason,
                };
                rejection.status()
            }
        };
        if let Some(route) = &route {
            route.stats.count(status);
        }
        if matches!(status, 200..=299) {
            good += 1;
            continue;
        }
        failed.push(FailedPlugin {
            plugin: route.map_or(LEGACY.to_owned(), |route| route.plugin.clone()),
            status,
            reason,
        });
        // A redirect is not a success, and not something that a sender could follow: it would call one
        // of the routes once more, and none of the others.
        let status = if status < 400 { 502 } else { status };
        first_failure = first_failure.or(Some(status));
    }
    let local = local_response::several(first_failure.unwrap_or(200), good, all - good);
    Outcome {
        failed,
        ..request.local(&local, "several", received).await
    }
}

/// A body that several calls send.
#[derive(Clone)]
enum SharedBody {
    Small(Rc<[u8]>),
    Large(Rc<BodyBuffer>),
}

impl SharedBody {
    /// Takes the body out of the buffers, when it is large: it is not there twice.
    fn take(body: &Received<'_>, buffers: &mut RequestBuffers) -> Self {
        match body.place {
            Place::Input => Self::Small(body.bytes(buffers).into()),
            Place::Body => Self::Large(Rc::new(std::mem::take(&mut buffers.body))),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Small(bytes) => bytes,
            Self::Large(body) => body.bytes(),
        }
    }
}

fn call_all(
    request: &mut Request<'_>,
    decision: &Decision<'_, '_>,
    url: &OldUrl,
    values: &[&[u8]],
    body: &Received<'_>,
) -> Vec<Member> {
    let takers: Vec<_> = url
        .destinations
        .iter()
        .filter(|destination| destination.takes(request.head.method()))
        .collect();
    let may_be_sent_on = takers.len() < 2;
    let shared = SharedBody::take(body, request.buffers);
    let bytes = shared.bytes();
    let request = &*request;
    let origin = Origin {
        sender: &request.sender,
        authority: decision.authority,
        via: &request.table.via,
        legacy_token: None,
    };
    let start = |agent: &Arc<Upstream>, origin: Origin<'_>, path: &[u8], deadline: Instant| {
        let mut head = Vec::with_capacity(1024);
        request_head::write(
            request.head,
            agent,
            PathAndQuery {
                path,
                query: decision.target.query,
            },
            origin,
            Forward::Whole(bytes.len()),
            &mut head,
        );
        let call = Prepared {
            worker: Rc::clone(request.worker),
            agent: Arc::clone(agent),
            method: request.head.method().to_vec(),
            head,
            body: shared.clone(),
            deadline,
            table: Arc::clone(request.table),
            may_be_sent_on,
        };
        tokio::task::spawn_local(call.run())
    };
    let mut members = Vec::with_capacity(takers.len() + 1);
    for destination in takers {
        let path = destination.path(url, values);
        let authorized =
            request
                .authorize_all(destination, &path, bytes)
                .and_then(|()| match bytes.len() as u64 > destination.limits.body {
                    true => Err(Rejection::BodyTooLarge),
                    false => Ok(()),
                });
        let deadline = request.start + destination.limits.total;
        members.push(Member {
            agent: Arc::clone(&destination.agent),
            route: Some(Arc::clone(destination)),
            deadline,
            call: authorized.map(|()| start(&destination.agent, origin, &path, deadline)),
        });
    }
    if url.with_legacy && request.head.method() == b"POST" {
        // Nothing of a request that a rule rejects reaches the agent in another way.
        let authorize = |route: &Arc<_>| request.authorize(route, AuthPhase::Body, bytes);
        let authorized = url.destinations.iter().try_for_each(authorize);
        if authorized.is_err() && !members.is_empty() {
            return members;
        }
        let agent = &request.table.agent;
        let origin = Origin {
            legacy_token: request.table.config.legacy_token.as_ref(),
            ..origin
        };
        let deadline = request.start + request.table.config.limits.route.total;
        members.push(Member {
            agent: Arc::clone(agent),
            route: None,
            deadline,
            call: authorized.map(|()| start(agent, origin, decision.target.path, deadline)),
        });
    }
    members
}

/// A call with all that it needs, so that it does not end with the connection of the sender.
struct Prepared {
    worker: Rc<Worker>,
    agent: Arc<Upstream>,
    method: Vec<u8>,
    head: Vec<u8>,
    body: SharedBody,
    deadline: Instant,
    table: Arc<Table>,
    may_be_sent_on: bool,
}

impl Prepared {
    /// Reads the reply too, so that no agent has to wait for another: all of it, or, when it may
    /// turn out to be the only one and be sent on, the beginning.
    async fn run(mut self) -> Called {
        let stats = self.worker.agent_stats(self.agent.number);
        let call = Call {
            pool: &self.worker.pool,
            agent: &self.agent,
            stats: &stats,
            limits: &self.table.config.limits,
            probe: self.table.config.probe.as_deref(),
            via: &self.table.via,
            deadline: self.deadline,
        };
        let mut reply = Head::default();
        let answer = call
            .exchange(&self.method, &mut self.head, self.body.bytes(), &mut reply)
            .await?;
        let mut reading = BufferedResponse::from(answer);
        let read = match self.may_be_sent_on {
            true => reading.ahead(self.deadline).await,
            false => reading.finish(self.deadline).await,
        };
        read.inspect_err(|&rejection| stats.fail(rejection))?;
        Ok((reply, reading))
    }
}

impl Counted {
    /// Reads the reply to its end, and says its status.
    async fn end(self, worker: Rc<Worker>) -> Result<u16, Rejection> {
        let (reply, mut reading) = self.called?;
        let ended = reading.finish(self.deadline).await;
        let stats = || worker.agent_stats(self.agent.number);
        ended.inspect_err(|&rejection| stats().fail(rejection))?;
        let answer = reading.into_answer();
        if pool::is_kept(&reply, answer.body) {
            worker
                .pool
                .borrow_mut()
                .keep_alive(&self.agent, answer.connection);
        }
        Ok(reply.status())
    }
}
