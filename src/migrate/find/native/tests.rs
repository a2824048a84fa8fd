use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::migrate::find::references;
use crate::migrate::python::names::{MemoryFiles, Workspace};
use crate::text::{Lang, Text};

const PRELUDE: &str = "\
import json
from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx
from nekro_agent.core.logger import logger
plugin = NekroPlugin(name='n', module_name='m', author='a')

@plugin.mount_webhook_method('x', 'x')
";

/// The handler of `source` with the changes made, or the refusal: its line in the handler, and
/// the text at it.
fn outcome(source: &str) -> Result<String, (usize, String)> {
    rewritten(source).map_err(|(line, text, _)| (line, text))
}

/// The words of a refusal.
fn refusal(source: &str) -> Result<String, Text> {
    rewritten(source).map_err(|(_, _, detail)| detail)
}

fn rewritten(source: &str) -> Result<String, (usize, String, Text)> {
    let text = format!("{PRELUDE}{source}");
    let path = PathBuf::from("/r/p.py");
    let texts: HashMap<PathBuf, String> = HashMap::from([(path.clone(), text.clone())]);
    let workspace = Workspace::new(Path::new("/r").to_owned(), Box::new(MemoryFiles(texts)));
    let loaded = workspace.load(&path).expect("valid Python");
    let found = references::find(&workspace, loaded.clone());
    let webhook = found.webhooks().next().expect("a webhook");
    let handler = webhook.handler.clone();
    let native = native(&loaded, &handler).map_err(|NotRewritable { range, detail }| {
        assert!(!detail.get(Lang::En).is_empty() && !detail.get(Lang::Zh).is_empty());
        let line = text[PRELUDE.len()..range.start()].matches('\n').count();
        (line, text[range.as_range()].to_owned(), detail)
    })?;
    let mut edits: Vec<(ByteRange, String)> = vec![(native.parameter, native.name.to_owned())];
    let name = native.name;
    edits.extend(native.reads.iter().map(|read| {
        let text = match read.part {
            Part::Headers => format!("{name}.headers"),
            Part::Body { in_brackets: true } => format!("(await {name}.json())"),
            Part::Body { in_brackets: false } => format!("await {name}.json()"),
        };
        (read.range, text)
    }));
    edits.extend(native.removals.iter().map(|r| (r.lines, String::new())));
    edits.sort_by_key(|(range, _)| *range);
    let mut result = text;
    for (range, replacement) in edits.into_iter().rev() {
        result.replace_range(range.as_range(), &replacement);
    }
    Ok(result[PRELUDE.len()..].to_owned())
}

/// Checks bodies of `async def h(c: AgentCtx)`, and what they become.
#[track_caller]
fn becomes(cases: &[(&str, &str)]) {
    for (before, after) in cases {
        let written = |parameter: &str, body: &str| {
            let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
            format!("async def h({parameter}):\n{lines}").replace("    \n", "\n")
        };
        let expected = written("request", after);
        assert_eq!(
            outcome(&written("c: AgentCtx", before)),
            Ok(expected),
            "{before}"
        );
    }
}

/// Checks bodies that need the context, with the line and the text of the reason.
#[track_caller]
fn refused(cases: &[(&str, usize, &str)]) {
    for (body, line, place) in cases {
        let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
        let found = outcome(&format!("async def h(c: AgentCtx):\n{lines}"));
        assert_eq!(found, Err((*line, (*place).to_owned())), "{body}");
    }
}

#[test]
fn headers_and_body_are_read_from_the_request() {
    becomes(&[
        ("pass", "pass"),
        (
            "body = c.webhook_request.body",
            "body = await request.json()",
        ),
        (
            "x = c.webhook_request.headers.get('a')",
            "x = request.headers.get('a')",
        ),
        (
            "if 'a' in c.webhook_request.headers: pass",
            "if 'a' in request.headers: pass",
        ),
        (
            "x = c.webhook_request.headers['a']",
            "x = request.headers['a']",
        ),
        (
            "for k, v in c.webhook_request.headers.items(): pass",
            "for k, v in request.headers.items(): pass",
        ),
        (
            "for k in c.webhook_request.headers: pass",
            "for k in request.headers: pass",
        ),
        (
            "if c.webhook_request.headers and X: pass",
            "if request.headers and X: pass",
        ),
        (
            "logger.info(c.webhook_request.headers)",
            "logger.info(request.headers)",
        ),
        (
            "x = c . webhook_request . headers . get('a')",
            "x = request.headers . get('a')",
        ),
    ]);
}

