//! The configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use toml_edit::Document;

use super::{Environment, Limits, LogFormat, RouteRule, UpstreamUrl};
use crate::regular_file;
use crate::shim::config::auth;
use crate::shim::config::reader::{At, Problem, Reader, Section};
use crate::text;
use crate::text::translate;

/// What a file says.
#[derive(Debug, Default)]
pub struct File {
    /// `routes`
    pub routes: Option<String>,
    /// `upstream`
    pub upstream: Option<UpstreamUrl>,
    /// `upstream_check`
    pub upstream_check: Option<bool>,
    /// `listen`
    pub listen: Vec<SocketAddr>,
    /// `admin`
    pub admin: Option<Option<SocketAddr>>,
    /// `trusted_proxies`
    pub trusted_proxies: Vec<IpNet>,
    /// `passthrough`
    pub passthrough: bool,
    /// `with_legacy`
    pub with_legacy: bool,
    /// `deprecated_since`
    pub deprecated_since: Option<u64>,
    /// `sunset`
    pub sunset: Option<u64>,
    /// `public_url`
    pub public_url: Option<String>,
    /// `retire_after`
    pub retire_after: Option<Duration>,
    /// `counters_file`
    pub counters_file: Option<String>,
    /// `threads`
    pub threads: Option<usize>,
    /// `log`
    pub log: Option<LogFormat>,
    /// `limits`
    pub limits: Limits,
    /// `rules`
    pub rules: Vec<RouteRule>,
    /// `secret_files`
    pub secret_files: Vec<PathBuf>,
}

/// Reads the file at `path`; what is wrong with it goes to `problems`.
pub fn read(path: &Path, environment: Environment<'_>, problems: &mut Vec<Problem>) -> File {
    let text = match regular_file::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let reason = translate::io_error(&error);
            let (en, zh) = reason.both();
            let text = text!(
                "the configuration cannot be read ({en}); check the path given to --config",
                "无法读取配置文件（{zh}）；请检查 --config 给出的路径"
            );
            problems.push(Problem::of_file(path, None, text));
            return File::default();
        }
    };
    let reader = Reader::new(path, &text);
    let document = match Document::parse(text.as_str()) {
        Ok(document) => document,
        Err(error) => {
            let line = reader.line(error.span());
            let column = reader.column(error.span());
            let reason = translate::toml_error(error.message());
            let (en, zh) = reason.both();
            let text = text!(
                "this is not TOML, at column {column}: {en}; correct the line",
                "第 {column} 列：{zh}；请改正这一行"
            );
            problems.push(Problem::of_file(path, line, text));
            return File::default();
        }
    };
    let root = Section::new(&reader, document.as_table(), None);
    let base = path.parent().unwrap_or(Path::new(""));
    let mut file = File::default();
    root_keys(&root, &mut file);
    if let Some(limits) = root.section("limits") {
        file.limits = read_limits(limits);
    }
    for rule in root.sections("route") {
        let rule = read_rule(rule, base, environment, &mut file.secret_files);
        file.rules.extend(rule);
    }
    root.finish();
    problems.extend(reader.into_problems());
    file
}

fn root_keys(root: &Section<'_>, file: &mut File) {
    file.routes = root.string("routes").map(|at| at.value);
    file.upstream = read_upstream(root);
    file.upstream_check = root.boolean("upstream_check").map(|at| at.value);
    if let Some(listen) = root.strings("listen") {
        file.listen = addresses(root, listen, "listen");
    }
    if let Some(At { value, line }) = root.string("admin") {
        file.admin = match value.as_str() {
            "off" => Some(None),
            text => text.parse().ok().map(Some),
        };
        if file.admin.is_none() {
            root.problem(line, not_an_address("admin", &value));
        }
    }
    if let Some(proxies) = root.strings("trusted_proxies") {
        file.trusted_proxies = networks(root, proxies);
    }
    file.passthrough = root.boolean("passthrough").is_some_and(|at| at.value);
    file.with_legacy = root.boolean("with_legacy").is_some_and(|at| at.value);
    file.deprecated_since = root.date("deprecated_since").map(|at| at.value);
    file.sunset = root.date("sunset").map(|at| at.value);
    if let Some(At { value, line }) = root.string("public_url") {
        match public_url(&value) {
            Some(url) => file.public_url = Some(url),
            None => root.problem(line, not_public(&value)),
        }
    }
    file.retire_after = root.duration("retire_after").map(|at| at.value);
    file.counters_file = root.string("counters_file").map(|at| at.value);
    file.threads = root.count("threads").map(|at| at.value);
    if let Some(At { value, line }) = root.string("log") {
        file.log = LogFormat::parse(&value);
        if file.log.is_none() {
            root.problem(
                line,
                text!(
                    "`log` must be \"text\", \"json\" or \"off\"",
                    "`log` 的值应为 \"text\"、\"json\" 或 \"off\""
                ),
            );
        }
    }
}

