//! The route map as the configuration of servers that people run already.
//!
//! Invariants: what such a server cannot do is said in a comment where it would stand, so
//! that nobody believes it to be done; every text of the map is quoted in the way of that server, so
//! that no endpoint can become a directive.

use std::collections::HashMap;

use crate::routes::{Route, RouteMap};
use crate::shim::config::UpstreamUrl;
use crate::shim::http::http_date;
use crate::shim::http::target;
use crate::shim::route::pattern::Pattern;
use crate::term;
use crate::text;
use crate::text::{Lang, Text};

/// The methods that `limit_except` of nginx knows.
const METHODS_OF_NGINX: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
];

/// What is written for all URLs alike.
#[derive(Debug, Clone, Copy)]
pub struct Export<'u> {
    /// The agent.
    pub upstream: &'u UpstreamUrl,
    /// Since when the old URLs are deprecated, in seconds since 1970.
    pub deprecated_since: u64,
    /// The language of the comments.
    pub lang: Lang,
}

/// An old path, and the routes behind it.
struct Url<'m> {
    path: &'m str,
    routes: Vec<&'m Route>,
}

fn urls(map: &RouteMap) -> Vec<Url<'_>> {
    let mut urls: Vec<Url<'_>> = Vec::new();
    let mut index = HashMap::new();
    for route in map.routes() {
        for path in &route.legacy {
            let pattern = Pattern::parse(path).ok().flatten();
            let shape = pattern.as_ref().map_or(path.clone(), Pattern::shape);
            let at = *index.entry(shape).or_insert(urls.len());
            if at == urls.len() {
                urls.push(Url {
                    path,
                    routes: Vec::new(),
                });
            }
            let known = &mut urls[at].routes;
            if !known.iter().any(|other| std::ptr::eq(*other, route)) {
                known.push(route);
            }
        }
    }
    urls
}

fn comment(out: &mut String, indent: &str, text: &Text, lang: Lang) {
    for line in text.get(lang).lines() {
        let line: String = line
            .chars()
            .map(|c| if term::is_harmful(c) { ' ' } else { c })
            .collect();
        out.push_str(&format!("{indent}# {line}\n"));
    }
}

/// Why a URL cannot be written as one rule; none when it can.
fn impossible(url: &Url<'_>) -> Option<Text> {
    let path = url.path;
    if url.routes.len() > 1 {
        let plugins: Vec<&str> = url.routes.iter().map(|r| r.plugin.as_str()).collect();
        let plugins = plugins.join(", ");
        return Some(text!(
            "{path}: several plugins ({plugins}) are behind it; only `rehook shim` calls them all. \
             It is left out.",
            "{path}：背后有多个插件（{plugins}），只有 `rehook shim` 能全部调用，此处略过。"
        ));
    }
    let has_brace = |text: &str| text.contains(['{', '}']);
    if has_brace(path) || url.routes.iter().any(|route| has_brace(&route.target)) {
        return Some(text!(
            "{path}: it has a parameter; only `rehook shim` passes it on as it came. It is left out.",
            "{path}：含有路径参数，只有 `rehook shim` 能原样传递，此处略过。"
        ));
    }
    None
}

/// Why nginx alone cannot serve a URL.
fn impossible_for_nginx(url: &Url<'_>, route: &Route) -> Option<Text> {
    let path = url.path;
    let settled = |segment: &str| matches!(segment, "" | "." | "..");
    let inner = path.trim_start_matches('/').trim_end_matches('/');
    if path.starts_with("//")
        || path.ends_with("//")
        || inner.split('/').any(settled) && !inner.is_empty()
    {
        return Some(text!(
            "{path}: nginx takes out empty segments and dots before it looks a path up. It is left \
             out.",
            "{path}：nginx 在匹配前会去掉空段和点段，略过。"
        ));
    }
    let unknown = |method: &&String| !METHODS_OF_NGINX.contains(&method.as_str());
    if let Some(method) = route.methods.iter().find(unknown) {
        return Some(text!(
            "{path}: nginx does not know the method {method}. It is left out.",
            "{path}：nginx 不认识请求方法 {method}，略过。"
        ));
    }
    None
}

