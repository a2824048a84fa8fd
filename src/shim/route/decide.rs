//! What is to be done with a request, from its head alone. Pure: no socket, no clock.

use std::sync::Arc;

use crate::shim::http::framing::{self, Body, Framing};
use crate::shim::http::head::Head;
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target::{self, Target};
use crate::shim::route::table::{OldUrl, Table, is_legacy};

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
    /// Refuse it.
    Reject(Rejection),
}

/// A request, understood.
#[derive(Debug)]
pub struct Decision<'t, 'h> {
    /// What is to be done.
    pub action: Action<'t, 'h>,
    /// The path as it came.
    pub path: &'h [u8],
    /// The query with its `?`, as it came.
    pub query: &'h [u8],
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
        path: head.target(),
        query: b"",
        authority: None,
        framing: None,
    };
    match framing::of_request(head) {
        Ok(framing) => decision.framing = Some(framing),
        Err(rejection) => {
            decision.action = Action::Reject(rejection);
            (decision.path, decision.query) = without_query(decision.path);
            return decision;
        }
    }
    if table.via.is_in(head) {
        decision.action = Action::Reject(Rejection::Loop);
        (decision.path, decision.query) = without_query(decision.path);
        return decision;
    }
    match target::target(head.method(), head.target()) {
        Ok(Target::Server) => {}
        Ok(Target::Path {
            path,
            query,
            authority,
        }) => {
            decision.path = path;
            decision.query = query;
            decision.authority = authority;
            decision.action = action(table, head, path, decision.framing);
        }
        Err(rejection) => {
            decision.action = Action::Reject(rejection);
            decision.path = b"-";
        }
    }
    decision
}

/// A target for the log, where its query is masked.
fn without_query(target: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'?', target).unwrap_or(target.len());
    target.split_at(end)
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
        Ok(None) if table.config.with_legacy && head.method() == b"POST" && is_legacy(path) => {
            match length > table.config.limits.route.body {
                true => Action::Reject(Rejection::BodyTooLarge),
                false => Action::Legacy,
            }
        }
        Ok(None) if table.config.passthrough => Action::Passthrough,
        Ok(None) => Action::Reject(Rejection::NotFound),
    }
}

/// Whether an old URL refuses a request from its head alone.
pub fn rejected_by(url: &OldUrl, head: &Head, framing: Framing) -> Option<Rejection> {
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
