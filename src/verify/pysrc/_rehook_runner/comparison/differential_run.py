"""Proves one plugin: finds requests, sends them to both sides, and says what they show."""

import asyncio
import base64
import inspect
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from _rehook_runner.comparison import compare
from _rehook_runner.coverage import conditions, lines, required_coverage
from _rehook_runner.model import ipc, json_safe, request_label
from _rehook_runner.model.case import Case
from _rehook_runner.model.limits import Limits
from _rehook_runner.model.message import Request, Route, stays_alike, table
from _rehook_runner.model.saved import Saved
from _rehook_runner.process import sandbox, subprocess_task
from _rehook_runner.search.explore import Found, Nonterminating, ends, explore
from _rehook_runner.side import agent
from _rehook_runner.side.recorder import Folder

# Before the old side runs once more, so that what shows a time shows another one.
PAUSE_SECONDS = 1.1
# How often the old side runs at most. Where it varies by itself, twice the same may be chance.
MOST_RUNS = 4
# One row of the table of bodies for each kind of body that a handler can be given.
KINDS = (
    "object",
    "empty_object",
    "object_as_text",
    "text",
    "form",
    "nothing",
)
# Of the table, what a handler gets whose way of taking a body is shown at another one.
PART = (*KINDS, "half_object", "list", "query")
# What is wrong with requests that were given, and with neither side.
GIVEN = ("no_setting", "bad_setting")
# Attempts that are reported of one plugin.
MOST_REFUSED = 20


@ipc.serializable
@dataclass
class Run:
    """What a side gave."""

    answers: list[agent.Answer]
    # None where the function is in no file of the plugin; empty on the new side.
    handlers: list[required_coverage.Handler | None]
    # The lines that ran while it was loaded, and for requests.
    loading: set[lines.Line]
    reached: set[lines.Line]
    # For each route, what stands around its handler (see wrapper_identity.py).
    around: list[str | None]
    # What it tried to do while it was loaded, and was refused.
    refused: list
    # Which way the changed conditions went.
    went: set[conditions.Went]


def run_case(case: Case, limits: Limits, saved: Saved | None = None) -> Iterator[dict]:
    """The results of a plugin, as main.py writes them; where they are to be saved, with the requests that
    were sent."""
    try:
        found = _searched(case, limits)
        out = _Out(case, found, limits)
        sent, old, new = _compared(case, found, out, limits)
        differing = _differing(case, sent, old, new, limits)
        agent.tidy()
    except _SideFailed as failed:
        yield _failed(case, failed.side, failed.why)
        return
    except subprocess_task.Failed as failed:
        yield _failed(case, "old", failed)
        return
    missed = required_coverage.missed(
        case, [one for one in old.handlers if one is not None], _ran(old), _ran(new)
    )
    for place, (side, why) in out.failed.items():
        yield _failed(case, side, why) | {"endpoint": case.routes[place].endpoint}
    for place, (route, handler) in enumerate(zip(case.routes, old.handlers, strict=True)):
        if place not in out.failed:
            proof = _proof(case, route, handler, missed, sent, old, differing)
            yield proof | {"endless": _endless(route, found[place], limits)}
    if saved is not None:
        yield from saved.events(case, sent, _shown)
    refused = _refused(old, new)
    if refused:
        yield {"event": "refused", "case": case.name, "what": refused}


def _searched(case: Case, limits: Limits) -> list[Found]:
    """For each route what was found on the old side, and the requests that were found on the new one:
    what only the new code names is in none of the others.

    Raises `subprocess_task.Failed` if the old side cannot be run. Of the new side that is said when both
    are compared.
    """
    found = explore(case, "old", limits)
    try:
        found_new = explore(case, "new", limits, found)
    except subprocess_task.Failed:
        return found
    for route, one, other in zip(case.routes, found, found_new, strict=True):
        # One that the old side comes to the end of is a difference, and has to be sent for that.
        hanging = [
            endless.request
            for endless in other.endless
            if ends(case, "old", route, endless.request, limits)
        ]
        one.requests = _once([*one.requests, *other.requests, *hanging])
    return found


