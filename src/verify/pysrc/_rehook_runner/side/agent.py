"""One side of a comparison: a plugin tree in the real agent, and what it does with requests.

The agent's own code does everything: its collector finds and loads the plugins, its router manager
mounts their routes, its middleware and exception handlers stand around its webhook router. Replaced
is only what would leave the process (`recorder.py`).

The agent is imported once, which takes seconds; each side then runs in a fork of that process, in a
folder of its own, so that no state of one reaches another.
"""

import asyncio
import copy
import gc
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _rehook_runner.model import ipc
from _rehook_runner.model.case import Case
from _rehook_runner.model.message import HOST, Reply, Request, Route
from _rehook_runner.process import sandbox, subprocess_task
from _rehook_runner.process.subprocess_task import Failed
from _rehook_runner.side import reference_server
from _rehook_runner.side.recorder import Folder, Recorder, kept
from _rehook_runner.side.tracebacks import without_places_in_bytes
from _rehook_runner.side.wrapper_identity import wrapper_identity

# A side that takes longer hangs, and is ended a little later. Generous, since it only decides how a
# failure looks.
LIMIT_SECONDS, GRACE_SECONDS = 120, 2

# The variables that name the folders of a user, each with the folder that a side has to itself;
# `session.rs` reads the same file for the process that the sides come from.
OWN_FOLDERS = [
    line.split() for line in Path(__file__).with_name("own_folders.txt").read_text().splitlines()
]

# How long something in the background that does nothing is waited for; after how many of them no
# longer; and how often they may go on meanwhile.
PATIENCE_SECONDS, MOST_PATIENT, ROUNDS = 0.2, 8, 20

# Values that nobody can change.
PLAIN = (bool, bytes, float, int, str, type(None))

# A chat that a plugin may send to.
CHAT = "onebot_v11-group_1"

# Sends a request to a URL.
Send = Callable[[str, Request], Awaitable[Reply]]


@dataclass(eq=False)
class Sent:
    """One request of a run, which is also the key to its answer."""

    # Whose settings the request is with.
    route: Route
    request: Request
    url: str
    # The plugins that the old server has on; all of them, where it is not about the old server.
    plugins: tuple[str, ...] = ()


def addressed(route: Route, request: Request, side: str) -> Sent:
    """The request, sent to a route at its old or new URL. The old URL calls every plugin that has
    the endpoint; here one is looked at."""
    if side == "old":
        return Sent(route, request, route.old, (route.plugin,))
    return Sent(route, request, route.target)


@ipc.serializable
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
        except (ValueError, RecursionError):
            return self.body


def scratch() -> str:
    """The folder that everything is written in."""
    return os.environ["REHOOK_SCRATCH"]


def prepare() -> None:
    """Imports the agent, in a temporary folder since it makes files where it stands."""
    os.chdir(tempfile.mkdtemp(prefix="agent-", dir=scratch()))
    for name in [name for name in os.environ if name.startswith("NEKRO_")]:
        del os.environ[name]
    # The default of later releases; that of 2.0 is another one.
    os.environ["NEKRO_DATA_DIR"] = "./data/nekro_agent"
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
        try:
            _import_agent()
        except ValueError:
            # Release 2.0 expects that whoever imports it has made a driver.
            import nonebot

            for name in [name for name in sys.modules if name.split(".")[0] == "nekro_agent"]:
                del sys.modules[name]
            nonebot.init(driver="~fastapi")
            _import_agent()
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        sys.excepthook = sys.__excepthook__
    # What has been imported stays. Collectors that look at it would make each side copy it.
    gc.freeze()
    gc.enable()


def _import_agent() -> None:
    import nekro_agent.api.message
    import nekro_agent.routers.webhook
    import nekro_agent.services.plugin.router_manager  # noqa: F401


def lacking() -> list[str]:
    """What was asked of the stand-in that only the real agent has."""
    module = sys.modules.get("nekro_agent.lacking")
    return sorted(set(module.asked)) if module else []


