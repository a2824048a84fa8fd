use std::collections::HashMap;
use std::path::Path;

use super::{Helper, PATH, is_like_a_helper, known_helper};
use crate::migrate::emit::render::PLAIN_NAMES;
use crate::migrate::emit::{ReplyRouteNames, WebhookRouteNames, reply_route, webhook_route};
use crate::migrate::python::names::{MemoryFiles, Workspace};

const IMPORTS: &str = "import inspect\nimport json\nfrom collections.abc import Awaitable, Callable, Mapping\n\
    from contextlib import suppress\nfrom copy import copy\nfrom functools import partial\n\
    from types import SimpleNamespace\nfrom typing import Any, get_type_hints\nimport fastapi\n\
    from fastapi import Depends, Request, Response\nfrom fastapi.concurrency import run_in_threadpool\n\
    from fastapi.encoders import jsonable_encoder\nfrom fastapi.responses import JSONResponse\n\
    from nekro_agent.api.schemas import AgentCtx, WebhookRequest\n";

fn context(is_unicode: bool, parts_message: bool, request: &str) -> String {
    webhook_route(WebhookRouteNames {
        webhook_route: "hook",
        handler_type: "WebhookHandler",
        callable: "Callable",
        awaitable: "Awaitable",
        router: "router",
        request,
        json: "json",
        agent_ctx: "AgentCtx",
        webhook_request: "WebhookRequest",
        is_unicode,
        parts_message,
        docstring: "Route.",
    })
    .unwrap()
}

fn replies() -> String {
    reply_route(ReplyRouteNames {
        reply_route: "replying",
        make_reply: "made",
        ..PLAIN_NAMES
    })
    .unwrap()
}

fn known(helper: Helper, imports: &str, text: &str) -> Option<String> {
    let files = HashMap::from([("/r/p.py".into(), format!("{imports}{text}\n"))]);
    let workspace = Workspace::new("/r".into(), Box::new(MemoryFiles(files)));
    let loaded = workspace.load(Path::new("/r/p.py")).unwrap();
    known_helper(helper, &loaded, "router")
}

fn is_context(text: &str) -> bool {
    known(Helper::WebhookRoute, IMPORTS, text).is_some()
}

fn is_replies(text: &str) -> bool {
    known(Helper::ReplyRoute, IMPORTS, text).is_some()
}

#[test]
fn what_is_written_is_known_in_every_layout() {
    for is_unicode in [true, false] {
        for parts_message in [true, false] {
            let text = context(is_unicode, parts_message, "Request");
            let found = known(Helper::WebhookRoute, IMPORTS, &text);
            assert_eq!(found.as_deref(), Some("hook"), "{text}");
        }
    }
    let text = context(true, false, "Request");
    let replies = replies();
    assert_eq!(
        known(Helper::ReplyRoute, IMPORTS, &replies).as_deref(),
        Some("replying")
    );
    for change in [
        |text: &str| text.replace('"', "'"),
        |text: &str| text.replace("    ", "\t"),
        |text: &str| text.replace("    ", "  "),
        |text: &str| text.replace("\n\n    ", "\n\n\n    # said\n    "),
        |text: &str| text.replace("\n    return", "\n    # said\n    return"),
        |text: &str| text.replace('\n', "\r\n"),
        |text: &str| {
            text.replace("(\n    path: str,", "(path: str,")
                .replace("\"\",\n)", "\"\")")
        },
    ] {
        assert!(is_context(&change(&text)), "{}", change(&text));
        assert!(is_replies(&change(&replies)), "{}", change(&replies));
    }
    assert!(is_context(&context(true, false, "fastapi.Request")));
}

#[test]
fn what_was_edited_is_somebody_elses() {
    let text = context(true, false, "Request");
    for (before, after) in [
        ("headers = dict(", "check()\n            headers = dict("),
        ("\"success\": True", "\"success\": False"),
        ("成功", "失败"),
        ("router.post(path,", "router.post(path, tags=[],"),
        ("router.post(", "router.put("),
        ("router.post(", "other.post("),
        ("summary: str = \"\"", "summary: str"),
        ("def hook", "@checked\ndef hook"),
        ("def hook", "@checked(\n    1\n)\n# said\ndef hook"),
        ("    return decorator", "    return other"),
        ("        return handler", "            return handler"),
        (
            "json.loads(text)",
            "json.loads(text,)\n                    pass",
        ),
        ("request: Request)", "request: Other)"),
        ("= {\"raw_content\"", "= {R\"raw_content\""),
    ] {
        assert!(text.contains(before), "{before}");
        let edited = text.replacen(before, after, 1);
        assert!(!is_context(&edited), "{edited}");
    }
    let replies = replies();
    for (before, after) in [
        ("\"PATCH\", ", ""),
        ("range(200, 600)", "range(200, 500)"),
        (
            "path,\n            route,",
            "\"/x\" + path,\n            route,",
        ),
        ("include_in_schema=False", "include_in_schema=True"),
        ("rest or [None]", "rest or [{}]"),
        (
            "result = await handler(**values)",
            "result = await handler(**values, x=1)",
        ),
    ] {
        assert!(replies.contains(before), "{before}");
        let edited = replies.replacen(before, after, 1);
        assert!(!is_replies(&edited), "{edited}");
    }
}

#[test]
fn names_have_to_stand_for_what_was_imported() {
    let text = context(true, false, "Request");
    for (before, after) in [
        ("from nekro_agent.api.schemas import", "from .own import"),
        ("import json\n", "import json\njson = None\n"),
        ("import json\n", "import ujson as json\n"),
        ("Depends, Request,", "Depends, Response as Request,"),
    ] {
        assert!(IMPORTS.contains(before), "{before}");
        let imports = IMPORTS.replacen(before, after, 1);
        assert!(
            known(Helper::WebhookRoute, &imports, &text).is_none(),
            "{imports}"
        );
    }
    let twice = format!("{text}\n\n\ndef hook(): ...");
    assert!(!is_context(&twice));
}

#[test]
fn an_edited_decorator_is_still_like_one_that_was_written() {
    for text in [context(true, false, "Request"), replies()] {
        let decorator = text.rsplit("\n\n\n").next().unwrap();
        let edited = decorator.replace("return decorator", "print(path)\n    return decorator");
        let parameters = decorator.split_once('(').unwrap().1.trim_start();
        assert!(is_like_a_helper(&edited), "{edited}");
        assert!(parameters.starts_with(&format!("{PATH}: str,")), "{text}");
    }
    assert!(!is_like_a_helper(
        "def hook(path: str):\n    return router.post(path)\n"
    ));
}
