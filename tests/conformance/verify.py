"""`rehook verify` as a user runs it: what it says of good plugins, of bad ones, and of slips.

Usage: verify.py [installed|stand-in …]. Small plugins are written into a temporary repo and verified
in one run for each agent, so that it is seen too that one does not keep the others from being
verified. Prints a line for each plugin, and exits with 1 if one is not as expected.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "src/verify/runner"))

import edits
import landlock
import main as runner
import reaching
import sandbox
from child import Failed

import shim

# How long a plugin may take, in seconds: those that never end are waited for this long.
LIMIT = 12

PLUGIN = """from fastapi import HTTPException, Request
from nekro_agent.api import core
from nekro_agent.api.plugin import ConfigBase, NekroPlugin
from nekro_agent.api.schemas import AgentCtx
{top}

plugin = NekroPlugin(
    name="{name}",
    module_name="{name}",
    description="",
    version="0.1.0",
    author="dev",
    url="https://example.com",
)


@plugin.mount_config()
class Config(ConfigBase):
    SECRET: str = ""
    CHAT: str = ""
    LABEL: str = "label"
    LOUD: bool = False
    TIMES: int = 3


@plugin.mount_webhook_method("{endpoint}", "hook")
async def hook({parameter}){body}
"""


@dataclass
class Plugin:
    """A plugin, and what is to be said of it."""

    name: str
    body: str
    top: str = ""
    dialect: str = "context"
    # `proved`, …, or the reason of the failure.
    verdict: str = "proved"
    # Text of the lines that no request reaches.
    missed: list[str] = field(default_factory=list)
    # What it tried and was refused.
    refused: list[str] = field(default_factory=list)
    # The requests that are said not to have ended, or to have ended the process: what they are called,
    # and their bodies.
    endless: list[tuple[str, dict]] = field(default_factory=list)

    def text(self) -> str:
        context = self.dialect == "context"
        return PLUGIN.format(
            name=self.name,
            top=self.top,
            endpoint=self.name if context else f"/{self.name}",
            parameter="_ctx: AgentCtx" if context else "request: Request",
            body=":\n" + "\n".join("    " + line for line in self.body.strip("\n").split("\n")),
        )


NAN = {"a": float("nan"), "b": float("-inf")}
HUGE = {"a": 123456789012345678901234567890, "b": float("inf")}

PLUGINS = [
    Plugin("plain", 'core.logger.info("come")'),
    Plugin(
        "branches",
        """
headers, body = _ctx.webhook_request.headers, _ctx.webhook_request.body
event = headers.get("x-event")
if event == "push":
    for commit in body.get("commits", []):
        core.logger.info(commit["author"]["name"])
elif event in ("issue", "pull"):
    if body["action"].lower() == "closed":
        core.logger.info("closed")
    elif int(body.get("number", 0)) > 100:
        core.logger.info("many")
elif event and event.startswith("custom-"):
    core.logger.info("custom")
match body.get("state"):
    case "open":
        core.logger.info("open")
    case {"kind": "deep"}:
        core.logger.info("deep")
if body.get("count", 0) >= 10:
    core.logger.info("ten")
""",
    ),
    Plugin(
        "looked_up",
        """
handler = HANDLERS.get(_ctx.webhook_request.headers.get("x-event", ""))
if handler:
    core.logger.info(handler())
if _ctx.webhook_request.body.get("kind") in {"a", "b"}:
    core.logger.info("kind")
""",
        top='HANDLERS = {"built": lambda: "built", "failed": lambda: "failed"}',
    ),
    Plugin(
        "signed",
        """
config = plugin.get_config(Config)
if config.SECRET:
    made = hmac.new(config.SECRET.encode(), json.dumps(_ctx.webhook_request.body).encode(), "sha256")
    given = _ctx.webhook_request.headers.get("x-signature", "")
    if not hmac.compare_digest("sha256=" + made.hexdigest(), given):
        raise HTTPException(403, "no")
    core.logger.info("signed")
if config.CHAT:
    core.logger.info("to a chat")
""",
        top="import hmac\nimport json",
    ),
    Plugin(
        "signed_bytes",
        """
config = plugin.get_config(Config)
raw = await request.body()
given = request.headers.get("X-Hub-Signature-256", "")
made = hmac.new(config.SECRET.encode(), raw, hashlib.sha256).hexdigest()
if not given.startswith("sha256=") or not hmac.compare_digest(given[7:], made):
    return {"error": "signature"}, 403
data = json.loads(raw)
if data.get("ref") == "refs/heads/main":
    return {"branch": "main"}, 202
