"""Finds requests that reach as much of a handler as requests can.

It starts from a few plain requests and sends them to one side, with probes for values
(`probe.py`). What the plugin asks for that was not there, and what it compares with, becomes further
requests; those that reach lines which none had reached before, or that give an answer of a new kind,
are kept. Everything ends at a limit of requests and of time; what was not reached then is said.
"""

import asyncio
import heapq
import re
from dataclasses import dataclass, field, replace
from time import monotonic

from _rehook_runner.coverage.lines import Trace
from _rehook_runner.model import ipc
from _rehook_runner.model.case import Case
from _rehook_runner.model.limits import Limits
from _rehook_runner.model.message import Request, Route
from _rehook_runner.model.request_label import Known, Label, Tried
from _rehook_runner.probes import builtin_patches, watching
from _rehook_runner.probes.hints import Hint, HintCollector, LookedUp, Place
from _rehook_runner.process import subprocess_task
from _rehook_runner.search import seeds
from _rehook_runner.search.candidate import UNIQUE, Candidate, NoBody
from _rehook_runner.side import agent

MOST_REQUESTS = 600
MOST_KEPT = 200
# Up to so many, those are kept too that showed nothing new: another side may tell them apart.
FILLED = 60
# How often a hint may be granted whose value the plugin has named, since what it leads to depends on
# the rest of the request; how often a setting may be tried, where that led to new lines; and a guess.
MOST_NAMED, MOST_SET, MOST_GUESSED = 3, 2, 1
# Of the requests that got into new lines, the last few get each value that was hinted at, up to so many
# requests in all: what a value leads to depends on how far the rest of the request comes.
MOST_BASES, MOST_COMBINED = 4, 200
# From this rank on, a hint is granted once more, or guessed at where nothing new was seen: for lines
# that have not been reached.
AGAIN = 2
# After so many requests one of so many is one of those: others may go on bringing up more.
FIRST, TURN = 60, 4
# How often a key may be tried in the place of a part of text.
MOST_IN_PARTS = 12


# Where a bound is named that a parameter declares: in no line that runs.
DECLARED = "", 0


# What a request was made for, as text that is the same in every process: a place and a value there.
Made = tuple[str, str]


@dataclass
class Nonterminating:
    """A request that did not end, and whether the search went on without it."""

    request: Request
    went_on: bool
    # How it ended the process; empty if it did not.
    ended: str | dict = ""


@dataclass
class Found:
    """What was found for a route: the requests to send, those that did not end, and why none can be
    sent."""

    requests: list[Request] = field(default_factory=list)
    endless: list[Nonterminating] = field(default_factory=list)
    failed: subprocess_task.Failed | None = None
    # What requests that did not end were made for.
    left_out: list[Made] = field(default_factory=list)


@ipc.serializable
@dataclass
class _Gave:
    """What a process gave: for each route that was come to, the requests to send."""

    requests: list[list[Request]] = field(default_factory=list)
    # The request to the last of them that did not end, and what it was made for.
    hanging: tuple[Request, Made] | None = None
    # Of routes (by their place among those), why nothing can be sent.
    failed: dict[int, subprocess_task.Failed] = field(default_factory=dict)


def explore(
    case: Case, side: str, limits: Limits, before: list[Found] | None = None
) -> list[Found]:
    """For each route of the case, requests that reach different parts of its handler on a side, `old` or
    `new`. Takes the time of a search, and before that as long as it takes to load the plugin, that of a
    side at most; and some more where a request does not end. It begins with what was found `before` on
    the other side, and leaves out what did not end there.

    Raises `subprocess_task.Failed` if the side cannot be run.
    """
    if before is not None:
        pairs = zip(case.routes, before, strict=True)
        begun = [replace(one, requests=[*one.requests, *known.requests]) for one, known in pairs]
        case = replace(case, routes=begun)
    routes = list(range(len(case.routes)))
    left_out = [list(known.left_out) for known in before] if before else [[] for _ in routes]
    # Two at the same time: machines have two processors.
    parts = [part for part in (routes[::2], routes[1::2]) if part]
    started = [_Part(case, side, part, left_out, limits) for part in parts]
    found: dict[int, Found] = {}
    failed = None
    for part in started:
        # All are waited for, so that none outlives what is said of the plugin.
        try:
            found |= part.result()
        except subprocess_task.Failed as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return [found[place] for place in routes]


