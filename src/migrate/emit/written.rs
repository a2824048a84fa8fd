//! Whether a function is one that the templates give, so that a later run can use it.
//!
//! A function counts as written here only when its tokens are those of the template: comments, blank
//! lines, line breaks in brackets, quotes, commas before a closing bracket, and the names that were
//! chosen may differ. Any other change may be one of what it does, and it is then somebody else's.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::render::{ReplyRouteNames, WebhookRouteNames, reply_route, webhook_route};
use crate::migrate::edit::ByteRange;
use crate::migrate::python::names::{BindingKind, Loaded};
use crate::migrate::python::tokens::{Token, TokenKind, Tokens};

/// A function that a template gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Helper {
    /// The decorator for handlers of the context dialect.
    WebhookRoute,
    /// The function that makes the replies.
    MakeReply,
    /// The decorator for replies that are only known at run time.
    ReplyRoute,
}

/// What a name in a template begins with that is chosen where it is written.
const SLOT: &str = "slot_";

/// The names that may differ, and what each has to be imported as; none for those of the module.
const SLOTS: &[(&str, Option<&str>)] = &[
    ("slot_webhook_route", None),
    ("slot_reply_route", None),
    ("slot_make_reply", None),
    ("slot_handler_type", None),
    ("slot_router", None),
    ("slot_any", Some("Any")),
    ("slot_callable", Some("Callable")),
    ("slot_awaitable", Some("Awaitable")),
    ("slot_mapping", Some("Mapping")),
    ("slot_copy", Some("copy")),
    ("slot_depends", Some("Depends")),
    ("slot_get_type_hints", Some("get_type_hints")),
    ("slot_inspect", Some("inspect")),
    ("slot_json_response", Some("JSONResponse")),
    ("slot_jsonable_encoder", Some("jsonable_encoder")),
    ("slot_partial", Some("partial")),
    ("slot_response", Some("Response")),
    ("slot_run_in_threadpool", Some("run_in_threadpool")),
    ("slot_simple_namespace", Some("SimpleNamespace")),
    ("slot_suppress", Some("suppress")),
    ("slot_request", Some("Request")),
    ("slot_json", Some("json")),
    ("slot_agent_ctx", Some("AgentCtx")),
    ("slot_webhook_request", Some("WebhookRequest")),
];

/// The packages that the templates import from.
const PACKAGES: &[&str] = &[
    "collections",
    "contextlib",
    "copy",
    "fastapi",
    "functools",
    "inspect",
    "json",
    "nekro_agent",
    "starlette",
    "types",
    "typing",
];

/// The parameter that the decorators take the path by; it is their first one.
pub(crate) const PATH: &str = "path";

/// The names that a function was written with, by their slots.
type Names = BTreeMap<String, String>;

/// Whether the function at `range` is as a template gives it: it adds the routes of the calls of it and
/// no others.
pub(crate) fn is_as_written(loaded: &Loaded, range: ByteRange) -> bool {
    let helpers = [Helper::WebhookRoute, Helper::MakeReply, Helper::ReplyRoute];
    helpers
        .into_iter()
        .any(|helper| names_at(helper, loaded, range).is_some())
}

/// Whether the text of a function may be that of a decorator which a template gave, and which may have
/// been edited since.
pub(crate) fn is_like_a_helper(text: &str) -> bool {
    let is_context = text.contains(".create_by_webhook(") && text.contains("return decorator");
    let is_replies = text.contains("given_response")
        && text.contains(".add_api_route(")
        && text.contains("decorator");
    is_context || is_replies
}

/// The decorator of this module that registers on `router` and is what `helper`'s template gives,
/// with all that it refers to.
pub(crate) fn known_helper(helper: Helper, loaded: &Loaded, router: &str) -> Option<String> {
    let mut names = loaded.scope.names();
    names
        .find(|name| is_helper(helper, loaded, name, Some(router)))
        .map(str::to_owned)
}

fn is_helper(helper: Helper, loaded: &Loaded, name: &str, router: Option<&str>) -> bool {
    let [binding] = loaded.scope.bindings(name) else {
        return false;
    };
    if !matches!(binding.kind, BindingKind::Function) {
        return false;
    }
    let Some(names) = names_at(helper, loaded, binding.range) else {
        return false;
    };
    let is = |slot: &str, wanted: &str| names.get(slot).is_some_and(|name| name == wanted);
    router.is_none_or(|router| is("slot_router", router))
        && SLOTS.iter().all(|(slot, imported)| {
            let (Some(name), Some(imported)) = (names.get(*slot), imported) else {
                return true;
            };
            is_import(loaded, name, imported)
        })
        && match (helper, names.get("slot_make_reply")) {
            (Helper::ReplyRoute, Some(make_reply)) => {
                is_helper(Helper::MakeReply, loaded, make_reply, None)
            }
            (Helper::ReplyRoute, None) => false,
            (Helper::WebhookRoute | Helper::MakeReply, _) => true,
        }
}

