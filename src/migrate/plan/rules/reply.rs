//! Rule: `return body, status` becomes a response with that status.
//!
//! `return body, 201` → `return JSONResponse(jsonable_encoder(body), status_code=201)`; the encoder
//! is FastAPI's own, so dates and models become the same JSON as before; it is left out where the
//! body is plain JSON to be seen from the source. A 204 or 304 has no body: `Response(status_code=
//! 204)`. A third element are headers.
//!
//! The tuple's brackets become those of the call, so that its lines and comments stay. A body of
//! several lines without such brackets gets a name first: its lines then stay as they are.

use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::find::{Body, Conditional, Reply, ReplyShape};
use crate::migrate::plan::call_format;
use crate::migrate::plan::draft::Draft;
use crate::migrate::python::style::{comment_width, indentation_width, width};
use crate::migrate::python::tokens::TokenKind;

/// The names that the replies of a module are written with.
struct Names {
    response: String,
    encoder: Option<String>,
}

/// Rewrites the replies of one handler.
///
/// # Errors
/// When another edit wants the same bytes.
pub(crate) fn rewrite(
    draft: &mut Draft,
    replies: &[Reply],
    conditionals: &[Conditional],
) -> Result<(), EditError> {
    for reply in replies {
        let names = names(draft, reply);
        one(draft, reply, &names)?;
    }
    for conditional in conditionals {
        lay_out_conditional(draft, conditional)?;
    }
    Ok(())
}

/// Breaks a returned conditional expression into lines when it has become too wide for one.
fn lay_out_conditional(draft: &mut Draft, conditional: &Conditional) -> Result<(), EditError> {
    let Conditional {
        statement,
        value,
        pieces,
    } = conditional;
    let line = draft.source().line_at(statement.start());
    let is_one_line = line.contains(*statement);
    let starts_line = draft
        .slice(ByteRange::new(line.start(), statement.start()))
        .trim()
        .is_empty();
    if !is_one_line || !starts_line {
        return Ok(());
    }
    let texts: Vec<String> = pieces.iter().map(|piece| draft.take_text(*piece)).collect();
    let indent = draft.source().indentation_at(statement.start()).to_owned();
    let rest = draft
        .slice(ByteRange::new(value.end(), line.end()))
        .trim_end()
        .to_owned();
    let join = |separators: [&str; 2]| {
        let mut text = String::new();
        for (index, piece) in texts.iter().enumerate() {
            match index {
                0 => {}
                odd if odd % 2 == 1 => text += separators[0],
                _ => text += separators[1],
            }
            text += piece;
        }
        text
    };
    let joined = join([" if ", " else "]);
    let style = &draft.style;
    let columns = indentation_width(&indent, style.indent_width)
        + width("return ")
        + width(&joined)
        + comment_width(&rest, style.trailing_pragmas);
    if columns <= style.line_length {
        return draft.replace(*value, joined);
    }
    let unit = draft.indent_unit().to_owned();
    let line_end = draft.source().line_end_at(statement.start());
    let start = format!("{line_end}{indent}{unit}");
    let broken = join([&format!("{start}if "), &format!("{start}else ")]);
    draft.replace(*value, format!("({start}{broken}{line_end}{indent})"))
}

fn names(draft: &mut Draft, reply: &Reply) -> Names {
    if reply.without_body {
        let also = ["fastapi.responses", "starlette.responses"];
        return Names {
            response: draft.import("fastapi", "Response", &also),
            encoder: None,
        };
    }
    let response = draft.import(
        "fastapi.responses",
        "JSONResponse",
        &["starlette.responses"],
    );
    let encoder = match reply.body {
        Body::Plain => None,
        Body::Any => Some(draft.import("fastapi.encoders", "jsonable_encoder", &[])),
    };
    Names { response, encoder }
}

