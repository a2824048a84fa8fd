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
        if let Some(call) = Call::of(draft, reply) {
            call.write(draft)?;
        }
    }
    for conditional in conditionals {
        lay_out_conditional(draft, conditional)?;
    }
    Ok(())
}

/// Breaks a returned expression of several operators into lines when it has become too wide for one.
fn lay_out_conditional(draft: &mut Draft, conditional: &Conditional) -> Result<(), EditError> {
    let Conditional {
        statement,
        value,
        pieces,
    } = conditional;
    let line = draft.source().line_at(statement.start());
    if !line.contains(*statement) || !draft.source().starts_line(statement.start()) {
        return Ok(());
    }
    let texts: Vec<(&str, String)> = pieces
        .iter()
        .map(|(operator, piece)| (*operator, draft.take_text(*piece)))
        .collect();
    let indent = draft.source().indentation_at(statement.start()).to_owned();
    let rest = draft
        .slice(ByteRange::new(value.end(), line.end()))
        .trim_end()
        .to_owned();
    let join = |space: &str| {
        let parts = texts.iter().map(|(operator, text)| match *operator {
            "" => text.clone(),
            operator => format!("{space}{operator} {text}"),
        });
        parts.collect::<String>()
    };
    let joined = join(" ");
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
    let inner = indentation_width(&indent, style.indent_width)
        + indentation_width(&unit, style.indent_width)
        + width(&joined);
    let broken = if inner <= style.line_length {
        joined
    } else {
        join(&start)
    };
    draft.replace(*value, format!("({start}{broken}{line_end}{indent})"))
}

/// The call that a reply becomes: what it is made of, and by which names it is written.
struct Call<'a> {
    reply: &'a Reply,
    response: String,
    encoder: Option<String>,
    body: ByteRange,
    status: ByteRange,
    headers: Option<ByteRange>,
}

impl<'a> Call<'a> {
    fn of(draft: &mut Draft, reply: &'a Reply) -> Option<Self> {
        let [body, status, headers @ ..] = reply.elements.as_slice() else {
            return None;
        };
        let (response, encoder) = if reply.without_body {
            let also = ["fastapi.responses", "starlette.responses"];
            (draft.names.import("fastapi", "Response", &also), None)
        } else {
            let also = ["starlette.responses"];
            let response = draft
                .names
                .import("fastapi.responses", "JSONResponse", &also);
            let is_any = reply.body == Body::Any;
            let encoder = is_any.then(|| {
                draft
                    .names
                    .import("fastapi.encoders", "jsonable_encoder", &[])
            });
            (response, encoder)
        };
        Some(Self {
            reply,
            response,
            encoder,
            body: *body,
            status: *status,
            headers: headers.first().copied(),
        })
    }

    fn write(&self, draft: &mut Draft) -> Result<(), EditError> {
        let (reply, body) = (self.reply, self.body);
        let tokens = draft.loaded.module.tokens();
        // A comment inside the body stays where it is as long as the body's lines do.
        let has_comment = tokens.has_comment(ByteRange::new(reply.tuple.start(), body.start()))
            || tokens.has_comment(ByteRange::new(body.end(), reply.tuple.end()));
        if reply.without_body {
            if has_comment {
                return self.without_body_in_place(draft);
            }
            let arguments = self.arguments(draft, None);
            draft.take_text(reply.tuple);
            return self.laid_out(draft, &arguments);
        }
        let may_move = draft.source().starts_line(reply.statement.start()) && !has_comment;
        let body_has_lines = draft.slice(body).contains(['\n', '\r']);
        if may_move && !body_has_lines {
            let has_own_brackets = is_bracketed(draft, body);
            let content = draft.take_text(body);
            let content = match &self.encoder {
                Some(encoder) if has_own_brackets => format!("{encoder}{content}"),
                _ => self.encoded(&content),
            };
            let arguments = self.arguments(draft, Some(content));
            return self.laid_out(draft, &arguments);
        }
        if may_move && reply.shape == ReplyShape::Whole && reply.brackets.is_none() {
            return self.named_body(draft);
        }
        self.in_place(draft)
    }

    /// The text of a body, through the encoder if there is one.
    fn encoded(&self, content: &str) -> String {
        match &self.encoder {
            Some(encoder) => format!("{encoder}({content})"),
            None => content.to_owned(),
        }
    }

    /// The arguments of the call; what is edited in them goes along.
    fn arguments(&self, draft: &mut Draft, content: Option<String>) -> Vec<String> {
        let mut arguments = Vec::from_iter(content);
        arguments.push(format!("status_code={}", draft.take_text(self.status)));
        if let Some(headers) = self.headers {
            arguments.push(format!("headers={}", draft.take_text(headers)));
        }
        arguments
    }

