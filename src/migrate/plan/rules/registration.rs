//! Rule: the decorator becomes a route decorator in its place.
//!
//! Request dialect: `@router.api_route(path, methods=[...], include_in_schema=False, summary=name,
//! description=...)`, with every method that the document promises. Context dialect: `@webhook_route(path, summary=name,
//! description=...)`, the function that stands beside the plugin. The arguments keep their texts;
//! the path is `/` and the endpoint without its own leading `/`. A return annotation, which FastAPI
//! would make a response model of, gets `response_model=None`.
//!
//! A handler of the context dialect that takes the request itself: `@router.post(...)`.
//!
//! A call with comments in it is changed in place, piece by piece, so that each comment stays with
//! its argument; any other is laid out anew, as `ruff format` would.

use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::find::{Argument, CallableKind, Form, LeadingSlash, Returns, Role, Webhook};
use crate::migrate::plan::call_format;
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::names::Loaded;
use crate::migrate::python::tokens::{TokenKind, Tokens};
use crate::routes::REQUEST_METHODS;

/// What a webhook becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Routing {
    /// A route of all methods: the request dialect.
    AllMethods,
    /// A route of all methods that looks at what the handler returned.
    AtRunTime,
    /// A route of POST whose handler takes the request, where it took a context.
    Post,
    /// A route of POST that makes the context.
    WithContext,
}

/// Rewrites the registration of `webhook` to `callee`: `router.api_route`, `router.post`,
/// `webhook_route` or `reply_route`.
pub(crate) fn rewrite(
    draft: &mut Draft,
    webhook: &Webhook,
    routing: Routing,
    callee: &str,
) -> Result<(), EditError> {
    let path = path_expression(draft, webhook);
    // FastAPI before 0.115 does not await what an object's `__call__` gives.
    if routing == Routing::AllMethods && webhook.callable.kind == CallableKind::Instance {
        draft.insert(webhook.callable.expression.end(), ".__call__")?;
    }
    let mut extra = Vec::new();
    if routing == Routing::AllMethods {
        let quote = draft.quote();
        let methods: Vec<String> = REQUEST_METHODS
            .iter()
            .map(|method| format!("{quote}{method}{quote}"))
            .collect();
        extra.push(format!("methods=[{}]", methods.join(", ")));
        // One route of several methods has one operation id: FastAPI warns once per method when
        // it makes the OpenAPI document, in which no old URL stood either.
        extra.push("include_in_schema=False".to_owned());
    }
    let is_direct = matches!(routing, Routing::AllMethods | Routing::Post);
    if is_direct && webhook.handler.returns == Returns::Model {
        extra.push("response_model=None".to_owned());
    }
    let arguments_range = ByteRange::new(webhook.call.open.start(), webhook.call.close.end());
    let has_comment = draft.loaded.module.tokens().has_comment(arguments_range);
    if webhook.form == Form::Call {
        // It may be a part of a larger statement.
        draft.touch(webhook.call.call.start());
    }
    if has_comment {
        in_place(draft, webhook, callee, &path, &extra)
    } else {
        anew(draft, webhook, callee, &path, &extra)
    }
}

/// The argument after `path`, by its keyword in the new API.
fn keyword(role: Role) -> &'static str {
    match role {
        Role::Endpoint => "path",
        Role::Name => "summary",
        Role::Description => "description",
    }
}

fn endpoint(webhook: &Webhook) -> Option<(usize, &Argument)> {
    webhook
        .call
        .arguments
        .iter()
        .enumerate()
        .find(|(_, argument)| argument.role == Role::Endpoint)
}

