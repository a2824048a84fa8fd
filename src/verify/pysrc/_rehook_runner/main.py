"""Takes the job, and says what comes of it.

Which agent runs the plugins comes as an argument, and the folder to write in as another; a job as
JSON on the standard input; results go as JSON lines to the standard output, which nobody else gets to
write to. What they contain is described in `job.rs` and `protocol.rs`; sentences for people are made
there.
"""

import gc
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main(agent: str, scratch: str) -> None:
    # Where the trees are, before an agent is imported in a folder of its own.
    work_dir = os.getcwd()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.set_inheritable(out.fileno(), False)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)

    def say(event: dict) -> None:
        from _rehook_runner.model import json_safe

        out.write(json_safe.line(event) + "\n")
        out.flush()

    beside = _beside(scratch)
    # Before anything is imported that might start a thread.
    from _rehook_runner.process import network, parent

    cut = network.cut()
    # Not before, since that has changed the rights.
    parent.end_with_it()
    os.environ["REHOOK_SCRATCH"] = scratch
    try:
        name = _prepare(agent, beside)
    except _Fatal as fatal:
        say({"event": "fatal", "reason": fatal.reason, "detail": fatal.detail})
        return
    import json

    from _rehook_runner.comparison.differential_run import run_case
    from _rehook_runner.model.limits import Limits
    from _rehook_runner.model.saved import Saved
    from _rehook_runner.process import sandbox, subprocess_task

    subprocess_task.private.add(out.fileno())
    say(
        {
            "event": "ready",
            "agent": name,
            "python": ".".join(map(str, sys.version_info[:3])),
            "network": "cut" if cut else "refused",
            "files": "cut" if sandbox.Files.cut else "refused",
        }
    )
    # As bytes: what text is depends on where this runs.
    job = json.load(sys.stdin.buffer)
    limits = Limits(**job["limits"])
    saved = Saved(limits.saved_bytes) if job["save"] else None
    for one in job["cases"]:
        try:
            for event in run_case(_case(one, work_dir), limits, saved):
                say(event)
        except Exception as error:  # noqa: BLE001
            # What a plugin answers can be such that it cannot be compared; others can.
            detail = f"{type(error).__name__}: {error}"
            say(
                {
                    "event": "failed",
                    "case": one["name"],
                    "side": "",
                    "reason": "crash",
                    "detail": detail,
                }
            )
    say({"event": "end"})
    # All has been said, and taking down what an agent has set up takes long.
    os._exit(0)


class _Fatal(Exception):
    """Nothing can be run."""

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def _prepare(asked: str, beside: int) -> str:
    """Imports the agent, and waits for the process `beside` this one; gives the agent's name."""
    # Read by releases of Python that it does not run on.
    if sys.version_info < (3, 11):  # noqa: UP036
        raise _Fatal("python_too_old", sys.version.split()[0])
    sys.dont_write_bytecode = True
    # Importing makes much that stays, and nothing that a collector would find.
    gc.disable()
    from importlib.util import find_spec

    installed = find_spec("nekro_agent") is not None
    if asked == "installed" and not installed:
        raise _Fatal("no_agent", sys.executable)
    if find_spec("fastapi") is None:
        raise _Fatal("no_fastapi", sys.executable)
    if asked != "stand-in" and installed:
        name = _installed()
    else:
        name = "stand-in"
        sys.path.insert(0, os.path.join(HERE, "standin"))
    try:
        _import_fastapi(deferred=name == "stand-in")
    except Exception as error:
        raise _Fatal("broken_fastapi", f"{type(error).__name__}: {error}") from error
    try:
        _, status = os.waitpid(beside, 0)
        from _rehook_runner.process import sandbox
        from _rehook_runner.side import agent

        sandbox.Files.cut = status == 0
        agent.prepare()
    except Exception as error:
        # The stand-in needs nothing else.
        reason = "broken_fastapi" if name == "stand-in" else "broken_agent"
        raise _Fatal(reason, f"{type(error).__name__}: {error}") from error
    return name


def _installed() -> str:
    """The name of the agent that is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"nekro-agent {version('nekro-agent')}"
    except PackageNotFoundError:
        return "nekro-agent"


def _beside(scratch: str) -> int:
    """Starts a process for what can be done on another processor while the libraries are imported:
    compiling what is imported of this folder, and finding out whether the system takes the files from a
    process. Gives its id; it ends with 0 if the system does."""
    process = os.fork()
    if process:
        return process
    is_closed = False
    try:
        import py_compile
        from pathlib import Path

        # What is not compiled now will be when it is imported.
        for file in Path(HERE).rglob("*.py"):
            py_compile.compile(str(file), quiet=2)
        from _rehook_runner.process import landlock

        is_closed = landlock.close(scratch)
    finally:
        os._exit(0 if is_closed else 1)


def _import_fastapi(deferred: bool) -> None:
    """Imports it. Its models of OpenAPI are many; `deferred` leaves those to be built that are used,
    which for most plugins is none."""
    from pydantic import BaseModel

    usual = BaseModel.model_config
    if deferred:
        BaseModel.model_config = {**usual, "defer_build": True}
    try:
        import fastapi  # noqa: F401
    finally:
        BaseModel.model_config = usual


def _case(about: dict, work_dir: str = ""):
    from pathlib import Path

    from _rehook_runner.model.case import Case
    from _rehook_runner.model.message import Route
    from _rehook_runner.side import agent

    routes = [
        Route(
            one["plugin"],
            one["endpoint"],
            one["dialect"],
            one["target"],
            native=one["native"],
            written=one["written"],
        )
        for one in about["routes"]
    ]
    for given in about["requests"]:
        for route in routes:
            if (route.plugin, route.endpoint) == (given["plugin"], given["endpoint"]):
                route.requests.append(_request(given))
    return Case(
        name=about["name"],
        before=Path(work_dir, about["before"]),
        after=Path(work_dir, about["after"]),
        routes=routes,
        into=about["place"],
        item=about["item"],
        closed=True,
        channels=[agent.CHAT],
    )


def _request(given: dict):
    from base64 import b64decode

    from _rehook_runner.model.message import Request

    body = b64decode(given["base64"]) if "base64" in given else given.get("body", "").encode()
    return Request(
        label=given.get("about", ""),
        method=given.get("method", "POST"),
        query=_bytes(given.get("query", "")),
        headers=[(_bytes(name), _bytes(value)) for name, value in given.get("headers", [])],
        body=body,
        settings=given.get("settings", {}),
        place=given.get("place", ""),
    )


def _bytes(value: object) -> bytes:
    if isinstance(value, dict):
        from base64 import b64decode

        return b64decode(value["base64"])
    return str(value).encode()
