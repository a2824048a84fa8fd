//! What the runner is asked to do: the agent as an argument, the rest as it reads it from its stdin.
//!
//! Its form is not a promise: the runner is part of this program.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::limits::Limits;
use crate::verify::cases::model::{self, Subject, Written};
use crate::verify::requests::{self, Body, Bytes};

/// Everything that is to be run.
#[derive(Debug, Serialize)]
pub(crate) struct Job<'a> {
    /// How long it may take.
    pub(crate) limits: Limits,
    /// Whether it is to say which requests it has sent.
    pub(crate) save: bool,
    /// What is compared.
    pub(crate) cases: Vec<Case<'a>>,
}

/// Something that the agent loads, before and after.
#[derive(Debug, Serialize)]
pub(crate) struct Case<'a> {
    /// Its name in the results.
    pub(crate) name: &'a str,
    /// A folder with what the agent's folder of plugins has, relative to the one that the runner is
    /// started in: where that is may have no form in JSON.
    pub(crate) before: &'a Path,
    /// The same afterwards.
    pub(crate) after: &'a Path,
    /// What the agent loads from that folder.
    pub(crate) item: &'a str,
    /// Which of the agent's folders it is.
    pub(crate) place: &'static str,
    /// What is compared.
    pub(crate) routes: Vec<Route<'a>>,
    /// What is to be sent besides what the runner thinks of itself.
    pub(crate) requests: Vec<Request<'a>>,
}

/// A webhook and the route that it became.
#[derive(Debug, Serialize)]
pub(crate) struct Route<'a> {
    /// The key of the plugin.
    pub(crate) plugin: &'a str,
    /// The endpoint as it was registered.
    pub(crate) endpoint: &'a str,
    /// The API that the handler was written for.
    pub(crate) dialect: &'static str,
    /// The path of the new route.
    pub(crate) target: &'a str,
    /// Whether the handler takes the request itself, though it was written for a context.
    pub(crate) native: bool,
    /// Where the handler was written; none when nothing says it.
    pub(crate) written: Option<&'a Written>,
}

/// A request of the user's for one of the routes.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    /// The key of the plugin.
    pub(crate) plugin: &'a str,
    /// The endpoint.
    pub(crate) endpoint: &'a str,
    /// The file and the line that it is from.
    pub(crate) place: &'a str,
    /// What to call it.
    pub(crate) about: &'a str,
    /// The method.
    pub(crate) method: &'a str,
    /// What follows the question mark.
    pub(crate) query: &'a Bytes,
    /// The headers in order.
    pub(crate) headers: &'a [(String, Bytes)],
    /// The body.
    #[serde(flatten)]
    pub(crate) body: &'a Body,
    /// Settings of the plugin that differ from its own.
    pub(crate) settings: &'a serde_json::Map<String, serde_json::Value>,
}

/// The cases of the job, with the requests for each; it is started in `folder`.
pub(crate) fn cases<'a>(
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