/// Whether a name, perhaps a dotted one, stands for what the template imports as `imported`.
fn is_import(loaded: &Loaded, name: &str, imported: &str) -> bool {
    let (root, rest) = name
        .split_once('.')
        .map_or((name, None), |(a, b)| (a, Some(b)));
    let bindings = loaded.scope.bindings(root);
    let is_ours = |dotted: &str| {
        let package = dotted.split('.').next().unwrap_or_default();
        PACKAGES.contains(&package)
    };
    !bindings.is_empty()
        && bindings.iter().all(|binding| match (&binding.kind, rest) {
            (BindingKind::From(module, original), None) => {
                module.level == 0 && is_ours(&module.dotted) && original == imported
            }
            (BindingKind::Module(module), None) => module.dotted == imported,
            (BindingKind::Module(module), Some(rest)) => {
                is_ours(&module.dotted) && rest.rsplit('.').next() == Some(imported)
            }
            _ => false,
        })
}

/// The names that the function at `range` was written with, when the template of `helper` gives it.
fn names_at(helper: Helper, loaded: &Loaded, range: ByteRange) -> Option<Names> {
    let tokens = loaded.module.tokens();
    let text = loaded.module.source().text();
    // Nearly every function is another one, which shows without looking at its tokens.
    let telling = match helper {
        Helper::WebhookRoute => ".create_by_webhook(",
        Helper::MakeReply => ".raw_headers",
        Helper::ReplyRoute => ".add_api_route(",
    };
    if !text[range.as_range()].contains(telling) || is_decorated(tokens, text, range) {
        return None;
    }
    let mut names = Names::new();
    let template = templates().get(helper as usize)?;
    is_match(template, &items(tokens.within(range), text), &mut names).then_some(names)
}

/// Whether the logical line before a definition is that of a decorator.
fn is_decorated(tokens: &Tokens, text: &str, range: ByteRange) -> bool {
    let before = tokens.within(ByteRange::new(0, range.start()));
    let mut line = None;
    for token in before.iter().rev() {
        match token.kind {
            TokenKind::Newline if line.is_some() => break,
            TokenKind::Newline | TokenKind::Comment => {}
            _ => line = Some(token),
        }
    }
    line.is_some_and(|first| &text[first.range.as_range()] == "@")
}

/// A piece of a function, without what may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A logical line begins, with this many blocks around it.
    Line(usize),
    /// A name, a number, an operator.
    Word(String),
    /// What strings beside each other say.
    Text(String),
}

/// The functions of the templates, in the order of [`Helper`].
fn templates() -> &'static [Vec<Item>] {
    static TEMPLATES: OnceLock<Vec<Vec<Item>>> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let context = webhook_route(WebhookRouteNames {
            webhook_route: "slot_webhook_route",
            handler_type: "slot_handler_type",
            router: "slot_router",
            callable: "slot_callable",
            awaitable: "slot_awaitable",
            request: "slot_request",
            json: "slot_json",
            agent_ctx: "slot_agent_ctx",
            webhook_request: "slot_webhook_request",
            is_unicode: true,
            parts_message: false,
            docstring: "slot_docstring",
        });
        let replies = reply_route(ReplyRouteNames {
            reply_route: "slot_reply_route",
            make_reply: "slot_make_reply",
            handler_type: "slot_handler_type",
            router: "slot_router",
            any: "slot_any",
            callable: "slot_callable",
            mapping: "slot_mapping",
            copy: "slot_copy",
            depends: "slot_depends",
            get_type_hints: "slot_get_type_hints",
            inspect: "slot_inspect",
            json_response: "slot_json_response",
            jsonable_encoder: "slot_jsonable_encoder",
            partial: "slot_partial",
            response: "slot_response",
            run_in_threadpool: "slot_run_in_threadpool",
            simple_namespace: "slot_simple_namespace",
            suppress: "slot_suppress",
        });
        // A template that cannot be rendered gives nothing that could be recognised.
        let [context, replies] = [context, replies].map(Result::unwrap_or_default);
        let functions = [&context, &replies].map(|text| text.split("\n\n\n").skip(1));
        let [context, replies] = functions;
        let functions = context.chain(replies);
        functions
            .map(|text| items(Tokens::new(text, 0).all(), text))
            .collect()
    })
}