#[test]
fn a_body_that_something_is_taken_of_gets_brackets() {
    becomes(&[
        (
            "x = c.webhook_request.body['a']",
            "x = (await request.json())['a']",
        ),
        (
            "x = c.webhook_request.body.get('a')",
            "x = (await request.json()).get('a')",
        ),
        (
            "c.webhook_request.body['a'] = 1",
            "(await request.json())['a'] = 1",
        ),
        (
            "del c.webhook_request.body['a']",
            "del (await request.json())['a']",
        ),
        (
            "f(c.webhook_request.body, b=c.webhook_request.body)",
            "f(await request.json(), b=await request.json())",
        ),
        (
            "f(*c.webhook_request.body, **c.webhook_request.body)",
            "f(*await request.json(), **await request.json())",
        ),
        (
            "x = c.webhook_request.body or {}",
            "x = await request.json() or {}",
        ),
        (
            "if not c.webhook_request.body: return",
            "if not await request.json(): return",
        ),
        (
            "if 'a' in c.webhook_request.body: return",
            "if 'a' in await request.json(): return",
        ),
        (
            "x = f\"{c.webhook_request.body['a']} {c.webhook_request.body}\"",
            "x = f\"{(await request.json())['a']} {await request.json()}\"",
        ),
        // Python 3.12
        (
            "x = f'{c.webhook_request.body['a']}'",
            "x = f'{(await request.json())['a']}'",
        ),
        (
            "return c.webhook_request.body",
            "return await request.json()",
        ),
    ]);
}

#[test]
fn names_for_parts_of_the_context_are_followed() {
    becomes(&[
        (
            "req = c.webhook_request\nx = req.body\ny = req.headers.get('a')",
            "x = await request.json()\ny = request.headers.get('a')",
        ),
        (
            "request = c.webhook_request\nx = request.body",
            "x = await request.json()",
        ),
        (
            "h = c.webhook_request.headers\nx = h.get('a')\ny = f'{h}'\nf(h=1)",
            "h = request.headers\nx = h.get('a')\ny = f'{h}'\nf(h=1)",
        ),
        (
            "req = c.webhook_request\nh = req.headers\nif h and h['a']: pass",
            "h = request.headers\nif h and h['a']: pass",
        ),
    ]);
    refused(&[
        ("h = c.webhook_request.headers\nh = dict(h)", 2, "h"),
        ("h = c.webhook_request.headers\nh.pop('a')", 2, "h"),
        (
            "h = c.webhook_request.headers\nif X:\n    h = {}\nh.get('a')",
            3,
            "h",
        ),
        (
            "req = c.webhook_request\nawait send(req)\nreturn req.body",
            2,
            "req",
        ),
        // A name that may not be bound.
        (
            "if X:\n    req = c.webhook_request\n    return req.body",
            2,
            "c.webhook_request",
        ),
        // Nothing would be left in the function.
        ("req = c.webhook_request", 1, "c.webhook_request"),
    ]);
}

#[test]
fn tests_for_a_request_go() {
    becomes(&[
        (
            "if not c.webhook_request:\n    raise ValueError('x')\nreturn c.webhook_request.body",
            "return await request.json()",
        ),
        ("assert c.webhook_request\npass", "pass"),
        ("assert c.webhook_request is not None\npass", "pass"),
        ("req = c.webhook_request\nassert req\n\npass", "pass"),
        (
            "x = 1\n\nassert c.webhook_request\nreq = c.webhook_request\n\nf(x)",
            "x = 1\n\nf(x)",
        ),
        (
            "if c.webhook_request is None:\n    logger.error(c.chat_key)\n    return\n\npass",
            "pass",
        ),
        (
            "x = 1\nif not c.webhook_request:\n    return\n\nf(x)",
            "x = 1\n\nf(x)",
        ),
        (
            "x = 1\n\nif not c.webhook_request:\n    return\n\nf(x)",
            "x = 1\n\nf(x)",
        ),
        (
            "try:\n    assert c.webhook_request\n    pass\nfinally:\n    pass",
            "try:\n    pass\nfinally:\n    pass",
        ),
        (
            "req = c.webhook_request\nif not req:\n    return\nf(req.body)",
            "f(await request.json())",
        ),
    ]);
    refused(&[
        (
            "if not c.webhook_request: # why\n    return\npass",
            1,
            "c.webhook_request",
        ),
        (
            "# why\nassert c.webhook_request\npass",
            2,
            "c.webhook_request",
        ),
        (
            "if not c.webhook_request:\n    return\nelse:\n    pass\npass",
            1,
            "c.webhook_request",
        ),
        ("assert c.webhook_request", 1, "c.webhook_request"),
        (
            "if c.webhook_request:\n    f()\npass",
            1,
            "c.webhook_request",
        ),
        (
            "if not c.webhook_request or X:\n    return\npass",
            1,
            "c.webhook_request",
        ),
        (
            "if not c.webhook_request:\n    x = 1\npass",
            1,
            "c.webhook_request",
        ),
        (
            "a = 1\nif not c.webhook_request:\n    f(a)\npass",
            2,
            "c.webhook_request",
        ),
    ]);
}

