//! The table in which requests are looked up: old paths, and the routes that answer them.
//!
//! Invariants: a table is whole and never changes; a reload swaps it for another. Looking a
//! path up takes one hash of it, however many routes there are; paths with parameters are in a
//! tree and are looked at only when the hash finds nothing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::errors::Entry;
use crate::routes::{Route, RouteLines, RouteMap};
use crate::shim::auth::AuthRule;
use crate::shim::config::file_stamp::FileStamp;
use crate::shim::config::{Config, Problem, RouteLimits, RouteRule};
use crate::shim::http::rejection::Rejection;
use crate::shim::http::target;
use crate::shim::http::via::Via;
use crate::shim::observe::metrics::{Registry, UrlStats};
use crate::shim::route::deprecation;
use crate::shim::route::pattern::{Pattern, Tree};
use crate::shim::upstream::agent::Upstream;
use crate::text;

/// A new route, as one of those behind an old URL.
#[derive(Debug)]
pub struct Destination {
    /// The plugin.
    pub plugin: String,
    /// What the map says.
    pub route: Route,
    /// Where it is.
    pub agent: Arc<Upstream>,
    /// The path that is sent.
    path: TargetPath,
    /// What a sender has to prove.
    pub auth: Vec<AuthRule>,
    /// What bounds it.
    pub limits: RouteLimits,
}

#[derive(Debug)]
enum TargetPath {
    /// In percent-encoding.
    Fixed(Vec<u8>),
    /// With parameters, which have the names that the old path gives them.
    Pattern(Pattern),
}

impl Destination {
    /// Whether the new route answers `method`.
    pub fn takes(&self, method: &[u8]) -> bool {
        self.route
            .methods
            .iter()
            .any(|other| other.as_bytes() == method)
    }

    /// The path to send, with the values of the parameters of `url`.
    pub fn path<'d>(&'d self, url: &OldUrl, values: &[&[u8]]) -> Cow<'d, [u8]> {
        match &self.path {
            TargetPath::Fixed(path) => Cow::Borrowed(path),
            TargetPath::Pattern(pattern) => {
                let names = url.parameters.iter().map(String::as_str);
                let values: Vec<_> = names.zip(values.iter().copied()).collect();
                let mut path = Vec::new();
                pattern.fill(&values, &mut path);
                Cow::Owned(path)
            }
        }
    }

    /// Whether its path depends on the request.
    pub fn has_parameters(&self) -> bool {
        matches!(self.path, TargetPath::Pattern(_))
    }
}

/// An old URL, and all that is behind it.
#[derive(Debug)]
pub struct OldUrl {
    /// The path as the map has it; what the metrics and logs are labelled with.
    pub path: String,
    /// The names of its parameters, in their order.
    parameters: Vec<String>,
    /// The routes that answer, in the order of the map, which is the load order. Never empty.
    pub destinations: Vec<Arc<Destination>>,
    /// The value of `Allow`.
    pub allow: String,
    /// The headers of deprecation, as lines.
    pub signs: Vec<u8>,
    /// The largest body that any of the routes takes.
    pub body: u64,
    /// Whether the agent's own old URL is called as well.
    pub with_legacy: bool,
    /// Counts; they outlive the table.
    pub stats: Arc<UrlStats>,
}

#[cfg(test)]
impl OldUrl {
    /// One with nothing behind it.
    pub fn for_test(path: &str, stats: Arc<UrlStats>) -> Self {
        Self {
            path: path.to_owned(),
            parameters: Vec::new(),
            destinations: Vec::new(),
            allow: String::new(),
            signs: Vec::new(),
            body: 0,
            with_legacy: false,
            stats,
        }
    }
}

/// What a lookup gives.
pub type Lookup<'t, 'p> = Option<(&'t Arc<OldUrl>, Vec<&'p [u8]>)>;

/// All old URLs.
#[derive(Debug)]
pub struct Table {
    fixed: HashMap<Vec<u8>, Arc<OldUrl>>,
    patterns: Tree<Arc<OldUrl>>,
    /// All of them, in the order of the map.
    urls: Vec<Arc<OldUrl>>,
    /// The agent of everything that has no other.
    pub agent: Arc<Upstream>,
    /// What this process calls itself on the way of a request.
    pub via: Via,
    /// What the shim was told.
    pub config: Config,
    /// The files that all this was read from.
    pub read_from: Vec<FileStamp>,
}

