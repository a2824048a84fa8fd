//! The route map as the configuration of servers that people run already.
//!
//! What always holds: what such a server cannot do is said in a comment where it would stand, so
//! that nobody believes it to be done; every text of the map is quoted.

use std::collections::HashMap;

use super::config::Upstream;
use super::path;
use super::pattern::Pattern;
use crate::lang::{Lang, Text};
use crate::routes::{Route, RouteMap};
use crate::text;

/// An old path, its shape, and the routes behind it.
struct Url<'m> {
    path: &'m str,
    pattern: Option<Pattern>,
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
                    pattern,
                    routes: Vec::new(),
                });
            }
            urls[at].routes.push(route);
        }
    }
    urls
}

fn comment(out: &mut String, indent: &str, text: &Text, lang: Lang) {
    for line in text.get(lang).lines() {
        let line: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
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
    if url.pattern.is_some() || url.routes.iter().any(|route| route.target.contains('{')) {
        return Some(text!(
            "{path}: it has a parameter; only `rehook shim` passes it on as it came. It is left out.",
            "{path}：含有路径参数，只有 `rehook shim` 能原样传递，此处略过。"
        ));
    }
    let plain = |text: &str| {
        !text.is_empty()
            && !text
                .chars()
                .any(|c| c.is_control() || c == '"' || c == '\\' || c == '$')
    };
    if !url.routes.iter().all(|route| plain(&route.target)) || !plain(path) {
        return Some(text!(
            "{path}: it has characters that cannot be quoted here. It is left out.",
            "{path}：含有此处无法转义的字符，略过。"
        ));
    }
    None
}

fn preface(server: &str, upstream: &Upstream) -> Text {
    text!(
        "Old webhook URLs for {server}, made by `rehook routes`; the agent is {upstream}.\n\
         Not done here, but by `rehook shim`: doors, counts of who still calls, waiting for an agent \
         that restarts, several plugins behind one URL.",
        "{server} 使用的旧 Webhook URL，由 `rehook routes` 生成；Agent 位于 {upstream}。\n\
         以下功能只有 `rehook shim` 提供：校验（签名、令牌、地址）、调用统计、等待重启中的 Agent、\
         一个 URL 对应多个插件。"
    )
}

/// For nginx: `location` blocks to include in a `server` block.
pub fn nginx(map: &RouteMap, upstream: &Upstream, lang: Lang) -> String {
    let mut out = String::new();
    comment(&mut out, "", &preface("nginx", upstream), lang);
    comment(
        &mut out,
        "",
        &text!(
            "Include it in a server block: include /etc/nginx/webhooks.conf;\n\
             A method that a webhook does not take is answered with 403 here, not 405.",
            "在 server 块中引入：include /etc/nginx/webhooks.conf;\n\
             Webhook 不接受的请求方法在这里返回 403，而不是 405。"
        ),
        lang,
    );
    for url in urls(map) {
        out.push('\n');
        if let Some(text) = impossible(&url) {
            comment(&mut out, "", &text, lang);
            continue;
        }
        let Some(route) = url.routes.first() else {
            continue;
        };
        let target = path::encode(&route.target);
        let methods = route.methods.join(" ");
        let link = target.clone();
        out.push_str(&format!("location = \"{}\" {{\n", url.path));
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
            "    add_header Link '<{link}>; rel=\"successor-version\"' always;\n"
        ));
        out.push_str(&format!(
            "    proxy_pass {upstream}{target}$is_args$args;\n}}\n"
        ));
    }
    out
}

/// For Caddy: a snippet to import into a site.
pub fn caddy(map: &RouteMap, upstream: &Upstream, lang: Lang) -> String {
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
        if let Some(text) = impossible(&url) {
            comment(&mut out, "\t", &text, lang);
            continue;
        }
        let Some(route) = url.routes.first() else {
            continue;
        };
        let target = format!("{}{}", upstream.prefix(), path::encode(&route.target));
        let methods = route.methods.join(" ");
        let name = format!("@webhook{number}");
        // `*` would be a wildcard in a matcher of Caddy's.
        let old = url.path.replace('*', "\\*");
        out.push_str(&format!("\t{name} path \"{old}\"\n\thandle {name} {{\n"));
        out.push_str(&format!("\t\t@refused not method {methods}\n"));
        out.push_str(&format!(
            "\t\thandle @refused {{\n\t\t\theader Allow \"{}\"\n\t\t\trespond 405\n\t\t}}\n",
            route.methods.join(", ")
        ));
        out.push_str("\t\trequest_body {\n\t\t\tmax_size 25MiB\n\t\t}\n");
        out.push_str(&format!("\t\trewrite * \"{target}\"\n"));
        out.push_str(&format!(
            "\t\theader Link `<{}>; rel=\"successor-version\"`\n",
            path::encode(&route.target)
        ));
        out.push_str(&format!(
            "\t\treverse_proxy {} {{\n\t\t\theader_up Host {{upstream_hostport}}\n\t\t}}\n\t}}\n",
            upstream.authority()
        ));
    }
    out.push_str("}\n");
    out
}
