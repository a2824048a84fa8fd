"""One side of a comparison: a plugin tree in the real agent, and what it does with requests.

The agent's own code does everything: its collector finds and loads the plugins, its router manager
mounts their routes, its middleware and exception handlers stand around its webhook router. Replaced
is only what would leave the process: the database, the adapters to chats, and waiting.

The agent is imported once, which takes seconds; each side then runs in a fork of that process, in a
folder of its own, so that no state of one reaches another.
"""

import asyncio
import json
import logging
import os
import pickle
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import oracle
from cases import Case, Request, Route

# A side that takes longer hangs. Generous, since it only decides how a failure looks.
LIMIT_SECONDS = 120

PLUGIN_MODULES = ("workdir.", "packages.")


@dataclass
class Answer:
    """What a request gave: the reply, and what the plugin did."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    effects: list
    contexts: list = field(default_factory=list)
    raised: str = ""

    def json(self):
        """The body as JSON, else as it is."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body


class Unusable(Exception):
    """The side cannot be run; the message says why."""


def prepare() -> None:
    """Imports the agent, in a temporary folder since it makes files where it stands."""
    os.chdir(tempfile.mkdtemp(prefix="agent-", dir=os.environ["CONFORMANCE_TMP"]))
    for name in [name for name in os.environ if name.startswith("NEKRO_")]:
        del os.environ[name]
    try:
        import magic  # noqa: F401
    except ImportError:
        # Needs a C library that may be missing; the agent uses it for files in chats only.
        sys.modules["magic"] = type(sys)("magic")
    # What it prints while it is imported is not about the tests.
    quiet = os.open(os.devnull, os.O_WRONLY)
    stdout = os.dup(1)
    os.dup2(quiet, 1)
    try:
        import nekro_agent.api.message
        import nekro_agent.routers
        import nekro_agent.services.plugin.router_manager  # noqa: F401
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        sys.excepthook = sys.__excepthook__


def start(case: Case, side: str, sent: list[tuple[Route, Request]]) -> Callable[[], list[Answer]]:
    """Sends the requests to one side, `old` or `new`, in a process of its own; what is returned
    waits for the answers, so that two sides can run at the same time."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(LIMIT_SECONDS)
        try:
            result = _side(case, side, sent)
        except Unusable as error:
            result = str(error)
        except BaseException:  # noqa: BLE001
            result = traceback.format_exc()
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(result, pipe)
        os._exit(0)
    os.close(writer)

    def answers() -> list[Answer]:
        with os.fdopen(reader, "rb") as pipe:
            data = pipe.read()
        _, status = os.waitpid(child, 0)
        if not data:
            code = os.waitstatus_to_exitcode(status)
            raise Unusable(f"{side}: the process ended with {code} before it had answered")
        result = pickle.loads(data)
        if isinstance(result, str):
            raise Unusable(f"{side}: {result}")
        return result

    return answers


def place(source: Path, package: str = "") -> None:
    """Puts plugins where the agent looks for them, in a folder of their own, and goes there."""
    folder = Path(tempfile.mkdtemp(prefix="side-", dir=os.environ["CONFORMANCE_TMP"]))
    os.chdir(folder)
    sys.dont_write_bytecode = True
    plugins = folder / "data/nekro_agent/plugins"
    for name in ("workdir", "packages"):
        (plugins / name).mkdir(parents=True)
    (folder / "plugins/builtin").mkdir(parents=True)
    if (source / "__init__.py").exists():
        # The repo is the package: that is how the agent clones one from its market.
        name = package or source.resolve().name
        shutil.copytree(source, plugins / "packages" / name, symlinks=True)
    else:
        shutil.copytree(source, plugins / "workdir", symlinks=True, dirs_exist_ok=True)


async def application(before_routers: Callable = lambda _app, _collector: None):
    """The agent's application with the plugins that were placed, and its plugin collector."""
    from fastapi import APIRouter, FastAPI
    from nekro_agent.core.config import config
    from nekro_agent.routers import mount_middlewares
    from nekro_agent.routers.webhook import router as webhook_router
    from nekro_agent.services.plugin.collector import plugin_collector
    from nekro_agent.services.plugin.router_manager import plugin_router_manager

    class Every(list):
        """A list of enabled plugins that no plugin is missing from."""

        def __contains__(self, _key: object) -> bool:
            return True

    config.PLUGIN_ENABLED = Every()
    await plugin_collector.init_plugins()
    failed = [
        f"{failure.module_name}: {failure.error_type}: {failure.error_message}"
        for failure in plugin_collector.failed_plugins.values()
        # A module beside the plugins that is none itself.
        if failure.error_type != "MissingPluginInstance"
    ]
    if failed:
        raise Unusable("the agent does not load it: " + "; ".join(failed))

    app = FastAPI()
    mount_middlewares(app)
    api = APIRouter(prefix="/api")
    api.include_router(webhook_router)
    app.include_router(api)
    before_routers(app, plugin_collector)
    plugin_router_manager.set_app(app)
    for plugin in plugin_collector.get_plugins_with_router():
        if not plugin_router_manager.mount_plugin_router(plugin):
            raise Unusable(f"the agent does not mount the router of {plugin.key}")
    return app, plugin_collector