impl Table {
    /// The old URLs, in the order of the map.
    pub fn urls(&self) -> &[Arc<OldUrl>] {
        &self.urls
    }

    /// All agents, each once.
    pub fn agents(&self) -> Vec<Arc<Upstream>> {
        let mut agents = vec![Arc::clone(&self.agent)];
        for destination in self.urls.iter().flat_map(|url| &url.destinations) {
            let agent = &destination.agent;
            if agents.iter().all(|other| other.number != agent.number) {
                agents.push(Arc::clone(agent));
            }
        }
        agents
    }

    /// Looks up a path as it came.
    pub fn find<'t, 'p>(&'t self, path: &'p [u8]) -> Result<Lookup<'t, 'p>, Rejection> {
        if let Some(url) = self.fixed.get(target::decode(path).as_ref()) {
            return Ok(Some((url, Vec::new())));
        }
        self.patterns.find(path)
    }

    /// Makes the table of `map`. What is wrong with the map or with rules that fit no route of it
    /// is said all at once.
    pub fn build(
        map: &RouteMap,
        config: Config,
        deprecated_since: u64,
        registry: &Registry,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut order: Vec<(String, Option<Pattern>, Vec<Arc<Destination>>)> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        let unknown = RouteLines::default();
        let lines = map.lines().iter().chain(std::iter::repeat(&unknown));
        for (route, lines) in map.routes().iter().zip(lines) {
            let config = &config;
            let entry = Entry {
                route,
                lines,
                config,
            };
            let destination = match destination(entry, registry) {
                Ok(destination) => Arc::new(destination),
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            for (number, old) in route.legacy.iter().enumerate() {
                match old_pattern(entry, number, old, &destination) {
                    Ok(pattern) => {
                        let shape = pattern.as_ref().map_or(old.clone(), Pattern::shape);
                        let at = *index.entry(shape).or_insert(order.len());
                        if at == order.len() {
                            order.push((old.clone(), pattern.clone(), Vec::new()));
                        }
                        if !same_names(&order[at].1, &pattern) {
                            problems.push(entry.other_names(number, &order[at].0, old));
                        }
                        let known = &mut order[at].2;
                        if !known.iter().any(|other| Arc::ptr_eq(other, &destination)) {
                            known.push(Arc::clone(&destination));
                        }
                    }
                    Err(problem) => problems.push(problem),
                }
            }
        }
        problems.extend(unused_rules(map, &config));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut table = Self {
            fixed: HashMap::with_capacity(order.len()),
            patterns: Tree::default(),
            urls: Vec::with_capacity(order.len()),
            agent: registry.agent(&config.upstream),
            via: registry.via,
            config,
            read_from: Vec::new(),
        };
        for (path, pattern, destinations) in order {
            table.add(path, pattern, destinations, deprecated_since, registry);
        }
        Ok(table)
    }

    fn add(
        &mut self,
        path: String,
        pattern: Option<Pattern>,
        destinations: Vec<Arc<Destination>>,
        deprecated_since: u64,
        registry: &Registry,
    ) {
        let mut methods: Vec<&str> = Vec::new();
        for method in destinations.iter().flat_map(|d| &d.route.methods) {
            if !methods.contains(&method.as_str()) {
                methods.push(method);
            }
        }
        let url = Arc::new(OldUrl {
            allow: methods.join(", "),
            signs: deprecation::lines(&self.config, deprecated_since, &destinations),
            body: destinations
                .iter()
                .map(|d| d.limits.body)
                .max()
                .unwrap_or(0),
            with_legacy: self.config.with_legacy && is_legacy(path.as_bytes()),
            stats: registry.url(&path),
            parameters: pattern
                .iter()
                .flat_map(Pattern::names)
                .map(str::to_owned)
                .collect(),
            destinations,
            path,
        });
        match pattern {
            Some(pattern) => *self.patterns.place(&pattern) = Some(Arc::clone(&url)),
            None => {
                self.fixed
                    .insert(url.path.clone().into_bytes(), Arc::clone(&url));
            }
        }
        self.urls.push(url);
    }
}

/// Whether this is a path at which releases of the agent take webhooks of their own.
pub fn is_legacy(path: &[u8]) -> bool {
    path.strip_prefix(b"/api/webhook/")
        .is_some_and(|endpoint| !endpoint.is_empty() && !endpoint.contains(&b'/'))
}

fn read_pattern(
    path: &str,
    line: Option<usize>,
    entry: Entry<'_>,
) -> Result<Option<Pattern>, Problem> {
    Pattern::parse(path).map_err(|error| entry.not_a_pattern(path, line, error))
}

fn destination(entry: Entry<'_>, registry: &Registry) -> Result<Destination, Problem> {
    let Entry {
        route,
        lines,
        config,
    } = entry;
    let mut limits = config.limits.route;
    let mut upstream = &config.upstream;
    let mut auth = Vec::new();
    for rule in rules_of(route, config) {
        limits.body = rule.body.unwrap_or(limits.body);
        limits.total = rule.total.unwrap_or(limits.total);
        upstream = rule.upstream.as_ref().unwrap_or(upstream);
        auth.extend(rule.auth.iter().cloned());
    }
    let pattern = read_pattern(&route.target, lines.target, entry)?;
    if route.methods.is_empty() {
        return Err(entry.no_methods());
    }
    Ok(Destination {
        plugin: route.plugin.clone(),
        route: route.clone(),
        agent: registry.agent(upstream),
        path: match pattern {
            Some(pattern) => TargetPath::Pattern(pattern),
            None => TargetPath::Fixed(target::encode(&route.target).into_bytes()),
        },
        auth,
        limits,
    })
}

fn old_pattern(
    entry: Entry<'_>,
    number: usize,
    old: &str,
    destination: &Destination,
) -> Result<Option<Pattern>, Problem> {
    let pattern = read_pattern(old, entry.line_of(number), entry)?;
    if let TargetPath::Pattern(target) = &destination.path {
        let names: Vec<&str> = pattern.iter().flat_map(Pattern::names).collect();
        if let Some(missing) = target.names().find(|name| !names.contains(name)) {
            return Err(entry.no_parameter(number, old, missing));
        }
    }
    Ok(pattern)
}

fn same_names(one: &Option<Pattern>, other: &Option<Pattern>) -> bool {
    let names = |pattern: &Option<Pattern>| -> Vec<String> {
        let names = pattern.iter().flat_map(Pattern::names);
        names.map(str::to_owned).collect()
    };
    names(one) == names(other)
}

fn rules_of<'a>(route: &'a Route, config: &'a Config) -> impl Iterator<Item = &'a RouteRule> {
    config.rules.iter().filter(|rule| fits(rule, route))
}

fn fits(rule: &RouteRule, route: &Route) -> bool {
    rule.plugin == route.plugin
        && rule
            .endpoint
            .as_ref()
            .is_none_or(|endpoint| *endpoint == route.endpoint)
}

/// A rule that fits no route would be an auth rule that is not there: it must not go unnoticed.
fn unused_rules(map: &RouteMap, config: &Config) -> Vec<Problem> {
    let unused = config
        .rules
        .iter()
        .filter(|rule| !map.routes().iter().any(|route| fits(rule, route)));
    unused
        .filter_map(|rule| {
            let plugin = &rule.plugin;
            let endpoint = rule.endpoint.as_deref().unwrap_or("*");
            let mut known: Vec<&str> = map.routes().iter().map(|r| r.plugin.as_str()).collect();
            known.dedup();
            known.truncate(20);
            let known = known.join(", ");
            Some(Problem::of_file(
                config.file.as_deref()?,
                rule.line,
                text!(
                    "no route of the map is `{endpoint}` of the plugin `{plugin}`; plugins in the \
                     map: {known}",
                    "路由表中没有插件 `{plugin}` 的 `{endpoint}`；路由表中的插件：{known}"
                ),
            ))
        })
        .collect()
}
