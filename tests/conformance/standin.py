"""Shows that the stand-in for the agent treats plugins and requests as the real agent does.

Usage: standin.py [--verbose] [CASE…]. Each fixture, before and after the migration, and the plugin
that the agent comes with, is loaded into both and sent the same requests. Prints a line for each:
for how many requests the two are equal, or the first difference. What does not load has to be
refused by both in the same words. Exits with 1 if there is a difference.

The stand-in is given FastAPI and what that needs, and no other package, while it is imported.
"""

import multiprocessing
import os
import re
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
RUNNER = PROJECT / "src/verify/pysrc"
STANDIN = RUNNER / "_rehook_runner/standin"
sys.path[:0] = [str(HERE), str(RUNNER)]
sys.dont_write_bytecode = True

import cases
import wheel

from _rehook_runner.model.case import Case
from _rehook_runner.model.message import METHODS, Request, Route
from _rehook_runner.process.subprocess_task import Failed
from _rehook_runner.side import agent

# The cases that ask for what the stand-in lacks by design, each with the names.
LACKING = {
    "(probe that needs more)": [
        "loguru.opener",
        "nekro_agent.services.agent",
        "nekro_agent.tools",
        "nekro_agent.schemas.errors.ChannelNotFoundError",
        "nekro_agent.core.config.config.AI_CHAT_DEFAULT_PRESET_ID",
        "AgentCtx.fs",
        "NekroPlugin.get_docs",
        "nekro_agent.services.plugin.task.TaskCtl.success",
        "nekro_agent.services.plugin.task.TaskCtl",
        "nekro_agent.models.db_chat_channel.DBChatChannel.filter",
    ],
}

# What a FastAPI without extras brings along, and the one extra that forms need.
FASTAPI = {
    "annotated_doc",
    "annotated_types",
    "anyio",
    "fastapi",
    "idna",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "python_multipart",
    "sniffio",
    "starlette",
    "typing_extensions",
    "typing_inspection",
}

# The same requests to one side of a case give answers, or the reason why it cannot be run.
Outcome = list[agent.Answer] | str


