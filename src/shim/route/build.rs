//! Making the table of route maps and a configuration.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::deprecation;
use super::errors::Entry;
use super::guard::Guards;
use super::maps::{MapFile, place};
use super::old_url::{Destination, OldUrl, TargetPath, is_legacy};
use super::pattern::{Pattern, Tree};
use super::table::Table;
use crate::routes::Route;
use crate::shim::config::{Config, RouteRule};
use crate::shim::http::target;
use crate::shim::observe::metrics::Registry;
use crate::text;
use crate::user_error::UserError;

/// An old URL that is being put together.
struct Draft<'m> {
    path: String,
    pattern: Option<Pattern>,
    destinations: Vec<Arc<Destination>>,
    deprecated_since: u64,
    /// Where it is in the first map that has it.
    file: &'m Path,
    line: Option<usize>,
}

/// Makes the table of `maps`. What is wrong with them or with rules that fit no route of theirs
/// is said all at once.
pub fn build(
    maps: &[MapFile],
    mut config: Config,
    registry: &Registry,
) -> Result<Table, Vec<UserError>> {
    let mut errors = Vec::new();
    let mut shared = Vec::new();
    let mut order: Vec<Draft<'_>> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    for map in maps {
        for (route, lines) in map.map.routes().iter().zip(map.lines()) {
            let entry = Entry {
                route,
                lines,
                file: &map.path,
                config: &config,
            };
            let destination = match destination(entry, registry) {
                Ok(destination) => Arc::new(destination),
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            };
            for (number, old) in route.legacy.iter().enumerate() {
                let pattern = match old_pattern(entry, number, old, &destination) {
                    Ok(pattern) => pattern,
                    Err(error) => {
                        errors.push(error);
                        continue;
                    }
                };
                let shape = pattern.as_ref().map_or(old.clone(), Pattern::shape);
                let at = *index.entry(shape).or_insert(order.len());
                if at == order.len() {
                    order.push(Draft {
                        path: old.clone(),
                        pattern: pattern.clone(),
                        destinations: Vec::new(),
                        deprecated_since: map.deprecated_since,
                        file: &map.path,
                        line: entry.line_of(number),
                    });
                }
                let draft = &mut order[at];
                if !same_names(&draft.pattern, &pattern) {
                    errors.push(entry.other_names(number, &draft.path, old));
                }
                if draft.file != map.path {
                    shared.push(entry.shared(number, &draft.path, &place(draft.file, draft.line)));
                }
                draft.deprecated_since = draft.deprecated_since.min(map.deprecated_since);
                let known = &mut draft.destinations;
                if !known.iter().any(|other| Arc::ptr_eq(other, &destination)) {
                    known.push(Arc::clone(&destination));
                }
            }
        }
    }
    errors.extend(unused_rules(maps, &config));
    if !errors.is_empty() {
        return Err(errors);
    }
    config.warnings.extend(shared);
    let mut table = Table {
        fixed: HashMap::with_capacity(order.len()),
        patterns: Tree::default(),
        guards: Guards::default(),
        urls: Vec::with_capacity(order.len()),
        agent: registry.agent(&config.upstream),
        via: registry.via,
        config,
        maps: maps.iter().map(|map| map.path.clone()).collect(),
        read_from: Vec::new(),
    };
    for draft in order {
        add(&mut table, draft, registry);
    }
    Ok(table)
}

fn add(table: &mut Table, draft: Draft<'_>, registry: &Registry) {
    let Draft {
        path,
        pattern,
        destinations,
        deprecated_since,
        ..
    } = draft;
    let mut methods: Vec<&str> = Vec::new();
    for method in destinations.iter().flat_map(|d| &d.route.methods) {
        if !methods.contains(&method.as_str()) {
            methods.push(method);
        }
    }
    for destination in &destinations {
        let target = match &destination.path {
            TargetPath::Pattern(pattern) => Some(pattern),
            TargetPath::Fixed(_) => None,
        };
        let guards = &mut table.guards;
        guards.add(&destination.route.target, target, destination);
        guards.add(&path, pattern.as_ref(), destination);
    }
    let url = Arc::new(OldUrl {
        allow: methods.join(", "),
        deprecation: deprecation::lines(&table.config, deprecated_since, &destinations),
        body: destinations
            .iter()
            .map(|d| d.limits.body)
            .max()
            .unwrap_or(0),
        with_legacy: table.config.with_legacy && is_legacy(path.as_bytes()),
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
        Some(pattern) => *table.patterns.place(&pattern) = Some(Arc::clone(&url)),
        None => {
            table
                .fixed
                .insert(url.path.clone().into_bytes(), Arc::clone(&url));
        }
    }
    table.urls.push(url);
}

fn read_pattern(
    path: &str,
    line: Option<usize>,
    entry: Entry<'_>,
) -> Result<Option<Pattern>, UserError> {
    Pattern::parse(path).map_err(|error| entry.not_a_pattern(path, line, error))
}

fn destination(entry: Entry<'_>, registry: &Registry) -> Result<Destination, UserError> {
    let Entry {
        route,
        lines,
        config,
        ..
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
    // It becomes part of a header.
    let is_token = |method: &&String| method.bytes().all(|byte| byte.is_ascii_graphic());
    if let Some(method) = route.methods.iter().find(|method| !is_token(method)) {
        return Err(entry.not_a_method(method));
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
        stats: registry.targets.get(&route.plugin, &route.target),
    })
}

fn old_pattern(
    entry: Entry<'_>,
    number: usize,
    old: &str,
    destination: &Destination,
) -> Result<Option<Pattern>, UserError> {
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
fn unused_rules(maps: &[MapFile], config: &Config) -> Vec<UserError> {
    let routes = || maps.iter().flat_map(|map| map.map.routes());
    let unused = config
        .rules
        .iter()
        .filter(|rule| !routes().any(|route| fits(rule, route)));
    unused
        .filter_map(|rule| {
            let plugin = &rule.plugin;
            let endpoint = rule.endpoint.as_deref().unwrap_or("*");
            let mut known: Vec<&str> = routes().map(|route| route.plugin.as_str()).collect();
            known.dedup();
            known.truncate(20);
            let known = known.join(", ");
            let error = UserError::new(
                text!(
                    "no route of the map is `{endpoint}` of the plugin `{plugin}`",
                    "路由表中没有插件 `{plugin}` 的 `{endpoint}`"
                ),
                text!(
                    "the plugins in the map are: {known}",
                    "路由表中的插件：{known}"
                ),
            );
            Some(error.at(config.file.as_deref()?, rule.line))
        })
        .collect()
}
