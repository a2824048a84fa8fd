//! What the tests of all checks share: a plugin around a handler, and a table of what is expected.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::advise;
use super::reach::Reach;
use crate::migrate::diagnostic::{Code, Diagnostic};
use crate::migrate::find::references;
use crate::migrate::python::names::{MemoryFiles, Workspace};
use crate::migrate::python::parse::STACK_SIZE;

const PRELUDE: &str = "\
import asyncio, hashlib, hmac, json, os, secrets, subprocess, time, urllib.request
import aiohttp, httpx, ipaddress, requests
from fastapi import Depends, HTTPException, Request, status
from nekro_agent.api import core
from nekro_agent.api.plugin import ConfigBase, ExtraField, NekroPlugin
from nekro_agent.api.schemas import AgentCtx
from nekro_agent.core.logger import logger
NAME = 'X-Named'
plugin = NekroPlugin(name='n', module_name='m', author='a')

@plugin.mount_webhook_method('x', 'x')
";

/// A plugin with a handler of the request dialect; its body starts in line 1.
pub(super) fn request(body: &str) -> String {
    format!("{PRELUDE}async def handle(request: Request):\n{body}\n")
}

/// A plugin with a handler of the context dialect; its body starts in line 1.
pub(super) fn context(body: &str) -> String {
    format!("{PRELUDE}async def handle(_ctx: AgentCtx):\n{body}\n")
}

/// The advice on a file.
pub(super) fn advice(source: &str) -> Vec<Diagnostic> {
    advice_on(&[("p.py", source)])
}

/// The advice on the first of several files of a package.
pub(super) fn advice_on(files: &[(&str, &str)]) -> Vec<Diagnostic> {
    let root = Path::new("/r");
    let texts: HashMap<PathBuf, String> = files
        .iter()
        .map(|(path, text)| (root.join(path), (*text).to_owned()))
        .collect();
    let workspace = Workspace::new(root.to_owned(), Box::new(MemoryFiles(texts)));
    let load = |path: &str| workspace.load(&root.join(path)).expect("valid Python");
    let found = references::find(&workspace, load(files[0].0));
    let package: Vec<_> = files[1..].iter().map(|(path, _)| load(path)).collect();
    let settings: Vec<_> = package.iter().map(|loaded| &**loaded).collect();
    advise(&workspace, &found, &package, &settings)
}

/// Checks the codes and lines of all advice on a file; the line of the handler's `def` is 0.
#[track_caller]
pub(super) fn check_all(source: &str, expected: &[(&str, usize)]) {
    let handler = source
        .lines()
        .position(|line| line.starts_with("async def handle("))
        .unwrap_or(0);
    let found: Vec<(&str, usize)> = advice(source)
        .iter()
        .map(|d| {
            (
                d.code().as_str(),
                d.position().expect("a place").0 - handler - 1,
            )
        })
        .collect();
    assert_eq!(found, expected, "{source}");
}

/// The same without RH301, which is said of every handler that is as short as those of a table.
#[track_caller]
pub(super) fn check(source: &str, expected: &[(&str, usize)]) {
    let handler = source
        .lines()
        .position(|line| line.starts_with("async def handle("))
        .unwrap_or(0);
    let found: Vec<(&str, usize)> = advice(source)
        .iter()
        .filter(|d| d.code() != Code::NoAuthentication)
        .map(|d| {
            (
                d.code().as_str(),
                d.position().expect("a place").0 - handler - 1,
            )
        })
        .collect();
    assert_eq!(found, expected, "{source}");
}

