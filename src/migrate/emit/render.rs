//! Values to Python text, through the templates. A template that names something undefined is an
//! error, and every template is rendered by a test.

use std::sync::OnceLock;

use minijinja::{Environment, UndefinedBehavior, context};

use crate::migrate::python::style::width;
use crate::routes::REQUEST_METHODS;

/// The reply's message of release 2.4.0, as Python writes it: the counts are always 0. Its commas
/// are written as escapes, since linters take full-width ones for ASCII commas gone wrong.
const MESSAGE: [&str; 2] = ["Webhook 处理完成\\uff0c", "成功: 0\\uff0c失败: 0"];

/// The parts of the message, in characters that can be written in the file.
fn message(is_unicode: bool) -> [String; 2] {
    MESSAGE.map(|part| {
        let escaped = |c: char| {
            if c.is_ascii() || is_unicode {
                c.to_string()
            } else {
                format!("\\u{:04x}", u32::from(c))
            }
        };
        part.chars().map(escaped).collect()
    })
}

/// The columns that the line with the message takes in `webhook_route`, without its indentation.
pub(crate) fn message_width(is_unicode: bool) -> usize {
    width("\"message\": \"\",")
        + message(is_unicode)
            .map(|part| width(&part))
            .iter()
            .sum::<usize>()
}

/// The built-in names that the text of `webhook_route` refers to.
pub(crate) const BUILTINS_OF_WEBHOOK_ROUTE: &[&str] = &["dict", "object", "str"];

/// The built-in names that the text of `reply_route` refers to.
pub(crate) const BUILTINS_OF_REPLY_ROUTE: &[&str] = &[
    "Exception",
    "dict",
    "getattr",
    "int",
    "isinstance",
    "len",
    "list",
    "object",
    "range",
    "str",
    "tuple",
    "type",
    "vars",
];

/// A template could not be rendered: a fault of this program.
pub(crate) type EmitError = minijinja::Error;

fn environment() -> Result<&'static Environment<'static>, EmitError> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(
        "webhook_route",
        include_str!("../../../templates/python/webhook_route.py.j2"),
    )?;
    environment.add_template(
        "reply_route",
        include_str!("../../../templates/python/reply_route.py.j2"),
    )?;
    environment.add_template(
        "mount_router",
        include_str!("../../../templates/python/mount_router.py.j2"),
    )?;
    Ok(ENVIRONMENT.get_or_init(|| environment))
}

/// The names that `webhook_route` refers to, as they are known in the plugin's module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebhookRouteNames<'a> {
    /// The function itself.
    pub webhook_route: &'a str,
    /// The type of the handlers that it takes.
    pub handler_type: &'a str,
    /// The router.
    pub router: &'a str,
    /// `collections.abc.Callable`.
    pub callable: &'a str,
    /// `collections.abc.Awaitable`.
    pub awaitable: &'a str,
    /// `fastapi.Request`.
    pub request: &'a str,
    /// The module `json`.
    pub json: &'a str,
    /// `nekro_agent.api.schemas.AgentCtx`.
    pub agent_ctx: &'a str,
    /// `nekro_agent.api.schemas.WebhookRequest`.
    pub webhook_request: &'a str,
    /// Whether every character can be written in the file.
    pub is_unicode: bool,
    /// Whether the reply's message is written as two strings, since it is too wide for one.
    pub parts_message: bool,
    /// What the function's docstring says.
    pub docstring: &'a str,
}

/// The decorator that routes a request to a handler of the context dialect: it makes the context
/// and answers as release 2.4.0 of the agent did.
///
/// # Errors
/// When the template is broken.
pub(crate) fn webhook_route(names: WebhookRouteNames<'_>) -> Result<String, EmitError> {
    let between = if names.parts_message { "\" \"" } else { "" };
    let message = message(names.is_unicode).join(between);
    environment()?
        .get_template("webhook_route")?
        .render(context! {
            webhook_route => names.webhook_route,
            handler_type => names.handler_type,
            callable => names.callable,
            awaitable => names.awaitable,
            router => names.router,
            request => names.request,
            json => names.json,
            agent_ctx => names.agent_ctx,
            webhook_request => names.webhook_request,
            message,
            docstring => names.docstring,
        })
}

