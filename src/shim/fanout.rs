//! Several plugins behind one old URL: all are called at the same time, each once.
//!
//! What always holds: a route that fails, is slow or stays shut does not keep another from being
//! called; a call that was begun is ended, even when the sender has left; the reply counts what
//! really happened.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Buf;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::answer;
use super::decide::Decision;
use super::doors::Moment;
use super::framing::Body;
use super::head::Head;
use super::receive::Received;
use super::refuse::Refusal;
use super::request::{self, Forward, Origin};
use super::serve::{Outcome, Request};
use super::table::{Agent, OldUrl};
use super::upstream::{self, Answer, Call};
use super::worker::Worker;

/// A reply of a route up to this size is read, so that its connection can be used again.
const SMALL: u64 = 64 << 10;

/// What became of a call.
type Called = Result<(Head, Answer), Refusal>;

/// A call that is being made, or was refused before.
struct Member {
    agent: Arc<Agent>,
    /// Whether it is the agent's own old URL, where 404 means that nobody is there.
    legacy: bool,
    call: Result<JoinHandle<Called>, Refusal>,
}

/// Calls everything behind `url` that takes the method, and answers.
pub async fn serve(
    request: Request<'_>,
    decision: &Decision<'_, '_>,
    url: &Arc<OldUrl>,
    values: &[&[u8]],
    body: Received<'_>,
) -> Outcome {
    let members = call_all(&request, decision, url, values, &body);
    let received = body.length as u64;
    let mut counted = Vec::with_capacity(members.len());
    for member in members {
        let called = match member.call {
            // A task that panicked has failed; the others have not.
            Ok(task) => task.await.unwrap_or(Err(Refusal::UpstreamBroken)),
            Err(refusal) => Err(refusal),
        };
        if member.legacy && matches!(&called, Ok((reply, _)) if reply.status() == 404) {
            continue;
        }
        counted.push((member.agent, called));
    }
    if counted.len() == 1
        && let Some((agent, called)) = counted.pop()
    {
        return match called {
            Ok((reply, answer)) => {
                request.scratch.reply = reply;
                let deadline = Instant::now() + request.table.config.limits.route.total;
                request
                    .relay(&agent, answer, Some(url), received, Some(deadline))
                    .await
            }
            Err(refusal) => request.refuse(refusal, Some(url)).await,
        };
    }
    if counted.is_empty() {
        // Nothing but the agent's own old URL takes this method, and nobody is there.
        return request.refuse(Refusal::Method, Some(url)).await;
    }
    let mut good = 0;
    let mut first_failure = None;
    let all = counted.len();
    for (agent, called) in counted {
        let status = match called {
            Ok((reply, answer)) => {
                let status = reply.status();
                give_back(request.worker, &agent, &reply, answer);
                status
            }
            Err(refusal) => {
                request.worker.shared.registry.refuse(refusal);
                refusal.status()
            }
        };
        match status {
            200..=299 => good += 1,
            400.. => first_failure = first_failure.or(Some(status)),
            // A redirect is no success, and nothing that a sender could follow.
            _ => first_failure = first_failure.or(Some(502)),
        }
    }
    let local = answer::several(first_failure.unwrap_or(200), good, all - good);
    request.local(&local, "several", received).await
}

fn call_all(
    request: &Request<'_>,
    decision: &Decision<'_, '_>,
    url: &OldUrl,
    values: &[&[u8]],
    body: &Received<'_>,
) -> Vec<Member> {
    let bytes: Rc<[u8]> = body.bytes(request.scratch).into();
    let origin = Origin {
        sender: &request.sender,
        authority: decision.authority,
        via: &request.table.via,
    };
    let start = |agent: &Arc<Agent>, path: &[u8], deadline: Instant| {
        let mut head = Vec::with_capacity(1024);
        request::write(
            request.head,
            agent,
            (path, decision.query),
            origin,
            Forward::Whole(bytes.len()),
            &mut head,
        );
        let call = Prepared {
            worker: Rc::clone(request.worker),
            agent: Arc::clone(agent),
            method: request.head.method().to_vec(),
            head,
            body: Rc::clone(&bytes),
            deadline,
            limits: request.table.config.limits,
        };
        tokio::task::spawn_local(call.run())
    };
    let mut members = Vec::with_capacity(url.destinations.len() + 1);
    let takers = url
        .destinations
        .iter()
        .filter(|destination| destination.takes(request.head.method()));
    for destination in takers {
        let opened = request
            .doors(destination, Moment::Body, &bytes)
            .and_then(|()| match bytes.len() as u64 > destination.limits.body {
                true => Err(Refusal::BodyTooLarge),
                false => Ok(()),
            });
        let deadline = request.start + destination.limits.total;
        let path = destination.path(url, values);
        members.push(Member {
            agent: Arc::clone(&destination.agent),
            legacy: false,
            call: opened.map(|()| start(&destination.agent, &path, deadline)),
        });
    }
    if url.with_legacy && request.head.method() == b"POST" {
        let agent = &request.table.agent;
        let deadline = request.start + request.table.config.limits.route.total;
        members.push(Member {
            agent: Arc::clone(agent),
            legacy: true,
            call: Ok(start(agent, decision.path, deadline)),
        });
    }
    members
}

/// A call with all that it needs, so that it does not end with the connection of the sender.
struct Prepared {
    worker: Rc<Worker>,
    agent: Arc<Agent>,
    method: Vec<u8>,
    head: Vec<u8>,
    body: Rc<[u8]>,
    deadline: Instant,
    limits: super::config::Limits,
}

impl Prepared {
    async fn run(mut self) -> Called {
        let stats = self.worker.agent_stats(self.agent.number);
        let call = Call {
            pool: &self.worker.pool,
            agent: &self.agent,
            stats: &stats,
            limits: &self.limits,
            deadline: self.deadline,
        };
        let mut reply = Head::default();
        let mut answer = call
            .exchange(&self.method, &mut self.head, &self.body, &mut reply)
            .await?;
        if let Body::Length(length) = answer.body
            && length <= SMALL
        {
            while (answer.connection.input.len() as u64) < length {
                match timeout_at(self.deadline, answer.connection.read()).await {
                    Ok(Ok(1..)) => {}
                    Ok(Ok(0) | Err(_)) => return Err(Refusal::UpstreamBroken),
                    Err(_) => return Err(Refusal::UpstreamSlow),
                }
            }
        }
        Ok((reply, answer))
    }
}

/// Keeps the connection of a reply that nobody reads on.
fn give_back(worker: &Worker, agent: &Agent, reply: &Head, mut answer: Answer) {
    let ended = match answer.body {
        Body::Empty => true,
        Body::Length(length) if length <= SMALL => {
            let length = (length as usize).min(answer.connection.input.len());
            answer.connection.input.advance(length);
            true
        }
        _ => false,
    };
    if ended && upstream::is_kept(reply, answer.body) {
        worker.pool.borrow_mut().keep(agent, answer.connection);
    }
}
