"""The way that the senders of old URLs take: over a socket to `rehook shim`, and from there to the
agent under uvicorn.

The shim is the program itself, as it was built, in a process of its own. The agent, and the sender
of the requests, are in this one, so that what a plugin does can be recorded.
"""

import asyncio
import os
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from cases import Unusable
from wire import AGENT, Sender, tcp

from _rehook_runner.model.message import Reply, Request

# The limit of time is not what is looked at: a machine may be busy with other things.
CONFIGURATION = """\
upstream = "http://127.0.0.1:{upstream}"
routes = '{routes}'
listen = "127.0.0.1:0"
admin = "off"
log = "off"
threads = 1
# All that comes to the agent is counted.
probe = "off"

[limits]
total = "100s"
connections = 64
"""

# What a shim calls itself in `Via`: another name each time that it starts.
NAME = re.compile(rb"\brehook-[0-9a-f]{16}\b")


def binary() -> Path:
    """The program: what REHOOK_BIN names, or what `cargo build` makes."""
    target = Path(__file__).resolve().parents[2] / "target"
    named = os.environ.get("REHOOK_BIN")
    choices = [Path(named)] if named else [target / "debug/rehook", target / "release/rehook"]
    for path in choices:
        if path.is_file():
            return path
    raise Unusable(
        f"{choices[0]} is not there; `cargo build` makes it, REHOOK_BIN names another, and "
        "`sh tests/run.sh` sees to both"
    )


@asynccontextmanager
async def in_front_of(app, routes: Path) -> AsyncIterator[Callable[..., Awaitable[Reply]]]:
    """Serves the application behind a shim with this route map; gives what sends to the shim."""
    listener = tcp()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    ready = asyncio.Event()
    arrived: list[Request] = []

    async def watched(scope, receive, send) -> None:
        arrived.append(of_scope(scope, port))
        await app(scope, receive, send)

    serving = asyncio.create_task(serve(watched, listener, ready))
    await asyncio.wait(
        [serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    if serving.done():
        raise Unusable(f"uvicorn does not serve: {serving.exception()!r}")
    process = start(port, routes)
    end_with_this_process(process)
    try:
        sender = Sender(port_of(process))

        async def send(url: str, request: Request) -> Reply:
            if process.poll() is not None:
                raise Unusable(f"the shim has ended with {process.returncode}: {rest(process)}")
            arrived.clear()
            reply = await sender.send(url, request)
            reply.arrived = list(arrived)
            return reply

        yield send
    finally:
        process.kill()
        process.wait()


def of_scope(scope: dict, port: int) -> Request:
    """The head of the request that has come to the application."""
    own = {
        b"host": lambda value: value.replace(b"127.0.0.1:%d" % port, AGENT.encode()),
        b"via": lambda value: NAME.sub(b"rehook-x", value),
    }
    headers = [(name, own.get(name, bytes)(value)) for name, value in scope["headers"]]
    return Request(scope["path"], scope["method"], scope["query_string"], headers)


async def serve(app, listener: socket.socket, ready: asyncio.Event) -> None:
    """Runs uvicorn as the agent does, until this process ends."""
    import uvicorn

    class Server(uvicorn.Server):
        # Signals are for the process, and `asyncio.sleep` does not wait here: uvicorn's own loop
        # would not let the processor go.
        def capture_signals(self):
            return nullcontext()

        async def main_loop(self) -> None:
            await self.on_tick(0)
            ready.set()
            await asyncio.Event().wait()

    await Server(uvicorn.Config(app, log_config=None, lifespan="off")).serve(sockets=[listener])


def start(upstream: int, routes: Path) -> subprocess.Popen:
    configuration = Path("shim.toml")
    configuration.write_text(
        CONFIGURATION.format(upstream=upstream, routes=routes), encoding="utf-8"
    )
    return subprocess.Popen(
        [binary(), "shim", "--config", configuration, "--no-upstream-check"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def port_of(process: subprocess.Popen) -> int:
    """Where the shim listens, which is what it says first."""
    said = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
    if not found:
        raise Unusable(f"the shim does not start: {said}{rest(process)}")
    return int(found[1])


def rest(process: subprocess.Popen) -> str:
    process.kill()
    return process.stderr.read()


def end_with_this_process(process: subprocess.Popen) -> None:
    """A side that takes too long is ended by its alarm, and must not leave the shim behind."""
    before = signal.getsignal(signal.SIGALRM)

    def too_late(number: int, frame) -> None:
        process.kill()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGALRM, too_late)