return {"branch": "other"}
""",
        top="import hashlib\nimport hmac\nimport json",
        dialect="request",
    ),
    Plugin(
        "not_json_late",
        """
if request.headers.get("x-event") != "build":
    return {"status": "ignored"}
try:
    data = await request.json()
except ValueError:
    return {"status": "no JSON"}, 422
return {"status": data["state"]}
""",
        dialect="request",
    ),
    Plugin(
        "set",
        """
config = plugin.get_config(Config)
if _ctx.webhook_request.body.get("kind") == "build":
    if config.CHAT and not config.SECRET:
        core.logger.info("to a chat")
    if not config.LABEL:
        core.logger.info("without a label")
    if config.LOUD and config.TIMES == 0:
        core.logger.info("loud")
""",
    ),
    Plugin(
        "methods",
        """
if request.method == "PUT":
    return {"method": "put"}, 201
if request.query_params.get("mode") == "full":
    return {"mode": "full"}, 203
form = await request.form()
if form.get("field") == "value":
    return {"form": True}, 202
return {"ok": True}
""",
        dialect="request",
    ),
    Plugin(
        "model",
        """
try:
    build = Build(**_ctx.webhook_request.body)
except ValueError as error:
    core.logger.info(f"{type(error).__name__}")
    return
core.logger.info(build.project.name)
""",
        top="""
from pydantic import BaseModel


class Project(BaseModel):
    name: str
    size: int


class Build(BaseModel):
    project: Project
    state: str
""",
    ),
    Plugin(
        "varying",
        'core.logger.info(f"{time.time()} {uuid.uuid4()} {random.random()} {datetime.now()}")',
        top="import random\nimport time\nimport uuid\nfrom datetime import datetime",
    ),
    Plugin(
        "varying_in_number",
        """
for _ in range(random.randrange(10**6) % 997):
    core.logger.debug("retry")
core.logger.info(f"{secrets.token_urlsafe(4000)} deployed")
""",
        top="import random\nimport secrets",
    ),
    Plugin(
        "varying_keys",
        'return {"id-" + uuid.uuid4().hex: 1}, 201',
        top="import uuid",
        dialect="request",
    ),
    Plugin(
        "waits_in_a_thread",
        'core.logger.info("started")',
        top="""
import threading
import time


def watch():
    while True:
        time.sleep(30)


threading.Thread(target=watch, daemon=True).start()
""",
    ),
    Plugin(
        "unreached",
        """
if len(_ctx.webhook_request.headers) > 1000:
    core.logger.info("never")
core.logger.info("always")
""",
        missed=['core.logger.info("never")'],
    ),
    Plugin(
        "unreached_and_changed",
        """
if len(request.headers) > 1000:
    return {"never": True}, 418
return {"ok": True}, 201
""",
        dialect="request",
        verdict="not_exercised",
        missed=['return {"never": True}, 418'],
    ),
    Plugin(
        "reaches_out",
        """
for act in (
    lambda: open(OUTSIDE, "w"),
    lambda: os.remove(OUTSIDE),
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
    lambda: socket.create_connection(("192.0.2.1", 80), 1),
    lambda: socket.getaddrinfo(b"there.example", 80),
):
    try:
        act()
    except OSError as error:
        core.logger.info(f"refused {type(error).__name__}")
open("own.txt", "w").close()
""",
        top='import multiprocessing\nimport os\nimport socket\nimport subprocess\n\nOUTSIDE = "{outside}"',
        refused=[
            "write {outside}",
            "run true",
            f"run {sys.executable}",
            "connect 192.0.2.1",
            "connect there.example",
        ],
    ),
    Plugin(
        "reaches_out_without_python",
        """
libc = ctypes.CDLL(None)
for act in (
    lambda: libc.unlink(OUTSIDE),
    lambda: libc.rename(OUTSIDE, OUTSIDE + b".moved"),
    lambda: libc.truncate(OUTSIDE, 0),
    lambda: libc.open(OUTSIDE, os.O_WRONLY | os.O_TRUNC),
    lambda: libc.creat(OUTSIDE + b".new", 0o644),
    lambda: libc.mkdir(OUTSIDE + b".folder", 0o755),
    lambda: libc.system(b"touch " + OUTSIDE + b".touched"),
    lambda: libc.unlink(os.path.join(os.getcwd().encode(), b"not there")),
):
    core.logger.info(f"{act() != 0}")
""",
        top='import ctypes\nimport os\n\nOUTSIDE = b"{outside}"',
    ),
    Plugin(
        "refused_while_imported",
        "core.logger.info('come')",
        top="""