#[track_caller]
fn check_files(files: &[(&str, &str)], expected: &[(&str, &str, usize)]) {
    let advice = advice_on(files);
    let found: Vec<(&str, &str, usize)> = advice
        .iter()
        .map(|d| {
            let name = d.path().file_name().and_then(|n| n.to_str());
            let line = d.position().expect("a place").0;
            (d.code().as_str(), name.expect("a name"), line)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_handler_that_verifies_the_bytes_with_a_secret_setting_gets_no_advice() {
    check_all(
        &[
            &request(
                "    given = request.headers.get('X-Hub-Signature-256')
    if not given:
        raise HTTPException(status_code=400, detail='no signature')
    secret = plugin.config.GITHUB_SECRET
    raw = await request.body()
    if not matches(raw, secret, given):
        raise HTTPException(status_code=403)
    payload = await request.json()
    event = request.headers.get('X-GitHub-Event')
    if event == 'push':
        await message.send_text(plugin.config.CHAT_KEY, payload['ref'], None)
    return {'status': 'success'}",
            ),
            "
def matches(raw, secret, given):
    if not given.startswith('sha256='):
        return False
    mine = hmac.new(secret.encode('utf-8'), raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(mine, given[7:])
",
        ]
        .concat(),
        &[],
    );
}

#[test]
fn handlers_of_all_methods_and_of_uploads_check_nobody() {
    check_all(
        &request(
            "    if request.method == 'GET':
        return {'status': 'available', 'data': await get_data()}
    elif request.method == 'POST':
        return {'id': await create(await request.json())}, 201
    else:
        raise HTTPException(status_code=405)",
        ),
        &[("RH301", 0)],
    );
    check_all(
        &request(
            "    contents = await report.read()
    await notify(chat, contents.decode('utf-8')[:200])
    return {'size': len(contents)}",
        )
        .replace(
            "request: Request",
            "request: Request, report: UploadFile = File(...), chat: str = Form(...)",
        ),
        &[("RH301", 0)],
    );
}

#[test]
fn a_background_job_is_not_waited_for_but_not_kept_either() {
    check_all(
        &[
            &request(
                "    payload = await request.json()
    chat_key = payload.get('notify_chat_key')
    if not chat_key:
        return {'status': 'error'}, 400
    asyncio.create_task(job({**payload}, chat_key))
    return {'status': 'accepted'}, 202",
            ),
            "
async def job(data, chat):
    await asyncio.sleep(10)
    await notify(chat, data['id'])
",
        ]
        .concat(),
        &[("RH301", 0), ("RH403", 5)],
    );
}

#[test]
fn the_modules_of_a_package_are_followed() {
    let plugin = "\
from nekro_agent.api.plugin import ConfigBase, NekroPlugin
plugin = NekroPlugin(name='n', module_name='m', author='a')
@plugin.mount_config()
class Settings(ConfigBase):
    HOOK_SECRET: str = ''
    OTHER_SECRET: str = ''
config: Settings = plugin.get_config(Settings)
";
    let verify = "\
import hmac, json, time
from . import plugin as main
def passes(headers, body):
    time.sleep(1)
    given = headers.get('X-Signature', '')
    mine = hmac.new(main.config.HOOK_SECRET.encode(), json.dumps(body).encode(), 'sha256')
    return mine.hexdigest() == given
";
    let handlers = "\
from nekro_agent.api.schemas import AgentCtx
from .plugin import plugin
from .verify import passes
@plugin.mount_webhook_method('x', 'x')
async def handle(_ctx: AgentCtx):
    request = _ctx.webhook_request
    if not passes(request.headers, body=request.body):
        return
@plugin.mount_webhook_method('y', 'y')
async def open_to_all(ctx):
    print(ctx.webhook_request.body)
";
    check_files(
        &[
            ("handlers.py", handlers),
            ("__init__.py", ""),
            ("plugin.py", plugin),
            ("verify.py", verify),
        ],
        &[
            ("RH301", "handlers.py", 10),
            ("RH306", "plugin.py", 5),
            ("RH401", "verify.py", 4),
            ("RH305", "verify.py", 5),
            ("RH304", "verify.py", 6),
            ("RH303", "verify.py", 7),
        ],
    );
}

#[test]
fn a_place_is_reported_once_however_often_it_is_reached() {
    check_all(
        &[
            &request("    verify(request)\n    work(1)\n    work(request)\n    await again()"),
            "
async def again():
    work('x')
    await again()
def work(x):
    time.sleep(1)
    work(x)
@plugin.mount_webhook_method('y', 'y')
async def other(request: Request):
    verify(request)
    work(2)
",
        ]
        .concat(),
        &[("RH401", 10)],
    );
}

#[test]
fn files_without_webhooks_get_no_advice() {
    for source in [
        "",
        "import time\nasync def f():\n    time.sleep(1)\n",
        "class Bus:\n    def mount_webhook_method(self): pass\n",
    ] {
        assert!(advice(source).is_empty());
    }
}

#[test]
fn names_that_refer_to_each_other_and_deep_code_come_to_an_end() {
    let mut doubling = String::new();
    for n in 0..60 {
        doubling += &format!("    a{} = (a{n} or b) + (c or a{n})\n", n + 1);
    }
    let long = format!(
        "    x = {}",
        vec!["request.headers['X-A']"; 1_000].join(" + ")
    );
    let chain = format!("    request.headers{}", ".get('x')".repeat(400));
    let all = [
        "    a = b\n    b = a\n    a.get('X')",
        &doubling,
        &long,
        &chain,
        "    handle(handle(handle(request)))",
        "    for a, *b in []: pass\n    (c := c)\n    del a",
    ];
    let deep = format!(
        "    x = {}",
        vec!["f(request.headers['X-A'])"; 1_500].join(" + ")
    );
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_SIZE);
        // The stack that the parser asks for.
        let thread = builder.spawn_scoped(scope, || {
            all.iter().for_each(|body| drop(advice(&request(body))));
            advice(&request(&deep)).len()
        });
        assert_eq!(thread.expect("a thread").join().ok(), Some(1));
    });
}

#[test]
fn the_parameters_of_fastapi_are_what_was_sent() {
    let handler = |parameters: &str, body: &str| {
        request(body)
            .replace("request: Request", parameters)
            .replace("from fastapi import", "from fastapi import Body, Header,")
    };
    for (parameters, body) in [
        (
            "x_token: str = Header(None)",
            "    return x_token == expected()",
        ),
        (
            "given: str = Header(alias='X-Token')",
            "    return given == expected()",
        ),
        (
            "token: str, _: int",
            "    return token == f'Bearer {plugin.config.TOKEN}'",
        ),
    ] {
        check_all(&handler(parameters, body), &[("RH303", 1)]);
    }
    for parameters in [
        "data: dict, _: int",
        "data: dict[str, int], _: int",
        "data=Body(...)",
    ] {
        let body = "    hmac.new(k(), json.dumps(data).encode(), 'sha256')";
        check_all(&handler(parameters, body), &[("RH304", 1)]);
    }
}

#[test]
fn values_are_followed_through_expressions() {
    for (body, line) in [
        (
            "    data = json.loads(await request.body())\n    hmac.new(k(), json.dumps(data).encode())",
            2,
        ),
        (
            "    data = await request.json()\n    text = data and json.dumps(data)\n    hmac.new(k(), text)",
            3,
        ),
        (
            "    data = (await request.json()) or {}\n    hmac.new(k(), b'v0:' + json.dumps(data).encode())",
            2,
        ),
    ] {
        check_all(&request(body), &[("RH304", line)]);
    }
}

#[test]
fn annotations_may_be_strings() {
    check_all(
        &context("    if _.webhook_request.headers.get('X-Token') not in TOKENS: return")
            .replace("_ctx: AgentCtx", "_: 'AgentCtx'"),
        &[("RH305", 1)],
    );
    check_all(
        &request("    if r.headers.get('X-Token') == plugin.config.TOKEN: return")
            .replace("request: Request", "r: 'Request'"),
        &[("RH303", 1)],
    );
}

#[test]
fn the_work_grows_with_the_text() {
    // A chain of helpers, each called by all handlers: only what is shared is looked at again.
    let source = |count: usize| {
        let mut source = request("    verify(request)");
        for n in 0..count {
            source += &format!(
                "def helper{n}(x):\n    return helper{}(x)\n@plugin.mount_webhook_method('e{n}', 'x')\nasync def handle{n}(request: Request):\n    verify(request)\n    helper{n}(request)\n    helper0(request.headers)\n",
                n + 1
            );
        }
        source
    };
    // A function is looked at once for each different thing that it is given.
    let looks = |count: usize| {
        let root = Path::new("/r");
        let path = root.join("p.py");
        let texts = HashMap::from([(path.clone(), source(count))]);
        let workspace = Workspace::new(root.to_owned(), Box::new(MemoryFiles(texts)));
        let loaded = workspace.load(&path).expect("valid Python");
        let found = references::find(&workspace, loaded);
        let mut reach = Reach::new(&workspace);
        for webhook in found.webhooks() {
            reach.handler(&path, webhook.handler.range, webhook.dialect);
        }
        reach.run();
        reach.into_analyses().count()
    };
    let (small, large) = (looks(100), looks(800));
    assert!(small >= 200 && large <= small * 8, "{small} {large}");
}
