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
    /// The file that `routes` was read from. It says the same, but for those at their end that were
    /// added since.
    pub(super) document: DocumentMut,
}

impl RouteMap {
    /// The routes, in the order of the file.
    pub(crate) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The routes alone.
    pub(crate) fn into_routes(self) -> Vec<Route> {
        self.routes
    }

    /// Where the routes were in the file, in its order; those that were added since have none.
    pub(crate) fn lines(&self) -> &[RouteLines] {
        &self.lines
    }

    /// Adds what is new and brings up to date what was known; the rest stays.
    pub(crate) fn merge(&mut self, found: Vec<Route>) {
        let identity = |route: &Route| (route.plugin.clone(), route.endpoint.clone());
        let routes = self.routes.iter().enumerate();
        let mut known: HashMap<(String, String), usize> = routes
            .map(|(index, route)| (identity(route), index))
            .collect();
        for route in found {
            match known.get(&identity(&route)).copied() {
                Some(index) if is_known(&self.routes[index], &route) => {}
                Some(index) => {
                    if let Some(table) = self.tables().and_then(|tables| tables.get_mut(index)) {
                        fill(table, &route);
                    }
                    self.routes[index] = route;
                }
                None => {
                    // It is one of the document only when that is written.
                    self.tables();
                    known.insert(identity(&route), self.routes.len());
                    self.routes.push(route);
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
            self.routes
                .iter()
                .for_each(|route| tables.push(table_of(route)));
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

fn table_of(route: &Route) -> Table {
    let mut table = Table::new();
    fill(&mut table, route);
    table
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
        let tables = self.document.get("route");
        let tables = tables.and_then(Item::as_array_of_tables);
        let added = tables.and_then(|tables| self.routes.get(tables.len()..));
        let added = added.unwrap_or_default();
        // What stands below the last table stays the last of the file.
        let is_closed = self.document.trailing().as_str() != Some("");
        if is_closed && !added.is_empty() {
            let mut document = self.document.clone();
            if let Some(tables) = document["route"].as_array_of_tables_mut() {
                added.iter().for_each(|route| tables.push(table_of(route)));
            }
            return document.fmt(f);
        }
        // One at a time: a document of all of them takes many times the memory of its text.
        self.document.fmt(f)?;
        added.iter().try_for_each(|route| {
            let tables = ArrayOfTables::from_iter([table_of(route)]);
            let mut document = DocumentMut::new();
            document.insert("route", Item::ArrayOfTables(tables));
            write!(f, "\n{document}")
        })
    }
}
