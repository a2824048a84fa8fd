//! Rule: one router beside the plugin, mounted by one function.
//!
//! The plugin's own router is used where a webhook can be added to it as it is: a plain
//! `APIRouter()` at the level of the plugin's module that its `mount_router` function returns.
//! Else the webhooks get a router of their own, which the function includes in what it returns;
//! where that has a prefix or dependencies, which must not reach the webhooks, it is the other way
//! round: what it returned is included in the webhooks' router, and that is returned.
//!
//! The context dialect also gets `webhook_route`, the decorator that makes the context; handlers of
//! the request dialect whose replies are only known at run time get `reply_route`, which looks at
//! what they returned.

use crate::migrate::edit::{ByteRange, EditError};
use crate::migrate::emit::{self, EmitError, ReplyRouteNames, WebhookRouteNames};
use crate::migrate::find::plugin::{Mount, Plugin};
use crate::migrate::plan::call_format::{self, Place};
use crate::migrate::plan::draft::Draft;
use crate::migrate::plan::imports::lines::blank_lines_from;
use crate::migrate::plan::model::RuleError;
use crate::migrate::python::imports;
use crate::migrate::python::style::{indentation_width, width};
use crate::migrate::python::tokens::TokenKind;
use crate::term;

/// The names that the webhooks of a plugin are registered with, as its own module knows them.
#[derive(Debug, Clone)]
pub(crate) struct RouterNames {
    /// The router.
    pub router: String,
    /// The decorator for the context dialect; empty when it is not needed.
    pub webhook_route: String,
    /// The decorator for replies that are known at run time; empty when it is not needed.
    pub reply_route: String,
}

/// How the webhooks' router gets into what the plugin mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MountStrategy {
    /// There is no `mount_router` function: one is written.
    NewMount,
    /// The router of this name, at the level of the plugin's module, is used as it is.
    Existing(String),
    /// The `mount_router` function includes the new router.
    Include,
}

/// What is to be written into the plugin's module.
#[derive(Debug, Clone)]
pub(crate) struct RouterPlan {
    /// How the router gets mounted.
    pub join: MountStrategy,
    /// Whether handlers of the context dialect are among the webhooks.
    pub context: bool,
    /// The decorator of an earlier run, if the module has it.
    pub known_webhook_route: Option<String>,
    /// Whether there are handlers whose replies are only known at run time.
    pub replies: bool,
    /// The decorator for these that an earlier run wrote, if the module has it.
    pub known_reply_route: Option<String>,
}

/// Writes the router into the plugin's module; gives its names.
///
/// # Errors
/// Faults of this program.
pub(crate) fn write(
    draft: &mut Draft,
    plugin: &Plugin,
    wanted: &RouterPlan,
    names: &RouterNames,
) -> Result<(), RuleError> {
    // What is written here runs where the plugin is made.
    draft.importing_before(plugin.statement.start(), |draft| {
        write_here(draft, plugin, wanted, names)
    })
}