def _side(case: Case, side: str, sent: list[tuple[Route, Request]]) -> list[Answer]:
    source = (case.before if side == "old" else case.after) / case.folder
    place(source, case.package)
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 1)
    recorder = Recorder(case)
    recorder.install()
    if side == "old":
        oracle.install_document_api()

    async def everything() -> list[Answer]:
        app, plugin_collector = await application(
            lambda app, collector: (
                oracle.mount(app, collector, [route for route, _ in sent])
                if side == "old"
                else None
            )
        )
        defaults = {
            key: plugin.get_config().model_copy(deep=True)
            for key, plugin in plugin_collector.loaded_plugins.items()
        }
        recorder.clear()

        answers = []
        for route, request in sent:
            plugin = plugin_collector.get_plugin(route.plugin)
            if plugin is None:
                raise Unusable(
                    f"there is no plugin {route.plugin}, only {sorted(plugin_collector.loaded_plugins)}"
                )
            # The old URL calls every plugin that has the endpoint; here one is looked at.
            for other in plugin_collector.loaded_plugins.values():
                other._is_enabled = side == "new" or other is plugin
            settings = plugin.get_config()
            for name, value in (dict(defaults[route.plugin]) | request.settings).items():
                if not hasattr(settings, name):
                    raise Unusable(f"{route.plugin} has no setting {name}")
                setattr(settings, name, value)
            url = route.target if side == "new" else route.old
            answers.append(await answer(app, url, request, recorder))
        return answers

    return asyncio.run(everything())


