//! Rule: with `--native`, a handler of the context dialect takes the `Request` itself.
//!
//! `async def handle(_ctx: AgentCtx)` → `async def handle(request: Request)`,
//! `_ctx.webhook_request.headers` → `request.headers`, `_ctx.webhook_request.body` →
//! `await request.json()` (the request parses its body once, so each read gives the same object),
//! and the decorator becomes `@router.post(...)`. A statement that only tests whether there is a
//! webhook request goes: a route always has one. Where a use of the context does not allow it, the
//! handler is routed with its context as without `--native`, and RH122 says why.
//!
//! A statement that was broken into lines because it was too wide becomes one line where the
//! shorter text fits.
//!
//! What changes in behaviour, which is why it has to be asked for: the reply is what the handler
//! returns, not the old server's fixed message; only JSON bodies are understood; a body that is no
//! object reaches the handler; header look-ups ignore case, and of a header that is sent twice find
//! the first. (Headers that are logged are shown as
//! Starlette shows them.)

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::find::native::{self, NotRewritable, Part, RequestRewrite};
use crate::migrate::find::{CallableKind, Form, Handler};
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::model::Registered;
use crate::migrate::plan::modules::cross_module::Members;
use crate::migrate::plan::modules::cross_module::is_used_elsewhere;
use crate::migrate::python::style::{comment_width, indentation_width, width};
use crate::migrate::python::tokens::{Token, TokenKind, Tokens};
use crate::routes::Dialect;
use crate::text;

/// The handlers that take the request, by file and place.
#[derive(Default)]
pub(crate) struct RequestRewrites {
    handlers: BTreeMap<(PathBuf, ByteRange), (RequestRewrite, Handler)>,
}