fn preface(server: &str, upstream: &UpstreamUrl) -> Text {
    text!(
        "Old webhook URLs for {server}, made by `rehook routes`; the agent is {upstream}.\n\
         Not done here, but by `rehook shim`: auth rules, counts of who still calls, waiting for an agent \
         that restarts, several plugins behind one URL, the header Sunset (add it beside \
         Deprecation if you have a date).",
        "{server} 使用的旧 Webhook URL，由 `rehook routes` 生成；Agent 位于 {upstream}。\n\
         以下功能只有 `rehook shim` 提供：校验（签名、令牌、地址）、调用统计、等待重启中的 Upstream、\
         一个 URL 对应多个插件，以及 Sunset 响应头（若已定下日期，请自行加在 Deprecation 旁边）。"
    )
}

/// A text in quotes of nginx: between them only these two characters mean something.
fn quoted_for_nginx(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text in quotes of Caddy's; none when it has none for it: between backquotes nothing means
/// anything, and between double quotes a backslash before a quote cannot be written.
fn quoted_for_caddy(text: &str) -> Option<String> {
    if !text.contains('`') {
        Some(format!("`{text}`"))
    } else if !text.contains('\\') {
        Some(format!("\"{}\"", text.replace('"', "\\\"")))
    } else {
        None
    }
}

/// A path in percent-encoding without the characters that stand for variables there.
fn without_variables(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '$' => plain.push_str("%24"),
            '{' => plain.push_str("%7B"),
            '}' => plain.push_str("%7D"),
            '`' => plain.push_str("%60"),
            _ => plain.push(character),
        }
    }
    plain
}

/// For nginx: `location` blocks to include in a `server` block.
pub fn nginx(map: &RouteMap, export: Export<'_>) -> String {
    let Export { upstream, lang, .. } = export;
    let mut out = String::new();
    comment(&mut out, "", &preface("nginx", upstream), lang);
    comment(
        &mut out,
        "",
        &text!(
            "Include it in a server block: include /etc/nginx/webhooks.conf;\n\
             A method that a webhook does not take is answered with 403 here, not 405.\n\
             Headers of the server block (add_header, proxy_set_header) do not hold in these locations.\n\
             Without the next line nginx drops headers whose names have a `_`; take it out if the \
             server block has it already, and put it into the default server of the port as well.",
            "在 server 块中引入：include /etc/nginx/webhooks.conf;\n\
             Webhook 不接受的请求方法在这里返回 403，而不是 405。\n\
             server 块中的 add_header、proxy_set_header 在这些 location 中不生效。\n\
             没有下面这一行，nginx 会丢弃名称含 `_` 的请求头；如果 server 块中已经有它，请删去这一行，\
             并确保该端口的默认 server 也有同样的设置。"
        ),
        lang,
    );
    out.push_str("underscores_in_headers on;\n");
    for url in urls(map) {
        out.push('\n');
        let Some(route) = url.routes.first() else {
            continue;
        };
        if let Some(text) = impossible(&url).or_else(|| impossible_for_nginx(&url, route)) {
            comment(&mut out, "", &text, lang);
            continue;
        }
        let target = without_variables(&target::encode(&route.target));
        let methods = route.methods.join(" ");
        let since = export.deprecated_since;
        let link = quoted_for_nginx(&format!("<{target}>; rel=\"successor-version\""));
        // Without a variable in it: nginx would need a resolver for the name of the agent.
        let agent = without_variables(&upstream.to_string());
        let pass = quoted_for_nginx(&format!("{agent}{target}"));
        out.push_str(&format!("location = {} {{\n", quoted_for_nginx(url.path)));
        // HEAD is always let through where GET is.
        out.push_str(&format!(
            "    limit_except {methods} {{\n        deny all;\n    }}\n"
        ));
        out.push_str("    client_max_body_size 25m;\n    proxy_http_version 1.1;\n");
        out.push_str("    proxy_set_header Connection \"\";\n");
        out.push_str("    proxy_set_header X-Forwarded-Host $http_host;\n");
        out.push_str("    proxy_set_header X-Forwarded-For $remote_addr;\n");
        out.push_str("    proxy_set_header X-Forwarded-Proto $scheme;\n");
        out.push_str("    proxy_next_upstream off;\n    proxy_read_timeout 8s;\n");
        out.push_str(&format!(
            "    add_header Deprecation \"@{since}\" always;\n"
        ));
        out.push_str(&format!("    add_header Link {link} always;\n"));
        out.push_str(&format!("    proxy_pass {pass};\n}}\n"));
    }
    out
}

