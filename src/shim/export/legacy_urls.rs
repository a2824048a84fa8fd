//! What is written for every server alike: which URLs, why one is left out, and the text around.

use std::collections::HashMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::routes::{Route, RouteMap};
use crate::shim::http::upstream_url::UpstreamUrl;
use crate::shim::route::pattern::Pattern;
use crate::term;
use crate::text;
use crate::text::{Lang, Text};
use crate::user_error::UserError;

/// What is written for all URLs alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Export<'u> {
    /// The agent.
    pub(crate) upstream: &'u UpstreamUrl,
    /// Since when the old URLs are deprecated, in seconds since 1970.
    pub(crate) deprecated_since: u64,
    /// The language of the comments.
    pub(crate) lang: Lang,
}

/// An old path, and the routes behind it.
pub(super) struct Url<'m> {
    pub(super) path: &'m str,
    pub(super) routes: Vec<&'m Route>,
}

pub(super) fn urls(map: &RouteMap) -> Vec<Url<'_>> {
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

/// The lines of a text, each of which can stand in a comment.
pub(super) fn comment(text: &Text, lang: Lang) -> Vec<String> {
    let plain = |c: char| if term::is_harmful(c) { ' ' } else { c };
    let lines = text.get(lang).lines();
    lines
        .map(|line| line.chars().map(plain).collect())
        .collect()
}

/// Why a URL cannot be written as one rule; none when it can.
pub(super) fn impossible(url: &Url<'_>) -> Option<Text> {
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

/// What is said at the top.
pub(super) fn preface(server: &str, upstream: &UpstreamUrl) -> Text {
    text!(
        "Old webhook URLs for {server}, made by `rehook routes`; the agent is {upstream}.\n\
         Not done here, but by `rehook shim`: auth rules, counts of who still calls, waiting for an agent \
         that restarts, several plugins behind one URL, the header Sunset (add it beside \
         Deprecation if you have a date).",
        "{server} 使用的旧 webhook URL，由 `rehook routes` 生成；Agent 位于 {upstream}。\n\
         以下功能只有 `rehook shim` 提供：鉴权规则（签名、令牌、地址）、调用统计、等待重启中的 Agent、\
         一个 URL 对应多个插件，以及 Sunset 响应头（若已定下日期，请自行加在 Deprecation 旁边）。"
    )
}

/// A path in percent-encoding without the characters that stand for variables there.
pub(super) fn without_variables(path: &str) -> String {
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

/// Fills a template whose values are quoted already.
///
/// # Errors
/// When the template asks for something that is not there, which a test would have found.
pub(super) fn render(template: &str, values: Value) -> Result<String, UserError> {
    let fill = || {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Blocks have lines of their own in the templates, and none in what is written.
        let mut syntax = SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true);
        syntax.keep_trailing_newline(true);
        environment.set_syntax(syntax.build()?);
        environment.render_str(template, values)
    };
    fill().map_err(|error| UserError::bug(&Text::verbatim(error.to_string())))
}
