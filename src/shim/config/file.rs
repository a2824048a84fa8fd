//! The configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use toml_edit::Document;

use super::model::{Environment, Limits, LogFormat, RouteRule};
use crate::regular_file;
use crate::shim::auth::Secret;
use crate::shim::config::auth;
use crate::shim::config::reader::{At, Reader, Section, is_empty};
use crate::shim::config::secret::Source;
use crate::shim::http::upstream_url::UpstreamUrl;
use crate::text;
use crate::text::translate;
use crate::user_error::UserError;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `routes`
    pub(super) routes: Vec<String>,
    /// `upstream`
    pub(super) upstream: Option<UpstreamUrl>,
    /// `upstream_check`
    pub(super) upstream_check: Option<bool>,
    /// `probe`
    pub(super) probe: Option<Option<String>>,
    /// `listen`
    pub(super) listen: Vec<SocketAddr>,
    /// `admin`
    pub(super) admin: Option<Option<SocketAddr>>,
    /// `trusted_proxies`
    pub(super) trusted_proxies: Vec<IpNet>,
    /// `passthrough`
    pub(super) passthrough: bool,
    /// `list_urls`
    pub(super) list_urls: Option<bool>,
    /// `with_legacy`
    pub(super) with_legacy: bool,
    /// `legacy_token_env`, `legacy_token_file`
    pub(super) legacy_token: Option<Secret>,
    /// `deprecated_since`
    pub(super) deprecated_since: Option<u64>,
    /// `sunset`
    pub(super) sunset: Option<u64>,
    /// `public_url`
    pub(super) public_url: Option<String>,
    /// `retire_after`
    pub(super) retire_after: Option<Duration>,
    /// `counters_file`
    pub(super) counters_file: Option<String>,
    /// `threads`
    pub(super) threads: Option<usize>,
    /// `log`
    pub(super) log: Option<LogFormat>,
    /// `log_file`
    pub(super) log_file: Option<String>,
    /// `limits`
    pub(super) limits: Limits,
    /// `rules`
    pub(super) rules: Vec<RouteRule>,
    /// `secret_files`
    pub(super) secret_files: Vec<PathBuf>,
    /// What may not be meant.
    pub(super) warnings: Vec<UserError>,
}

/// Reads the file at `path`; what is wrong with it goes to `errors`.
pub(super) fn read(path: &Path, environment: Environment<'_>, errors: &mut Vec<UserError>) -> File {
    let text = match regular_file::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let reason = translate::io_error(&error);
            let (en, zh) = reason.both();
            let error = UserError::new(
                text!(
                    "the configuration cannot be read: {en}",
                    "无法读取配置文件：{zh}"
                ),
                text!(
                    "check the path given to --config",
                    "请检查 --config 给出的路径"
                ),
            );
            errors.push(error.at(path, None));
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
            let error = UserError::new(
                text!(
                    "this is not TOML, at column {column}: {en}",
                    "第 {column} 列：{zh}"
                ),
                text!("correct the line", "请改正这一行"),
            );
            errors.push(error.at(path, line));
            return File::default();
        }
    };
    let root = Section::new(&reader, document.as_table(), None);
    let base = path.parent().unwrap_or(Path::new(""));
    let mut file = File::default();
    root_keys(&root, &mut file);
    let mut secrets = Source {
        base,
        environment,
        files: Vec::new(),
    };
    file.legacy_token = secrets.header(&root, "legacy_token_env", "legacy_token_file");
    if let Some(limits) = root.section("limits") {
        file.limits = read_limits(limits);
    }
    for rule in root.sections("route") {
        file.rules.extend(read_rule(rule, &mut secrets));
    }
    file.secret_files = secrets.files;
    root.finish();
    let (mut wrong, warnings) = reader.into_errors();
    // Keys are asked for in an order of their own.
    wrong.sort_by_key(|(line, _)| *line);
    let wrong = wrong.into_iter().map(|(_, error)| error);
    errors.extend(wrong);
    file.warnings = warnings;
    file
}