/// Python for the path: the endpoint's own expression with a `/` in front where it has none.
fn path_expression(draft: &Draft, webhook: &Webhook) -> String {
    let Some((_, argument)) = endpoint(webhook) else {
        return String::new();
    };
    let written = draft.slice(argument.value);
    if webhook.endpoint.slash == LeadingSlash::Always {
        return written.to_owned();
    }
    let tokens = draft.loaded.module.tokens().within(argument.value);
    let quote = draft.quote();
    let first_is_text = tokens
        .first()
        .filter(|t| matches!(t.kind, TokenKind::String | TokenKind::FString));
    let second = tokens
        .get(1)
        .map(|token| (token.kind, draft.slice(token.range)));
    let is_formatted = matches!(
        tokens.get(2),
        Some(method) if draft.slice(method.range) == "format"
    );
    let starts_whole = match second {
        None | Some((TokenKind::String | TokenKind::FString, _)) => true,
        Some((TokenKind::Operator, operator)) => {
            matches!(operator, "+" | "%") || operator == "." && is_formatted
        }
        _ => false,
    };
    if webhook.endpoint.slash == LeadingSlash::Sometimes {
        let is_name = tokens.len() == 1 && tokens[0].kind == TokenKind::Name;
        let value = if is_name {
            written.to_owned()
        } else {
            format!("({written})")
        };
        return format!("{quote}/{quote} + {value}.removeprefix({quote}/{quote})");
    }
    if let Some(token) = first_is_text
        && starts_whole
    {
        let text = draft.slice(token.range);
        let quotes = text.trim_start_matches(|c: char| c.is_alphabetic());
        let width = if quotes.starts_with("\"\"\"") || quotes.starts_with("'''") {
            3
        } else {
            1
        };
        let at = text.len() - quotes.len() + width;
        return format!("{}/{}", &written[..at], &written[at..]);
    }
    let is_simple = tokens.iter().all(|token| {
        matches!(
            token.kind,
            TokenKind::Name | TokenKind::Number | TokenKind::String | TokenKind::FString
        ) || matches!(draft.slice(token.range), "." | "+" | "[" | "]")
    });
    if is_simple
        && !tokens
            .iter()
            .any(|token| matches!(draft.slice(token.range), "if" | "or" | "and" | "not"))
    {
        format!("{quote}/{quote} + {written}")
    } else {
        format!("{quote}/{quote} + ({written})")
    }
}

fn anew(
    draft: &mut Draft,
    webhook: &Webhook,
    callee: &str,
    path: &str,
    extra: &[String],
) -> Result<(), EditError> {
    let mut arguments = Vec::new();
    let path_by_keyword =
        endpoint(webhook).is_some_and(|(index, argument)| index > 0 && argument.keyword.is_some());
    for (index, argument) in webhook.call.arguments.iter().enumerate() {
        let value = draft.slice(argument.value).to_owned();
        match argument.role {
            Role::Endpoint if path_by_keyword => arguments.push(format!("path={path}")),
            Role::Endpoint => arguments.push(path.to_owned()),
            role => arguments.push(format!("{}={value}", keyword(role))),
        }
        if index == 0 {
            arguments.extend(extra.iter().cloned());
        }
    }
    let applied = applied_to(draft, webhook);
    let end = applied.map_or(webhook.call.close.end(), ByteRange::end);
    let range = ByteRange::new(webhook.call.callee.start(), end);
    let line = draft.source().line_at(range.start());
    let indent = draft.source().indentation_at(range.start()).to_owned();
    let before = draft
        .slice(ByteRange::new(line.start(), range.start()))
        .trim_start_matches('\u{feff}');
    let lead = before.get(indent.len()..).unwrap_or_default().to_owned();
    let end_line = draft.source().line_at(range.end());
    let after = draft
        .slice(ByteRange::new(range.end(), end_line.end()))
        .trim_end()
        .to_owned();
    let was_exploded = webhook.call.trailing_comma;
    let head = format!("{lead}{callee}");
    let Some(applied) = applied else {
        let place = draft.place(range.start(), &after);
        let text = call_format::call(place, &head, &arguments, was_exploded);
        let flat = format!("{callee}({})", arguments.join(", "));
        return draft.replace(range, behind(&lead, &text, flat));
    };
    let function = call_format::joined(&draft.take_text(applied));
    let place = draft.place(range.start(), &after);
    let joined = arguments.join(", ");
    let text = if joined.contains(['\n', '\r']) {
        call_format::call(place, &head, &arguments, was_exploded) + &function
    } else {
        let comma = if was_exploded { "," } else { "" };
        call_format::code(place, &format!("{head}({joined}{comma}){function}"))
    };
    let flat = format!("{callee}({joined}){function}");
    draft.replace(range, behind(&lead, &text, flat))
}

/// What stands behind `lead` in a text that is laid out with it; `flat` where it is not laid out by itself:
/// brackets are open in front of it, or those in front were broken into lines.
fn behind(lead: &str, text: &str, flat: String) -> String {
    let tokens = Tokens::new(lead, 0);
    let of_kind = |kind| tokens.all().iter().filter(|t| t.kind == kind).count();
    let is_closed = of_kind(TokenKind::Open) == of_kind(TokenKind::Close);
    match text.strip_prefix(lead) {
        Some(rest) if is_closed => rest.to_owned(),
        _ => flat,
    }
}

