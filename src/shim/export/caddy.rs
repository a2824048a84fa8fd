//! For Caddy: a snippet to import into a site.

use minijinja::{Value, context};

use super::legacy_urls::{self, Export, Url, without_variables};
use crate::routes::{Route, RouteMap};
use crate::shim::http::target;
use crate::text;
use crate::user_error::UserError;

const TEMPLATE: &str = include_str!("../../../templates/shim/caddy.j2");

/// The route map for Caddy.
///
/// # Errors
/// When the template is wrong.
pub(crate) fn caddy(map: &RouteMap, export: Export<'_>) -> Result<String, UserError> {
    let mut preface =
        legacy_urls::comment(&legacy_urls::preface("Caddy", export.upstream), export.lang);
    preface.extend(legacy_urls::comment(
        &text!(
            "Import it into a site: import webhooks",
            "在站点中引入：import webhooks"
        ),
        export.lang,
    ));
    let urls: Vec<Value> = legacy_urls::urls(map)
        .iter()
        .enumerate()
        .filter_map(|(number, url)| Some(value(url, number, url.routes.first()?, export)))
        .collect();
    let since = export.deprecated_since;
    let (agent, host) = match export.upstream.socket() {
        Some(path) => (
            format!("unix/{}", path.display()),
            export.upstream.authority(),
        ),
        None => (
            export.upstream.authority().to_owned(),
            "{upstream_hostport}",
        ),
    };
    legacy_urls::render(TEMPLATE, context! { preface, urls, since, agent, host })
}

fn value(url: &Url<'_>, number: usize, route: &Route, export: Export<'_>) -> Value {
    let is_word = |method: &String| method.bytes().all(|b| b.is_ascii_uppercase());
    let quoted = quoted(url.path).filter(|_| route.methods.iter().all(is_word));
    let impossible = legacy_urls::impossible(url);
    let (None, Some(path)) = (&impossible, quoted) else {
        let path = url.path;
        let reason = impossible.unwrap_or_else(|| {
            text!(
                "{path}: it has characters that cannot be quoted here. It is left out.",
                "{path}：含有此处无法转义的字符，略过。"
            )
        });
        return context! { left_out => legacy_urls::comment(&reason, export.lang) };
    };
    let successor = target::encode(&route.target);
    context! {
        left_out => Vec::<String>::new(),
        name => format!("@webhook{number}"),
        path,
        methods => &route.methods,
        target => without_variables(&format!("{}{successor}", export.upstream.prefix())),
        successor,
    }
}

/// A text in quotes of Caddy's; none when it has none for it: between backquotes nothing means
/// anything, and between double quotes a backslash before a quote cannot be written.
pub(super) fn quoted(text: &str) -> Option<String> {
    if !text.contains('`') {
        Some(format!("`{text}`"))
    } else if !text.contains('\\') {
        Some(format!("\"{}\"", text.replace('"', "\\\"")))
    } else {
        None
    }
}
