//! What the operator sees: health, readiness, metrics, routes, and a page for people.
//!
//! Invariants: nothing here changes anything, and nothing here shows a secret; on loopback
//! nothing is shown to a page that is not ours; [`app`] is a
//! function of what is shared, and is tested without a socket.

mod host_guard;
mod listener;
mod page;
mod readiness;
mod url_report;

pub(crate) use listener::AdminListener;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::shim::http::http_date;
use crate::shim::observe::prometheus;
use crate::shim::serve::worker::ServerState;
use crate::term;

type App = State<Arc<ServerState>>;

/// The admin application.
pub fn app(state: Arc<ServerState>) -> Router {
    // The address that was bound: another one is taken over at the next start.
    let guarded = host_guard::is_guarded(state.table.load().config.admin);
    let app = Router::new()
        .route("/", get(show_page))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/routes", get(routes))
        .with_state(state);
    match guarded {
        true => app.layer(axum::middleware::from_fn(host_guard::guard)),
        false => app,
    }
}

/// Healthy is a shim whose threads all turn.
async fn health(State(state): App) -> Response {
    match state.registry.heartbeats.count(Instant::now()) {
        (_, 0) => "ok\n".into_response(),
        (all, hang) => {
            let text = format!("{hang} of {all} threads hang\n");
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

/// Ready is who can do its work: every thread turns, and every agent answers.
async fn ready(State(state): App) -> Response {
    let agents = state.table.load().agents();
    let mut answers = Vec::with_capacity(agents.len());
    for agent in agents {
        let answered = readiness::answers(&agent.url).await;
        answers.push(json!({ "upstream": agent.url.to_string(), "answers": answered }));
    }
    let (threads, hang) = state.registry.heartbeats.count(Instant::now());
    let all = hang == 0 && answers.iter().all(|answer| answer["answers"] == true);
    let status = match all {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (
        status,
        as_json(&json!({
            "ready": all,
            "threads": { "all": threads, "hang": hang },
            "upstreams": answers,
        })),
    )
        .into_response()
}

async fn metrics(State(state): App) -> Response {
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, prometheus::text(&state)).into_response()
}

async fn routes(State(state): App) -> Response {
    let rows = url_report::rows(&state, http_date::now());
    let routes: Vec<_> = rows.iter().map(url_report::Row::json).collect();
    as_json(&json!({ "routes": routes })).into_response()
}

/// JSON that can be read on a terminal, whatever senders call themselves.
fn as_json(value: &Value) -> impl IntoResponse + use<> {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, term::json(value.to_string()))
}

async fn show_page(State(state): App) -> Response {
    // Nothing from anywhere else is needed, and nothing from anywhere else is let in.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    match page::render(&state, http_date::now()) {
        Ok(html) => ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
