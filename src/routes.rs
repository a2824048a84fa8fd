//! The route map: which old URL is answered by which new route. Its data, and its file
//! `webhook-routes.toml`. Pure: reading and writing the file is the caller's.
//!
//! Invariants:
//! - Routes are unique by plugin and endpoint, and keep the order of the file, which is the order
//!   in which plugins were found; new ones come last.
//! - A route that the source no longer shows stays; only what is found again is brought up to date.
//! - Every target stays below `/plugins/`, whoever reads it and however often it is decoded, and every old
//!   path is one: a map that says something else is refused.
//! - A file that is merged with what it says already is written back as it was, to the byte:
//!   comments and order are the reader's.

mod lines;

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;
use toml_edit::{ArrayOfTables, Document, DocumentMut, Item, Table, Value};

pub use lines::RouteLines;

use crate::term;
use crate::text;
use crate::text::{Text, translate};

/// The name of the file at the root of a repo.
pub const FILE_NAME: &str = "webhook-routes.toml";

/// The version of the format that this program reads and writes.
const VERSION: i64 = 1;

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
    pub fn as_str(self) -> &'static str {
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
    pub plugin: String,
    /// The endpoint as it was registered.
    pub endpoint: String,
    /// The API that the handler was written for.
    pub dialect: Dialect,
    /// The methods that the new route answers, in upper case.
    pub methods: Vec<String>,
    /// The path of the new route, decoded.
    pub target: String,
    /// The paths at which senders may still call, decoded.
    pub legacy: Vec<String>,
}

impl Route {
    /// The route of a webhook, with the paths that follow from its plugin and endpoint.
    pub fn new(author: &str, module_name: &str, endpoint: &str, dialect: Dialect) -> Self {
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

/// What the paths of all plugins' own routes begin with.
const PLUGINS: &str = "/plugins/";

/// Why a path of the map cannot be one, or not for everybody who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// It is not below `/plugins/`, or leads out of it.
    NotBelowPlugins,
    /// It does not begin with `/`.
    NoSlash,
    /// It has a `?` or a `#`, where the path of a request ends.
    Query,
    /// It has a control character.
    Control,
}

impl PathFault {
    fn of_target(path: &str) -> Option<Self> {
        let Some(mut rest) = path.strip_prefix(PLUGINS).map(str::to_owned) else {
            return Some(Self::NotBelowPlugins);
        };
        if rest.is_empty() || rest.starts_with(['/', '\\']) {
            return Some(Self::NotBelowPlugins);
        }
        let slashes = |text: &str| text.matches('/').count();
        let written = slashes(&rest);
        loop {
            if let Some(fault) = Self::of_characters(&rest) {
                return Some(fault);
            }
            // Some servers take `..;x` for `..`.
            let leads_upwards = |segment: &str| {
                let name = segment.split(';').next();
                matches!(name, Some("." | ".."))
            };
            if rest.split(['/', '\\']).any(leads_upwards) || slashes(&rest) != written {
                return Some(Self::NotBelowPlugins);
            }
            let decoded = decoded(&rest);
            if decoded == rest {
                return None;
            }
            rest = decoded;
        }
    }

    fn of_legacy(path: &str) -> Option<Self> {
        let no_slash = (!path.starts_with('/')).then_some(Self::NoSlash);
        no_slash.or_else(|| Self::of_characters(path))
    }

    fn of_characters(path: &str) -> Option<Self> {
        if path.chars().any(char::is_control) {
            Some(Self::Control)
        } else if path.contains(['?', '#']) {
            Some(Self::Query)
        } else {
            None
        }
    }
}

/// Whether a path, which is decoded, is one below [`PLUGINS`] for everybody: no scheme or host, no
/// segment that leads upwards, and nothing that ends the path, also where a reader takes `\\` for a
/// separator, a segment to end at `;`, or decodes it again.
pub fn stays_below_plugins(path: &str) -> bool {
    PathFault::of_target(path).is_none()
}

/// A text with each `%` and two hexadecimal digits replaced by the byte that they stand for. Shorter
/// than the text, unless it is the same.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let mut output = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                output.push(u8::try_from(high * 16 + low).unwrap_or(byte));
                at += 3;
            }
            _ => {
                output.push(byte);
                at += 1;
            }
        }
    }
    // What is no UTF-8 is neither a dot nor a separator.
    String::from_utf8(output).unwrap_or_else(|error| {
        error
            .into_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect()
    })
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

