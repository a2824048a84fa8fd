use super::*;

/// The built-in names in a text, sorted.
fn builtins_in(text: &str) -> Vec<&str> {
    const BUILTINS: &[&str] = &[
        "Exception",
        "TypeError",
        "ValueError",
        "all",
        "any",
        "bool",
        "bytes",
        "callable",
        "dict",
        "enumerate",
        "filter",
        "float",
        "frozenset",
        "getattr",
        "hasattr",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "iter",
        "len",
        "list",
        "map",
        "max",
        "min",
        "next",
        "object",
        "print",
        "property",
        "range",
        "repr",
        "reversed",
        "set",
        "setattr",
        "sorted",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "vars",
        "zip",
    ];
    // What is in quotes is not a name, and neither is an attribute.
    let code = text.split('"').step_by(2);
    let is_apart = |c: char| !c.is_alphanumeric() && c != '_' && c != '.';
    let mut found: Vec<&str> = code
        .flat_map(|piece| piece.split(is_apart))
        .filter(|word| BUILTINS.contains(word))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
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
        parts_message: false,
        docstring: "Route.",
    };
    let ascii = webhook_route(names).unwrap();
    assert!(ascii.is_ascii() && ascii.contains("\\u5904\\u7406\\u5b8c\\u6210\\uff0c"));
    let unicode = webhook_route(WebhookRouteNames {
        is_unicode: true,
        ..names
    })
    .unwrap();
    assert!(unicode.contains(&MESSAGE.concat()));
    assert_eq!(builtins_in(&unicode), BUILTINS_OF_WEBHOOK_ROUTE);
    let names = PLAIN_NAMES;
    let text = reply_route(names).unwrap();
    assert_eq!(builtins_in(&text), BUILTINS_OF_REPLY_ROUTE);
    assert!(text.contains("def make_reply(") && text.ends_with("return decorator"));
    assert!(
        mount_router("plugin", "create_router", "APIRouter", "router", "a.b")
            .unwrap()
            .ends_with("return router")
    );
}