class _Out:
    """What is not sent: requests that end the process, and those to routes whose requests do."""

    def __init__(self, case: Case, found: list[Found], limits: Limits):
        self.case, self.found, self.most = case, found, limits.left_out_requests
        # All runs together that leave out one more request may begin within the time of one.
        self.until = time.monotonic() + limits.side_seconds
        self.requests: list[Request] = []
        # Of routes by their places: the side, and why.
        self.failed = {
            place: ("" if one.failed.reason in GIVEN else "old", one.failed)
            for place, one in enumerate(found)
            if one.failed
        }

    def has(self, route: Route, request: Request) -> bool:
        return any(request is one for one in self.requests) or any(
            route is self.case.routes[place] for place in self.failed
        )

    def add(self, side: str, why: subprocess_task.Failed, route: Route, request: Request) -> None:
        """Leaves out a request that a side does not come through. Where the old side ends with it,
        so would the server have, and there is no answer to compare; what the new side alone does not
        answer is a fault of it."""
        place = next(place for place, one in enumerate(self.case.routes) if one is route)
        is_ended = side == "old" and why.reason in ("crash", "exit")
        if is_ended and len(self.requests) < self.most and time.monotonic() < self.until:
            self.requests.append(request)
            self.found[place].endless.insert(0, Nonterminating(request, True, why.detail))
        else:
            self.failed[place] = side, subprocess_task.while_answering(why, request)


class _SideFailed(Exception):
    """One of two sides has no result."""

    def __init__(self, side: str, why: subprocess_task.Failed):
        super().__init__(side, why)
        self.side, self.why = side, why


def _failed(case: Case, side: str, why: subprocess_task.Failed) -> dict:
    return {
        "event": "failed",
        "case": case.name,
        "side": side,
        "reason": why.reason,
        "detail": why.detail,
        "answering": why.answering and _answering(*why.answering),
    }


def _answering(method: str, called: request_label.Label) -> dict:
    return {"method": method, "about": request_label.parts(called)}


def _compared(
    case: Case, found: list[Found], out: _Out, limits: Limits
) -> tuple[list[tuple[Route, Request]], Run, Run]:
    """What was sent, and what both sides gave. Of handlers that have the same around them, one gets
    the whole table of bodies, and the others a part."""
    everything: list[tuple[Route, Request]] = []
    # The places of those that wait, and the place of their route.
    waiting: dict[int, int] = {}
    model = next((place for place, one in enumerate(case.routes) if _takes_context(one)), None)
    for place, (route, of_route) in enumerate(zip(case.routes, found, strict=True)):
        kept = of_route.requests
        bodies = table(replace(route, requests=[]))
        is_part = _takes_context(route) and place != model
        waits = {id(one) for one in bodies if is_part and _kind(one) not in PART}
        met = _alike(route, _met(kept, bodies))
        for request in _once([*route.requests, *_alike(route, kept), *bodies, *met]):
            if id(request) in waits:
                waiting[len(everything)] = place
            everything.append((route, request))
    sent = [one for place, one in enumerate(everything) if place not in waiting]
    sent, old, new = _both(case, sent, out, limits)
    shown = None if model is None else new.around[model]
    not_shown = {p for p in waiting.values() if shown is None or new.around[p] != shown}
    if not_shown:
        # From the beginning, so that another run of it meets the same state.
        sent = [
            one
            for place, one in enumerate(everything)
            if place not in waiting or waiting[place] in not_shown
        ]
        sent, old, new = _both(case, sent, out, limits)
    return sent, old, new


def _takes_context(route: Route) -> bool:
    return route.dialect == "context" and not route.native


def _both(
    case: Case, sent: list[tuple[Route, Request]], out: _Out, limits: Limits
) -> tuple[list[tuple[Route, Request]], Run, Run]:
    """Both sides, at the same time, and what was sent to them."""
    while True:
        sent = [one for one in sent if not out.has(*one)]
        agent.tidy()
        waits = {side: _start(case, side, sent, limits) for side in ("old", "new")}
        required_coverage.read(case)
        runs: list[Run] = []
        failed: list[_SideFailed] = []
        for side, wait in waits.items():
            # Both are waited for, so that none outlives what is said of the plugin.
            try:
                runs.append(wait())
            except subprocess_task.Failed as error:
                failed.append(_SideFailed(side, error))
        if not failed:
            return sent, runs[0], runs[1]
        first = failed[0]
        begun = first.why.notes[-1] if first.why.notes else None
        if begun is None or first.why.reason not in (
            "crash",
            "exit",
            "hang",
            "no_setting",
        ):
            # No request has done it.
            raise first
        out.add(first.side, first.why, *sent[begun])


