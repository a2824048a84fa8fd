//! What the runner is asked to do: what stands around the plugins as an argument, the rest as it reads
//! it from its stdin.
//!
//! This is no promise to anybody: the runner is part of this program.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::limits::Limits;
use crate::verify::cases::model::{self, Subject, Written};
use crate::verify::requests::{self, Body, Bytes};

/// Everything that is to be run.
#[derive(Debug, Serialize)]
pub struct Job<'a> {
    /// How long it may take.
    pub limits: Limits,
    /// Whether it is to say which requests it has sent.
    pub save: bool,
    /// What is compared.
    pub cases: Vec<Case<'a>>,
}

/// Something that the agent loads, before and after.
#[derive(Debug, Serialize)]
pub struct Case<'a> {
    /// Its name in the results.
    pub name: &'a str,
    /// A folder with what the agent's folder of plugins has, relative to the one that the runner is
    /// started in: where that is may have no form in JSON.
    pub before: &'a Path,
    /// The same afterwards.
    pub after: &'a Path,
    /// What the agent loads from that folder.
    pub item: &'a str,
    /// Which of the agent's folders it is.
    pub place: &'static str,
    /// What is compared.
    pub routes: Vec<Route<'a>>,
    /// What is to be sent besides what the runner thinks of itself.
    pub requests: Vec<Request<'a>>,
}

/// A webhook and the route that it became.
#[derive(Debug, Serialize)]
pub struct Route<'a> {
    /// The key of the plugin.
    pub plugin: &'a str,
    /// The endpoint as it was registered.
    pub endpoint: &'a str,
    /// The API that the handler was written for.
    pub dialect: &'static str,
    /// The path of the new route.
    pub target: &'a str,
    /// Whether the handler takes the request itself, though it was written for a context.
    pub native: bool,
    /// Where the handler was written; none when nothing says it.
    pub written: Option<&'a Written>,
}

/// A request of the user's for one of the routes.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// The key of the plugin.
    pub plugin: &'a str,
    /// The endpoint.
    pub endpoint: &'a str,
    /// The file and the line that it is from.
    pub place: &'a str,
    /// What to call it.
    pub about: &'a str,
    /// The method.
    pub method: &'a str,
    /// What follows the question mark.
    pub query: &'a Bytes,
    /// The headers in order.
    pub headers: &'a [(String, Bytes)],
    /// The body.
    #[serde(flatten)]
    pub body: &'a Body,
    /// Settings of the plugin that differ from its own.
    pub settings: &'a serde_json::Map<String, serde_json::Value>,
}

/// The cases as the runner is told of them, with the requests for each; it is started in `folder`.
pub fn cases<'a>(
    cases: &'a [model::Case],
    requests: &'a [requests::Request],
    folder: &Path,
) -> Vec<Case<'a>> {
    let inside = |path: &'a PathBuf| path.strip_prefix(folder).unwrap_or(path);
    let requests_of = |subject: &'a Subject| {
        let fitting = requests.iter().filter(|one| one.is_for(&subject.route));
        fitting.map(|request| Request {
            plugin: &subject.route.plugin,
            endpoint: &subject.route.endpoint,
            place: &request.place,
            about: &request.about,
            method: &request.method,
            query: &request.query,
            headers: &request.headers,
            body: &request.body,
            settings: &request.settings,
        })
    };
    let cases = cases.iter().map(|case| Case {
        name: &case.name,
        before: inside(&case.before),
        after: inside(&case.after),
        item: &case.plugin.item,
        place: case.plugin.kind.place(),
        routes: case.subjects.iter().map(route).collect(),
        requests: case.subjects.iter().flat_map(requests_of).collect(),
    });
    cases.collect()
}

fn route(subject: &Subject) -> Route<'_> {
    Route {
        plugin: &subject.route.plugin,
        endpoint: &subject.route.endpoint,
        dialect: subject.route.dialect.as_str(),
        target: &subject.route.target,
        native: subject.is_native,
        written: subject.written.as_ref(),
    }
}