/// The brackets behind a registration with the function in them, where their lines are the
/// formatter's business.
fn applied_to(draft: &Draft, webhook: &Webhook) -> Option<ByteRange> {
    if webhook.form != Form::Call {
        return None;
    }
    let tokens = draft.loaded.module.tokens();
    let open = tokens.next(webhook.call.close.end())?;
    let is_tight = open.range.start() == webhook.call.close.end() && draft.slice(open.range) == "(";
    let rest = ByteRange::new(open.range.start(), draft.source().text().len());
    let mut inside = tokens.within(rest).iter().skip(1);
    let close = inside.find(|token| token.kind == TokenKind::Close && token.depth == open.depth)?;
    let range = ByteRange::new(open.range.start(), close.range.end());
    let keeps_lines = tokens.within(range).iter().any(|token| {
        token.kind == TokenKind::Comment || draft.slice(token.range).contains(['\n', '\r'])
    });
    let before_close = tokens.previous(close.range.start())?;
    let is_plain = before_close.kind != TokenKind::Comma && before_close.kind != TokenKind::Open;
    (is_tight && !keeps_lines && is_plain).then_some(range)
}

fn in_place(
    draft: &mut Draft,
    webhook: &Webhook,
    callee: &str,
    path: &str,
    extra: &[String],
) -> Result<(), EditError> {
    draft.replace(webhook.call.callee, callee)?;
    for (index, argument) in webhook.call.arguments.iter().enumerate() {
        let role = keyword(argument.role);
        let replacement = match (argument.role, argument.keyword) {
            (Role::Endpoint, Some(_)) if index > 0 => format!("path={path}"),
            (Role::Endpoint, _) => path.to_owned(),
            _ => String::new(),
        };
        if argument.role == Role::Endpoint {
            draft.replace(argument.range(), replacement)?;
        } else if let Some(keyword_range) = argument.keyword {
            draft.replace(keyword_range, format!("{role}="))?;
        } else {
            draft.insert(argument.value.start(), format!("{role}="))?;
        }
    }
    if extra.is_empty() {
        return Ok(());
    }
    let close = webhook.call.close;
    let close_line = draft.source().line_at(close.start());
    let alone = draft
        .slice(ByteRange::new(close_line.start(), close.start()))
        .trim()
        .is_empty();
    let last = webhook
        .call
        .arguments
        .last()
        .map_or(webhook.call.open.end(), |argument| argument.value.end());
    if alone {
        if !webhook.call.trailing_comma {
            draft.insert(last, ",")?;
        }
        let indent = draft.source().indentation_at(last).to_owned();
        let line_end = draft.source().line_end_at(last);
        let place = call_format::Place {
            suffix: 1,
            ..draft.place(last, "")
        };
        let lines: String = extra
            .iter()
            .map(|argument| format!("{indent}{},{line_end}", call_format::code(place, argument)))
            .collect();
        draft.insert(close_line.start(), lines)
    } else {
        let comma = if webhook.call.trailing_comma {
            " "
        } else {
            ", "
        };
        draft.insert(close.start(), format!("{comma}{}", extra.join(", ")))
    }
}

/// The lines of a decorator that can be taken away whole: nothing else stands on them, no comment
/// either.
pub(crate) fn removable_lines(loaded: &Loaded, webhook: &Webhook) -> Option<ByteRange> {
    let Form::Decorator(range) = webhook.form else {
        return None;
    };
    let source = loaded.module.source();
    let first = source.line_at(range.start());
    let last = source.line_at(range.end());
    let lines = ByteRange::new(first.start(), last.end());
    let before = source.slice(ByteRange::new(first.start(), range.start()));
    let after = source.slice(ByteRange::new(range.end(), last.end()));
    let is_alone = before.trim().is_empty() && after.trim().is_empty();
    (is_alone && !loaded.module.tokens().has_comment(lines)).then_some(lines)
}

/// Takes the decorator of a registration away that another one replaces.
pub(crate) fn remove(draft: &mut Draft, webhook: &Webhook) -> Result<(), EditError> {
    match removable_lines(&draft.loaded, webhook) {
        Some(lines) => draft.replace(lines, ""),
        None => Ok(()),
    }
}
