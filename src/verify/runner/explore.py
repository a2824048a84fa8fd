"""Finds requests that reach as much of a handler as requests can.

It starts from a few plain requests and sends them to the old side, with probes for values
(`probe.py`). What the plugin asks for that was not there, and what it compares with, becomes further
requests; those that reach lines which none had reached before, or that give an answer of a new kind,
are kept. Everything ends at a limit of requests and of time; what was not reached then is said.
"""

import asyncio
import heapq
import re
from dataclasses import dataclass, field
from time import monotonic

import agent
import child
import starts
import watching
from case import Case
from draft import Draft
from lines import Trace
from message import Request, Route
from probe import Watch, Wish

MOST_REQUESTS = 600
# A request that takes longer does not end; only waiting is that slow, and nothing here waits.
REQUEST_SECONDS = 5.0
MOST_KEPT = 200
# How often a wish may be granted whose value the plugin has named, since what it leads to depends on
# the rest of the request; how often a setting may be tried, where that led to new lines; and a guess.
MOST_NAMED, MOST_SET, MOST_GUESSED = 3, 2, 1


@dataclass
class Found:
    """What a search gave: for each route that was come to, the requests to send."""

    requests: list[list[Request]] = field(default_factory=list)
    # Whether a request to the last of them did not end.
    hangs: bool = False


def explore(case: Case, search: float, seconds: float) -> list[list[Request]]:
    """For each route of the case, requests that reach different parts of its handler. Takes `search`
    seconds, and before that as long as it takes to load the plugin, `seconds` at most.

    Raises `child.Failed` if the old side cannot be run.
    """
    routes = list(range(len(case.routes)))
    # Two at the same time: machines have two processors.
    started = [_Part(case, part, search, seconds) for part in (routes[::2], routes[1::2]) if part]
    requests: dict[int, list[Request]] = {}
    failed = None
    for part in started:
        # All are waited for, so that none outlives what is said of the plugin.
        try:
            requests |= part.result()
        except child.Failed as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return [requests[place] for place in routes]


class _Part:
    """The search for some of the routes (by their places), in a process of its own."""

    def __init__(self, case: Case, places: list[int], search: float, seconds: float):
        self.case, self.places, self.search, self.seconds = case, places, search, seconds
        self.wait = self._start(places)

    def _start(self, places: list[int]):
        # What is left of the time goes with the routes that are left.
        search = self.search * len(places) / len(self.places)
        return child.start(
            lambda progress: _work(self.case, places, search, self.seconds, progress),
            self.seconds + search,
        )

    def result(self) -> dict[int, list[Request]]:
        """The requests for each place. After one that does not end, goes on with the next route."""
        requests: dict[int, list[Request]] = {}
        places = self.places
        while places:
            found = self.wait()
            if found.hangs and not found.requests[-1]:
                raise child.Failed(
                    "hang", f"no answer to a plain request after {REQUEST_SECONDS:g} s"
                )
            done = len(found.requests)
            requests |= zip(places[:done], found.requests, strict=True)
            places = places[done:]
            if places:
                self.wait = self._start(places)
        return requests


def _work(
    case: Case, places: list[int], seconds: float, loading: float, progress: child.Progress
) -> Found:
    """Searches for some routes; a request that does not end ends it."""

    async def search() -> Found:
        # Everything that is loaded from there is the plugin's.
        folder = agent.scratch()
        watch, current = Watch(folder), watching.Current()
        watching.install(watch, current)
        progress.allow(loading)
        loaded = await agent.Side.load(case, "old")
        for settings in loaded.defaults.values():
            watching.settings(watch, type(settings), starts.other_settings(settings))
        keys = starts.keys_of(folder)
        trace = Trace(folder)
        found = Found()
        until = monotonic() + seconds
        for number, place in enumerate(places):
            share = (until - monotonic()) / (len(places) - number)
            kept: list[Request] = []
            # If the next request does not end, this is the result.
            progress.so_far = Found([*found.requests, kept], hangs=True)
            one = _Search(loaded, case.routes[place], watch, trace, keys, current, kept, progress)
            await one.run(monotonic() + share)
            found.requests.append(kept)
        return found

    return asyncio.run(search())