class _Part:
    """The search for some of the routes (by their places), in a process of its own."""

    def __init__(
        self, case: Case, side: str, places: list[int], left_out: list[list[Made]], limits: Limits
    ):
        self.case, self.side, self.places, self.limits = case, side, places, limits
        self.restarts = 0
        self.found = {place: Found(left_out=left_out[place]) for place in places}
        self.wait = self._start(places)

    def _start(self, places: list[int]):
        # What is left of the time goes with the routes that are left.
        search = self.limits.search_seconds * len(places) / len(self.places)
        left_out = [self.found[place].left_out for place in places]
        return subprocess_task.start(
            lambda progress: _work(
                self.case, self.side, places, left_out, search, self.limits, progress
            ),
            self.limits.side_seconds + search,
            self.limits.grace_seconds,
        )

    def result(self) -> dict[int, Found]:
        """What was found for each place. After a request that does not end, goes on without it, or
        else with the next route."""
        places = self.places
        while places:
            ended = None
            try:
                gave = self.wait()
            except subprocess_task.Failed as failed:
                gave, ended = _noted(failed), failed
            for place, requests in zip(places, gave.requests, strict=False):
                self.found[place].requests += requests
            for number, why in gave.failed.items():
                self.found[places[number]].failed = why
            done = len(gave.requests)
            if gave.hanging is not None:
                request, made_for = gave.hanging
                done -= self._goes_on(places[done - 1], request, made_for, ended)
            places = places[done:]
            if places:
                self.wait = self._start(places)
        return self.found

    def _goes_on(
        self,
        place: int,
        hanging: Request,
        made_for: Made,
        ended: subprocess_task.Failed | None,
    ) -> bool:
        """Takes note of a request that does not end, or that has `ended` the process. Whether to
        begin anew without it."""
        found = self.found[place]
        if not found.requests:
            found.failed = ended and subprocess_task.while_answering(ended, hanging)
            fact = {"kind": "no_answer", "seconds": self.limits.request_seconds}
            found.failed = found.failed or subprocess_task.Failed("hang", fact)
            return False
        found.left_out.append(made_for)
        goes_on = self.restarts < self.limits.search_restarts
        self.restarts += goes_on
        found.endless.append(Nonterminating(hanging, goes_on, ended.detail if ended else ""))
        return goes_on


def ends(case: Case, side: str, route: Route, request: Request, limits: Limits) -> bool:
    """Whether a side comes to the end of a request, alone, in the time of one."""

    def work(progress: subprocess_task.Progress) -> bool:
        async def send() -> bool:
            progress.allow(limits.side_seconds)
            loaded = await agent.Side.load(case, side)
            progress.allow(limits.request_seconds)
            await loaded.answer(agent.addressed(route, request, side))
            return True

        return asyncio.run(send())

    try:
        return subprocess_task.start(work, limits.side_seconds, limits.grace_seconds)()
    except subprocess_task.Failed:
        return False


def _noted(failed: subprocess_task.Failed) -> _Gave:
    """What a process gave that had a request when it ended. Raises what is the matter if it had none:
    then it is not the request's doing."""
    gave = _Gave()
    for kind, *about in failed.notes:
        if kind == "route":
            gave.requests.append([])
        elif kind == "fails":
            gave.failed[about[0]] = about[1]
        elif kind == "keeps":
            gave.requests[-1] += about
        else:
            gave.hanging = (about[0], about[1]) if kind == "tries" else None
    if gave.hanging is None:
        raise failed
    return gave