/// The names that `reply_route` refers to, as they are known in the plugin's module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReplyRouteNames<'a> {
    /// The decorator itself.
    pub(crate) reply_route: &'a str,
    /// The function that makes the replies.
    pub(crate) make_reply: &'a str,
    /// The type of the handlers that it takes.
    pub(crate) handler_type: &'a str,
    /// The router.
    pub(crate) router: &'a str,
    /// `typing.Any`.
    pub(crate) any: &'a str,
    /// `collections.abc.Callable`.
    pub(crate) callable: &'a str,
    /// `collections.abc.Mapping`.
    pub(crate) mapping: &'a str,
    /// `copy.copy`.
    pub(crate) copy: &'a str,
    /// `fastapi.Depends`.
    pub(crate) depends: &'a str,
    /// `typing.get_type_hints`.
    pub(crate) get_type_hints: &'a str,
    /// The module `inspect`.
    pub(crate) inspect: &'a str,
    /// `fastapi.responses.JSONResponse`.
    pub(crate) json_response: &'a str,
    /// `fastapi.encoders.jsonable_encoder`.
    pub(crate) jsonable_encoder: &'a str,
    /// `functools.partial`.
    pub(crate) partial: &'a str,
    /// `fastapi.Response`.
    pub(crate) response: &'a str,
    /// `fastapi.concurrency.run_in_threadpool`.
    pub(crate) run_in_threadpool: &'a str,
    /// `types.SimpleNamespace`.
    pub(crate) simple_namespace: &'a str,
    /// `contextlib.suppress`.
    pub(crate) suppress: &'a str,
}

/// The decorator that routes requests to a handler of the request dialect whose replies are only
/// known at run time, and the function that makes a response of what such a handler returned.
///
/// # Errors
/// When the template is broken.
pub(crate) fn reply_route(names: ReplyRouteNames<'_>) -> Result<String, EmitError> {
    let methods: Vec<String> = REQUEST_METHODS
        .iter()
        .map(|method| format!("\"{method}\""))
        .collect();
    environment()?
        .get_template("reply_route")?
        .render(context! {
            reply_route => names.reply_route,
            make_reply => names.make_reply,
            handler_type => names.handler_type,
            router => names.router,
            any => names.any,
            callable => names.callable,
            mapping => names.mapping,
            copy => names.copy,
            depends => names.depends,
            get_type_hints => names.get_type_hints,
            inspect => names.inspect,
            json_response => names.json_response,
            jsonable_encoder => names.jsonable_encoder,
            partial => names.partial,
            response => names.response,
            run_in_threadpool => names.run_in_threadpool,
            simple_namespace => names.simple_namespace,
            suppress => names.suppress,
            methods => methods.join(", "),
        })
}

/// The function under `mount_router()`; `docstring` is put in as it is.
///
/// # Errors
/// When the template is broken.
pub(crate) fn mount_router(
    plugin: &str,
    create_router: &str,
    api_router: &str,
    router: &str,
    docstring: &str,
) -> Result<String, EmitError> {
    environment()?
        .get_template("mount_router")?
        .render(context! { plugin, create_router, api_router, router, docstring })
}

/// The names that `reply_route` is written with where none of them is taken.
#[cfg(test)]
pub(super) const PLAIN_NAMES: ReplyRouteNames<'static> = ReplyRouteNames {
    reply_route: "reply_route",
    make_reply: "make_reply",
    handler_type: "ReplyHandler",
    router: "router",
    any: "Any",
    callable: "Callable",
    mapping: "Mapping",
    copy: "copy",
    depends: "Depends",
    get_type_hints: "get_type_hints",
    inspect: "inspect",
    json_response: "JSONResponse",
    jsonable_encoder: "jsonable_encoder",
    partial: "partial",
    response: "Response",
    run_in_threadpool: "run_in_threadpool",
    simple_namespace: "SimpleNamespace",
    suppress: "suppress",
};

#[cfg(test)]
mod tests;