fn one(draft: &mut Draft, reply: &Reply, names: &Names) -> Result<(), EditError> {
    let [body, status, headers @ ..] = reply.elements.as_slice() else {
        return Ok(());
    };
    let (body, status, headers) = (*body, *status, headers.first().copied());
    let tokens = draft.loaded.module.tokens();
    // A comment inside the body stays where it is as long as the body's lines do.
    let has_comment = tokens.has_comment(ByteRange::new(reply.tuple.start(), body.start()))
        || tokens.has_comment(ByteRange::new(body.end(), reply.tuple.end()));
    let starts_line = {
        let line = draft.source().line_at(reply.statement.start());
        draft
            .slice(ByteRange::new(line.start(), reply.statement.start()))
            .trim()
            .is_empty()
    };
    let body_has_lines = draft.slice(body).contains(['\n', '\r']);
    if reply.without_body {
        if has_comment {
            return without_body_in_place(draft, reply, names, body, status, headers);
        }
        let mut arguments = vec![format!("status_code={}", draft.take_text(status))];
        if let Some(headers) = headers {
            arguments.push(format!("headers={}", draft.take_text(headers)));
        }
        draft.take_text(reply.tuple);
        return laid_out(draft, reply, &names.response, &arguments);
    }
    let whole = reply.shape == ReplyShape::Whole && starts_line && !has_comment;
    if starts_line && !has_comment && !body_has_lines {
        let has_own_brackets = is_bracketed(draft, body);
        let mut content = draft.take_text(body);
        if let Some(encoder) = &names.encoder {
            content = if has_own_brackets {
                format!("{encoder}{content}")
            } else {
                format!("{encoder}({content})")
            };
        }
        let mut arguments = vec![content, format!("status_code={}", draft.take_text(status))];
        if let Some(headers) = headers {
            arguments.push(format!("headers={}", draft.take_text(headers)));
        }
        return laid_out(draft, reply, &names.response, &arguments);
    }
    if whole && reply.brackets.is_none() {
        return named_body(draft, reply, names, body, status, headers);
    }
    in_place(draft, reply, names, body, status, headers)
}

/// Whether brackets are around all of `body` that can be those of a call: not those of a tuple.
fn is_bracketed(draft: &Draft, body: ByteRange) -> bool {
    let tokens = draft.loaded.module.tokens().within(body);
    let [first, inside @ .., last] = tokens else {
        return false;
    };
    draft.slice(first.range) == "("
        && draft.slice(last.range) == ")"
        && !inside.is_empty()
        && inside.iter().all(|token| {
            token.depth > first.depth
                && !(token.kind == TokenKind::Comma && token.depth == first.depth + 1)
        })
}

/// Puts `head(arguments)` where the tuple was.
fn laid_out(
    draft: &mut Draft,
    reply: &Reply,
    head: &str,
    arguments: &[String],
) -> Result<(), EditError> {
    let tuple = reply.tuple;
    let line = draft.source().line_at(tuple.start());
    let indent = draft.source().indentation_at(tuple.start()).to_owned();
    let lead = draft
        .slice(ByteRange::new(line.start(), tuple.start()))
        .trim_start_matches('\u{feff}')
        .get(indent.len()..)
        .unwrap_or_default()
        .to_owned();
    let end_line = draft.source().line_at(tuple.end());
    let rest = draft.slice(ByteRange::new(tuple.end(), end_line.end()));
    // Brackets may touch the keyword before them, a name may not.
    let head = format!("{}{head}", gap(draft, tuple.start()));
    let head = head.as_str();
    if reply.shape == ReplyShape::Conditional || tuple.end() != reply.statement.end() {
        // Formatters break the whole expression, not a call in the middle of it.
        return draft.replace(tuple, format!("{head}({})", arguments.join(", ")));
    }
    let place = draft.place(tuple.start(), rest);
    let text = call_format::call(place, &format!("{lead}{head}"), arguments, false);
    draft.replace(tuple, &text[lead.len()..])
}

/// `return {` over several lines → `body = {`, and the reply on a line after it.
fn named_body(
    draft: &mut Draft,
    reply: &Reply,
    names: &Names,
    body: ByteRange,
    status: ByteRange,
    headers: Option<ByteRange>,
) -> Result<(), EditError> {
    let name = draft.reply_body();
    let content = match &names.encoder {
        Some(encoder) => format!("{encoder}({name})"),
        None => name.clone(),
    };
    let mut arguments = vec![content, format!("status_code={}", draft.take_text(status))];
    if let Some(headers) = headers {
        arguments.push(format!("headers={}", draft.take_text(headers)));
    }
    let indent = draft
        .source()
        .indentation_at(reply.statement.start())
        .to_owned();
    let line_end = draft.source().line_end_at(reply.statement.start());
    let end_line = draft.source().line_at(reply.statement.end());
    let rest = draft.slice(ByteRange::new(reply.statement.end(), end_line.end()));
    let text = call_format::call(
        draft.place(reply.statement.start(), rest),
        &format!("return {}", names.response),
        &arguments,
        false,
    );
    let before = draft.slice(reply.statement);
    let place = draft.place(reply.statement.start(), "");
    let has_comment = draft.loaded.module.tokens().has_comment(reply.statement);
    // The lines of a body that were the formatter's are so again; others stay.
    if !has_comment
        && call_format::code(draft.place(reply.statement.start(), rest), before) == before
    {
        let edited = draft
            .edits
            .clone()
            .extract_range(body, draft.source().text());
        let assignment = call_format::code(place, &format!("{name} = {edited}"));
        draft.take_text(reply.statement);
        return draft.replace(
            reply.statement,
            format!("{assignment}{line_end}{indent}{text}"),
        );
    }
    draft.replace(
        ByteRange::new(reply.statement.start(), body.start()),
        format!("{name} = "),
    )?;
    draft.replace(
        ByteRange::new(body.end(), reply.statement.end()),
        format!("{line_end}{indent}{text}"),
    )
}