def _work(
    case: Case,
    side: str,
    places: list[int],
    left_out: list[list[Made]],
    seconds: float,
    limits: Limits,
    progress: subprocess_task.Progress,
) -> _Gave:
    """Searches for some routes; a request that does not end ends it."""

    async def search() -> _Gave:
        # Everything that is loaded from there is the plugin's.
        folder = agent.scratch()
        watch, current = HintCollector(folder), watching.Current()
        watching.install(watch, current)
        progress.allow(limits.side_seconds)
        loaded = await agent.Side.load(case, side)
        for settings in loaded.defaults.values():
            watching.settings(watch, type(settings), seeds.other_settings(settings))
        keys = seeds.keys_of(folder, loaded.defaults.values())
        builtin_patches.after(folder)
        trace = Trace(folder)
        gave = _Gave()
        until = monotonic() + seconds
        for number, place in enumerate(places):
            share = (until - monotonic()) / (len(places) - number)
            # What comes before the first request is not a request that does not end.
            progress.partial_result = None
            progress.allow(limits.side_seconds)
            gave.requests.append([])
            progress.note(("route",))
            route, without = case.routes[place], left_out[number]
            if wrong := loaded.wrong_settings(route):
                gave.failed[number] = wrong
                progress.note(("fails", number, wrong))
                continue
            one = _Search(
                loaded,
                side,
                route,
                watch,
                trace,
                keys,
                current,
                gave,
                without,
                progress,
                limits,
            )
            await one.run(monotonic() + share)
        gave.hanging = None
        return gave

    return asyncio.run(search())


