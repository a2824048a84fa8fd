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

use crate::shim::auth::AuthPhase;
use crate::shim::http::delivery::Delivery;
use crate::shim::http::forwarded::ClientAddr;
use crate::shim::http::framing::{Body, Framing};
use crate::shim::http::head::Head;
use crate::shim::http::header::Kind;
use crate::shim::http::http_date;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target::PathAndQuery;
use crate::shim::observe::access_log::Access;
use crate::shim::observe::disbelief;
use crate::shim::observe::recent_calls::Call;
use crate::shim::route::decide::{Action, Decision, decide, rejected_by};
use crate::shim::route::deprecation;
use crate::shim::route::old_url::{Destination, OldUrl};
use crate::shim::route::table::Table;
use crate::shim::serve::exchange::{Next, Outcome, Request};
use crate::shim::serve::fanout;
use crate::shim::serve::local_response;
use crate::shim::serve::passthrough;
use crate::shim::serve::relay;
use crate::shim::serve::worker::{RequestBuffers, Worker};

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
pub(super) async fn request(
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
    if sender.is_not_believed {
        let state = &worker.state;
        disbelief::log(&state.registry.disbelief_said, &state.log, sender.peer);
    }
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
        deprecation: match &decision.action {
            Action::Webhook { url, values } => deprecation::of(&table.config, url, values),
            _ => Cow::Borrowed(b""),
        },
    };
    let outcome = answer(request, &decision).await;
    let url = match &decision.action {
        Action::Webhook { url, .. } => Some(*url),
        _ => None,
    };
    account(
        worker,
        &head,
        sender.address,
        url,
        decision.target,
        start,
        &outcome,
    );
    if let (Some(entry), Some(recorder)) = (buffers.recorded.take(), &worker.state.recorder) {
        recorder.hand_over(entry, outcome.status);
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
    target: PathAndQuery<'_>,
    start: Instant,
    outcome: &Outcome,
) {
    let duration = start.elapsed();
    let time = http_date::since_epoch();
    let agent = head.values(Kind::UserAgent).next().unwrap_or_default();
    let delivery = Delivery::of(head);
    if let Some(url) = url {
        url.stats
            .count(outcome.status, duration, sender, agent, time.as_secs());
        url.stats.keep(&Call {
            time,
            status: outcome.status,
            outcome: outcome.label,
            reason: outcome.reason,
            delivery,
            plugins: &outcome.failed,
        });
    }
    if worker.state.log.has_requests() {
        worker.log(&Access {
            time,
            sender,
            method: head.method(),
            path: url.map_or(target.path, |url| url.path.as_bytes()),
            query: target.query,
            status: outcome.status,
            duration,
            received: outcome.received,
            outcome: outcome.label,
            agent,
            delivery,
            reason: outcome.reason,
            failed: &outcome.failed,
        });
    }
}

/// Answers what is not a whole request, and has begun at `start`.
pub(super) async fn reject_unread(
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
    let outcome = match relay::write(stream, &out).await {
        Ok(()) => Outcome::new(local.status, rejection.label(), Next::Linger, 0),
        Err(_) => Outcome::sender_gone(0),
    };
    let sender = peer.ip().to_canonical();
    let target = PathAndQuery::of(b"-");
    account(
        worker,
        &Head::default(),
        sender,
        None,
        target,
        start,
        &outcome,
    );
}

/// Does what was decided.
async fn answer(mut request: Request<'_>, decision: &Decision<'_, '_>) -> Outcome {
    let Some(framing) = decision.framing else {
        let rejection = match decision.action {
            Action::Reject(rejection) => rejection,
            _ => Rejection::Malformed,
        };
        return request.reject(rejection, None).await;
    };
    match &decision.action {
        Action::Reject(rejection) => request.reject(*rejection, None).await,
        Action::ServerOptions => {
            request
                .local(&local_response::server_options(), "options", 0)
                .await
        }
        Action::Passthrough => passthrough::serve(request, decision, framing).await,
        Action::Guarded(routes) => guarded(request, decision, routes, framing).await,
        Action::Legacy => {
            let limits = request.table.config.limits.route;
            let body = match request.receive(framing, limits.body, limits.total).await {
                Ok(body) => body,
                Err(ended) => return request.ended(ended, None).await,
            };
            let deadline = request.start + limits.total;
            let agent = Arc::clone(&request.table.agent);
            request
                .call(&agent, decision, decision.target.path, body, deadline, None)
                .await
        }
        Action::Webhook { url, values } => {
            if let Some(rejection) = rejected_by(url, request.head, framing) {
                return request.reject(rejection, Some(url)).await;
            }
            webhook(request, decision, url, values, framing).await
        }
    }
}

