//! All routes of a repo, merged with what is found and written back.

use std::collections::HashMap;
use std::fmt;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use super::lines::RouteLines;
use super::route::Route;

/// The version of the format that this program reads and writes.
pub(super) const VERSION: i64 = 1;

/// The routes of a repo, together with the text of the file that they were read from.
#[derive(Debug, Clone, Default)]
pub struct RouteMap {
    /// Unique by plugin and endpoint.
    pub(super) routes: Vec<Route>,
    /// Where each of `routes` was in the file; shorter than these when some were added since.
    pub(super) lines: Vec<RouteLines>,
    /// The file that `routes` was read from; always says the same.
    pub(super) document: DocumentMut,
}

impl RouteMap {
    /// The routes, in the order of the file.
    pub(crate) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Where the routes were in the file, in its order; those that were added since have none.
    pub(crate) fn lines(&self) -> &[RouteLines] {
        &self.lines
    }

    /// Adds what is new and brings up to date what was known; the rest stays.
    pub(crate) fn merge(&mut self, found: &[Route]) {
        let identity = |route: &Route| (route.plugin.clone(), route.endpoint.clone());
        let routes = self.routes.iter().enumerate();
        let mut known: HashMap<(String, String), usize> = routes
            .map(|(index, route)| (identity(route), index))
            .collect();
        for route in found {
            match known.get(&identity(route)).copied() {
                Some(index) if is_known(&self.routes[index], route) => {}
                Some(index) => {
                    self.routes[index] = route.clone();
                    if let Some(table) = self.tables().and_then(|tables| tables.get_mut(index)) {
                        fill(table, route);
                    }
                }
                None => {
                    let mut table = Table::new();
                    fill(&mut table, route);
                    if let Some(tables) = self.tables() {
                        tables.push(table);
                    }
                    known.insert(identity(route), self.routes.len());
                    self.routes.push(route.clone());
                }
            }
        }
    }

    /// The `[[route]]` tables of the file; made when they are not there, so there always are some.
    fn tables(&mut self) -> Option<&mut ArrayOfTables> {
        if self.document.get("version").is_none() {
            self.document.insert("version", toml_edit::value(VERSION));
        }
        // `route = []`, which says the same as no route at all, becomes tables too; `routes`
        // holds what an inline array may have said.
        if self
            .document
            .get("route")
            .and_then(Item::as_array_of_tables)
            .is_none()
        {
            let mut tables = ArrayOfTables::new();
            for route in &self.routes {
                let mut table = Table::new();
                fill(&mut table, route);
                tables.push(table);
            }
            self.document.insert("route", Item::ArrayOfTables(tables));
        }
        self.document
            .get_mut("route")
            .and_then(Item::as_array_of_tables_mut)
    }
}

/// Whether the map says of a route what was found; old URLs that were retired do not come back.
fn is_known(known: &Route, found: &Route) -> bool {
    let mut with_all = known.clone();
    let is_retired = known.legacy.iter().all(|old| found.legacy.contains(old));
    if is_retired {
        with_all.legacy.clone_from(&found.legacy);
    }
    with_all == *found
}

/// Writes the fields of `route` into `table`; fields that say the same keep their formatting.
fn fill(table: &mut Table, route: &Route) {
    let list = |items: &[String]| {
        items
            .iter()
            .map(String::as_str)
            .collect::<toml_edit::Array>()
    };
    let fields: [(&str, Value); 6] = [
        ("plugin", route.plugin.as_str().into()),
        ("endpoint", route.endpoint.as_str().into()),
        ("dialect", route.dialect.as_str().into()),
        ("methods", list(&route.methods).into()),
        ("target", route.target.as_str().into()),
        ("legacy", list(&route.legacy).into()),
    ];
    for (key, value) in fields {
        let unchanged = table
            .get(key)
            .and_then(Item::as_value)
            .is_some_and(|old| bare(old) == bare(&value));
        if !unchanged {
            table[key] = Item::Value(value);
        }
    }
}

/// A value as text without what surrounds it.
fn bare(value: &Value) -> String {
    let mut value = value.clone();
    value.decor_mut().clear();
    if let Value::Array(array) = &mut value {
        array.fmt();
    }
    value.to_string()
}

impl fmt::Display for RouteMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.document.fmt(f)
    }
}