class _Search:
    """The search for one route. Requests that are kept go into what it `gave` at once."""

    def __init__(
        self,
        loaded,
        side: str,
        route: Route,
        watch: HintCollector,
        trace: Trace,
        keys: list[str | int],
        current,
        gave: _Gave,
        left_out: list[Made],
        progress: subprocess_task.Progress,
        limits: Limits,
    ):
        self.progress, self.request_seconds = progress, limits.request_seconds
        self.loaded, self.side, self.route = loaded, side, route
        self.url = route.old if side == "old" else route.target
        self.watch, self.trace = watch, trace
        self.current, self.gave, self.kept = current, gave, gave.requests[-1]
        self.left_out = left_out
        # What is to be sent; what is granted once more waits by itself.
        self.queue: list = []
        self.waiting: list = []
        self.count = self.sent = 0
        # Where text was looked up in something.
        self.looked_up: set[tuple] = set()
        # Whether the request that was sent last has got into a new line.
        self.leads_on = False
        self.granted: dict[tuple, int] = {}
        self.parts: dict[tuple, int] = {}
        # By the keys of candidates: all, those that the plugin has named, those that told nothing new.
        self.candidates: set[str] = set()
        self.named: set[str] = set()
        self.passed_over: dict[str, Request] = {}
        self.kinds: set[tuple] = set()
        self.keys = keys
        # The requests that got into new lines, and all values that were hinted at.
        self.bases: list[Candidate] = []
        self.hinted: dict[tuple, Hint] = {}
        # How many requests have been put together of them.
        self.combined = 0
        self.filled = seeds.filled_settings(loaded.defaults[route.plugin])
        is_declared = route.dialect == "request"
        for place, value in seeds.bounds(loaded.app, self.url) if is_declared else ():
            self.hinted[place, repr(value)] = Hint(place, value, DECLARED)

    async def run(self, until: float) -> None:
        for candidate in self.plain():
            self.push(0, candidate, Known("plain"), ("", candidate.key()))
        self.trace.begin()
        while True:
            await self.drain(until)
            if not await self.combine(until):
                break
        for request in self.passed_over.values():
            if len(self.kept) < FILLED:
                self.keep(request)
        await self.retry(until)

    def is_over(self, until: float) -> bool:
        return self.sent >= MOST_REQUESTS or monotonic() >= until

    async def drain(self, until: float) -> None:
        """Sends what is in the queue, and what that leads to."""
        while not self.is_over(until):
            is_turn = not self.queue or (self.sent > FIRST and self.sent % TURN == 0)
            if is_turn and self.waiting and not self.trace.is_complete():
                one = heapq.heappop(self.waiting)
            elif self.queue:
                one = heapq.heappop(self.queue)
            else:
                break
            await self.try_one(*one[2:])

    async def combine(self, until: float) -> bool:
        """Sends the requests that came furthest once more, with each value that was hinted at. Gives
        whether one of them has led to more that is to be tried."""
        combined: list[tuple[Candidate, Hint]] = []
        for base in self.bases[: -MOST_BASES - 1 : -1]:
            for hint in self.hinted.values():
                candidate = base.with_value(hint.place, hint.value)
                if candidate is not None and candidate.key() not in self.candidates:
                    combined.append((candidate, hint))
        bases = len(self.bases)
        for candidate, hint in combined:
            made_for = (repr(hint.place), repr(hint.value))
            if self.combined >= MOST_COMBINED or self.is_over(until):
                return False
            if candidate.key() in self.candidates or self.is_left_out(made_for):
                continue
            self.combined += 1
            self.candidates.add(candidate.key())
            self.named.add(candidate.key())
            await self.try_one(candidate, _tried(hint), made_for)
            if len(self.bases) > bases:
                break
        return bool(self.queue) or len(self.bases) > bases

    async def retry(self, until: float) -> None:
        """Sends a request that cannot be read before one that can, with the same identifier: a sender
        tries again what has failed."""
        base = next((one for one in reversed(self.bases) if one.body is not NoBody), None)
        places = {place for place, _ in self.looked_up if place.part in ("header", "query")}
        for number, place in enumerate(sorted(places, key=repr)):
            hint = Hint(place, f"retry-{number}", DECLARED)
            good = base and base.with_value(place, hint.value)
            bad = good and good.with_value(Place("raw_body", ()), b'{"a":')
            made_for = (repr(place), repr(hint.value))
            for candidate in (bad, good):
                if candidate is None or self.is_over(until) or self.is_left_out(made_for):
                    break
                self.named.add(candidate.key())
                await self.try_one(candidate, _tried(hint), made_for)

    def push(
        self,
        rank: int,
        candidate: Candidate,
        label: Label,
        made_for: Made,
        named: bool = False,
    ) -> None:
        """Puts a request in the queue. What the plugin has `named` is kept whatever it gives: a
        comparison that comes out the same for another reason is still one that was made."""
        key = candidate.key()
        if named:
            self.named.add(key)
            if key in self.passed_over:
                self.keep(self.passed_over.pop(key))
        if key not in self.candidates and not self.is_left_out(made_for):
            self.candidates.add(key)
            self.count += 1
            queue = self.waiting if rank >= AGAIN else self.queue
            heapq.heappush(queue, (rank, self.count, candidate, label, made_for, self.leads_on))

    def keep(self, request: Request, is_first: bool = False) -> None:
        """Keeps it among others, or in any case if it is the first to get into some line."""
        if is_first or len(self.kept) < MOST_KEPT:
            self.kept.append(request)
            self.progress.note(("keeps", request))

    def is_left_out(self, made_for: Made) -> bool:
        """Whether a request for that did not end, or two did not with other values at that place."""
        place, _ = made_for
        at_place = [one for one in self.left_out if place and one[0] == place]
        return made_for in self.left_out or len(at_place) > 1

    def plain(self) -> list[Candidate]:
        """The requests that it begins with."""
        candidates = []
        for settings in ({}, self.filled):
            candidates.append(Candidate(body={}, settings=settings))
            if self.route.dialect == "request":
                candidates.append(Candidate(method="GET", settings=settings))
                candidates += seeds.declared(self.loaded.app, self.url, settings)
        for given in self.route.requests:
            candidate = seeds.given(given)
            if candidate is not None:
                candidates.append(candidate)
        return candidates

    async def try_one(
        self, candidate: Candidate, label: Label, made_for: Made, is_near: bool = False
    ) -> None:
        """Sends one. What it leads to comes first if something of it is new. If it `is_near` to one that
        got into a new line, so does what may be a signature: that has to be made once more for the
        time that was asked for there."""
        try:
            self.sent += 1
            request = candidate.request(label, self.sent)
        except (TypeError, ValueError, RecursionError):
            # No request can say that.
            return
        self.current.body = request.body
        # If it does not end, this is the result.
        self.gave.hanging, self.progress.partial_result = (request, made_for), self.gave
        self.progress.allow(self.request_seconds)
        self.progress.note(("tries", request, made_for))
        answer = await self.loaded.answer(agent.addressed(self.route, request, self.side))
        self.progress.note(("tried",))
        if self.current.lacks:
            raise subprocess_task.Failed("missing_module", self.current.lacks)
        hints, looked_up = self.watch.take()
        new = self.trace.take_new()
        kind = (answer.status, _kind(answer.effects), _kind([answer.json()]))
        is_new = bool(new) or kind not in self.kinds
        self.kinds.add(kind)
        key = candidate.key()
        self.leads_on = bool(new)
        if is_new or key in self.named:
            self.keep(request, is_first=bool(new))
        else:
            # The plugin may name later what was a guess.
            self.passed_over[key] = request
        if new:
            self.bases.append(candidate)
        for hint in hints:
            self.hinted.setdefault((hint.place, repr(hint.value)), hint)
        for hint in hints:
            if hint.later:
                continue
            most = MOST_NAMED if hint.strong else MOST_GUESSED
            if hint.place.part == "setting" and new:
                # What a setting decides may come after all that the request decides.
                most = MOST_SET
            is_signature = is_near and hint.strong and hint.place.part in ("header", "query")
            self.grant(candidate, hint, 0 if hint.strong else 1, is_new or is_signature, most)
        for one in looked_up:
            self.grant_another(candidate, one)
            wanted = int if one.is_number else str
            keys: list[str | int] = [key for key in self.keys if type(key) is wanted]
            if not one.is_number:
                keys += seeds.named_in(one.code, one.is_part())
            for known in keys:
                if one.is_part() and not self.may_try(one, known):
                    continue
                hint = Hint(one.place, _safe(one.rebuild, known), one.line)
                self.grant(candidate, hint, 1, is_new, MOST_NAMED)

    def grant_another(self, candidate: Candidate, one: LookedUp) -> None:
        """Text that was looked up before may have been kept there, as identifiers of events are that
        came: then only another one gets further."""
        place = one.place, one.line
        if place in self.looked_up and not one.is_number and not one.is_part():
            self.grant(
                candidate,
                Hint(one.place, UNIQUE, one.line, strong=False),
                AGAIN,
                True,
                MOST_NAMED,
            )
        self.looked_up.add(place)

    def may_try(self, one: LookedUp, key: str | int) -> bool:
        """Whether a part may have a key once more. Every other whole that it is in is another value, so
        that hints for them would have no end."""
        tried = (one.place, one.line, key)
        self.parts[tried] = self.parts.get(tried, 0) + 1
        return self.parts[tried] <= MOST_IN_PARTS

    def grant(self, candidate: Candidate, hint: Hint, rank: int, new: bool, most: int) -> None:
        """Puts the candidate with what is wished in the queue, `most` times at most for each hint."""
        key = (hint.place, repr(hint.value), hint.line)
        # What it leads to with other settings is another thing, and comes after all that is new.
        with_settings = (*key, repr(candidate.settings))
        times = self.granted.get(key, 0)
        if self.granted.get(with_settings, 0) >= most:
            return
        next_candidate = candidate.with_value(hint.place, hint.value)
        if next_candidate is None:
            return
        self.granted[key] = times + 1
        self.granted[with_settings] = self.granted.get(with_settings, 0) + 1
        named = (hint.strong or hint.place.part == "setting") and times == 0
        made_for = (repr(hint.place), repr(hint.value))
        rank += 2 * times + (0 if new else 1)
        self.push(rank, next_candidate, _tried(hint), made_for, named)


def _tried(hint: Hint) -> Tried:
    name = ".".join(str(key) for key in hint.place.keys)
    value = repr(hint.value)
    return Tried(hint.place.part, name, value if len(value) < 60 else value[:57] + "...")


def _safe(rebuild, key: str | int) -> object:
    try:
        return rebuild(key)
    except Exception:  # noqa: BLE001
        # It was put together with something else; then the key may still be the whole.
        return key


def _kind(effects: list) -> str:
    """What was done, without the values: two requests of one kind show the same twice. Nothing is
    another kind than something."""
    return re.sub(r"\d*[1-9]\d*", "1", repr(effects))[:4000]