import socket

try:
    socket.create_connection(("192.0.2.7", 80), 1)
except OSError:
    pass
""",
        refused=["connect 192.0.2.7"],
    ),
    Plugin(
        "own_folders",
        """
with tempfile.TemporaryDirectory() as folder, open(folder + "/x", "w") as file:
    file.write("x")
count = Path.home() / "count"
known = int(count.read_text()) if count.exists() else 0
count.write_text(str(known + 1))
core.logger.info(f"{known}")
""",
        top="import tempfile\nfrom pathlib import Path",
    ),
    Plugin(
        "forges",
        'core.logger.info("come")',
        top="""
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'{"event": "end"}\\n')
    except OSError:
        pass
""",
        verdict="crash",
    ),
    Plugin(
        "siblings",
        "core.logger.info(WORDS)",
        top="""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lines import WORDS
""",
    ),
    Plugin(
        "looked_up_in_bytes",
        """
if _ctx.webhook_request.headers.get("x-event", "").encode() in {b"built"}:
    core.logger.info("built")
core.logger.info("always")
""",
        missed=['core.logger.info("built")'],
    ),
    Plugin(
        "works_in_the_background",
        """
if not QUEUES:
    QUEUES.append(asyncio.Queue())
    TASKS.append(asyncio.create_task(work()))
    TASKS.append(asyncio.create_task(poll()))
QUEUES[0].put_nowait("done")
""",
        top="""
import asyncio

QUEUES, TASKS = [], []


async def work():
    while True:
        core.logger.info(await QUEUES[0].get())


async def poll():
    while True:
        await asyncio.sleep(60)
""",
    ),
    Plugin(
        "lucky",
        "core.logger.info(random.choice('abcdef') + secrets.token_urlsafe(8))",
        top="import random\nimport secrets",
    ),
    Plugin(
        "prints",
        'print("y" * 1_000_000)\ncore.logger.info("printed")',
        top='print("x" * 5_000_000)',
    ),
    # The library around it lets others go first at each part.
    Plugin(
        "replies_in_many_parts",
        "return StreamingResponse(parts())",
        top="""
from fastapi.responses import StreamingResponse


async def parts():
    for _ in range(400):
        yield b"x" * 3000
""",
        dialect="request",
    ),
    Plugin(
        "ends_for_one",
        """
if _ctx.webhook_request.body.get("again") == "loop":
    while True:
        pass
if _ctx.webhook_request.body.get("then") == "one":
    core.logger.info("one")
    if _ctx.webhook_request.body.get("two") == "two":
        core.logger.info("two")
core.logger.info("done")
""",
        missed=["while True:", "pass"],
        endless=[("body again = 'loop'", {"again": "loop"})],
    ),
    Plugin(
        "ends_for_few",
        """
if _ctx.webhook_request.body.get("wait"):
    await asyncio.Event().wait()
for name in ("one", "two", "three", "four"):
    if _ctx.webhook_request.body.get(name) == name:
        while True:
            pass
core.logger.info("done")
""",
        top="import asyncio",
        missed=["await asyncio.Event().wait()", "while True:", "pass"],
        endless=[
            ("body wait = 'x'", {"wait": "x"}),
            ("body wait = 1", {"wait": 1}),
            ("body one = 'one'", {"one": "one"}),
        ],
    ),
    Plugin(
        "ends_the_process_for_one",
        """
if _ctx.webhook_request.body.get("again") == "end":
    os._exit(3)
if _ctx.webhook_request.body.get("then") == "one":
    core.logger.info("one")
core.logger.info("done")
""",
        top="import os",
        missed=["os._exit(3)"],
        endless=[("body again = 'end'", {"again": "end"})],
    ),
    Plugin(
        "ends_in_the_background",
        """
if _ctx.webhook_request.body.get("again") == "end":
    asyncio.create_task(end())
core.logger.info("done")
""",
        top="""
import asyncio


async def end():
    raise SystemExit(4)
""",
        missed=["asyncio.create_task(end())"],
        endless=[("body again = 'end'", {"again": "end"})],
    ),
    Plugin(
        "ends_for_a_number",
        """
if "Infinity" in json.dumps(_ctx.webhook_request.body):
    os._exit(3)
core.logger.info("done")
""",
        top="import json\nimport os",
        missed=["os._exit(3)"],
        endless=[("an object with a huge number", HUGE), ("an object with NaN", NAN)],
    ),
    # The agent has a middleware that makes a task of what is inside, so that ends the server.
    Plugin(
        "exits_in_a_handler",
        """
if _ctx.webhook_request.body.get("again") == "end":
    sys.exit(3)
