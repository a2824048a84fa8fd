//! Where in its file a route is, so that an error can name the line.

use toml_edit::{Document, Item, TableLike};

/// The lines of a route, 1-based; none for what was not read from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteLines {
    /// Where it begins.
    pub(crate) route: Option<usize>,
    /// Where its endpoint is.
    pub(crate) endpoint: Option<usize>,
    /// Where its methods are.
    pub(crate) methods: Option<usize>,
    /// Where its new path is.
    pub(crate) target: Option<usize>,
    /// Where each of its old paths is.
    pub(crate) legacy: Vec<Option<usize>>,
}

impl RouteLines {
    /// Those of a route that was not read from a file.
    pub(crate) const NONE: Self = Self {
        route: None,
        endpoint: None,
        methods: None,
        target: None,
        legacy: Vec::new(),
    };
}

/// The lines of a text, found by where they begin.
struct Starts(Vec<usize>);

impl Starts {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    fn line(&self, span: Option<std::ops::Range<usize>>) -> Option<usize> {
        let start = span?.start;
        Some(self.0.partition_point(|&line| line <= start) + 1)
    }
}

/// The line of the key `key` of a document.
pub(super) fn of_key(document: &Document<&str>, key: &str) -> Option<usize> {
    let span = document.as_table().key(key)?.span();
    Starts::of(document.raw()).line(span)
}

/// The lines of the routes of a map, in its order.
pub(super) fn of_routes(document: &Document<&str>) -> Vec<RouteLines> {
    let starts = Starts::of(document.raw());
    let Some(routes) = document.as_table().get("route") else {
        return Vec::new();
    };
    if let Some(tables) = routes.as_array_of_tables() {
        return tables
            .iter()
            .map(|table| of_route(table, starts.line(table.span()), &starts))
            .collect();
    }
    let inline = routes.as_array().into_iter().flatten();
    inline
        .filter_map(|value| {
            let table = value.as_inline_table()?;
            Some(of_route(table, starts.line(table.span()), &starts))
        })
        .collect()
}

fn of_route(table: &dyn TableLike, route: Option<usize>, starts: &Starts) -> RouteLines {
    let line = |key: &str| {
        let span = table.key(key).and_then(toml_edit::Key::span);
        starts.line(span)
    };
    let legacy = table.get("legacy").and_then(Item::as_array);
    RouteLines {
        route,
        endpoint: line("endpoint"),
        methods: line("methods"),
        target: line("target"),
        legacy: legacy
            .into_iter()
            .flatten()
            .map(|old| starts.line(old.span()))
            .collect(),
    }
}