/// `tokens` are those of a function in `text`.
fn items(tokens: &[Token], text: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut blocks: Vec<usize> = Vec::new();
    // Of each open bracket, whether a comma before its end says nothing.
    let mut brackets: Vec<bool> = Vec::new();
    let mut starts_line = true;
    let code: Vec<&Token> = tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    for (index, token) in code.iter().enumerate() {
        if token.kind == TokenKind::Newline {
            starts_line = true;
            continue;
        }
        if starts_line {
            starts_line = false;
            let start = text[..token.range.start()]
                .rfind(['\n', '\r'])
                .map_or(0, |at| at + 1);
            let column = text[start..token.range.start()].chars().count();
            while blocks.last().is_some_and(|&outer| outer > column) {
                blocks.pop();
            }
            if blocks.last() != Some(&column) {
                blocks.push(column);
            }
            items.push(Item::Line(blocks.len()));
        }
        let written = &text[token.range.as_range()];
        match token.kind {
            TokenKind::Open => {
                let is_call = matches!(items.last(), Some(Item::Word(before))
                    if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']')));
                brackets.push(written != "(" || is_call);
            }
            TokenKind::Close => {
                brackets.pop();
            }
            TokenKind::Comma => {
                let next = code.get(index + 1);
                let is_last = next.is_some_and(|next| next.kind == TokenKind::Close);
                if is_last && brackets.last() == Some(&true) {
                    continue;
                }
            }
            TokenKind::String => {
                let text = string(written);
                match items.last_mut() {
                    Some(Item::Text(before)) => before.push_str(&text),
                    _ => items.push(Item::Text(text)),
                }
                continue;
            }
            TokenKind::Name
            | TokenKind::Number
            | TokenKind::FString
            | TokenKind::Operator
            | TokenKind::Newline
            | TokenKind::Comment => {}
        }
        items.push(Item::Word(written.to_owned()));
    }
    items
}

/// What a string says: its prefix, and its text with `\uXXXX` read. Other escapes stay, so that a
/// string with one is another than without.
fn string(written: &str) -> String {
    let quotes = written.find(['"', '\'']).unwrap_or_default();
    let (prefix, quoted) = written.split_at(quotes);
    let inside = ["\"\"\"", "'''", "\"", "'"]
        .iter()
        .find_map(|quote| quoted.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(quoted);
    let mut text = prefix.to_owned();
    let mut rest = inside;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let read = after.strip_prefix('u').and_then(|digits| {
            let digits = digits.get(..4).filter(|_| prefix.is_empty())?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        });
        rest = match read {
            Some(character) => {
                text.push(character);
                &after[5..]
            }
            None => {
                text.push('\\');
                // An escaped backslash begins no escape.
                let escaped = after.strip_prefix('\\');
                text.push_str(if escaped.is_some() { "\\" } else { "" });
                escaped.unwrap_or(after)
            }
        };
    }
    text + rest
}

/// Whether `items` are those of `template`; the names in its slots go to `names`.
fn is_match(template: &[Item], items: &[Item], names: &mut Names) -> bool {
    let (Some(first), Some(item)) = (template.first(), items.first()) else {
        return template.is_empty() && items.is_empty();
    };
    let slot = match first {
        Item::Word(word) if word.starts_with(SLOT) => word,
        Item::Text(text) if text.starts_with(SLOT) => {
            return matches!(item, Item::Text(_)) && is_match(&template[1..], &items[1..], names);
        }
        _ => return first == item && is_match(&template[1..], &items[1..], names),
    };
    let mut name = String::new();
    let mut taken = 0;
    // A name may be a dotted one; how long it is shows in what follows.
    while let Some(Item::Word(word)) = items.get(taken) {
        if !word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return false;
        }
        name += word;
        taken += 1;
        let is_known = names.get(slot).is_none_or(|known| *known == name);
        let mut with_it = names.clone();
        with_it.insert(slot.clone(), name.clone());
        if is_known && is_match(&template[1..], &items[taken..], &mut with_it) {
            *names = with_it;
            return true;
        }
        if items.get(taken) != Some(&Item::Word(".".to_owned())) {
            return false;
        }
        name.push('.');
        taken += 1;
    }
    false
}

#[cfg(test)]
mod tests;