if _ctx.webhook_request.body.get("then") == "stop":
    raise KeyboardInterrupt
core.logger.info("done")
""",
        top="import sys",
        missed=["sys.exit(3)", "raise KeyboardInterrupt"],
        endless=[
            ("body again = 'end'", {"again": "end"}),
            ("body then = 'stop'", {"then": "stop"}),
        ],
    ),
    Plugin(
        "does_not_say_which",
        """
status, name = (_ctx.webhook_request.body.get(key, "") for key in ("status", "name"))
if plugin.get_config(Config).LOUD and status == "fine":
    return
core.logger.info(f"told {len(name) if name else 0}")
""",
    ),
    # The migration moves lines, and here changes the one that fails.
    Plugin(
        "writes_down_a_traceback",
        """
try:
    data = await request.json()
    return {"is": 1 / data["by"]}, 201
except Exception:
    core.logger.error(traceback.format_exc())
    return {"error": traceback.format_exc()}, 500
""",
        top="import traceback",
        dialect="request",
    ),
    Plugin(
        "missing",
        "pass",
        top="import a_package_that_is_not_there",
        verdict="missing_module",
    ),
    Plugin("raises", "pass", top='raise RuntimeError("when imported")', verdict="import"),
    Plugin("exits", "pass", top="import os\n\nos._exit(3)", verdict="exit"),
    Plugin("exits_politely", "pass", top="raise SystemExit(4)", verdict="exit"),
    Plugin("exits_later", "os._exit(3)", top="import os", verdict="exit"),
    Plugin("hangs", "while True:\n    pass", verdict="hang"),
    Plugin("waits", "await asyncio.Event().wait()", top="import asyncio", verdict="hang"),
    Plugin("dies", "ctypes.string_at(0)", top="import ctypes", verdict="crash"),
]

# What slips are made in.
SLIPPING = [
    "plain",
    "signed",
    "signed_bytes",
    "varying_in_number",
    "varying_keys",
    "waits_in_a_thread",
    "does_not_say_which",
]

# Slips in what has been migrated, and the part of the answer that shows them. Each is made in the
# working tree, while the original is in git.
SLIPS = [
    ("status", "status_code=403", "status_code=401", "status"),
    ("body", '"branch": "other"', '"branch": "others"', "body"),
    ("header", '.get("x-signature"', '.get("x-signatures"', "status"),
    ("effect", 'core.logger.info("come")', 'core.logger.info("gone")', "effects"),
    ("text after a token", "} deployed", "} failed", "effects"),
    ("effect beside a thread", 'info("started")', 'info("stopped")', "effects"),
    # Requests that show these get into no other line and show no other kind of effect.
    (
        "half of a condition",
        '.LOUD and status == "fine"',
        ".LOUD",
        "effects",
    ),
    ("long text", "{len(name) if", "{min(len(name), 99) if", "effects"),
    ("value of a key that varies", "uuid4().hex: 1", "uuid4().hex: 2", "body"),
]


def verify(
    folder: Path,
    agent: str,
    *arguments: str,
    places: list[str] | None = None,
    environment: dict | None = None,
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [shim.binary(), "verify", "--agent", agent, "--python", sys.executable]
        + ["--limit", str(LIMIT), *arguments, *(places or ["."])],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | (environment or {}),
    )


def run(folder: Path, agent: str, places: list[str] | None = None) -> tuple[int, dict, str]:
    """The exit code, the result and the messages."""
    done = verify(folder, agent, "--format", "json", places=places)
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        raise SystemExit(f"no result: exit code {done.returncode}\n{done.stderr}") from None


def said(result: dict) -> dict[str, str]:
    """The verdict of each plugin, or the reason why there is none."""
    verdicts = {one["plugin"]: one["verdict"] for one in result["webhooks"]}
    return verdicts | {one["plugin"]: one["reason"] for one in result["failed"]}


def good_and_bad(agent: str, scratch: Path) -> list[str]:
    """All plugins in one run."""
    folder, outside = scratch / f"{agent}-all", scratch / f"{agent}-outside.txt"
    folder.mkdir()
    outside.write_text("mine")
    # Without Python only the system can keep a plugin from it.
    plugins = [one for one in PLUGINS if "without_python" not in one.name or landlock.version()]
    # A module beside a plugin may have the name of one of the runner's.
    (folder / "lines.py").write_text('WORDS = "mine"\n')
    for plugin in plugins:
        text = plugin.text().replace("{outside}", str(outside))
        (folder / f"{plugin.name}.py").write_text(text)
    code, result, messages = run(folder, agent)
    verdicts = said(result)
    wrong = []
    if code != 1:
        wrong.append(f"exit code {code} instead of 1\n{messages}")
    beside = {path.name: path for path in scratch.glob(f"{outside.name}*")}
    is_kept = list(beside) == [outside.name] and outside.read_text() == "mine"
    if not is_kept or (folder / "own.txt").exists():
        wrong.append(f"a plugin has changed a file outside of its folder: {list(beside)}")
    for plugin in plugins:
        key = f"dev.{plugin.name}"
        faults = []
        if verdicts.get(key) != plugin.verdict:
            faults.append(f"{verdicts.get(key)} instead of {plugin.verdict}")
        lines = (folder / f"{plugin.name}.py").read_text().splitlines()
        about = next((one["run"] for one in result["webhooks"] if one["plugin"] == key), None)
        missed = [lines[line - 1].strip() for line in (about or {}).get("missed", [])]
        if missed != plugin.missed:
            faults.append(f"reached by no request: {missed} instead of {plugin.missed}")
        refused = [
            what for one in result["refused"] if one["plugin"] == key for what in one["what"]
        ]
        for what in plugin.refused:
            if what.replace("{outside}", str(outside)) not in refused:
                faults.append(f"not refused: {what}")
        endless = [one["request"] for one in (about or {}).get("endless", [])]
        endless = [(one["about"], json.loads(one["body"])) for one in endless]
        # By what they say: a number that is none is not equal to itself.
        if repr(endless) != repr(plugin.endless):
            faults.append(f"without an end: {endless} instead of {plugin.endless}")
        print(f"verify on {agent}: {plugin.name}: {'; '.join(faults) or plugin.verdict}")
        wrong += faults
    return wrong


def migrated(folder: Path) -> None:
    """Migrates the plugins there, with what they were in a commit."""
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "before"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    subprocess.run([shim.binary(), "migrate", "-q"], cwd=folder, check=True, capture_output=True)


def slips(agent: str, scratch: Path) -> list[str]:
    """Plugins that have been migrated, committed before, and changed a little after."""
    wrong = []
    folder = scratch / f"{agent}-slips"
    folder.mkdir()
    for name in SLIPPING:
        plugin = next(one for one in PLUGINS if one.name == name)
        (folder / f"{name}.py").write_text(plugin.text())
    migrated(folder)
    code, result, messages = run(folder, agent)
    if code != 0 or set(said(result).values()) != {"proved"}:
        wrong.append(f"what is migrated is not proved: {said(result)} {messages}")
    texts = {path: path.read_text() for path in folder.glob("*.py")}
    for name, old, new, part in SLIPS:
        slipping = [path for path, text in texts.items() if old in text]
        for path in slipping:
            path.write_text(texts[path].replace(old, new))
        # The others are as they were, and each takes its time.
        code, result, _ = run(folder, agent, [path.name for path in slipping])
        for path in slipping:
            path.write_text(texts[path])
        shown = [one["run"]["difference"] for one in result["webhooks"] if one["run"]["difference"]]
        parts = {one["part"] for difference in shown for one in difference["parts"]}
        good = code == 1 and part in parts
        print(f"verify on {agent}: a slip in the {name}: {'shown' if good else 'NOT SHOWN'}")
        if not good:
            wrong.append(f"{name}: exit code {code}, parts {parts}")
    return wrong


def in_chinese(agent: str, scratch: Path) -> list[str]:
    """A difference in a Chinese report: what the request is called is Chinese too, but for what the
    user calls it, also where that is a name which is used here."""
    folder = scratch / f"{agent}-chinese"
    folder.mkdir()
    path = folder / "plain.py"
    path.write_text(PLUGINS[0].text())
    migrated(folder)
    path.write_text(path.read_text().replace('"come"', '"gone"'))
    given = scratch / f"{agent}-given.jsonl"
    given.write_text('{"path": "/api/webhook/plain", "about": "null"}\n')
    wrong = []
    for name, arguments in (("没有请求体", []), ("null", ["--requests", str(given)])):
        said = verify(folder, agent, "--lang", "zh", *arguments).stdout
        good = f"能显示差异的最小请求（{name}）：" in said
        print(f"verify on {agent}: called {name} in Chinese: {'shown' if good else 'NOT SHOWN'}")
        if not good:
            wrong.append(f"not called {name}:\n{said}")
    plugin = next(one for one in PLUGINS if one.name == "exits_later")
    (folder / "exits_later.py").write_text(plugin.text())
    said = verify(folder, agent, "--lang", "zh", places=["exits_later.py"]).stdout
    good = "结束了进程：退出码 3，当时正在应答 POST 请求（普通请求）\n" in said
    print(f"verify on {agent}: a failure in Chinese: {'so' if good else 'NOT SO'}")
    if not good:
        wrong.append(f"no failure in Chinese:\n{said}")
    return wrong


# What only text that is not UTF-8 shows.
SLIP = '.decode(errors="replace")'

HOOK = """

