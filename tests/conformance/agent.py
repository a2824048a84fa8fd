"""One side of a comparison: a plugin tree in the real agent, and what it does with requests.

The agent's own code does everything: its collector finds and loads the plugins, its router manager
mounts their routes, its middleware and exception handlers stand around its webhook router. Replaced
is only what would leave the process (`recorder.py`).

The agent is imported once, which takes seconds; each side then runs in a fork of that process, in a
folder of its own, so that no state of one reaches another.
"""

import asyncio
import json
import os
import pickle
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import oracle
import shim
from cases import Case, Request, Route, Unusable
from recorder import Recorder
from wire import HOST, Reply

# A side that takes longer hangs. Generous, since it only decides how a failure looks.
LIMIT_SECONDS = 120


@dataclass(eq=False)
class Sent:
    """One request of a run, which is also the key to its answer."""

    # Whose settings the request is with.
    route: Route
    request: Request
    url: str
    # The plugins that the old server has on; all of them, where it is not about the old server.
    plugins: tuple[str, ...] = ()


@dataclass
class Answer:
    """What a request gave: the reply, and what the plugin did."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    effects: list
    contexts: list = field(default_factory=list)
    raised: str = ""
    arrived: list[Request] = field(default_factory=list)

    def json(self):
        """The body as JSON, else as it is."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body


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
        import uvicorn.protocols.http.auto  # noqa: F401
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        sys.excepthook = sys.__excepthook__


def start(case: Case, side: str, sent: list[Sent]) -> Callable[[], list[Answer]]:
    """Sends the requests to one side, `old`, `new` or `shim`, in a process of its own; what is
    returned waits for the answers, so that the sides can run at the same time."""
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


def _side(case: Case, side: str, sent: list[Sent]) -> list[Answer]:
    source = (case.before if side == "old" else case.after) / case.folder
    place(source, case.package)
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 1)
    recorder = Recorder(case)
    recorder.install()
    if side == "old":
        oracle.install_document_api()

    def documented(app, collector) -> None:
        if side == "old":
            oracle.mount(app, collector, case.routes)

    async def everything() -> list[Answer]:
        app, collector = await application(documented)
        plugins = collector.loaded_plugins
        for route in case.routes:
            if route.plugin not in plugins:
                raise Unusable(f"there is no plugin {route.plugin}, only {sorted(plugins)}")
        if side == "old":
            # The agent loads in the order in which the file system lists files, which is none that
            # can be relied on. Where it shows, it is that of the map, which the shim goes by.
            order = [route.plugin for route in case.routes]
            known = sorted(plugins, key=lambda key: (key not in order, [*order, key].index(key)))
            collector.loaded_plugins = {key: plugins[key] for key in known}
        defaults = {
            key: plugin.get_config().model_copy(deep=True) for key, plugin in plugins.items()
        }
        recorder.clear()
        async with AsyncExitStack() as stack:
            send = partial(in_process, app)
            if side == "shim":
                routes = case.after / "webhook-routes.toml"
                send = await stack.enter_async_context(shim.in_front_of(app, routes))
            answers = []
            for one in sent:
                set_up(collector.loaded_plugins, defaults, one)
                answers.append(await answer(send, one, recorder))
            return answers

    return asyncio.run(everything())


def set_up(plugins: dict, defaults: dict, sent: Sent) -> None:
    """Gives every plugin the settings that the request is with, and turns off those that are not
    looked at."""
    for key, plugin in plugins.items():
        plugin._is_enabled = not sent.plugins or key in sent.plugins
        own = sent.request.settings if key == sent.route.plugin else {}
        settings = plugin.get_config()
        for name, value in (dict(defaults[key]) | own).items():
            if not hasattr(settings, name):
                raise Unusable(f"{key} has no setting {name}")
            setattr(settings, name, value)


async def answer(send: Callable[..., Awaitable[Reply]], sent: Sent, recorder: Recorder) -> Answer:
    """Sends one request and waits for all that follows."""
    before = asyncio.all_tasks()
    reply = await send(sent.url, sent.request)
    # What the handler has started in the background is part of what it did.
    while tasks := asyncio.all_tasks() - before - {asyncio.current_task()}:
        await asyncio.gather(*tasks, return_exceptions=True)
    effects, contexts = recorder.take()
    headers = sorted((n, v) for n, v in reply.headers if n != "x-process-time")
    return Answer(reply.status, headers, reply.body, effects, contexts, reply.raised, reply.arrived)


async def in_process(app, url: str, request: Request) -> Reply:
    """Hands a request to the application, byte by byte as it is."""
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
        "headers": [(name.lower(), value) for name, value in request.headers],
        "client": ("192.0.2.1", 50000),
        "server": (HOST, 80),
        "state": {},
    }
    names = {name for name, _ in scope["headers"]}
    if b"host" not in names:
        scope["headers"].insert(0, (b"host", HOST.encode()))
    if request.body and b"content-length" not in names:
        scope["headers"].append((b"content-length", str(len(request.body)).encode()))
    done = asyncio.Event()
    messages = [{"type": "http.request", "body": request.body, "more_body": False}]
    reply = Reply()

    async def receive():
        if messages:
            return messages.pop(0)
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = [
                (n.decode("latin-1"), v.decode("latin-1")) for n, v in message["headers"]
            ]
        elif message["type"] == "http.response.body":
            reply.body += message.get("body", b"")
            if not message.get("more_body"):
                done.set()

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001
        # The outermost middleware replies and then raises it again, for the server to log.
        reply.raised = f"{type(error).__name__}: {error}"
    done.set()
    return reply
