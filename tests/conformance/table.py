"""Plugins that come through: what is to be said of each. `failing.py` has the others."""

import sys

from failing import FAILING
from template import Plugin

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
        verdict="not_covered",
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
    *FAILING,
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
]


def named(name: str) -> Plugin:
    return next(one for one in PLUGINS if one.name == name)