def start(
    case: Case,
    side: str,
    sent: list[Sent],
    through: Callable[[object], AbstractAsyncContextManager[Send]] | None = None,
) -> Callable[[], list[Answer]]:
    """Sends the requests to one side, `old` or `new`, in a process of its own; what is returned
    waits for the answers, so that the sides can run at the same time. `through` is what stands
    between the sender and the application, if anything does."""

    def work(progress: subprocess_task.Progress) -> list[Answer]:
        async def everything() -> list[Answer]:
            loaded = await Side.load(case, side)
            async with AsyncExitStack() as stack:
                send: Send = loaded.in_process
                if through is not None:
                    send = await stack.enter_async_context(through(loaded.app))
                return [await loaded.answer(one, send, progress) for one in sent]

        return asyncio.run(everything())

    return subprocess_task.start(work, LIMIT_SECONDS, GRACE_SECONDS)


def tidy() -> None:
    """Removes what sides have left in their folders; none may be running."""
    for folder in Path(scratch()).glob("side-*"):
        shutil.rmtree(folder, ignore_errors=True)


def place(source: Path, package: str = "", into: str = "workdir", item: str = "") -> None:
    """Puts plugins where the agent looks for them, in a folder of their own, and goes there. With an
    `item` the source is what its folder has."""
    folder = Path(tempfile.mkdtemp(prefix="side-", dir=scratch()))
    os.chdir(folder)
    Folder.name = str(folder)
    sys.dont_write_bytecode = True
    # What one side leaves in the user's folders must not meet the other.
    for name, inside in OWN_FOLDERS:
        (folder / inside).mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(folder / inside)
    tempfile.tempdir = None
    plugins = folder / "data/nekro_agent/plugins"
    for name in ("workdir", "packages"):
        (plugins / name).mkdir(parents=True)
    (folder / "plugins/builtin").mkdir(parents=True)
    if not item and (source / "__init__.py").exists():
        # The repo is the package: that is how the agent clones one from its market.
        name = package or source.resolve().name
        shutil.copytree(source, plugins / "packages" / name, symlinks=True)
    else:
        shutil.copytree(source, plugins / into, symlinks=True, dirs_exist_ok=True)


async def application(before_routers: Callable = lambda _app, _collector: None, item: str = ""):
    """The agent's application with the plugins that were placed, and its plugin collector. With an
    `item` only that file or folder of them is loaded."""
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
    if item:
        await _load_one(plugin_collector, item)
    else:
        await plugin_collector.init_plugins()
    # Releases before 2.1 only log what failed: those plugins are missing then.
    for failure in getattr(plugin_collector, "failed_plugins", {}).values():
        # A module beside the plugins that is not a plugin itself is not a failure.
        if item or failure.error_type != "MissingPluginInstance":
            raise _import_failure(failure)

    app = FastAPI()
    mount_middlewares(app)
    api = APIRouter(prefix="/api")
    api.include_router(webhook_router)
    app.include_router(api)
    before_routers(app, plugin_collector)
    plugin_router_manager.set_app(app)
    for plugin in plugin_collector.get_plugins_with_router():
        if not plugin_router_manager.mount_plugin_router(plugin):
            raise Failed("no_router", {"kind": "no_router", "plugin": plugin.key})
    return app, plugin_collector


async def _load_one(collector, item: str) -> None:
    """Loads one plugin as the agent loads all of them when it starts."""
    folder = Path.cwd() / "data/nekro_agent/plugins"
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    for name in ("workdir", "packages"):
        path = folder / name / item
        if path.exists():
            await collector._try_load_plugin(path, is_package=name == "packages")


