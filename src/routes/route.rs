//! One webhook with its old and its new URL: what follows from a plugin's key and an endpoint.

use std::fmt;

use serde::Deserialize;

/// Which of the two APIs a handler was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// The handler takes an `AgentCtx`; releases 1.0 to 2.4.0 of the agent run it.
    Context,
    /// The handler takes a FastAPI `Request`; the document of the old API describes it.
    Request,
}

impl Dialect {
    /// The name in the route map and in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Request => "request",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One webhook, with its old and its new URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The key of the plugin: `author.module_name`.
    pub(crate) plugin: String,
    /// The endpoint as it was registered.
    pub(crate) endpoint: String,
    /// The API that the handler was written for.
    pub(crate) dialect: Dialect,
    /// The methods that the new route answers, in upper case.
    pub(crate) methods: Vec<String>,
    /// The path of the new route, decoded.
    pub(crate) target: String,
    /// The paths at which senders may still call, decoded.
    pub(crate) legacy: Vec<String>,
}

impl Route {
    /// The route of a webhook, with the paths that follow from its plugin and endpoint.
    pub(crate) fn new(author: &str, module_name: &str, endpoint: &str, dialect: Dialect) -> Self {
        let plugin = format!("{author}.{module_name}");
        let path = route_path(endpoint);
        let methods: &[&str] = match dialect {
            Dialect::Context => &["POST"],
            Dialect::Request => REQUEST_METHODS,
        };
        Self {
            target: format!("/plugins/{plugin}{path}"),
            legacy: legacy_paths(author, module_name, endpoint),
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
            plugin,
            endpoint: endpoint.to_owned(),
            dialect,
        }
    }
}

/// The methods of a route in the request dialect: those of RFC 9110 and RFC 5789 that are for a
/// resource (neither CONNECT, which is for proxies, nor TRACE, which servers refuse).
pub const REQUEST_METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// The path of a route inside its plugin's router: `/` and the endpoint without its leading `/`.
pub fn route_path(endpoint: &str) -> String {
    format!("/{}", endpoint.strip_prefix('/').unwrap_or(endpoint))
}

/// Where the old API answered, by its document and by release 2.4.0 of the agent.
///
/// The document joins `webhook` and the endpoint, which "must start with `/`"; an endpoint without
/// it is taken to mean the same.
fn legacy_paths(author: &str, module_name: &str, endpoint: &str) -> Vec<String> {
    let path = route_path(endpoint);
    let segment = &path[1..];
    let mut legacy = Vec::with_capacity(3);
    // One with a parameter would be that of every webhook.
    if !segment.is_empty() && !segment.contains(['/', '{']) {
        legacy.push(format!("/api/webhook{path}"));
    }
    legacy.push(format!("/api/plugin/{author}.{module_name}/webhook{path}"));
    legacy.push(format!("/api/plugin/{module_name}/webhook{path}"));
    legacy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_its_documented_paths() {
        let legacy = |endpoint| Route::new("a", "m", endpoint, Dialect::Request).legacy;
        assert_eq!(
            legacy("/ci"),
            [
                "/api/webhook/ci",
                "/api/plugin/a.m/webhook/ci",
                "/api/plugin/m/webhook/ci"
            ]
        );
        assert_eq!(
            legacy("/ci/build"),
            [
                "/api/plugin/a.m/webhook/ci/build",
                "/api/plugin/m/webhook/ci/build"
            ]
        );
    }
}