fn write_here(
    draft: &mut Draft,
    plugin: &Plugin,
    wanted: &RouterPlan,
    names: &RouterNames,
) -> Result<(), RuleError> {
    let mut blocks: Vec<String> = Vec::new();
    let mut top = String::new();
    if !matches!(wanted.join, MountStrategy::Existing(_)) {
        let api_router = draft
            .names
            .import("fastapi", "APIRouter", &["fastapi.routing"]);
        top = format!("{} = {api_router}()\n", names.router);
    }
    if wanted.context && wanted.known_webhook_route.is_none() {
        let request = draft.names.import(
            "fastapi",
            "Request",
            &["starlette.requests", "fastapi.requests"],
        );
        let agent_ctx = draft
            .names
            .import(SCHEMAS, "AgentCtx", &["nekro_agent.schemas.agent_ctx"]);
        let webhook_request = draft.names.import(
            SCHEMAS,
            "WebhookRequest",
            &["nekro_agent.schemas.agent_ctx"],
        );
        let callable = draft
            .names
            .import("collections.abc", "Callable", &["typing"]);
        let awaitable = draft
            .names
            .import("collections.abc", "Awaitable", &["typing"]);
        let json = draft.names.import_module("json");
        let handler_type = draft
            .names
            .free_name(&["WebhookHandler", "WebhookHandlerType"]);
        let text = emit::webhook_route(WebhookRouteNames {
            webhook_route: &names.webhook_route,
            handler_type: &handler_type,
            router: &names.router,
            callable: &callable,
            awaitable: &awaitable,
            request: &request,
            json: &json,
            agent_ctx: &agent_ctx,
            webhook_request: &webhook_request,
            is_unicode: draft.source().is_unicode(),
            parts_message: message_is_wide(draft, plugin.statement),
            docstring: docstring(
                draft,
                plugin.statement,
                &[
                    "Route POST requests to a webhook handler that takes an AgentCtx.",
                    "Route POST requests to a webhook handler.",
                    "Route a webhook.",
                ],
            ),
        })?;
        add_helper(&mut top, &mut blocks, &text);
    }
    if wanted.replies && wanted.known_reply_route.is_none() {
        let text = reply_route(draft, names)?;
        add_helper(&mut top, &mut blocks, &text);
    }
    if wanted.join == MountStrategy::NewMount {
        let api_router = draft
            .names
            .import("fastapi", "APIRouter", &["fastapi.routing"]);
        let create_router = draft.names.free_name(&[
            "create_router",
            "create_plugin_router",
            "mount_webhook_router",
        ]);
        let key = plugin.key();
        let is_plain = is_plain_in_docstring(&key, draft.source().is_unicode());
        let docstrings = [
            format!("Return the router that is mounted at /plugins/{key}."),
            "Return the plugin's router.".to_owned(),
        ];
        blocks.push(emit::mount_router(
            &plugin.variable,
            &create_router,
            &api_router,
            &names.router,
            docstring(
                draft,
                plugin.statement,
                &docstrings.each_ref().map(String::as_str)[usize::from(!is_plain)..],
            ),
        )?);
    }
    if top.is_empty() && blocks.is_empty() {
        return Ok(());
    }
    insert_beside_plugin(draft, plugin.statement, &top, &blocks)?;
    Ok(())
}

/// Adds the first part of a template, which is an assignment, and the functions after it.
fn add_helper(top: &mut String, blocks: &mut Vec<String>, text: &str) {
    let mut parts = text.split("\n\n\n");
    if let Some(alias) = parts.next() {
        *top += alias;
        top.push('\n');
    }
    blocks.extend(parts.map(str::to_owned));
}

/// The decorator for handlers whose replies are only known at run time.
fn reply_route(draft: &mut Draft, names: &RouterNames) -> Result<String, EmitError> {
    let responses = ["fastapi.responses", "starlette.responses"];
    let concurrency = ["starlette.concurrency"];
    let handler_type = draft.names.free_name(&["ReplyHandler", "ReplyHandlerType"]);
    let make_reply = draft.names.free_name(&["make_reply", "make_webhook_reply"]);
    emit::reply_route(ReplyRouteNames {
        reply_route: &names.reply_route,
        make_reply: &make_reply,
        handler_type: &handler_type,
        router: &names.router,
        any: &draft.names.import("typing", "Any", &[]),
        callable: &draft
            .names
            .import("collections.abc", "Callable", &["typing"]),
        mapping: &draft
            .names
            .import("collections.abc", "Mapping", &["typing"]),
        copy: &draft.names.import("copy", "copy", &[]),
        depends: &draft
            .names
            .import("fastapi", "Depends", &["fastapi.param_functions"]),
        get_type_hints: &draft.names.import("typing", "get_type_hints", &[]),
        inspect: &draft.names.import_module("inspect"),
        json_response: &draft
            .names
            .import("fastapi.responses", "JSONResponse", &responses[1..]),
        jsonable_encoder: &draft
            .names
            .import("fastapi.encoders", "jsonable_encoder", &[]),
        partial: &draft.names.import("functools", "partial", &[]),
        response: &draft.names.import("fastapi", "Response", &responses),
        run_in_threadpool: &draft.names.import(
            "fastapi.concurrency",
            "run_in_threadpool",
            &concurrency,
        ),
        simple_namespace: &draft.names.import("types", "SimpleNamespace", &[]),
        suppress: &draft.names.import("contextlib", "suppress", &[]),
    })
}

/// The module of the agent's API that has the context and the webhook request, since release 2.0.
const SCHEMAS: &str = "nekro_agent.api.schemas";

/// Whether the line with the reply's message would be too wide in `webhook_route`.
fn message_is_wide(draft: &Draft, statement: ByteRange) -> bool {
    let indent = draft.source().indentation_at(statement.start());
    let around = indent.to_owned() + &draft.indent_unit().repeat(4);
    let taken = indentation_width(&around, draft.style.indent_width);
    taken + emit::message_width(draft.source().is_unicode()) > draft.style.line_length
}