fn read_upstream(section: &Section<'_>) -> Option<UpstreamUrl> {
    let At { value, line } = section.string("upstream")?;
    UpstreamUrl::parse(&value)
        .map_err(|error| section.problem(line, error.explain(&value)))
        .ok()
}

/// What to write instead of `value`.
pub fn not_an_address(key: &str, value: &str) -> crate::text::Text {
    text!(
        "`{value}` is not an address for `{key}`; write it like `127.0.0.1:8080` or `[::1]:8080`",
        "`{value}` 不能作为 `{key}` 的地址；请写成 `127.0.0.1:8080` 或 `[::1]:8080`"
    )
}

/// What to write instead of `value`.
pub fn not_public(value: &str) -> crate::text::Text {
    text!(
        "`{value}` is not a public URL; write it like `https://agent.example.com`",
        "`{value}` 不是公网 URL；请写成 `https://agent.example.com` 这样的形式"
    )
}

/// A URL that may stand in a header, without its last `/`.
pub fn public_url(text: &str) -> Option<String> {
    let known = text.starts_with("https://") || text.starts_with("http://");
    let fits = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"<>\"\\".contains(&byte));
    (known && fits).then(|| text.trim_end_matches('/').to_owned())
}

fn addresses(section: &Section<'_>, list: At<Vec<String>>, key: &str) -> Vec<SocketAddr> {
    let parsed = list.value.iter().filter_map(|text| {
        text.parse()
            .map_err(|_| section.problem(list.line, not_an_address(key, text)))
            .ok()
    });
    parsed.collect()
}

/// The networks in a list; what is none is said.
pub fn networks(section: &Section<'_>, list: At<Vec<String>>) -> Vec<IpNet> {
    let parsed = list.value.iter().filter_map(|text| {
        network(text).or_else(|| {
            section.problem(list.line, not_a_network(text));
            None
        })
    });
    parsed.collect()
}

/// A network, or a single address.
pub fn network(text: &str) -> Option<IpNet> {
    let address = |text: &str| {
        text.parse()
            .ok()
            .map(|address: std::net::IpAddr| address.into())
    };
    text.parse().ok().or_else(|| address(text))
}

/// What to write instead of `text`.
pub fn not_a_network(text: &str) -> crate::text::Text {
    text!(
        "`{text}` is not a network; write it like `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`",
        "`{text}` 不是网段；请写成 `10.0.0.0/8`、`2001:db8::/32` 或 `192.0.2.7`"
    )
}

fn read_limits(section: Section<'_>) -> Limits {
    let mut limits = Limits::default();
    let set = |at: Option<At<Duration>>, into: &mut Duration| {
        *into = at.map_or(*into, |at| at.value);
    };
    set(section.duration("total"), &mut limits.route.total);
    set(section.duration("head_time"), &mut limits.head_time);
    set(section.duration("idle"), &mut limits.idle);
    set(section.duration("connect"), &mut limits.connect);
    set(section.duration("reconnect"), &mut limits.reconnect);
    set(section.duration("keep"), &mut limits.keep);
    set(section.duration("grace"), &mut limits.grace);
    if let Some(at) = section.size("body") {
        limits.route.body = at.value;
    }
    if let Some(at) = section.size("memory") {
        limits.memory = at.value;
    }
    if let Some(At { value, line }) = section.size("head") {
        match usize::try_from(value)
            .ok()
            .filter(|size| (512..=1 << 20).contains(size))
        {
            Some(size) => limits.head = size,
            None => section.problem(
                line,
                text!(
                    "`head` must be between 512 bytes and 1MiB",
                    "`head` 应在 512 字节到 1MiB 之间"
                ),
            ),
        }
    }
    if let Some(at) = section.count("connections") {
        limits.connections = Some(at.value);
    }
    section.finish();
    limits
}

fn read_rule(
    section: Section<'_>,
    base: &Path,
    environment: Environment<'_>,
    secret_files: &mut Vec<PathBuf>,
) -> Option<RouteRule> {
    let plugin = section.string("plugin").map(|at| at.value);
    let rule = RouteRule {
        plugin: plugin.clone().unwrap_or_default(),
        endpoint: section.string("endpoint").map(|at| at.value),
        upstream: read_upstream(&section),
        body: section.size("body").map(|at| at.value),
        total: section.duration("total").map(|at| at.value),
        auth: section
            .sections("auth")
            .into_iter()
            .filter_map(|rule| auth::read_rule(rule, base, environment, secret_files))
            .collect(),
        line: section.line(),
    };
    if plugin.is_none() {
        section.problem(
            None,
            text!(
                "this `[[route]]` has no `plugin`; name the plugin whose routes it is about",
                "这个 `[[route]]` 缺少 `plugin`；请写明它针对哪个插件"
            ),
        );
    }
    section.finish();
    plugin.map(|_| rule)
}