/// Why a route map cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RouteMapError {
    /// Not TOML, or not of the form of a route map; `line` and `column` are 1-based.
    Malformed {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// The file is of another version of the format.
    Version {
        /// The line.
        line: Option<usize>,
        /// The version.
        version: i64,
    },
    /// A path that is invalid, or that servers read differently.
    Path {
        /// The line.
        line: Option<usize>,
        /// The key of the plugin.
        plugin: String,
        /// Whether it is the target, and not one of the old paths.
        is_target: bool,
        /// The path.
        path: String,
        /// Why.
        fault: PathFault,
    },
    /// The same plugin and endpoint twice.
    Duplicate {
        /// The line of the second one.
        line: Option<usize>,
        /// The key of the plugin.
        plugin: String,
        /// The endpoint.
        endpoint: String,
    },
}

impl RouteMapError {
    /// The line that it is about, from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Malformed { line, .. } => Some(*line),
            Self::Version { line, .. } | Self::Path { line, .. } | Self::Duplicate { line, .. } => {
                *line
            }
        }
    }

    /// What is the case, without the line and without a full stop.
    pub fn text(&self) -> Text {
        match self {
            Self::Malformed {
                column, message, ..
            } => {
                let reason = translate::toml_error(message);
                let (en, zh) = reason.both();
                text!(
                    "this is not a route map, at column {column}: {en}",
                    "第 {column} 列不符合路由表格式：{zh}"
                )
            }
            Self::Version { version, .. } => text!(
                "the route map has version {version}, and this program reads version 1",
                "路由表的版本是 {version}，本程序只能读取版本 1"
            ),
            Self::Path {
                plugin,
                is_target,
                path,
                fault,
                ..
            } => {
                let (what, what_zh) = match is_target {
                    true => ("target", "目标"),
                    false => ("old path", "旧路径"),
                };
                let (why, why_zh) = match fault {
                    PathFault::NotBelowPlugins => (
                        "is not a path below /plugins/, where the routes of plugins are",
                        "不是 /plugins/ 之下的路径，而插件的路由都在那里",
                    ),
                    PathFault::NoSlash => ("does not begin with `/`", "不以 `/` 开头"),
                    PathFault::Query => (
                        "contains `?` or `#`, where the path of a request ends",
                        "含有 `?` 或 `#`，而请求的路径到此为止",
                    ),
                    PathFault::Control => (
                        "contains a control character, such as a line break",
                        "含有控制字符（例如换行符）",
                    ),
                };
                text!(
                    "the {what} `{0}` of {1} {why}",
                    "{1} 的{what_zh} `{0}` {why_zh}",
                    term::escaped(path),
                    term::escaped(plugin)
                )
            }
            Self::Duplicate {
                plugin, endpoint, ..
            } => text!(
                "the endpoint `{}` of {} is there twice",
                "{1} 的端点 `{0}` 出现了两次",
                term::escaped(endpoint),
                term::escaped(plugin)
            ),
        }
    }

    /// What to do about it, without a full stop.
    pub fn remedy(&self) -> Text {
        match self {
            Self::Malformed { .. } | Self::Path { .. } => text!(
                "correct the line, or take the file from git again",
                "请改正这一行，或从 git 恢复该文件"
            ),
            Self::Version { .. } => text!(
                "use the rehook that wrote it",
                "请使用生成它的那个 rehook 版本"
            ),
            Self::Duplicate { .. } => {
                text!("delete one of the two", "请删除其中一个")
            }
        }
    }
}

impl fmt::Display for RouteMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line() {
            write!(f, "line {line}: ")?;
        }
        self.text().fmt(f)
    }
}

/// The routes of a repo, together with the text of the file that they were read from.
#[derive(Debug, Clone, Default)]
pub struct RouteMap {
    /// Unique by plugin and endpoint.
    routes: Vec<Route>,
    /// Where each of `routes` was in the file; shorter than these when some were added since.
    lines: Vec<RouteLines>,
    /// The file that `routes` was read from; always says the same.
    document: DocumentMut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: i64,
    #[serde(default, rename = "route")]
    routes: Vec<Route>,
}