    /// Puts the call where the tuple was.
    fn laid_out(&self, draft: &mut Draft, arguments: &[String]) -> Result<(), EditError> {
        let tuple = self.reply.tuple;
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
        let head = format!("{}{}", gap(draft, tuple.start()), self.response);
        if self.reply.shape == ReplyShape::Conditional || tuple.end() != self.reply.statement.end()
        {
            // Formatters break the whole expression, not a call in the middle of it.
            return draft.replace(tuple, format!("{head}({})", arguments.join(", ")));
        }
        let place = draft.place(tuple.start(), rest);
        let text = call_format::call(place, &format!("{lead}{head}"), arguments, false);
        match text.strip_prefix(&lead) {
            Some(call) => draft.replace(tuple, call),
            // What stands in front would have to be broken as well.
            None => draft.replace(tuple, format!("{head}({})", arguments.join(", "))),
        }
    }

    /// `return {` over several lines → `body = {`, and the reply on a line after it.
    fn named_body(&self, draft: &mut Draft) -> Result<(), EditError> {
        let (statement, body) = (self.reply.statement, self.body);
        let name = draft.names.reply_body();
        let arguments = self.arguments(draft, Some(self.encoded(&name)));
        let indent = draft.source().indentation_at(statement.start()).to_owned();
        let line_end = draft.source().line_end_at(statement.start());
        let end_line = draft.source().line_at(statement.end());
        let rest = draft.slice(ByteRange::new(statement.end(), end_line.end()));
        let text = call_format::call(
            draft.place(statement.start(), rest),
            &format!("return {}", self.response),
            &arguments,
            false,
        );
        let before = draft.slice(statement);
        let place = draft.place(statement.start(), "");
        let has_comment = draft.loaded.module.tokens().has_comment(statement);
        // The lines of a body that were the formatter's are so again; others stay.
        if !has_comment && call_format::code(draft.place(statement.start(), rest), before) == before
        {
            let edited = draft.edits.text_of(body, draft.source().text());
            let assignment = call_format::code(place, &format!("{name} = {edited}"));
            draft.take_text(statement);
            return draft.replace(statement, format!("{assignment}{line_end}{indent}{text}"));
        }
        draft.replace(
            ByteRange::new(statement.start(), body.start()),
            format!("{name} = "),
        )?;
        draft.replace(
            ByteRange::new(body.end(), statement.end()),
            format!("{line_end}{indent}{text}"),
        )
    }

    /// The tuple's own brackets, or new ones, become those of the call; everything else stays.
    fn in_place(&self, draft: &mut Draft) -> Result<(), EditError> {
        let body = self.body;
        self.open_and_close(draft)?;
        if let Some(encoder) = &self.encoder {
            let has_lines = draft.slice(body).contains(['\n', '\r']);
            if has_lines && draft.source().starts_line(body.start()) {
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
        self.name_arguments(draft)
    }

    /// The body of a 204 goes; the comments at it stay.
    fn without_body_in_place(&self, draft: &mut Draft) -> Result<(), EditError> {
        let body = self.body;
        self.open_and_close(draft)?;
        let comma = draft
            .loaded
            .module
            .tokens()
            .within(ByteRange::new(body.end(), self.status.start()))
            .iter()
            .find(|token| token.kind == TokenKind::Comma)
            .map_or(body.end(), |token| token.range.end());
        let line = draft.source().line_at(comma);
        let rest = draft.slice(ByteRange::new(comma, line.end()));
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        draft.take_text(body);
        draft.replace(ByteRange::new(body.start(), comma + gap), "")?;
        self.name_arguments(draft)
    }

    fn name_arguments(&self, draft: &mut Draft) -> Result<(), EditError> {
        draft.insert(self.status.start(), "status_code=")?;
        match self.headers {
            Some(headers) => draft.insert(headers.start(), "headers="),
            None => Ok(()),
        }
    }

    fn open_and_close(&self, draft: &mut Draft) -> Result<(), EditError> {
        let (tuple, head) = (self.reply.tuple, &self.response);
        if let Some((open, _)) = self.reply.brackets {
            let gap = gap(draft, open.start());
            return draft.replace(open, format!("{gap}{head}("));
        }
        let gap = gap(draft, tuple.start());
        draft.insert(tuple.start(), format!("{gap}{head}("))?;
        draft.insert(tuple.end(), ")")
    }
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

/// The space that a name needs at `offset`, where a keyword may end: `return(a, b)`.
fn gap(draft: &Draft, offset: usize) -> &'static str {
    let before = draft.slice(ByteRange::new(0, offset));
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        " "
    } else {
        ""
    }
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