class OnlyFastAPI:
    """A finder that comes first and hides all other packages."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        package = name.partition(".")[0]
        known = sys.stdlib_module_names | FASTAPI | {"nekro_agent"}
        # A module of Python's own that has the name of the platform in its own.
        if package not in known and not package.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def work(standin: bool, every: list[Case], results) -> None:
    """Runs all cases on one of the two agents, in a process that has imported that one."""
    if standin:
        sys.path.insert(0, str(STANDIN))
        sys.meta_path.insert(0, OnlyFastAPI)
    agent.prepare()
    if standin:
        # What a plugin imports is its own affair.
        sys.meta_path.remove(OnlyFastAPI)
    for case in every:
        results.send(outcomes(case))


def outcomes(case: Case) -> dict[str, Outcome]:
    """What both sides of a case give; where there is nothing to send, whether it is loaded."""
    sent = requests_of(case)
    sides = {"old": case.before} | ({"new": case.after} if case.after else {})
    started = {
        side: agent.start(case, side, [agent.addressed(*one, side) for one in sent])
        for side in sides
    }
    found = {}
    for side, answers in started.items():
        try:
            found[side] = answers()
        except Failed as error:
            # Without where the plugin, or the agent, is.
            found[side] = re.sub(r"/\S*/(side-\w+|site-packages|standin)/", "…/", str(error))
    return found


def requests_of(case: Case) -> list[tuple[Route, Request]]:
    return [(route, request) for route in case.routes for request in route.requests]


def differences(case: Case, real: dict[str, Outcome], standin: dict[str, Outcome]):
    """In words, each request that the two agents answer differently."""
    for side, expected in real.items():
        got = standin[side]
        if isinstance(expected, str) or isinstance(got, str):
            if expected != got:
                yield f"{side} side\n" + contrast("outcome", expected, got)
            continue
        for (route, request), one, other in zip(requests_of(case), expected, got, strict=True):
            parts = [
                contrast(field.name, getattr(one, field.name), getattr(other, field.name))
                for field in fields(one)
                if getattr(one, field.name) != getattr(other, field.name)
            ]
            if parts:
                url = route.old if side == "old" else route.target
                yield "\n".join([f"{side} side, {url}", request.shown(), *parts])


def contrast(what: str, expected, got) -> str:
    return f"  {what}\n    real agent {expected!r}\n    stand-in   {got!r}"


def verdict(case: Case, real: dict[str, Outcome]) -> str:
    """What the two agents are equal in."""
    if isinstance(real["old"], str):
        return f"equal to the real agent: {real['old'].splitlines()[-1]}"
    count = sum(len(outcome) for outcome in real.values() if not isinstance(outcome, str))
    return f"equal to the real agent for {count} requests" if count else "loaded by both"


def probes() -> list[Case]:
    """The plugins in `probe/`, which ask for what fixtures have no need of."""
    asks = Case(
        name="(probe)",
        before=HERE / "probe/asks",
        after=HERE / "probe/asks",
        routes=[],
        channels=["onebot_v11-group_1", "onebot_v11-group_2"],
    )
    json_type = (b"Content-Type", b"application/json")
    languages = [b"en-US,zh;q=0.5", b"zh-CN", b" EN", b"", b"fr, en"]
    names = re.findall(
        r"^async def do_(\w+)", (asks.before / "probe.py").read_text("utf-8"), re.MULTILINE
    )
    asked = [
        Request(name, headers=[json_type, *more], body=b'{"do": "%s"}' % name.encode())
        for name in names
        for more in (
            [[], *([(b"Accept-Language", lang)] for lang in languages)]
            if name.startswith("raise_")
            else [[]]
        )
    ]
    plain = [Request(method, method) for method in (*METHODS, "TRACE")]
    origin = (b"Origin", b"https://example.com")
    preflight = (b"Access-Control-Request-Method", b"PUT")
    wanted = (b"Access-Control-Request-Headers", b"x-a")
    plain += [
        Request("from elsewhere", "GET", headers=[origin]),
        Request("from elsewhere, with a cookie", "GET", headers=[origin, (b"Cookie", b"a=1")]),
        Request("asked before", "OPTIONS", headers=[origin, preflight]),
        Request("asked before", "OPTIONS", headers=[origin, preflight, wanted]),
        Request("in English", "GET", headers=[(b"Accept-Language", b"en")]),
    ]
    items = [
        Request("an item", "PUT", query, headers, body)
        for query in (b"", b"page=2", b"page=x")
        for headers in ([json_type], [json_type, (b"Token", b"t"), (b"Accept-Language", b"en")], [])
        for body in (b'{"name": "a", "count": 1}', b'{"count": -1}', b"{", b"", b"[]")
    ]
    for path, requests in {
        "probe": [*asked, *plain],
        "plain": plain,
        "items": [*items, *plain],
        "stream": plain,
        "background": plain,
        "background-broken": plain,
        "guarded/door": plain,
        "nowhere": plain,
        "plain/": plain,
    }.items():
        target = f"/plugins/dev.probe/{path}"
        asks.routes.append(Route("dev.probe", path, "context", target, requests=requests))
    fails = Case("(probe that cannot be started)", HERE / "probe/init_fails", None, [])
    folder = HERE / "probe/lacks"
    lacks = Route("dev.lacks", "x", "context", "/plugins/dev.lacks/lacks", requests=[Request("")])
    return [asks, fails, Case("(probe that needs more)", folder, folder, [lacks])]


def main() -> int:
    verbose = "--verbose" in sys.argv
    wanted = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    with tempfile.TemporaryDirectory(prefix="rehook-standin-") as folder:
        os.environ["REHOOK_SCRATCH"] = folder
        every = [
            cases.read(path.parent)
            for path in sorted(PROJECT.glob("fixtures/*/case.toml"))
            if not wanted or path.parent.name in wanted
        ]
        every += [case for case in probes() if not wanted or case.name in wanted]
        if not wanted or wheel.NAME in wanted:
            every.append(wheel.case(Path(folder)))
        processes = multiprocessing.get_context("spawn")
        pipes = []
        for standin in (False, True):
            ours, theirs = processes.Pipe(duplex=False)
            processes.Process(target=work, args=(standin, every, theirs), daemon=True).start()
            theirs.close()
            pipes.append(ours)
        failed, total = 0, 0
        for case in every:
            real, standin = (pipe.recv() for pipe in pipes)
            found = list(differences(case, real, standin))
            if names := LACKING.get(case.name):
                said = str(standin)
                unsaid = [n for n in names if not re.search(rf"agent has no {n}\b(?!\.)", said)]
                failed += bool(unsaid)
                print(
                    f"{case.name}: NOT SAID to be lacking: {', '.join(unsaid)}"
                    if unsaid
                    else f"{case.name}: lacking by design: {', '.join(names)}"
                )
            elif found:
                failed += 1
                print(f"{case.name}: DIFFERS in {len(found)} requests")
                for text in found if verbose else found[:1]:
                    print("\n".join("    " + line for line in text.splitlines()))
            else:
                total += sum(len(part) for part in real.values() if not isinstance(part, str))
                print(f"{case.name}: {verdict(case, real)}")
            sys.stdout.flush()
        print(f"stand-in: {len(every) - failed} equal by {total} requests, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