def _import_failure(failure) -> Failed:
    reason = {
        "ModuleNotFoundError": "missing_module",
        "MissingPluginInstance": "no_plugin",
    }.get(failure.error_type, "import")
    if "stand-in" in failure.error_message:
        reason = "stand_in_lacks"
    elif subprocess_task.FORM_PACKAGE in failure.error_message:
        reason = "missing_module"
    return Failed(reason, f"{failure.module_name}: {failure.error_type}: {failure.error_message}")


@dataclass
class Side:
    """A plugin tree that the agent has loaded in this process."""

    app: Any
    collector: Any
    recorder: Recorder
    # The settings of each plugin as it was loaded.
    defaults: dict
    # What it tried to do while it was loaded, and was refused (sandbox.py).
    refused: list
    # What answered at each URL, besides the handler (see wrapper_identity.py).
    around: dict[str, str | None] = field(default_factory=dict)
    # The tasks that loading has left.
    loading: set[asyncio.Task] = field(default_factory=set)
    # What goes on in the background.
    lasting: set[asyncio.Task] = field(default_factory=set)

    @classmethod
    async def load(cls, case: Case, name: str) -> "Side":
        """Loads `old` or `new`. Only once in a process: the agent keeps what it has loaded."""
        tree = case.before if name == "old" else case.after
        assert tree is not None, "there is such a side"
        source = tree / case.folder
        place(source, case.package, case.into, case.item)
        recorder = Recorder(case)
        recorder.install()
        if case.closed:
            sandbox.close(Folder.name, recorder.add)
        if name == "old":
            reference_server.install_document_api()

        def documented(app, collector) -> None:
            if name == "old":
                reference_server.mount(app, collector, case.routes)

        app, collector = await application(documented, case.item)
        plugins = collector.loaded_plugins
        for route in case.routes:
            if route.plugin not in plugins:
                fact = {
                    "kind": "no_plugin",
                    "plugin": route.plugin,
                    "there": sorted(plugins),
                }
                raise Failed("no_plugin", fact)
        if name == "old":
            # The agent loads in the order in which the file system lists files, which is none that
            # can be relied on. Where it shows, it is that of the map, which the shim goes by.
            order = [route.plugin for route in case.routes]
            known = sorted(plugins, key=lambda key: (key not in order, [*order, key].index(key)))
            collector.loaded_plugins = {key: plugins[key] for key in known}
        defaults = {
            key: plugin.get_config().model_copy(deep=True) for key, plugin in plugins.items()
        }
        effects, _ = recorder.take()
        refused = [effect for effect in effects if effect[0] in sandbox.REFUSALS]
        return cls(app, collector, recorder, defaults, refused, loading=asyncio.all_tasks())

    async def in_process(self, url: str, request: Request) -> Reply:
        """Hands a request to the application."""
        scope, reply = await in_process(self.app, url, request)
        if url not in self.around and "endpoint" in scope:
            self.around[url] = wrapper_identity(scope)
        return reply

    async def answer(
        self,
        sent: Sent,
        send: Send | None = None,
        progress: subprocess_task.Progress | None = None,
    ) -> Answer:
        """Sends one request and waits for all that follows."""
        if progress is not None:
            progress.answering = sent.request.method, sent.request.label
        self._set_up(sent)
        self.recorder.begin()
        # Before there is any that lasts, all that there can be are those of loading.
        before = asyncio.all_tasks() if self.lasting else self.loading
        reply = await (send or self.in_process)(sent.url, sent.request)
        await self._settle(before)
        effects, contexts = self.recorder.take()
        body = without_places_in_bytes(reply.body)
        lengths = {str(len(reply.body)): str(len(body))}
        headers = sorted(
            (n, lengths.get(v, v) if n == "content-length" else v)
            for n, v in reply.headers
            if n != "x-process-time"
        )
        return Answer(
            reply.status,
            headers,
            kept(body),
            effects,
            contexts,
            reply.raised,
            reply.arrived,
        )

    async def _settle(self, before: set[asyncio.Task]) -> None:
        """Waits for what the handler has started in the background, which is part of what it did.
        What waits for something that does not come, as a worker at its queue does, may go on waiting.
        """
        while tasks := asyncio.all_tasks() - before - self.lasting - {asyncio.current_task()}:
            patience = PATIENCE_SECONDS if len(self.lasting) < MOST_PATIENT else 0
            done, waiting = await asyncio.wait(tasks, timeout=patience)
            for task in done:
                # It is asked for, so that nobody says that it was not.
                _ = task.cancelled() or task.exception()
            self.lasting |= waiting
        if self.lasting:
            for _ in range(ROUNDS):
                await asyncio.sleep(0)

    def wrong_settings(self, route: Route) -> Failed | None:
        """What is wrong with the settings of the requests that were given for a route."""
        settings = self.defaults[route.plugin]
        known = type(settings).model_fields
        # All that are named, and then all that are set: a name that is wrong has no value either.
        names = [
            {"place": one.place, "name": name}
            for one in route.requests
            for name in one.settings
            if name not in known
        ]
        if names:
            fact = {"kind": "no_settings", "named": names, "there": list(known)}
            return Failed("no_setting", fact)
        values = []
        for one in route.requests:
            for name, value in one.settings.items():
                copied = settings.model_copy(deep=True)
                try:
                    type(settings).__pydantic_validator__.validate_assignment(copied, name, value)
                except Exception as error:  # noqa: BLE001
                    # As pydantic says it, or the plugin's own check.
                    about = (
                        [each["msg"] for each in error.errors()] if hasattr(error, "errors") else []
                    )
                    why = "; ".join(about) or f"{type(error).__name__}: {error}"
                    values.append(f"{one.place}: {name} = {value!r}: {why}")
        return Failed("bad_setting", ", ".join(values)) if values else None

    def _set_up(self, sent: Sent) -> None:
        """Gives every plugin the settings that the request is with, and turns off those that are
        not looked at."""
        for key, plugin in self.collector.loaded_plugins.items():
            plugin._is_enabled = not sent.plugins or key in sent.plugins
            own = sent.request.settings if key == sent.route.plugin else {}
            settings = plugin.get_config()
            for name in own:
                if not hasattr(settings, name):
                    raise Failed(
                        "no_setting",
                        {"kind": "no_setting", "plugin": key, "name": name},
                    )
            for name, value in {**vars(self.defaults[key]), **own}.items():
                if type(value) not in PLAIN:
                    # The plugin may change it.
                    setattr(settings, name, copy.deepcopy(value))
                elif vars(settings).get(name) is not value:
                    setattr(settings, name, value)


async def in_process(app, url: str, request: Request) -> tuple[dict, Reply]:
    """Hands a request to the application, byte by byte as it is; gives the scope too, in which the
    application says what answered."""
    scope: dict[str, Any] = {
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
    # Put together in the end: of a reply in many parts, adding each to all before it takes longest.
    parts: list[bytes] = []

    async def receive():
        if messages:
            return messages.pop(0)
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.start":
            reply.status = int(message["status"])
            reply.headers = [
                (n.decode("latin-1"), v.decode("latin-1")) for n, v in message["headers"]
            ]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                done.set()

    try:
        await app(scope, receive, send)
    except BaseException as error:
        if (task := asyncio.current_task()) and task.cancelling():
            # It has ended the loop, as it would end the server: there is no reply.
            raise
        # The outermost middleware replies and then raises it again, for the server to log. What is
        # no `Exception` it lets through, `sys.exit()` among them: the server catches that as well,
        # and replies by itself (uvicorn, `run_asgi`).
        reply.raised = f"{type(error).__name__}: {error}"
        if not reply.status:
            reply.status, parts = 500, [b"Internal Server Error"]
            reply.headers = [("content-type", "text/plain; charset=utf-8")]
    done.set()
    reply.body = b"".join(parts)
    return scope, reply