#[test]
fn whatever_else_needs_the_context() {
    refused(&[
        ("await f(c)", 1, "c"),
        ("return c.chat_key", 1, "c.chat_key"),
        (
            "return c.webhook_request.query",
            1,
            "c.webhook_request.query",
        ),
        (
            "return c.webhook_request.model_dump()",
            1,
            "c.webhook_request.model_dump",
        ),
        ("c.webhook_request.body = {}", 1, "c.webhook_request.body"),
        ("c.webhook_request.body |= {}", 1, "c.webhook_request.body"),
        (
            "f(c.webhook_request.headers)",
            1,
            "c.webhook_request.headers",
        ),
        (
            "x = json.dumps(c.webhook_request.headers)",
            1,
            "c.webhook_request.headers",
        ),
        (
            "c.webhook_request.headers['a'] = 1",
            1,
            "c.webhook_request.headers",
        ),
        (
            "x = c.webhook_request.headers == {}",
            1,
            "c.webhook_request.headers",
        ),
        (
            "x = c.webhook_request.headers or {}",
            1,
            "c.webhook_request.headers",
        ),
        (
            "return c.webhook_request.body.get('raw_content')",
            1,
            "'raw_content'",
        ),
        (
            "x = f'{c.webhook_request.body=}'",
            1,
            "c.webhook_request.body",
        ),
        ("c = 1", 1, "c"),
        ("del c", 1, "c"),
        ("f(lambda c: c)", 1, "lambda c: c"),
        ("x = [c for c in y]", 1, "c"),
        ("x = f'{[c.webhook_request.headers for c in y]}'", 1, "c"),
        (
            "x = f'{(lambda c: c.webhook_request.headers)(y)}'",
            1,
            "lambda c: c.webhook_request.headers",
        ),
        ("def g(c):\n    return 1\nreturn g(1)", 1, "c"),
    ]);
}

#[test]
fn a_body_is_read_only_where_an_await_can_stand() {
    becomes(&[
        (
            "def g():\n    return c.webhook_request.headers.get('a')\nreturn g()",
            "def g():\n    return request.headers.get('a')\nreturn g()",
        ),
        (
            "f(lambda: c.webhook_request.headers['a'])",
            "f(lambda: request.headers['a'])",
        ),
        (
            "x = [a for a in c.webhook_request.body['a']]",
            "x = [a for a in (await request.json())['a']]",
        ),
    ]);
    refused(&[
        (
            "def g():\n    return c.webhook_request.body\nreturn g()",
            2,
            "c.webhook_request.body",
        ),
        (
            "f(lambda: c.webhook_request.body)",
            1,
            "c.webhook_request.body",
        ),
        (
            "f(c.webhook_request.body[a] for a in y)",
            1,
            "c.webhook_request.body",
        ),
        (
            "x = f'{f(lambda: c.webhook_request.body['a'])}'",
            1,
            "c.webhook_request.body",
        ),
    ]);
}

#[test]
fn the_request_gets_a_name_that_is_free() {
    for (body, name) in [
        ("return c.webhook_request.headers['a']", "request"),
        (
            "request = 1\nreturn c.webhook_request.headers[request]",
            "webhook_request",
        ),
        (
            "return f'{request}', c.webhook_request.headers['a']",
            "webhook_request",
        ),
        (
            "f(request=1, webhook_request=2)\nreturn c.webhook_request.headers['a']",
            "http_request",
        ),
        (
            "return x.request, c.webhook_request.headers['a']",
            "request",
        ),
        ("pass", "request"),
    ] {
        let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
        let found = outcome(&format!("async def h(c: AgentCtx):\n{lines}"));
        let expected = format!("async def h({name}):");
        assert!(
            found.as_ref().is_ok_and(|text| text.starts_with(&expected)),
            "{body}: {found:?}"
        );
    }
}

#[test]
fn the_function_has_to_take_a_context_and_nothing_else() {
    for parameters in [
        "c: AgentCtx, /",
        "c: AgentCtx, d=1",
        "c: AgentCtx = None",
        "c: AgentCtx, *, d=1",
    ] {
        let found = outcome(&format!("async def h({parameters}):\n    pass\n"));
        assert_eq!(found, Err((0, "h".to_owned())), "{parameters}");
    }
    let found = outcome("async def h(c: (AgentCtx)):\n    pass\n");
    assert_eq!(found, Err((0, "c: (AgentCtx".to_owned())));
}

#[test]
fn a_context_that_is_positional_only_is_said_to_be_that() {
    let source = "async def h(c: AgentCtx, /):\n    pass\n";
    let said = refusal(source).expect_err("a refusal");
    assert_eq!(said.get(Lang::En), "the parameter `c` is positional-only");
}

#[test]
fn a_name_that_says_that_it_is_not_used_goes_on_to_say_so() {
    let found = outcome("async def h(_ctx: AgentCtx):\n    pass\n");
    assert_eq!(found.as_deref(), Ok("async def h(_request):\n    pass\n"));
}