fn root_keys(root: &Section<'_>, file: &mut File) {
    if let Some(routes) = root.strings("routes") {
        if routes.value.is_empty() {
            root.warn(routes.line, is_empty("routes"));
        }
        file.routes = routes.value;
    }
    file.upstream = read_upstream(root);
    file.upstream_check = root.boolean("upstream_check").map(|at| at.value);
    if let Some(At { value, line }) = root.string("probe") {
        file.probe = match value.as_str() {
            "off" => Some(None),
            path => is_path(path).then(|| Some(value.clone())),
        };
        if file.probe.is_none() {
            root.error(
                line,
                text!(
                    "`{value}` is not a path for `probe`",
                    "`{value}` 不能作为 `probe` 的路径"
                ),
                text!(
                    "write it like \"/api/health\", or \"off\"",
                    "请写成 \"/api/health\" 这样的形式，或写 \"off\""
                ),
            );
        }
    }
    if let Some(listen) = root.strings("listen") {
        if listen.value.is_empty() {
            root.warn(listen.line, is_empty("listen"));
        }
        file.listen = addresses(root, listen, "listen");
    }
    if let Some(At { value, line }) = root.string("admin") {
        file.admin = match value.as_str() {
            "off" => Some(None),
            text => text.parse().ok().map(Some),
        };
        if file.admin.is_none() {
            root.wrong(line, not_an_address("admin", &value));
        }
    }
    if let Some(proxies) = root.strings("trusted_proxies") {
        file.trusted_proxies = root.networks(&proxies);
    }
    file.passthrough = root.boolean("passthrough").is_some_and(|at| at.value);
    file.list_urls = root.boolean("list_urls").map(|at| at.value);
    file.with_legacy = root.boolean("with_legacy").is_some_and(|at| at.value);
    file.deprecated_since = root.date("deprecated_since").map(|at| at.value);
    file.sunset = root.date("sunset").map(|at| at.value);
    if let Some(At { value, line }) = root.string("public_url") {
        match public_url(&value) {
            Some(url) => file.public_url = Some(url),
            None => root.wrong(line, not_public(&value)),
        }
    }
    file.retire_after = root.duration("retire_after").map(|at| at.value);
    file.counters_file = root.string("counters_file").map(|at| at.value);
    file.threads = root.count("threads").map(|at| at.value);
    file.log_file = root.string("log_file").map(|at| at.value);
    if let Some(At { value, line }) = root.string("log") {
        file.log = LogFormat::parse(&value);
        if file.log.is_none() {
            root.error(
                line,
                text!("the value of `log` is invalid", "`log` 的值无效"),
                text!(
                    "write \"text\", \"json\" or \"off\"",
                    "请写成 \"text\"、\"json\" 或 \"off\""
                ),
            );
        }
    }
}

fn read_upstream(section: &Section<'_>) -> Option<UpstreamUrl> {
    let At { value, line } = section.string("upstream")?;
    UpstreamUrl::parse(&value)
        .map_err(|error| section.wrong(line, error))
        .ok()
}

/// Whether this can stand in a request as it is.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// What to write instead of `value`.
pub(super) fn not_an_address(key: &str, value: &str) -> UserError {
    UserError::new(
        text!(
            "`{value}` is not an address for `{key}`",
            "`{value}` 不能作为 `{key}` 的地址"
        ),
        text!(
            "write it like `127.0.0.1:8080` or `[::1]:8080`",
            "请写成 `127.0.0.1:8080` 或 `[::1]:8080`"
        ),
    )
}

/// What to write instead of `value`.
pub(super) fn not_public(value: &str) -> UserError {
    UserError::new(
        text!("`{value}` is not a public URL", "`{value}` 不是公网 URL"),
        text!(
            "write it like `https://agent.example.com`",
            "请写成 `https://agent.example.com` 这样的形式"
        ),
    )
}

/// A URL that may stand in a header, without its last `/`.
pub(super) fn public_url(text: &str) -> Option<String> {
    let known = text.starts_with("https://") || text.starts_with("http://");
    let fits = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"<>\"\\".contains(&byte));
    (known && fits).then(|| text.trim_end_matches('/').to_owned())
}

fn addresses(section: &Section<'_>, list: At<Vec<String>>, key: &str) -> Vec<SocketAddr> {
    let parsed = list.value.iter().filter_map(|text| {
        text.parse()
            .map_err(|_| section.wrong(list.line, not_an_address(key, text)))
            .ok()
    });
    parsed.collect()
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
    set(section.duration("body_gap"), &mut limits.body_gap);
    set(section.duration("keep"), &mut limits.keep);
    set(section.duration("grace"), &mut limits.grace);
    limits.reconnect = section.duration("reconnect").map(|at| at.value);
    if let Some(at) = section.size("body") {
        limits.route.body = at.value;
    }
    if let Some(at) = section.size("body_rate") {
        limits.body_rate = at.value;
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
            None => section.error(
                line,
                text!("the value of `head` is invalid", "`head` 的值无效"),
                text!(
                    "write a size between 512 bytes and 1MiB",
                    "请写成 512 字节到 1MiB 之间的大小"
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

fn read_rule(section: Section<'_>, secrets: &mut Source<'_>) -> Option<RouteRule> {
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
            .filter_map(|rule| auth::read_rule(rule, secrets))
            .collect(),
        line: section.line(),
    };
    if plugin.is_none() {
        section.error(
            None,
            text!(
                "this `[[route]]` has no `plugin`",
                "这个 `[[route]]` 缺少 `plugin`"
            ),
            text!(
                "name the plugin whose routes it is about",
                "请写明它针对哪个插件"
            ),
        );
    }
    section.finish();
    plugin.map(|_| rule)
}