@plugin.mount_webhook_method("again", "hook")
async def again(_ctx: AgentCtx):
    core.logger.info(str(_ctx.webhook_request.body))
"""


def around(agent: str, scratch: Path) -> list[str]:
    """Two webhooks, of which the second gets a part of the table of bodies while both have the same
    function around them. Then it gets one of its own, whose slip only the rest of the table shows."""
    folder = scratch / f"{agent}-around"
    folder.mkdir()
    path = folder / "plain.py"
    path.write_text(PLUGINS[0].text() + HOOK)
    migrated(folder)

    def verdicts() -> tuple[list[str], list[int]]:
        _, result, _ = run(folder, agent)
        found = sorted(result["webhooks"], key=lambda one: one["endpoint"], reverse=True)
        return [one["verdict"] for one in found], [one["run"]["requests"] for one in found]

    wrong = []
    shared, (whole, part) = verdicts()
    text = path.read_text()
    start, end = text.index("def webhook_route("), text.index("@plugin.mount_router()")
    own = text[start:end].replace("webhook_route(", "own_route(").replace(".decode()", SLIP)
    text = text[:end] + own + text[end:]
    path.write_text(text.replace('@webhook_route("/again"', '@own_route("/again"'))
    slipped, _ = verdicts()
    good = shared == ["proved", "proved"] and part < whole and slipped == ["proved", "differs"]
    print(f"verify on {agent}: a function around a handler of its own: {slipped[1]}")
    if not good:
        wrong.append(f"around: {shared}, {whole} and {part} requests; with a slip {slipped}")
    return wrong


def one_of_two(agent: str, scratch: Path) -> list[str]:
    """Two webhooks, of which the second ends the process, on both sides or after the migration only:
    the first is proved all the same."""
    folder = scratch / f"{agent}-two"
    folder.mkdir()
    path = folder / "plain.py"
    before = PLUGINS[0].text() + HOOK
    line = "core.logger.info(str("
    wrong = []

    def check(what: str, side: str, texts: list[str]) -> None:
        _, result, _ = run(folder, agent)
        verdicts = {one["endpoint"]: one["verdict"] for one in result["webhooks"]}
        failed = [(one["side"], one["endpoints"], one["reason"]) for one in result["failed"]]
        said = str(result["failed"])
        good = (
            verdicts == {"plain": "proved", "again": "failed"}
            and failed == [(side, ["again"], "exit")]
            and all(text in said for text in texts)
        )
        print(f"verify on {agent}: one of two ends the process {what}: {failed}")
        if not good:
            wrong.append(f"one of two, {what}: {verdicts}, {said}")

    path.write_text(before.replace(line, "import os; os._exit(3)\n    " + line))
    check("always", "old", ["exit code 3, while it answers POST (a plain request)"])
    path.write_text(before)
    migrated(folder)
    path.write_text(path.read_text().replace(line, "import os; os._exit(3)\n    " + line))
    check("after the migration", "new", ["exit code 3, while it answers POST ("])
    return wrong


# Lines of a file of requests that cannot be sent, the reason, and what is said of it.
WRONG_SETTINGS = [
    ({"TIMES": 1, "TIME": 1}, "no_setting", "given.jsonl:2: TIME (its settings are: "),
    ({"TIMES": "often"}, "bad_setting", "given.jsonl:2: TIMES = 'often': Input should be a valid"),
]


def closing(agent: str, scratch: Path) -> list[str]:
    """What is said of files is what a process shows, and one that cannot be closed later is not run."""
    wrong = []
    close, folder = landlock.close, str(scratch)

    def breaks(_folder: str) -> bool:
        raise OSError("broken")

    for closes, expected in ((lambda _: True, True), (lambda _: False, False), (breaks, False)):
        landlock.close = closes
        _, status = os.waitpid(runner._beside(folder), 0)
        if (status == 0) != expected:
            wrong.append(f"closing: not said to be {expected}")
    sandbox.Files.cut, landlock.close = True, lambda _: False
    try:
        sandbox.close(folder, print)
        wrong.append("closing: one that is not closed is run")
    except OSError:
        pass
    finally:
        sandbox.Files.cut, landlock.close = False, close
    print(f"verify on {agent}: what is said of files: {'so' if not wrong else 'NOT SO'}")
    return wrong


def killed(agent: str, scratch: Path) -> list[str]:
    """What was started ends with what has started it, even if that can do nothing about it."""
    if not sys.platform.startswith("linux"):
        return []
    folder = scratch / f"{agent}-killed"
    folder.mkdir()
    begun = folder / "begun"
    os.mkfifo(begun)
    # It is loaded for ever. Opening that waits for somebody who writes.
    top = f"open({str(begun)!r}).close()\nwhile True:\n    pass"
    (folder / "loops.py").write_text(Plugin("loops", "pass", top).text())
    # Far longer than is waited for below.
    command = [shim.binary(), "verify", "--agent", agent, "--python", sys.executable]
    command += ["--limit", "300"]
    with open(folder / "said", "w") as said_there:
        rehook = subprocess.Popen(command, cwd=folder, stdout=said_there, stderr=subprocess.STDOUT)
    writer = _writer(begun, rehook)
    started = [] if writer is None else _descendants(rehook.pid)
    if writer is not None:
        os.close(writer)
    rehook.kill()
    rehook.wait()
    until = time.monotonic() + 20
    while (left := [one for one in started if _lives(one)]) and time.monotonic() < until:
        time.sleep(0.02)
    for one in left:
        os.kill(one, signal.SIGKILL)
    good = len(started) >= 2 and not left
    print(f"verify on {agent}: killed: {len(started)} processes, {len(left)} left")
    if writer is None:
        return [f"killed: the plugin was not loaded: {(folder / 'said').read_text()}"]
    return [] if good else [f"killed: of {started} there are left {left}"]


def _writer(pipe: Path, program: subprocess.Popen) -> int | None:
    """Opens a pipe once somebody reads it; none if the program ends before, or never comes to it."""
    until = time.monotonic() + 120
    while program.poll() is None and time.monotonic() < until:
        try:
            # Opened otherwise, it waits for ever for a reader that may not come.
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        time.sleep(0.02)
    return None


def _descendants(process: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        for one in map(int, path.read_text().split()):
            found += [one, *_descendants(one)]
    return found


def _lives(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def wrong_settings(agent: str, scratch: Path) -> list[str]:
    """A line of the user's file that names a setting or a value that there is not: it is named, and
    the other webhook of the plugin, and other plugins, are verified."""
    folder = scratch / f"{agent}-settings"
    folder.mkdir()
    (folder / "plain.py").write_text(PLUGINS[0].text() + HOOK)
    (folder / "other.py").write_text(replace(PLUGINS[0], name="other").text())
    given = folder / "given.jsonl"
    wrong = []
    for settings, reason, text in WRONG_SETTINGS:
        lines = [{"TIMES": 4}, settings]
        lines = [{"path": "/api/webhook/again", "settings": one, "about": "x"} for one in lines]
        given.write_text("\n".join(json.dumps(one) for one in lines))
        done = verify(folder, agent, "--format", "json", "--requests", str(given))
        result = json.loads(done.stdout)
        verdicts = {one["endpoint"]: one["verdict"] for one in result["webhooks"]}
        failed = [(one["endpoints"], one["reason"]) for one in result["failed"]]
        good = (
            verdicts == {"plain": "proved", "again": "failed", "other": "proved"}
            and failed == [(["again"], reason)]
            and text in result["failed"][0]["detail"]
        )
        print(f"verify on {agent}: {reason}: {'named' if good else 'NOT NAMED'}")
        if not good:
            wrong.append(f"{reason}: {verdicts}, {result['failed']}")
    return wrong


def odd_place(agent: str, scratch: Path) -> list[str]:
    """The temporary folder may have a name that is no text, which is not so on every system."""
    if not sys.platform.startswith("linux"):
        return []
    folder, temporary = scratch / f"{agent}-odd", os.path.join(os.fsencode(scratch), b"\xff")
    folder.mkdir()
    os.makedirs(temporary, exist_ok=True)
    (folder / "own_folders.py").write_text(
        next(one for one in PLUGINS if one.name == "own_folders").text()
    )
    environment = {"TMPDIR": os.fsdecode(temporary)}
    done = verify(folder, agent, "--format", "json", environment=environment)
    verdicts = said(json.loads(done.stdout or '{"webhooks": [], "failed": []}'))
    good = verdicts == {"dev.own_folders": "proved"} and not os.listdir(temporary)
    print(f"verify on {agent}: a temporary folder that is no text: {verdicts}")
    return [] if good else [f"odd place: {verdicts}, {os.listdir(temporary)}, {done.stderr}"]


def saving(agent: str, scratch: Path) -> list[str]:
    """What is saved is what was sent, and is taken when it is given: all of it is sent once more. No
    setting that the plugin comes with is in it, and a file that is there is kept."""
    folder = scratch / f"{agent}-saving"
    folder.mkdir()
    names = ["signed", "set", "methods", "varying"]
    plugins = [one for one in PLUGINS if one.name in names]
    for plugin in plugins:
        text = plugin.text().replace('SECRET: str = ""', 'SECRET: str = "real-secret"')
        (folder / f"{plugin.name}.py").write_text(text)
    first, second = (scratch / f"{agent}-{name}.jsonl" for name in ("first", "second"))
    wrong = []

    def of(*arguments: str) -> dict:
        done = verify(folder, agent, "--format", "json", *arguments)
        result = json.loads(done.stdout)
        verdicts = {one["plugin"]: one["verdict"] for one in result["webhooks"]}
        if set(verdicts.values()) != {"proved"} or len(verdicts) != len(plugins):
            wrong.append(f"saving: {verdicts}")
        if result["unused_requests"] or "not saved" in done.stderr:
            wrong.append(f"saving: {result['unused_requests']} {done.stderr}")
        return {one["plugin"]: one["run"]["requests"] for one in result["webhooks"]}

    def lines(path: Path) -> list[dict]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    def keys(path: Path) -> set[str]:
        return {json.dumps(one | {"about": ""}, sort_keys=True) for one in lines(path)}

    counts = of("--save-requests", str(first))
    saved = lines(first)
    if sum(counts.values()) != len(saved):
        wrong.append(f"saving: {counts} were sent, {len(saved)} saved")
    settings = [one["settings"] for one in saved if "settings" in one]
    known = {"SECRET", "CHAT", "LABEL", "LOUD", "TIMES"}
    if not settings or any(not known.issuperset(one) for one in settings):
        wrong.append(f"saving: settings {settings}")
    if "real-secret" in str(settings) or "label" in str([list(one.values()) for one in settings]):
        wrong.append("saving: a setting of the plugin's own")
    of("--requests", str(first), "--save-requests", str(second))
    if not keys(first) <= keys(second):
        wrong.append(f"saving: not sent again: {sorted(keys(first) - keys(second))[:3]}")
    text = first.read_text()
    done = verify(folder, agent, "--save-requests", str(first))
    if done.returncode != 2 or first.read_text() != text:
        wrong.append(f"saving: exit code {done.returncode}, and what is there is written over")
    print(
        f"verify on {agent}: {len(saved)} requests saved: {'sent again' if not wrong else 'NOT SO'}"
    )
    return wrong


def github(agent: str, scratch: Path) -> list[str]:
    """The plugin that the agent comes with."""
    folder = scratch / f"{agent}-github"
    source = Path(sysconfig.get_paths()["purelib"]) / "plugins/builtin/github"
    shutil.copytree(source, folder / "github", ignore=shutil.ignore_patterns("__pycache__"))
    code, result, messages = run(folder, agent)
    one = result["webhooks"][0]
    about = one["run"] or {}
    print(
        f"verify on {agent}: github of the agent: {one['verdict']}, {about.get('requests')} requests, "
        f"{len(about.get('reached', []))} lines reached, {len(about.get('missed', []))} not"
    )
    if code != 0 or one["verdict"] != "proved" or not about["reached"]:
        return [f"github: exit code {code}, {one}\n{messages}"]
    return []


def main() -> int:
    try:
        shim.binary()
    except Failed as error:
        print(f"verify: FAILED: {error}")
        return 1
    wrong = edits.differing_lines()
    parts = [good_and_bad, slips, in_chinese, around, one_of_two, wrong_settings]
    parts += [saving, closing, killed, odd_place, github]
    parts += [partial(edits.edits, migrate=migrated, run=run)]
    parts += [partial(edits.a_part, migrate=migrated, run=run)]
    parts += [partial(reaching.reaching, run=run)]
    with tempfile.TemporaryDirectory(prefix="rehook-verify-") as folder:
        for agent in sys.argv[1:] or ["installed", "stand-in"]:
            for part in parts:
                begun = time.monotonic()
                wrong += part(agent, Path(folder))
                name = getattr(part, "func", part).__name__
                print(
                    f"verify on {agent}: {name} took {time.monotonic() - begun:.1f} s", flush=True
                )
    for one in wrong:
        print(f"WRONG: {one}")
    print(f"verify: {len(wrong)} not as expected")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