def _alike(route: Route, requests: list[Request]) -> list[Request]:
    """Of requests that were found, those that are promised to be answered alike: a handler that
    takes the request itself sees some bodies otherwise than before."""
    return [one for one in requests if not route.native or stays_alike(one)]


def _kind(request: Request) -> str:
    """The kind of one that every plugin gets."""
    return request.label.kind if isinstance(request.label, request_label.Known) else ""


def _met(kept: list[Request], bodies: list[Request]) -> list[Request]:
    """A body of each kind with the headers that the plugin looks for, so that its own code meets them
    too."""
    most = max(kept, key=lambda request: len(request.headers), default=None)
    if most is None:
        return []
    looked_for = [(name, value) for name, value in most.headers if name != b"content-type"]
    return [
        replace(
            one,
            label=replace(one.label, looked_for=True),
            headers=one.headers + looked_for,
            settings=most.settings,
        )
        for one in bodies
        if isinstance(one.label, request_label.Known) and one.label.kind in KINDS
    ]


def _once(requests: list[Request]) -> list[Request]:
    """Without those that say the same as one before."""
    seen, kept = set(), []
    for one in requests:
        key = (one.method, one.query, tuple(one.headers), one.body, repr(one.settings))
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept


def _start(
    case: Case, side: str, sent: list[tuple[Route, Request]], limits: Limits
) -> Callable[[], Run]:
    def work(progress: subprocess_task.Progress) -> Run:
        async def everything() -> Run:
            watched = conditions.Conditions(
                lambda file: required_coverage.changed(case, side, _short(file))
            )
            trace = lines.Trace(agent.scratch(), watched)
            loaded = await agent.Side.load(case, side)
            loading = _inside(trace.take_reached())
            handlers = [_handler(case, loaded, one) for one in case.routes if side == "old"]
            answers = []
            for number, (route, request) in enumerate(sent):
                progress.note(number)
                addressed = agent.addressed(route, request, side)
                answers.append(await loaded.answer(addressed, progress=progress))
            progress.note(None)
            if lacks := agent.lacking():
                # A plugin may have caught the error, and then both sides go the same wrong way.
                raise subprocess_task.Failed("stand_in_lacks", ", ".join(lacks))
            reached = _inside(trace.reached)
            around = [loaded.around.get(route.target) for route in case.routes]
            went = {conditions.Went(_short(file), *about) for file, about in watched.went}
            return Run(answers, handlers, loading, reached, around, loaded.refused, went)

        return asyncio.run(everything())

    return subprocess_task.start(work, limits.side_seconds, limits.grace_seconds)


def _inside(reached: set[lines.Line]) -> set[lines.Line]:
    """Those in the plugin's tree, with paths below it."""
    root = _root()
    return {(_short(file), line, owner) for file, line, owner in reached if file.startswith(root)}


def _root() -> str:
    return os.path.join(Folder.name, "data/nekro_agent/plugins", "")


def _short(path: str) -> str:
    """A path below the plugin's tree, from one of the side."""
    return path.removeprefix(_root()).partition("/")[2]


def _handler(case: Case, loaded: agent.Side, route: Route) -> required_coverage.Handler | None:
    plugin = loaded.collector.get_plugin(route.plugin)
    method = plugin.webhook_methods.get(route.endpoint)
    if method is None:
        raise subprocess_task.Failed(
            "no_webhook",
            {"kind": "no_webhook", "plugin": route.plugin, "endpoint": route.endpoint},
        )
    code = getattr(inspect.unwrap(method.func), "__code__", None)
    return required_coverage.handler(case, route, code, _short(code.co_filename) if code else "")


def _ran(run: Run) -> required_coverage.Ran:
    return required_coverage.Ran(run.loading, run.reached, run.went)


def _differing(
    case: Case, sent: list[tuple[Route, Request]], old: Run, new: Run, limits: Limits
) -> dict[int, list]:
    """For each request (by its place) that shows a difference, the parts that differ."""

    def all_of(judge: Callable) -> dict[int, list]:
        pairs = zip(sent, old.answers, new.answers, strict=True)
        found = {i: judge(i, route, one, other) for i, ((route, _), one, other) in enumerate(pairs)}
        return {i: parts for i, parts in found.items() if parts}

    differing = all_of(lambda _i, route, one, other: compare.parts(route, one, other))
    if not differing:
        return {}
    runs, begun = [old], time.monotonic()
    while differing and len(runs) < MOST_RUNS:
        time.sleep(PAUSE_SECONDS)
        runs.append(_start(case, "old", sent, limits)())
        found = {
            i: compare.real(sent[i][0], [run.answers[i] for run in runs], new.answers[i])
            for i in differing
        }
        differing = {i: parts for i, parts in found.items() if parts}
        pairs = zip(sent, old.answers, runs[-1].answers, strict=True)
        varies = any(compare.parts(route, one, other) for (route, _), one, other in pairs)
        # All of them together may take as long as one run.
        if not varies or (time.monotonic() - begun) * 2 > limits.side_seconds:
            break
    return differing