async def answer(app, url: str, request: Request, recorder: "Recorder") -> Answer:
    """Sends one request to the application, byte by byte as it is, and waits for all that follows."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": url,
        "raw_path": url.encode(),
        "query_string": request.query,
        "root_path": "",
        "headers": [
            (b"host", b"agent.test"),
            *((name.lower(), value) for name, value in request.headers),
        ],
        "client": ("192.0.2.1", 50000),
        "server": ("agent.test", 80),
        "state": {},
    }
    if request.body:
        scope["headers"].append((b"content-length", str(len(request.body)).encode()))
    before = asyncio.all_tasks()
    done = asyncio.Event()
    messages = [{"type": "http.request", "body": request.body, "more_body": False}]
    status, headers, body, raised = 0, [], b"", ""

    async def receive():
        if messages:
            return messages.pop(0)
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        nonlocal status, headers, body
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message["headers"]]
        elif message["type"] == "http.response.body":
            body += message.get("body", b"")
            if not message.get("more_body"):
                done.set()

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001
        # The outermost middleware replies and then raises it again, for the server to log.
        raised = f"{type(error).__name__}: {error}"
    done.set()
    # What the handler has started in the background is part of what it did.
    while tasks := asyncio.all_tasks() - before - {asyncio.current_task()}:
        await asyncio.gather(*tasks, return_exceptions=True)
    effects, contexts = recorder.take()
    headers = sorted((n, v) for n, v in headers if n != "x-process-time")
    return Answer(status, headers, body, effects, contexts, raised)


class Recorder:
    """What a plugin does, recorded where it would leave the agent."""

    def __init__(self, case: Case):
        self.effects: list = []
        self.contexts: list = []
        self.seen: dict[str, int] = {}
        self.modules: list[str] = []
        self.modules_known = 0
        self.store = {
            (e.get("chat_key", ""), e.get("user_key", ""), e["key"]): e["value"] for e in case.store
        }
        self.channels = case.channels

    def clear(self) -> None:
        self.take()

    def take(self) -> tuple[list, list]:
        if len(sys.modules) != self.modules_known:
            # Looked through only when there are others: the agent has thousands.
            self.modules_known = len(sys.modules)
            self.modules = [name for name in sys.modules if name.startswith(PLUGIN_MODULES)]
        for name in self.modules:
            entries = getattr(sys.modules.get(name), "EFFECTS", None)
            if isinstance(entries, list):
                new = entries[self.seen.get(name, 0) :]
                self.seen[name] = len(entries)
                self.effects += [("EFFECTS", plain(entry)) for entry in new]
        taken = self.effects, self.contexts
        self.effects, self.contexts = [], []
        return taken

    def add(self, *effect) -> None:
        self.effects.append(tuple(plain(part) for part in effect))

    def install(self) -> None:
        """Puts itself in the place of the database, the chats, the log, the clock and the network."""
        import socket

        from nekro_agent.adapters.utils import AdapterUtils
        from nekro_agent.core.logger import logger
        from nekro_agent.models.db_chat_channel import DBChatChannel
        from nekro_agent.schemas.agent_ctx import AgentCtx
        from nekro_agent.services.chat.universal_chat_service import (
            universal_chat_service,
        )
        from nekro_agent.services.message_service import message_service
        from nekro_agent.services.plugin.base import PluginStore

        async def send_agent_message(chat_key, messages, adapter, ctx=None, **how):
            texts = (
                messages if isinstance(messages, str) else [(m.type, m.content) for m in messages]
            )
            self.add("send", chat_key, texts, how)

        async def push_system_message(
            chat_key, agent_messages, trigger_agent=False, db_chat_channel=None
        ):
            self.add("push_system", chat_key, agent_messages, trigger_agent)

        universal_chat_service.send_agent_message = send_agent_message
        message_service.push_system_message = push_system_message
        AdapterUtils.get_adapter = staticmethod(lambda key: f"adapter {key}")

        def channel(chat_key: str):
            adapter_key, _, channel_id = chat_key.partition("-")
            kind = channel_id.partition("_")[0]
            return DBChatChannel(
                adapter_key=adapter_key,
                channel_id=channel_id,
                channel_name=channel_id,
                channel_type=kind,
                chat_key=chat_key,
                data="{}",
            )

        async def get_channel(chat_key: str):
            return channel(chat_key)

        async def every_channel():
            return [channel(chat_key) for chat_key in self.channels]

        DBChatChannel.get_channel = staticmethod(get_channel)
        DBChatChannel.all = staticmethod(every_channel)

        async def store_get(_store, chat_key="", user_key="", store_key=""):
            return self.store.get((chat_key, user_key, store_key))

        async def store_set(_store, chat_key="", user_key="", store_key="", value=""):
            self.add("store.set", chat_key, user_key, store_key, value)
            known = (chat_key, user_key, store_key) in self.store
            self.store[chat_key, user_key, store_key] = value
            return int(known)

        async def store_delete(_store, chat_key="", user_key="", store_key=""):
            self.add("store.delete", chat_key, user_key, store_key)
            return int(self.store.pop((chat_key, user_key, store_key), None) is None)

        PluginStore.get, PluginStore.set, PluginStore.delete = store_get, store_set, store_delete

        create = AgentCtx.create_by_webhook.__func__

        async def create_by_webhook(cls, webhook_request):
            self.contexts.append((plain(webhook_request.headers), plain(webhook_request.body)))
            return await create(cls, webhook_request)

        AgentCtx.create_by_webhook = classmethod(create_by_webhook)

        plugins = str(Path.cwd() / "data/nekro_agent/plugins")

        def by_a_plugin(record) -> bool:
            # By file, since the agent gives its loggers other names than the caller's module.
            return record["file"].path.startswith(plugins)

        def heard(message) -> None:
            error = message.record["exception"]
            self.add(
                "log",
                message.record["level"].name,
                message.record["message"],
                # There is no type where an exception is logged and none is being handled.
                error and error.type and f"{error.type.__name__}: {error.value}",
            )

        logger.remove()
        how = {"format": "{message}", "backtrace": False, "diagnose": False}
        logger.add(heard, level=0, filter=by_a_plugin, **how)

        class Handler(logging.Handler):
            def emit(_self, record):
                if record.name.startswith(PLUGIN_MODULES):
                    self.add("log", record.levelname, record.getMessage(), None)

        logging.getLogger().addHandler(Handler())

        at_once = asyncio.sleep

        async def sleep(delay, result=None):
            await at_once(0)
            return result

        asyncio.sleep = sleep
        time.sleep = lambda seconds: self.add("time.sleep", seconds)

        def no_network(_socket, address):
            self.add("connect", address)
            raise OSError("there is no network in these tests")

        socket.socket.connect = no_network
        socket.socket.connect_ex = no_network


def plain(value):
    """A value that can be sent and compared; places in memory are not part of it."""
    if isinstance(value, str):
        return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x…", value)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return repr(value)
    if value is None or isinstance(value, (bool, int, bytes)):
        return value
    return plain(repr(value))
