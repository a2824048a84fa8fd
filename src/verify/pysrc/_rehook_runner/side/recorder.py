"""What a plugin does, recorded where it would leave the agent.

Replaced is what would leave the process: the database, the adapters to chats, the network, and
waiting.
"""

import asyncio
import logging
import os
import random
import re
import socket
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from weakref import WeakKeyDictionary

from _rehook_runner.model.case import Case
from _rehook_runner.side.tracebacks import without_places

# How often a task may sleep during one request: what does so more often waits for something that does
# not come, or goes on for ever.
MOST_SLEEPS = 300
PLUGIN_MODULES = ("workdir.", "packages.")

# How long a thread waits at most.
MOMENT_SECONDS = 0.001


class Recorder:
    """What a plugin does, recorded where it would leave the agent."""

    def __init__(self, case: Case):
        self.effects: list = []
        self.contexts: list = []
        self.seen: dict[str, int] = {}
        self.known = 0
        self.requests = 0
        self.chance = random.Random()
        # How often each task has slept during a request.
        self.slept: WeakKeyDictionary[asyncio.Task, int] = WeakKeyDictionary()
        self.modules: list[str] = []
        self.store = {
            (e.get("chat_key", ""), e.get("user_key", ""), e["key"]): e["value"] for e in case.store
        }
        self.channels = case.channels

    def begin(self) -> None:
        """Before each request, so that a plugin that leaves something to chance has the same luck on
        both sides."""
        self.requests += 1
        self.slept.clear()
        random.seed(self.requests)
        self.chance.seed(self.requests)

    def take(self) -> tuple[list, list]:
        if self.known != len(sys.modules):
            # Looking through all of them takes longer than a request.
            self.known = len(sys.modules)
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

        PluginStore.get, PluginStore.set, PluginStore.delete = (
            store_get,
            store_set,
            store_delete,
        )

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
            def emit(_self, record):  # noqa: N805 (`self` is the recorder)
                if record.name.startswith(PLUGIN_MODULES):
                    self.add("log", record.levelname, record.getMessage(), None)

        logging.getLogger().addHandler(Handler())

        # `secrets` and `uuid` take it from there.
        os.urandom = random._urandom = self.chance.randbytes  # type: ignore[attr-defined]

        at_once = asyncio.sleep

        async def sleep(delay, result=None):
            # A library lets others go first at each part of a reply, which is not waiting.
            if delay or sys._getframe(1).f_code.co_filename.startswith(plugins):
                task = asyncio.current_task()
                assert task is not None, "this is a coroutine"
                self.slept[task] = self.slept.get(task, 0) + 1
                if self.slept[task] > MOST_SLEEPS:
                    await asyncio.get_running_loop().create_future()
            await at_once(0)
            return result

        asyncio.sleep = sleep
        wait = time.sleep

        def time_sleep(seconds):
            if threading.current_thread() is not threading.main_thread():
                # How often a thread waits beside a request is chance; one that does nothing else
                # would keep the processor from all others.
                wait(min(seconds, MOMENT_SECONDS))
            elif sys._getframe(1).f_code.co_filename.startswith(plugins):
                # What a library waits for is not what the plugin does.
                self.add("time.sleep", seconds)

        time.sleep = time_sleep

        def no_network(_socket, address):
            self.add("connect", address)
            raise OSError("there is no network here")

        socket.socket.connect = no_network  # type: ignore[method-assign]
        socket.socket.connect_ex = no_network  # type: ignore[method-assign]


# In bits.
LONGEST_NUMBER = 4096
# What is another one in each process: a sign of it, where it is, and what stands for it.
VARYING = [
    ("rehook-", re.compile(r"\brehook-[0-9a-f]{16}\b"), "rehook-x"),
    ("0x", re.compile(r"\b0x[0-9a-f]{6,}\b"), "0x…"),
    ("127.0.0.1:", re.compile(r"\b127\.0\.0\.1:\d+\b"), "127.0.0.1:…"),
]


# Bytes of a body, and characters of a text, from which on they are not kept whole: there is one for
# each of a hundred requests.
LARGE = 1 << 20


class Folder:
    """The folder of the side that this process is, once it has one."""

    name = ""


def kept(body: bytes) -> bytes:
    """Bytes, or the beginning of many and what tells them from others."""
    if len(body) <= LARGE:
        return body
    return body[:4096] + f"... {len(body)} bytes, SHA-256 {sha256(body).hexdigest()}".encode()


def _kept_text(text: str) -> str:
    told = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:4096]}... {len(text)} characters, SHA-256 {told}"


def plain(value):
    """A value that can be sent and compared; places in memory, the folder of the side, ports and the
    names of shims are not part of it."""
    if isinstance(value, str):
        value = value.replace(Folder.name, "…") if Folder.name else value
        value = without_places(value)
        for sign, pattern, instead in VARYING:
            # Nearly all text has none of them, and looking for a sign is quick.
            if sign in value:
                value = pattern.sub(instead, value)
        return value if len(value) <= LARGE else _kept_text(value)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return repr(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Python writes no longer ones in decimal.
        return int(value) if value.bit_length() < LONGEST_NUMBER else f"{value:#x}"
    if isinstance(value, bytes):
        return kept(bytes(value))
    return plain(repr(value))