/// The tuple's own brackets, or new ones, become those of the call; everything else stays.
fn in_place(
    draft: &mut Draft,
    reply: &Reply,
    names: &Names,
    body: ByteRange,
    status: ByteRange,
    headers: Option<ByteRange>,
) -> Result<(), EditError> {
    open_and_close(draft, reply, &names.response)?;
    if let Some(encoder) = &names.encoder {
        let own_line = {
            let line = draft.source().line_at(body.start());
            draft
                .slice(ByteRange::new(line.start(), body.start()))
                .trim()
                .is_empty()
        };
        if draft.slice(body).contains(['\n', '\r']) && own_line {
            let indent = draft.source().indentation_at(body.start()).to_owned();
            let unit = draft.indent_unit().to_owned();
            let line_end = draft.source().line_end_at(body.start());
            draft.insert(body.start(), format!("{encoder}({line_end}{indent}{unit}"))?;
            shift_lines(draft, body, &unit)?;
            draft.insert(body.end(), format!("{line_end}{indent})"))?;
        } else {
            draft.insert(body.start(), format!("{encoder}("))?;
            draft.insert(body.end(), ")")?;
        }
    }
    draft.insert(status.start(), "status_code=")?;
    if let Some(headers) = headers {
        draft.insert(headers.start(), "headers=")?;
    }
    Ok(())
}

fn open_and_close(draft: &mut Draft, reply: &Reply, head: &str) -> Result<(), EditError> {
    match reply.brackets {
        Some((open, _)) => {
            let gap = gap(draft, open.start());
            draft.replace(open, format!("{gap}{head}("))
        }
        None => {
            let gap = gap(draft, reply.tuple.start());
            draft.insert(reply.tuple.start(), format!("{gap}{head}("))?;
            draft.insert(reply.tuple.end(), ")")
        }
    }
}

/// The space that a name needs at `offset`, where a keyword may end: `return(a, b)`.
fn gap(draft: &Draft, offset: usize) -> &'static str {
    let before = draft.slice(ByteRange::new(0, offset));
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        " "
    } else {
        ""
    }
}

/// The body of a 204 goes; the comments at it stay.
fn without_body_in_place(
    draft: &mut Draft,
    reply: &Reply,
    names: &Names,
    body: ByteRange,
    status: ByteRange,
    headers: Option<ByteRange>,
) -> Result<(), EditError> {
    open_and_close(draft, reply, &names.response)?;
    let comma = draft
        .loaded
        .module
        .tokens()
        .within(ByteRange::new(body.end(), status.start()))
        .iter()
        .find(|token| token.kind == TokenKind::Comma)
        .map_or(body.end(), |token| token.range.end());
    let line = draft.source().line_at(comma);
    let rest = draft.slice(ByteRange::new(comma, line.end()));
    let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    draft.take_text(body);
    draft.replace(ByteRange::new(body.start(), comma + gap), "")?;
    draft.insert(status.start(), "status_code=")?;
    if let Some(headers) = headers {
        draft.insert(headers.start(), "headers=")?;
    }
    Ok(())
}

/// Puts `unit` in front of every line that starts inside `range`, but not inside a string.
fn shift_lines(draft: &mut Draft, range: ByteRange, unit: &str) -> Result<(), EditError> {
    let text = draft.source().text();
    let module = draft.loaded.clone();
    let mut starts = Vec::new();
    let mut at = draft.source().line_at(range.start()).end();
    while at < range.end() {
        let inside_string = module.module.tokens().within(range).iter().any(|token| {
            matches!(token.kind, TokenKind::String | TokenKind::FString)
                && token.range.start() < at
                && at < token.range.end()
        });
        let line = draft.source().line_at(at);
        if !inside_string && !text[line.as_range()].trim().is_empty() {
            starts.push(at);
        }
        at = line.end();
    }
    for start in starts {
        draft.insert(start, unit)?;
    }
    Ok(())
}