/// Lets a request through that would reach routes with auth rules, once it has passed them.
async fn guarded(
    mut request: Request<'_>,
    decision: &Decision<'_, '_>,
    routes: &[Arc<Destination>],
    framing: Framing,
) -> Outcome {
    let authorize = |request: &Request<'_>, phase, body: &[u8]| {
        let mut routes = routes.iter();
        routes.try_for_each(|route| request.authorize(route, phase, body))
    };
    if let Err(rejection) = authorize(&request, AuthPhase::Head, b"") {
        return request.reject(rejection, None).await;
    }
    let is_signed = routes.iter().any(|route| route.checks_body());
    if framing.body == Body::Empty || !is_signed {
        return match authorize(&request, AuthPhase::Body, b"") {
            Err(rejection) if is_signed => request.reject(rejection, None).await,
            _ => passthrough::serve(request, decision, framing).await,
        };
    }
    let most = routes.iter().map(|route| route.limits.body).min();
    let most = most.unwrap_or(request.table.config.limits.route.body);
    let total = routes.iter().map(|route| route.limits.total).max();
    let total = total.unwrap_or_default();
    let body = match request.receive(framing, most, total).await {
        Ok(body) => body,
        Err(ended) => return request.ended(ended, None).await,
    };
    let deadline = request.start + total;
    let checked = authorize(&request, AuthPhase::Body, body.bytes(request.buffers));
    if let Err(rejection) = checked {
        return request.reject(rejection, None).await;
    }
    let agent = Arc::clone(&request.table.agent);
    request
        .call(&agent, decision, decision.target.path, body, deadline, None)
        .await
}

/// The refusal of the first route, when the head alone shows that none lets the request in: then
/// nobody needs its body.
fn refused_by_all(request: &Request<'_>, url: &OldUrl) -> Option<Rejection> {
    let method = request.head.method();
    let refusal = |route: &Arc<Destination>| request.authorize(route, AuthPhase::Head, b"").err();
    let mut takers = url
        .destinations
        .iter()
        .filter(|d| d.takes(method))
        .peekable();
    let refusals: Option<Vec<Rejection>> = match takers.peek() {
        Some(_) => takers.map(refusal).collect(),
        // Nothing but the agent's own old URL takes it, and that is called when all let it in.
        None => return url.destinations.iter().find_map(refusal),
    };
    refusals?.first().copied()
}

/// Calls what is behind an old URL, once the sender is known to be allowed to.
async fn webhook(
    mut request: Request<'_>,
    decision: &Decision<'_, '_>,
    url: &Arc<OldUrl>,
    values: &[&[u8]],
    framing: Framing,
) -> Outcome {
    let alone = match url.destinations.as_slice() {
        [destination] if !url.with_legacy => Some(destination),
        _ => None,
    };
    if let Some(rejection) = refused_by_all(&request, url) {
        return request.reject(rejection, Some(url)).await;
    }
    let legacy = url
        .with_legacy
        .then_some(request.table.config.limits.route.total);
    let totals = url.destinations.iter().map(|d| d.limits.total);
    let total = totals.chain(legacy).max().unwrap_or_default();
    let body = match request.receive(framing, url.body, total).await {
        Ok(body) => body,
        Err(ended) => return request.ended(ended, Some(url)).await,
    };
    let deadline = request.start + total;
    if let Some(recorder) = &request.worker.state.recorder {
        let (bytes, has_parameters) = (body.bytes(request.buffers), !values.is_empty());
        request.buffers.recorded = recorder.copy(
            request.head,
            &url.path,
            decision.target,
            has_parameters,
            bytes,
        );
    }
    let Some(destination) = alone else {
        return fanout::serve(request, decision, url, values, body).await;
    };
    let path = destination.path(url, values);
    let authorized = request.authorize_all(destination, &path, body.bytes(request.buffers));
    if let Err(rejection) = authorized {
        return request.reject(rejection, Some(url)).await;
    }
    let call = request.call(
        &destination.agent,
        decision,
        &path,
        body,
        deadline,
        Some(url),
    );
    let outcome = call.await;
    destination.stats.count(outcome.given);
    outcome
}