impl FromStr for RouteMap {
    type Err = RouteMapError;

    fn from_str(text: &str) -> Result<Self, RouteMapError> {
        let malformed = |span: Option<std::ops::Range<usize>>, message: &str| {
            let before = span
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            RouteMapError::Malformed {
                line: before.matches('\n').count() + 1,
                column: before.chars().rev().take_while(|&c| c != '\n').count() + 1,
                message: message.trim_end().to_owned(),
            }
        };
        let document =
            Document::parse(text).map_err(|error| malformed(error.span(), error.message()))?;
        let version = |version| RouteMapError::Version {
            line: lines::of_key(&document, "version"),
            version,
        };
        let said = document.as_table().get("version");
        if let Some(said) = said.and_then(Item::as_integer)
            && said != VERSION
        {
            return Err(version(said));
        }
        let file: File = toml_edit::de::from_str(text)
            .map_err(|error| malformed(error.span(), error.message()))?;
        if file.version != VERSION {
            return Err(version(file.version));
        }
        let lines = lines::of_routes(&document);
        for (index, route) in file.routes.iter().enumerate() {
            let lines_of = lines.get(index);
            let fault = |is_target: bool, line: Option<usize>, path: &String, fault| {
                Err(RouteMapError::Path {
                    line,
                    plugin: route.plugin.clone(),
                    is_target,
                    path: path.clone(),
                    fault,
                })
            };
            if let Some(why) = PathFault::of_target(&route.target) {
                let line = lines_of.and_then(|lines| lines.target);
                return fault(true, line, &route.target, why);
            }
            for (number, old) in route.legacy.iter().enumerate() {
                if let Some(why) = PathFault::of_legacy(old) {
                    let line = lines_of.and_then(|lines| *lines.legacy.get(number)?);
                    return fault(false, line, old, why);
                }
            }
            if file.routes[..index].iter().any(|other| same(other, route)) {
                return Err(RouteMapError::Duplicate {
                    line: lines.get(index).and_then(|lines| lines.endpoint),
                    plugin: route.plugin.clone(),
                    endpoint: route.endpoint.clone(),
                });
            }
        }
        Ok(Self {
            routes: file.routes,
            lines,
            document: document.into_mut(),
        })
    }
}

fn same(a: &Route, b: &Route) -> bool {
    a.plugin == b.plugin && a.endpoint == b.endpoint
}

impl RouteMap {
    /// The routes, in the order of the file.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Where the routes were in the file, in its order; those that were added since have none.
    pub fn lines(&self) -> &[RouteLines] {
        &self.lines
    }