impl RequestRewrites {
    /// Those among the webhooks that are migrated; what keeps its context is told why. `settled` are all
    /// whose registration goes or becomes a route's.
    pub(crate) fn choose(
        members: &Members<'_>,
        drafts: &BTreeMap<PathBuf, Draft>,
        settled: &[&Registered<'_>],
        migrated: &[&Registered<'_>],
    ) -> (Self, Vec<Diagnostic>) {
        let mut natives = Self::default();
        let mut told: BTreeMap<(PathBuf, ByteRange), Diagnostic> = BTreeMap::new();
        for one in migrated {
            let handler = &one.webhook.handler;
            let key = (one.path().to_owned(), handler.range);
            let Some(draft) = drafts.get(one.path()) else {
                continue;
            };
            // One call serves all callers of a function that registers for them, whatever they take.
            let is_shared = one.webhook.registrar.is_some();
            if one.webhook.dialect != Dialect::Context
                || is_shared
                || natives.handlers.contains_key(&key)
            {
                continue;
            }
            let same = settled.iter().filter(|other| is_same_function(one, other));
            let settled: Vec<&Registered<'_>> = same.copied().collect();
            let chosen = native::native(&one.found.loaded, handler).and_then(|native| {
                stands_alone(members, draft, one, &settled, &native)?;
                imports_can_go(draft, &native, handler)?;
                Ok(native)
            });
            match chosen {
                Ok(native) => {
                    natives.handlers.insert(key, (native, handler.clone()));
                }
                Err(NotRewritable { range, detail }) => {
                    let loaded = &one.found.loaded;
                    told.entry(key)
                        .or_insert_with(|| loaded.diagnostic_at(Code::NotNative, range, detail));
                }
            }
        }
        (natives, told.into_values().collect())
    }

    /// Whether the handler of a webhook takes the request.
    pub(crate) fn contains(&self, one: &Registered<'_>) -> bool {
        let key = (one.path().to_owned(), one.webhook.handler.range);
        self.handlers.contains_key(&key)
    }

    /// Rewrites the handlers.
    ///
    /// # Errors
    /// When another edit wants the same bytes.
    pub(crate) fn rewrite(&self, drafts: &mut BTreeMap<PathBuf, Draft>) -> Result<(), EditError> {
        for ((path, _), (native, _)) in &self.handlers {
            if let Some(draft) = drafts.get_mut(path) {
                rewrite(draft, native)?;
            }
        }
        Ok(())
    }

    /// Takes out the imports that only the handlers' contexts needed; to be called when everything
    /// else of the plugin has its imports.
    pub(crate) fn release_imports(
        &self,
        members: &Members<'_>,
        drafts: &mut BTreeMap<PathBuf, Draft>,
    ) {
        for ((path, _), (native, handler)) in &self.handlers {
            let Some(draft) = drafts.get_mut(path) else {
                continue;
            };
            let is_package = path.file_name() == Some("__init__.py".as_ref());
            let annotations = handler
                .parameters
                .iter()
                .filter_map(|p| p.annotation.as_ref());
            let annotated = annotations.flat_map(|annotation| &annotation.names);
            let names: Vec<&String> = annotated
                .map(|name| &name.name)
                .chain(native.removals.iter().flat_map(|removal| &removal.names))
                .collect();
            for name in names {
                let is_unused = draft.names.drop_use(name);
                if is_unused && !is_package && !members.is_passed_on(path, name) {
                    draft.names.remove_import(name);
                }
            }
        }
    }
}

fn is_same_function(one: &Registered<'_>, other: &Registered<'_>) -> bool {
    one.path() == other.path() && one.webhook.handler.range == other.webhook.handler.range
}

/// Whether nobody but the routes of this plugin gets at the function.
fn stands_alone(
    members: &Members<'_>,
    draft: &Draft,
    one: &Registered<'_>,
    settled: &[&Registered<'_>],
    native: &RequestRewrite,
) -> Result<(), NotRewritable> {
    let handler = &one.webhook.handler;
    let name = &handler.name;
    let registrations = one
        .found
        .webhooks()
        .filter(|webhook| webhook.handler.range == handler.range);
    let decorators = settled
        .iter()
        .filter(|other| matches!(other.webhook.form, Form::Decorator(_)));
    let detail = if one.webhook.callable.kind != CallableKind::Function {
        text!("`{name}` is not a plain function", "`{name}` 不是普通函数")
    } else if registrations.count() != settled.len() {
        text!(
            "another registration of `{name}` stays, which hands it an AgentCtx",
            "`{name}` 的另一处注册仍然保留，会向它传入 AgentCtx"
        )
    } else if decorators.count() != native.decorators {
        text!(
            "`{name}` has another decorator, which may expect its AgentCtx",
            "`{name}` 还有其他装饰器，可能需要它接收 AgentCtx"
        )
    } else if is_used_elsewhere(members, draft, one) {
        text!(
            "`{name}` is used elsewhere too, where it may be given an AgentCtx",
            "`{name}` 在别处也被使用，那里可能会向它传入 AgentCtx"
        )
    } else {
        return Ok(());
    };
    Err(NotRewritable {
        range: handler.name_range,
        detail,
    })
}

/// Whether nothing that goes has the last use of a plain `import`, which would be left over.
fn imports_can_go(
    draft: &Draft,
    native: &RequestRewrite,
    handler: &Handler,
) -> Result<(), NotRewritable> {
    let annotations = handler
        .parameters
        .iter()
        .filter_map(|p| p.annotation.as_ref());
    let annotated = annotations.flat_map(|annotation| {
        let names = annotation.names.iter();
        names.map(|name| (annotation.range, &name.name))
    });
    let removed = native.removals.iter().flat_map(|removal| {
        let names = removal.names.iter();
        names.map(|name| (removal.statement, name))
    });
    let going: Vec<(ByteRange, &String)> = annotated.chain(removed).collect();
    for &(range, name) in &going {
        let is_plain = draft
            .names
            .imports
            .statements
            .iter()
            .any(|s| !s.is_from && s.module.dotted.split('.').next() == Some(name));
        let uses = going.iter().filter(|(_, other)| *other == name).count();
        if is_plain && draft.names.imports.uses_of(name) <= uses {
            return Err(NotRewritable {
                range,
                detail: text!(
                    "nothing else uses the import of `{name}`",
                    "除此之外没有其他代码使用导入的 `{name}`"
                ),
            });
        }
    }
    Ok(())
}

fn rewrite(draft: &mut Draft, native: &RequestRewrite) -> Result<(), EditError> {
    let also = ["starlette.requests", "fastapi.requests"];
    // The annotation is evaluated when the function is defined.
    let request = draft.importing_before(native.parameter.start(), |draft| {
        draft.names.import("fastapi", "Request", &also)
    });
    for removal in &native.removals {
        // What other rules have changed in it goes too.
        draft.take_text(removal.lines);
        draft.replace(removal.lines, "")?;
    }
    parameter(draft, native, &request)?;
    let name = native.name;
    for read in &native.reads {
        let text = match read.part {
            Part::Headers => format!("{name}.headers"),
            Part::Body { in_brackets: true } => format!("(await {name}.json())"),
            Part::Body { in_brackets: false } => format!("await {name}.json()"),
        };
        draft.replace(read.range, text)?;
        draft.touch(read.range.start());
    }
    for statement in &native.broken_lines {
        join_lines(draft, *statement)?;
    }
    Ok(())
}

/// The parameter, on a line of its own when the line of the `def` becomes too wide.
fn parameter(draft: &mut Draft, native: &RequestRewrite, request: &str) -> Result<(), EditError> {
    let range = native.parameter;
    let text = format!("{}: {request}", native.name);
    let line = draft.source().line_at(range.start());
    let written = comment_width(draft.slice(line), draft.style.trailing_pragmas);
    let grown = written + width(&text) > draft.style.line_length + width(draft.slice(range));
    let tokens = draft.loaded.module.tokens();
    let open = tokens.previous(range.start());
    let close = tokens.next(range.end());
    let is_tight = open
        .is_some_and(|token| token.kind == TokenKind::Open && token.range.end() == range.start())
        && close.is_some_and(|token| {
            token.kind == TokenKind::Close && token.range.start() == range.end()
        });
    if !grown || !is_tight || !line.contains(range) {
        return draft.replace(range, text);
    }
    let indent = draft.source().indentation_at(range.start()).to_owned();
    let unit = draft.indent_unit().to_owned();
    let line_end = draft.source().line_end_at(range.start());
    draft.replace(
        range,
        format!("{line_end}{indent}{unit}{text},{line_end}{indent}"),
    )
}

/// Puts a statement on one line that was too wide for one before and no longer is.
fn join_lines(draft: &mut Draft, statement: ByteRange) -> Result<(), EditError> {
    let before = draft.slice(statement).to_owned();
    let after = draft.take_text(statement);
    let line = draft.source().line_at(statement.start());
    let last = draft.source().line_at(statement.end());
    let lead = draft.slice(ByteRange::new(line.start(), statement.start()));
    let rest = draft.slice(ByteRange::new(statement.end(), last.end()));
    let style = &draft.style;
    let around =
        indentation_width(lead, style.indent_width) + comment_width(rest, style.trailing_pragmas);
    let fits = |text: &str| around + width(text) <= style.line_length;
    let text = match (joined(&before), joined(&after)) {
        // Lines of the author's own choice stay.
        (Some(before), Some(after)) if lead.trim().is_empty() && !fits(&before) && fits(&after) => {
            after
        }
        _ => after,
    };
    draft.replace(statement, text)
}

/// A statement of several lines on one, as `ruff format` would write it; none when there is
/// something in it that wants its lines: a comment, a comma after the last of several things, a
/// string of several lines.
fn joined(text: &str) -> Option<String> {
    let tokens = Tokens::new(text, 0);
    let slice = |token: &Token| &text[token.range.as_range()];
    let all: Vec<&Token> = tokens
        .all()
        .iter()
        .filter(|token| token.kind != TokenKind::Newline)
        .collect();
    let mut whole = String::new();
    let mut end = 0;
    for (index, token) in all.iter().enumerate() {
        if token.kind == TokenKind::Comment || slice(token).contains(['\n', '\r']) {
            return None;
        }
        let gap = text.get(end..token.range.start())?;
        let previous = index.checked_sub(1).and_then(|before| all.get(before));
        let after = |kind| previous.is_some_and(|previous| previous.kind == kind);
        if gap.contains('\\') {
            return None;
        }
        if !gap.contains(['\n', '\r']) {
            whole += gap;
        } else if token.kind == TokenKind::Close && after(TokenKind::Comma) {
            return None;
        } else if token.kind != TokenKind::Close && !after(TokenKind::Open) && slice(token) != "." {
            whole.push(' ');
        }
        // Brackets around the whole value were there for its lines only.
        let is_outer = |open: &Token, close: &Token| {
            let opened = tokens.previous(open.range.start());
            let is_value = opened.is_some_and(|before| matches!(slice(&before), "=" | "return"));
            let is_matching = !all.iter().any(|t| {
                open.range.start() < t.range.start()
                    && t.range.start() < close.range.start()
                    && t.depth <= open.depth
            });
            let has_comma = all.iter().any(|t| {
                t.kind == TokenKind::Comma
                    && t.depth == open.depth + 1
                    && t.range.start() > open.range.start()
            });
            is_value
                && slice(open) == "("
                && close.range.end() == text.len()
                && is_matching
                && !has_comma
        };
        let outer = match (token.kind, all.last()) {
            (TokenKind::Open, Some(close)) if close.kind == TokenKind::Close => {
                is_outer(token, close)
            }
            (TokenKind::Close, _) if token.range.end() == text.len() => all
                .iter()
                .any(|open| open.kind == TokenKind::Open && is_outer(open, token)),
            _ => false,
        };
        if !outer {
            whole += slice(token);
        }
        end = token.range.end();
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(joined(text).as_deref(), expected);
    }

    #[test]
    fn lines_that_only_the_width_broke_are_joined() {
        check("x = f(\n    a, b\n)", Some("x = f(a, b)"));
        check(
            "x = f(\n    a,\n    b[\n        0\n    ]\n)",
            Some("x = f(a, b[0])"),
        );
        check("x = (\n    a.b(1)\n    or c\n)", Some("x = a.b(1) or c"));
        check("return (\n    a\n    .b()\n)", Some("return a.b()"));
        check("x = (\n    (a)\n    + (b)\n)", Some("x = (a) + (b)"));
        check("x = (\n    a, b\n)", Some("x = (a, b)"));
        check("f(\n    (a) + (b)\n)", Some("f((a) + (b))"));
    }

    #[test]
    fn lines_that_somebody_wanted_stay() {
        check("x = f(\n    a,\n)", None);
        check("x = f(\n    a  # why\n)", None);
        check("x = \"\"\"\n\"\"\"", None);
        check("x = a + \\\n    b", None);
    }
}
