//! For the server that has the certificate and stands in front of the shim: what has to reach the shim,
//! and which headers say where it comes from.

use minijinja::{Value, context};

use super::legacy_urls::{self, Export};
use super::{caddy, nginx};
use crate::routes::RouteMap;
use crate::text;
use crate::text::Text;
use crate::user_error::UserError;

const NGINX: &str = include_str!("../../../templates/shim/front_nginx.conf.j2");
const CADDY: &str = include_str!("../../../templates/shim/front_caddy.j2");

/// Below these, all paths are the shim's: it knows which of them it has.
const PREFIXES: [&str; 2] = ["/api/webhook/", "/api/plugin/"];

/// The configuration of nginx in front of the shim, which is the upstream of `export`.
///
/// # Errors
/// When the template is wrong.
pub(crate) fn nginx_front(map: &RouteMap, export: Export<'_>) -> Result<String, UserError> {
    let preface = legacy_urls::comment(&preface("nginx", export), export.lang);
    let mut locations: Vec<Value> = PREFIXES
        .iter()
        .map(|prefix| context! { modifier => "^~", path => *prefix })
        .collect();
    for url in others(map) {
        // Up to its first parameter, since nginx knows no parameters.
        let (fixed, modifier) = match url.split_once('{') {
            Some((fixed, _)) => (fixed, "^~"),
            None => (url, "="),
        };
        locations.push(context! { modifier, path => nginx::quoted(fixed) });
    }
    let shim = export.upstream.to_string();
    legacy_urls::render(NGINX, context! { preface, locations, shim })
}

/// The same for Caddy.
///
/// # Errors
/// When the template is wrong.
pub(crate) fn caddy_front(map: &RouteMap, export: Export<'_>) -> Result<String, UserError> {
    let preface = legacy_urls::comment(&preface("Caddy", export), export.lang);
    let mut paths: Vec<String> = PREFIXES.iter().map(|prefix| format!("{prefix}*")).collect();
    let mut left_out = Vec::new();
    for url in others(map) {
        let (fixed, rest) = url.split_once('{').unwrap_or((url, ""));
        // In this matcher a star means something, and some characters cannot be quoted.
        match caddy::quoted(fixed).filter(|_| !fixed.contains(['*', '%'])) {
            Some(_) if rest.is_empty() && !url.contains('{') => paths.extend(caddy::quoted(url)),
            Some(_) => paths.extend(caddy::quoted(&format!("{fixed}*"))),
            None => left_out.extend(legacy_urls::comment(&cannot(url), export.lang)),
        }
    }
    let shim = export.upstream.authority();
    legacy_urls::render(CADDY, context! { preface, paths, left_out, shim })
}

/// The old URLs that are not below the prefixes, each once.
fn others(map: &RouteMap) -> Vec<&str> {
    let urls = legacy_urls::urls(map);
    let paths = urls.iter().map(|url| url.path);
    let is_below = |path: &&str| PREFIXES.iter().any(|prefix| path.starts_with(prefix));
    paths.filter(|path| !is_below(path)).collect()
}

fn cannot(path: &str) -> Text {
    text!(
        "{path}: it has characters that cannot be quoted here. It is left out.",
        "{path}：含有此处无法转义的字符，略过。"
    )
}

fn preface(server: &str, export: Export<'_>) -> Text {
    let shim = export.upstream;
    text!(
        "{server} in front of `rehook shim`, which is at {shim}; made by `rehook routes --front`.\n\
         The shim has to be told that {server} may say who calls; in shim.toml:\n\
         \x20   trusted_proxies = [\"127.0.0.1\", \"::1\"]\n\
         Without it every sender is 127.0.0.1: in the log, on the page, and for auth rules with addresses.",
        "{server} 位于 `rehook shim`（{shim}）之前，由 `rehook routes --front` 生成。\n\
         需要告诉 shim 信任 {server} 给出的调用方地址，在 shim.toml 中写：\n\
         \x20   trusted_proxies = [\"127.0.0.1\", \"::1\"]\n\
         否则在日志、页面和按地址的鉴权规则中，所有发送方都是 127.0.0.1。"
    )
}
