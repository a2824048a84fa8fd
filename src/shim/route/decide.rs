//! What is to be done with a request, from its head alone. Pure: no socket, no clock.

use std::sync::Arc;

use crate::shim::http::framing::{self, Body, Framing};
use crate::shim::http::head::Head;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target::{self, PathAndQuery, Target};
use crate::shim::route::guard::Guarded;
use crate::shim::route::old_url::{Destination, OldUrl, is_legacy};
use crate::shim::route::table::Table;

/// What is to be done.
#[derive(Debug)]
pub enum Action<'t, 'h> {
    /// Answer `OPTIONS *`.
    ServerOptions,
    /// Call what is behind an old URL.
    Webhook {
        /// The old URL.
        url: &'t Arc<OldUrl>,
        /// The pieces of the path that stand for its parameters.
        values: Vec<&'h [u8]>,
    },
    /// Call the agent's own old URL: no migrated plugin has it.
    Legacy,
    /// Let it through to the agent as it is.
    Passthrough,
    /// The same, once the auth rules of these routes have been passed: it would reach them.
    Guarded(&'t [Arc<Destination>]),
    /// Reject it.
    Reject(Rejection),
}

/// A request, understood.
#[derive(Debug)]
pub struct Decision<'t, 'h> {
    /// What is to be done.
    pub action: Action<'t, 'h>,
    /// The path and the query as they came.
    pub target: PathAndQuery<'h>,
    /// The authority, when the target was a whole URL.
    pub authority: Option<&'h [u8]>,
    /// Where the request ends; none when that cannot be known.
    pub framing: Option<Framing>,
}

/// Decides. Framing comes first: whoever does not know where a request ends knows nothing else of
/// it.
pub fn decide<'t, 'h>(table: &'t Table, head: &'h Head) -> Decision<'t, 'h> {
    let mut decision = Decision {
        action: Action::ServerOptions,
        target: PathAndQuery::of(head.target()),
        authority: None,
        framing: None,
    };
    match framing::of_request(head) {
        Ok(framing) => decision.framing = Some(framing),
        Err(rejection) => {
            decision.action = Action::Reject(rejection);
            return decision;
        }
    }
    if table.via.is_in(head) {
        decision.action = Action::Reject(Rejection::Loop);
        return decision;
    }
    match target::target(head.method(), head.target()) {
        Ok(Target::Server) => {}
        Ok(Target::Path {
            path,
            query,
            authority,
        }) => {
            decision.target = PathAndQuery { path, query };
            decision.authority = authority;
            decision.action = action(table, head, path, decision.framing);
        }
        Err(rejection) => {
            decision.action = Action::Reject(rejection);
            decision.target = PathAndQuery {
                path: b"-",
                query: b"",
            };
        }
    }
    decision
}

fn action<'t, 'h>(
    table: &'t Table,
    head: &Head,
    path: &'h [u8],
    framing: Option<Framing>,
) -> Action<'t, 'h> {
    let length = match framing.map(|framing| framing.body) {
        Some(Body::Length(length)) => length,
        _ => 0,
    };
    match table.find(path) {
        Err(rejection) => Action::Reject(rejection),
        Ok(Some((url, values))) => Action::Webhook { url, values },
        Ok(None) => elsewhere(table, head, path, length),
    }
}

/// What is to be done with a request to what is no old URL.
fn elsewhere<'t, 'h>(table: &'t Table, head: &Head, path: &'h [u8], length: u64) -> Action<'t, 'h> {
    let legacy = table.config.with_legacy && head.method() == b"POST" && is_legacy(path);
    if !legacy && !table.config.passthrough {
        return Action::Reject(Rejection::NotFound);
    }
    match table.guards.find(path) {
        Guarded::Unclear => Action::Reject(Rejection::UnclearPath),
        Guarded::By(routes) => Action::Guarded(routes),
        Guarded::No if !legacy => Action::Passthrough,
        Guarded::No => match length > table.config.limits.route.body {
            true => Action::Reject(Rejection::BodyTooLarge),
            false => Action::Legacy,
        },
    }
}

/// Whether an old URL rejects a request from its head alone.
pub(crate) fn rejected_by(url: &OldUrl, head: &Head, framing: Framing) -> Option<Rejection> {
    let method = head.method();
    let legacy = url.with_legacy && method == b"POST";
    if !legacy
        && !url
            .destinations
            .iter()
            .any(|destination| destination.takes(method))
    {
        return Some(Rejection::Method);
    }
    match framing.body {
        Body::Length(length) if length > url.body => Some(Rejection::BodyTooLarge),
        _ => None,
    }
}