/// The first of several docstrings, the longest first, that is not too wide in a function beside
/// the plugin; else the last.
fn docstring<'t>(draft: &Draft, statement: ByteRange, candidates: &[&'t str]) -> &'t str {
    let indent = draft.source().indentation_at(statement.start());
    let around = [indent, draft.indent_unit(), "\"\"\"\"\"\""].concat();
    let taken = indentation_width(&around, draft.style.indent_width);
    let fits = |text: &&&str| taken + width(text) <= draft.style.doc_length;
    let last = candidates.last().copied().unwrap_or_default();
    candidates.iter().find(fits).copied().unwrap_or(last)
}

/// Whether a key can stand in a docstring as it is: nothing in it ends the docstring, is an escape,
/// cannot be written in the file, or steers the terminal of who reads that.
fn is_plain_in_docstring(key: &str, is_unicode: bool) -> bool {
    key.chars().all(|character| {
        !matches!(character, '"' | '\\')
            && !term::is_harmful(character)
            && (is_unicode || character.is_ascii())
    })
}

/// Puts `top` on the lines after the plugin's statement, and `blocks` after that, with the blank
/// lines that formatters want.
fn insert_beside_plugin(
    draft: &mut Draft,
    statement: ByteRange,
    top: &str,
    blocks: &[String],
) -> Result<(), EditError> {
    let source = draft.source();
    let place = Place {
        line_end: source.line_end_at(statement.end()),
        ..draft.place(statement.start(), "")
    };
    let line_end = place.line_end;
    // Other statements may follow on the line, and go on on the next.
    let line = source.line_at(draft.last_offset_of_line(statement.end()));
    let gap = if place.indent.is_empty() { 2 } else { 1 };
    let text_ends = line.end() >= source.text().len();
    let ends_without_line_end = !source.slice(line).ends_with(['\n', '\r']);

    let mut text = top.to_owned();
    for block in blocks {
        text += &"\n".repeat(gap);
        text += block.trim_end();
        text.push('\n');
    }
    if let Some(next) = import_on_line(draft, statement) {
        // What it imports may ask for the router: it comes behind it, on a line of its own.
        if !blocks.is_empty() {
            text += &"\n".repeat(gap);
        }
        let indent = place.indent.to_owned();
        let styled = call_format::block(place, &text, draft.quote());
        let between = ByteRange::new(statement.end(), next);
        return draft.replace(between, format!("{line_end}{styled}{indent}"));
    }
    if !blocks.is_empty() {
        let rest_is_blank = source.text()[line.end()..].trim().is_empty();
        if !text_ends && !rest_is_blank {
            let existing = blank_lines_from(draft, line.end());
            text += &"\n".repeat(gap.saturating_sub(existing));
        }
    }
    let styled = call_format::block(place, &text, draft.quote());
    if ends_without_line_end {
        // The last line stays without a line end.
        let styled = styled.trim_end_matches(['\n', '\r']);
        return draft.insert(line.end(), format!("{line_end}{styled}"));
    }
    draft.insert(line.end(), styled)
}

/// Where the first statement starts that follows another one on its line, when one of those may import
/// modules of the repo.
fn import_on_line(draft: &Draft, statement: ByteRange) -> Option<usize> {
    let end = draft.last_offset_of_line(statement.end());
    let tokens = draft.loaded.module.tokens();
    let rest = ByteRange::new(statement.end(), end);
    let rest = tokens.within(rest).iter();
    let mut rest = rest.filter(|token| token.kind != TokenKind::Comment);
    let separator = rest
        .next()
        .filter(|token| draft.slice(token.range) == ";")?;
    let next = tokens.next(separator.range.end())?;
    (next.range.start() < end
        && imports::may_import(&draft.loaded, ByteRange::new(next.range.start(), end)))
    .then_some(next.range.start())
}

/// Lets the plugin's `mount_router` function give the webhooks' router too.
///
/// # Errors
/// When another edit wants the same bytes.
pub(crate) fn join(draft: &mut Draft, mount: &Mount, router: &str) -> Result<(), EditError> {
    for one in mount.returns.iter().flatten() {
        let indent = draft
            .source()
            .indentation_at(one.statement.start())
            .to_owned();
        let line_end = draft.source().line_end_at(one.statement.start());
        let value = draft.slice(one.value).to_owned();
        if one.is_plain && one.is_name {
            draft.insert(
                one.statement.start(),
                format!("{value}.include_router({router}){line_end}{indent}"),
            )?;
        } else {
            draft.insert(
                one.statement.start(),
                format!("{router}.include_router({value}){line_end}{indent}"),
            )?;
            draft.replace(one.value, router)?;
        }
    }
    Ok(())
}
