//! For nginx: `location` blocks to include in a `server` block.

use minijinja::{Value, context};

use super::legacy_urls::{self, Export, Url, without_variables};
use crate::routes::{Route, RouteMap};
use crate::shim::http::target;
use crate::text;
use crate::text::Text;
use crate::user_error::UserError;

const TEMPLATE: &str = include_str!("../../../templates/shim/nginx.conf.j2");

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

/// The route map for nginx.
///
/// # Errors
/// When the template is wrong.
pub(crate) fn nginx(map: &RouteMap, export: Export<'_>) -> Result<String, UserError> {
    let mut preface =
        legacy_urls::comment(&legacy_urls::preface("nginx", export.upstream), export.lang);
    preface.extend(legacy_urls::comment(
        &text!(
            "Include it in a server block: include /etc/nginx/webhooks.conf;\n\
             A method that a webhook does not take is answered with 403 here, not 405.\n\
             Headers of the server block (add_header, proxy_set_header) do not hold in these locations.\n\
             Without the next line nginx drops headers whose names have a `_`; take it out if the \
             server block has it already, and put it into the default server of the port as well.",
            "在 server 块中引入：include /etc/nginx/webhooks.conf;\n\
             webhook 不接受的请求方法在这里返回 403，而不是 405。\n\
             server 块中的 add_header、proxy_set_header 在这些 location 中不生效。\n\
             没有下面这一行，nginx 会丢弃名称含 `_` 的请求头；如果 server 块中已经有它，请删去这一行，\
             并确保该端口的默认 server 也有同样的设置。"
        ),
        export.lang,
    ));
    let urls: Vec<Value> = legacy_urls::urls(map)
        .iter()
        .filter_map(|url| Some(value(url, url.routes.first()?, export)))
        .collect();
    let since = export.deprecated_since;
    legacy_urls::render(TEMPLATE, context! { preface, urls, since })
}

fn value(url: &Url<'_>, route: &Route, export: Export<'_>) -> Value {
    if let Some(text) = legacy_urls::impossible(url).or_else(|| impossible(url, route)) {
        return context! { left_out => legacy_urls::comment(&text, export.lang) };
    }
    let target = without_variables(&target::encode(&route.target));
    let scheme = export.upstream.socket().map_or("", |_| "http://");
    let pass = without_variables(&export.upstream.with(&target::encode(&route.target)));
    context! {
        left_out => Vec::<String>::new(),
        path => quoted(url.path),
        methods => route.methods.join(" "),
        link => quoted(&format!("<{target}>; rel=\"successor-version\"")),
        pass => quoted(&format!("{scheme}{pass}")),
    }
}

/// Why nginx alone cannot serve a URL.
fn impossible(url: &Url<'_>, route: &Route) -> Option<Text> {
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

/// A text in quotes of nginx: between them only these two characters mean something.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
