//! Values to Python text, through the templates. A template that names something undefined is an
//! error, and every template is rendered by a test.

use std::sync::OnceLock;

use minijinja::{Environment, UndefinedBehavior, context};

use crate::term;

/// The reply's message of release 2.4.0: the counts are always 0.
const MESSAGE: &str = "Webhook 处理完成，成功: 0，失败: 0";

/// A template could not be rendered: a fault of this program.
pub type EmitError = minijinja::Error;

fn environment() -> Result<&'static Environment<'static>, EmitError> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(
        "webhook_route",
        include_str!("../templates/python/webhook_route.py.j2"),
    )?;
    environment.add_template(
        "mount_router",
        include_str!("../templates/python/mount_router.py.j2"),
    )?;
    Ok(ENVIRONMENT.get_or_init(|| environment))
}

/// The names that `webhook_route` refers to, as they are known in the plugin's module.
#[derive(Debug, Clone, Copy)]
pub struct WebhookRouteNames<'a> {
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
}

/// The decorator that routes a request to a handler of the context dialect: it makes the context
/// and answers as release 2.4.0 of the agent did.
///
/// # Errors
/// When the template is broken.
pub fn webhook_route(names: WebhookRouteNames<'_>) -> Result<String, EmitError> {
    let message = if names.is_unicode {
        MESSAGE.to_owned()
    } else {
        MESSAGE
            .chars()
            .map(|c| {
                if c.is_ascii() {
                    c.to_string()
                } else {
                    format!("\\u{:04x}", u32::from(c))
                }
            })
            .collect()
    };
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
        })
}

/// The function under `mount_router()`; `is_unicode` says whether every character can be written in
/// the file.
///
/// # Errors
/// When the template is broken.
pub fn mount_router(
    plugin: &str,
    create_router: &str,
    api_router: &str,
    router: &str,
    key: &str,
    is_unicode: bool,
) -> Result<String, EmitError> {
    let key = in_docstring(key, is_unicode);
    environment()?
        .get_template("mount_router")?
        .render(context! { plugin, create_router, api_router, router, key })
}

/// A text as a part of a docstring in three double quotes: nothing in it ends the docstring, starts an
/// escape of its own, or steers the terminal of who reads the file.
fn in_docstring(text: &str, is_unicode: bool) -> String {
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        let code = u32::from(character);
        match character {
            '\\' => output.push_str("\\\\"),
            '"' => output.push_str("\\\""),
            _ if is_unicode && !term::is_harmful(character) => output.push(character),
            _ if character.is_ascii() && !character.is_control() => output.push(character),
            _ if code < 0x100 => output += &format!("\\x{code:02x}"),
            _ if code < 0x1_0000 => output += &format!("\\u{code:04x}"),
            _ => output += &format!("\\U{code:08x}"),
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_end_its_docstring() {
        assert_eq!(in_docstring("dev.门", true), "dev.门");
        assert_eq!(in_docstring("dev.门", false), "dev.\\u95e8");
        assert_eq!(
            in_docstring("a\"\"\"\nimport os\\\u{202e}\u{e0041}", true),
            "a\\\"\\\"\\\"\\x0aimport os\\\\\\u202e\\U000e0041"
        );
    }

    #[test]
    fn every_template_renders() {
        let names = WebhookRouteNames {
            webhook_route: "webhook_route",
            handler_type: "WebhookHandler",
            callable: "Callable",
            awaitable: "Awaitable",
            router: "router",
            request: "Request",
            json: "json",
            agent_ctx: "AgentCtx",
            webhook_request: "WebhookRequest",
            is_unicode: false,
        };
        let ascii = webhook_route(names).unwrap();
        assert!(ascii.is_ascii() && ascii.contains("\\u5904\\u7406"));
        let unicode = webhook_route(WebhookRouteNames {
            is_unicode: true,
            ..names
        })
        .unwrap();
        assert!(unicode.contains(MESSAGE));
        assert!(
            mount_router(
                "plugin",
                "create_router",
                "APIRouter",
                "router",
                "a.b",
                true
            )
            .unwrap()
            .ends_with("return router")
        );
    }
}