class _Search:
    """The search for one route. Requests that are kept go into `kept` at once."""

    def __init__(
        self,
        loaded,
        route: Route,
        watch: Watch,
        trace: Trace,
        keys: list[str],
        current,
        kept: list,
        progress,
    ):
        self.progress = progress
        self.loaded, self.route, self.watch, self.trace = loaded, route, watch, trace
        self.current, self.kept = current, kept
        self.queue: list = []
        self.count = 0
        self.granted: dict[tuple, int] = {}
        self.drafts: set[str] = set()
        self.kinds: set[tuple] = set()
        self.keys = keys
        self.filled = starts.filled_settings(loaded.defaults[route.plugin])

    async def run(self, until: float) -> None:
        for draft in self.plain():
            self.push(0, draft, "a plain request")
        sent = 0
        while self.queue and sent < MOST_REQUESTS and monotonic() < until:
            _, _, draft, about, named = heapq.heappop(self.queue)
            await self.try_one(draft, about, named)
            sent += 1

    def push(self, rank: int, draft: Draft, about: str, named: bool = False) -> None:
        """Puts a request in the queue. What the plugin has `named` is kept whatever it gives: a
        comparison that comes out the same for another reason is still one that was made."""
        key = draft.key()
        if key not in self.drafts:
            self.drafts.add(key)
            self.count += 1
            heapq.heappush(self.queue, (rank, self.count, draft, about, named))

    def plain(self) -> list[Draft]:
        """The requests that it begins with."""
        drafts = []
        for settings in ({}, self.filled):
            drafts.append(Draft(body={}, settings=settings))
            if self.route.dialect == "request":
                drafts.append(Draft(method="GET", settings=settings))
                drafts += starts.declared(self.loaded.app, self.route, settings)
        for given in self.route.requests:
            draft = starts.given(given)
            if draft is not None:
                drafts.append(draft)
        return drafts

    async def try_one(self, draft: Draft, about: str, named: bool) -> None:
        request = draft.request(about)
        self.current.body = request.body
        self.progress.allow(REQUEST_SECONDS)
        answer = await self.loaded.answer(agent.addressed(self.route, request, "old"))
        wishes, looked_up = self.watch.take()
        new = self.trace.take_new()
        kind = (answer.status, _kind(answer.effects), _kind([answer.json()]))
        is_new = bool(new) or kind not in self.kinds
        self.kinds.add(kind)
        if (is_new or named) and len(self.kept) < MOST_KEPT:
            self.kept.append(request)
        for wish in wishes:
            most = MOST_NAMED if wish.strong else MOST_GUESSED
            if wish.place.part == "setting" and new:
                # What a setting decides may come after all that the request decides.
                most = MOST_SET
            self.grant(draft, wish, 0 if wish.strong else 1, is_new, most)
        for place, rebuild, line in looked_up:
            for key in self.keys:
                wish = Wish(place, _safe(rebuild, key), line)
                self.grant(draft, wish, 1, is_new, MOST_NAMED)

    def grant(self, draft: Draft, wish: Wish, rank: int, new: bool, most: int) -> None:
        """Puts the draft with what is wished in the queue, `most` times at most for each wish."""
        key = (wish.place, repr(wish.value), wish.line)
        times = self.granted.get(key, 0)
        if times >= most:
            return
        next_draft = draft.with_value(wish.place, wish.value)
        if next_draft is None:
            return
        self.granted[key] = times + 1
        named = wish.strong and times == 0
        self.push(rank + 2 * times + (0 if new else 1), next_draft, _about(wish), named)


def _about(wish: Wish) -> str:
    where = ".".join(str(key) for key in wish.place.keys)
    value = repr(wish.value)
    return f"{wish.place.part} {where} = {value if len(value) < 60 else value[:57] + '...'}"


def _safe(rebuild, key: str) -> object:
    try:
        return rebuild(key)
    except (TypeError, ValueError):
        return key


def _kind(effects: list) -> str:
    """What was done, without the values: two requests of one kind show the same twice."""
    return re.sub(r"\d+", "0", repr(effects))[:4000]
