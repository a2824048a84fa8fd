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
mod view;
mod webhook_report;

pub(crate) use listener::AdminListener;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::shim::http::http_date;
use crate::shim::observe::prometheus;
use crate::shim::serve::worker::ServerState;
use crate::term;
use view::View;
use webhook_report::Webhook;

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
        .route("/api/webhooks", get(webhooks))
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
    // All at the same time: whoever asks does not wait for each of many that are silent.
    let asked: Vec<_> = agents
        .into_iter()
        .map(|agent| {
            let name = agent.url.to_string();
            let answers = async move { readiness::answers(&agent.url).await };
            (name, tokio::spawn(answers))
        })
        .collect();
    let mut answers = Vec::with_capacity(asked.len());
    for (upstream, answered) in asked {
        let answered = answered.await.unwrap_or(false);
        answers.push(json!({ "upstream": upstream, "answers": answered }));
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
    let table = state.table.load();
    let rows = url_report::rows(&table, &state, http_date::now());
    let routes: Vec<_> = rows.iter().map(url_report::Row::json).collect();
    as_json(&json!({ "routes": routes })).into_response()
}

async fn webhooks(State(state): App) -> Response {
    let table = state.table.load();
    let webhooks = webhook_report::webhooks(&table, &state, http_date::now());
    let webhooks: Vec<_> = webhooks.iter().map(Webhook::json).collect();
    as_json(&json!({ "webhooks": webhooks })).into_response()
}

/// JSON that can be read on a terminal, whatever senders call themselves.
fn as_json(value: &Value) -> impl IntoResponse + use<> {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, term::json(value.to_string()))
}

/// Nothing from anywhere else is needed, and nothing from anywhere else is let in; and what the page
/// shows stays with whoever looks at it.
const PAGE_HEADERS: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The page, whatever the query says: what it does not know is left out.
async fn show_page(
    State(state): App,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let view = View::of(&query.map_or_else(|_| Vec::new(), |Query(pairs)| pairs));
    match page::render(&state, &view, http_date::now()) {
        Ok(html) => (PAGE_HEADERS, Html(html)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