def _proof(
    case: Case,
    route: Route,
    handler: required_coverage.Handler | None,
    missed_changes: list[required_coverage.Missed],
    sent: list[tuple[Route, Request]],
    old: Run,
    differing: dict[int, list],
) -> dict:
    own = [i for i, (its, _) in enumerate(sent) if its is route]
    ran, own_lines, reached = _ran(old), {}, []
    if handler:
        own_lines, first = handler.lines, handler.definition.first
        reached = sorted(
            n for n, owners in own_lines.items() if ran.did(handler.file, n, owners, first)
        )
    missed = sorted(n for n in own_lines if n not in reached)
    own_changes = [one for one in missed_changes if one.handler in (None, handler)]
    one_way = [one for one in own_changes if one.condition]
    unreached = [one for one in own_changes if not one.condition]
    uncovered = [one.line for one in unreached if one.side == "old" and one.handler]
    elsewhere: dict[tuple[str, str], list[int]] = {}
    for one in unreached:
        if one.side == "new" or not one.handler:
            elsewhere.setdefault((one.side, one.file), []).append(one.line)
    shown = sorted((i for i in own if i in differing), key=lambda i: (len(sent[i][1].shown()), i))
    if shown:
        verdict = "differs"
    elif own_changes or not reached:
        verdict = "not_covered"
    else:
        verdict = "same"
    return {
        "event": "proof",
        "case": case.name,
        "plugin": route.plugin,
        "endpoint": route.endpoint,
        "verdict": verdict,
        "requests": len(own),
        "file": handler.file if handler else "",
        "first": handler.definition.first if handler else 0,
        "last": handler.definition.last if handler else 0,
        "reached": reached,
        "missed": missed,
        "uncovered": uncovered,
        "uncovered_elsewhere": [
            {"side": side, "file": file, "lines": of_file}
            for (side, file), of_file in elsewhere.items()
        ],
        "one_way": [
            {
                "side": one.side,
                "file": one.file,
                "line": one.line,
                "condition": one.condition,
                "never": one.never,
            }
            for one in one_way
        ],
        "differing": len(shown),
        "difference": None
        if not shown
        else {
            "request": _shown(route, sent[shown[0]][1]),
            "parts": [
                {
                    "part": part,
                    "old": json_safe.value(one, other),
                    "new": json_safe.value(other, one),
                }
                for part, one, other in differing[shown[0]]
            ],
        },
    }


def _endless(route: Route, found: Found, limits: Limits) -> list[dict]:
    """The requests that did not end, or ended the process, which no side was sent afterwards."""
    return [
        {
            "request": _shown(route, one.request),
            "seconds": limits.request_seconds,
            "went_on": one.went_on,
            "ended": one.ended,
        }
        for one in found.endless
    ]


def _refused(*runs: Run) -> list[str]:
    """What was refused while the plugin was loaded, and then."""
    found: dict[str, None] = {}
    for run in runs:
        for effect in (
            *run.refused,
            *(one for answer in run.answers for one in answer.effects),
        ):
            if effect[0] in sandbox.REFUSALS and len(found) < MOST_REFUSED:
                found[" ".join(str(part) for part in effect[:2])] = None
    return list(found)


def _shown(route: Route, request: Request) -> dict:
    shown = {
        "about": request_label.parts(request.label),
        "method": request.method,
        "path": route.old,
        "query": _wire(request.query),
        # Names are ASCII, or no names.
        "headers": [[n.decode("latin-1"), _wire(v)] for n, v in request.headers],
        "settings": json_safe.value(request.settings),
    }
    body = _wire(request.body)
    return shown | (body if isinstance(body, dict) else {"body": body})


def _wire(value: bytes) -> str | dict:
    """Bytes as they were sent: as text, or in base64 where they are not text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