    /// Adds what is new and brings up to date what was known; the rest stays.
    pub fn merge(&mut self, found: &[Route]) {
        for route in found {
            match self.routes.iter().position(|known| same(known, route)) {
                Some(index) if self.routes[index] == *route => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &str = r#"version = 1

[[route]]
plugin = "KroMiose.github"
endpoint = "github"
dialect = "context"
methods = ["POST"]
target = "/plugins/KroMiose.github/github"
legacy = ["/api/webhook/github", "/api/plugin/KroMiose.github/webhook/github", "/api/plugin/github/webhook/github"]
"#;

    fn github() -> Route {
        Route::new("KroMiose", "github", "github", Dialect::Context)
    }

    #[test]
    fn a_new_map_is_written_as_the_contract_shows_it() {
        let mut map = RouteMap::default();
        map.merge(&[github()]);
        assert_eq!(map.to_string(), GITHUB);
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let map: RouteMap = GITHUB.parse().unwrap();
        assert_eq!(map.routes(), [github()]);
        assert_eq!(map.to_string(), GITHUB);
    }

    #[test]
    fn known_routes_and_comments_stay() {
        let text = GITHUB.replace("\"github\"\ndialect", "\"github\" # as before\ndialect");
        let mut map: RouteMap = text.parse().unwrap();
        map.merge(&[github()]);
        assert_eq!(map.to_string(), text);
        map.merge(&[Route::new("me", "ci", "/a/b", Dialect::Request)]);
        assert!(map.to_string().starts_with(&text));
        assert_eq!(map.routes().len(), 2);
        assert_eq!(
            map.to_string().parse::<RouteMap>().unwrap().routes(),
            map.routes()
        );
    }

    #[test]
    fn a_changed_route_is_brought_up_to_date_in_its_place() {
        let mut map: RouteMap = GITHUB.parse().unwrap();
        let changed = Route {
            dialect: Dialect::Request,
            ..github()
        };
        map.merge(std::slice::from_ref(&changed));
        assert_eq!(map.routes(), [changed]);
        assert_eq!(map.to_string(), GITHUB.replace("context", "request"));
    }

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

    #[test]
    fn a_target_stays_below_the_plugins() {
        for path in [
            "/plugins/a.b/c",
            "/plugins/a.b//c",
            "/plugins/a.b/",
            "/plugins/a.b/{name}/c",
            "/plugins/a.b/中 文",
            "/plugins/a.b/100%",
            "/plugins/a.b/a%20b",
            "/plugins/a.b/a%FF",
            "/plugins/a.b/...",
            "/plugins/a.b/back\\slash",
            "/plugins/a.b/c;v=1/d",
        ] {
            assert!(stays_below_plugins(path), "{path}");
        }
        for path in [
            "",
            "/",
            "/plugins",
            "/plugins/",
            "/plugins//evil.example/a",
            "/api/users",
            "//evil.example/plugins/a.b/c",
            "http://evil.example/plugins/a.b/c",
            "plugins/a.b/c",
            "/plugins/../api",
            "/plugins/a.b/../../api",
            "/plugins/a.b/./c",
            "/plugins/a.b/..",
            "/plugins/a.b/%2e%2E/c",
            "/plugins/a.b/.%2e/c",
            "/plugins/a.b/%252e%252e/c",
            "/plugins/a.b%2f..%2fapi",
            "/plugins/a.b/%5c..%5c",
            "/plugins/a.b\\..\\api",
            "/plugins/\\evil.example",
            "/plugins/a.b/\r\nHost: x",
            "/plugins/a.b/%00",
            "/plugins/a.b/c?x",
            "/plugins/a.b/c#y",
            "/plugins/a.b/c%3Fx",
            "/plugins/a.b/..;/x",
            "/plugins/a.b/..;v=1/x",
            "/plugins/a.b/.%3b/x",
        ] {
            assert!(!stays_below_plugins(path), "{path}");
        }
        let moved = GITHUB.replace("/plugins/KroMiose.github/github", "/plugins/../api/x");
        assert!(matches!(
            moved.parse::<RouteMap>().unwrap_err(),
            RouteMapError::Path {
                line: Some(8),
                is_target: true,
                fault: PathFault::NotBelowPlugins,
                ..
            }
        ));
    }

    #[test]
    fn an_old_path_is_a_path() {
        for (old, fault) in [
            ("api/webhook/github", PathFault::NoSlash),
            ("/api/webhook/github?x", PathFault::Query),
            ("/api/webhook/github#x", PathFault::Query),
            ("/api/webhook/git\\nhub", PathFault::Control),
        ] {
            let map = GITHUB.replace("/api/webhook/github\", \"", &format!("{old}\", \""));
            let error = map.parse::<RouteMap>().unwrap_err();
            let is_it = |error: &RouteMapError| match error {
                RouteMapError::Path {
                    line: Some(9),
                    is_target: false,
                    fault: found,
                    ..
                } => *found == fault,
                _ => false,
            };
            assert!(is_it(&error), "{old}: {error:?}");
        }
    }

    #[test]
    fn a_broken_map_says_where() {
        let error = |text: &str| text.parse::<RouteMap>().unwrap_err();
        assert!(matches!(
            error("version = 1\nroute = ["),
            RouteMapError::Malformed { line: 2, .. }
        ));
        assert!(matches!(
            error("version = 1\n\n[[route]]\nplugin = 3\n"),
            RouteMapError::Malformed { line: 4, .. }
        ));
        assert_eq!(
            error("\nversion = 7"),
            RouteMapError::Version {
                line: Some(2),
                version: 7
            }
        );
        let twice = format!("{GITHUB}{}", GITHUB.replace("version = 1", ""));
        assert!(matches!(
            error(&twice),
            RouteMapError::Duplicate { line: Some(14), .. }
        ));
    }
}