/// For Caddy: a snippet to import into a site.
pub fn caddy(map: &RouteMap, export: Export<'_>) -> String {
    let Export { upstream, lang, .. } = export;
    let mut out = String::new();
    comment(&mut out, "", &preface("Caddy", upstream), lang);
    comment(
        &mut out,
        "",
        &text!(
            "Import it into a site: import webhooks",
            "在站点中引入：import webhooks"
        ),
        lang,
    );
    out.push_str("(webhooks) {\n");
    for (number, url) in urls(map).into_iter().enumerate() {
        let Some(route) = url.routes.first() else {
            continue;
        };
        let (old, path) = (quoted_for_caddy(url.path), url.path);
        let is_word = |method: &String| method.bytes().all(|b| b.is_ascii_uppercase());
        let unwritable = (old.is_none() || !route.methods.iter().all(is_word)).then(|| {
            text!(
                "{path}: it has characters that cannot be quoted here. It is left out.",
                "{path}：含有此处无法转义的字符，略过。"
            )
        });
        let Some(old) = old.filter(|_| unwritable.is_none() && impossible(&url).is_none()) else {
            let reason = impossible(&url).or(unwritable);
            reason
                .iter()
                .for_each(|text| comment(&mut out, "\t", text, lang));
            continue;
        };
        let encoded = target::encode(&route.target);
        let target = without_variables(&format!("{}{encoded}", upstream.prefix()));
        let methods = route.methods.join(" ");
        let since = export.deprecated_since;
        let name = format!("@webhook{number}");
        // The matcher `path` knows wildcards and does not tell upper from lower case; this one
        // compares.
        out.push_str(&format!(
            "\t{name} vars {{http.request.uri.path}} {old}\n\thandle {name} {{\n"
        ));
        out.push_str(&format!("\t\t@refused not method {methods}\n"));
        out.push_str(&format!(
            "\t\thandle @refused {{\n\t\t\theader Allow \"{}\"\n\t\t\trespond 405\n\t\t}}\n",
            route.methods.join(", ")
        ));
        out.push_str("\t\trequest_body {\n\t\t\tmax_size 25MiB\n\t\t}\n");
        // `rewrite` of some versions encodes what is encoded already.
        out.push_str(&format!("\t\turi path_regexp ^.*$ `{target}`\n"));
        out.push_str(&format!("\t\theader Deprecation @{since}\n"));
        out.push_str(&format!(
            "\t\theader Link `<{encoded}>; rel=\"successor-version\"`\n"
        ));
        out.push_str(&format!(
            "\t\treverse_proxy {} {{\n\t\t\theader_up Host {{upstream_hostport}}\n\t\t}}\n\t}}\n",
            upstream.authority()
        ));
    }
    out.push_str("}\n");
    out
}

/// Since when the old URLs of the map at `file` are deprecated: since it was written.
pub fn deprecated_since(file: &std::path::Path) -> u64 {
    crate::shim::lifecycle::reload::modified(file).unwrap_or_else(http_date::now)
}
