//! Taking an old URL out of the map, once nobody calls it any more.
//!
//! Invariants: nothing else of the file changes, to the byte; a comment beside the URL stays, since it may be
//! about its neighbour. A route stays when its last old URL is gone: it is still the plugin's.

use toml_edit::{Array, Item, TableLike};

use super::map::RouteMap;

impl RouteMap {
    /// Takes `url` out of every route that has it; gives the plugins of these.
    pub(crate) fn retire(&mut self, url: &str) -> Vec<String> {
        let mut plugins = Vec::new();
        for route in &mut self.routes {
            if route.legacy.iter().any(|old| old == url) {
                route.legacy.retain(|old| old != url);
                plugins.push(route.plugin.clone());
            }
        }
        let routes = self.document.get_mut("route");
        match routes {
            Some(Item::ArrayOfTables(tables)) => {
                tables.iter_mut().for_each(|table| remove(table, url));
            }
            Some(Item::Value(toml_edit::Value::Array(tables))) => {
                let tables = tables.iter_mut().filter_map(|t| t.as_inline_table_mut());
                tables.for_each(|table| remove(table, url));
            }
            _ => {}
        }
        plugins
    }
}

fn remove(route: &mut dyn TableLike, url: &str) {
    let legacy = route.get_mut("legacy").and_then(Item::as_array_mut);
    let Some(legacy) = legacy else {
        return;
    };
    let find = |legacy: &Array| legacy.iter().position(|old| old.as_str() == Some(url));
    while let Some(at) = find(legacy) {
        take_out(legacy, at);
    }
}

fn take_out(list: &mut Array, at: usize) {
    let removed = list.remove(at);
    let text = |raw: Option<&toml_edit::RawString>| {
        let text = raw.and_then(toml_edit::RawString::as_str);
        text.unwrap_or_default().to_owned()
    };
    let before = text(removed.decor().prefix());
    if let Some(next) = list.get_mut(at) {
        let own = text(next.decor().prefix());
        let prefix = match (before.contains('#'), own.contains('#')) {
            (true, true) => format!("{before}{own}"),
            (true, false) => before,
            (false, true) => own,
            // The first of a list has no blank before it.
            (false, false) if at == 0 => before,
            (false, false) => own,
        };
        next.decor_mut().set_prefix(prefix);
    } else if before.contains('#') {
        let after = text(Some(list.trailing()));
        // A comment ends with its line.
        let before = match after.contains('\n') {
            true => before.trim_end_matches([' ', '\n', '\t']),
            false => &before,
        };
        list.set_trailing(format!("{before}{after}"));
    }
}
