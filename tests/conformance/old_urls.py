"""What is sent to the old URLs on the shim, and what has to come of it.

Expected is what the old server did with the same request. Where the shim promises something else,
it stands here with its reason, and nowhere else; all other differences are differences.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from cases import Unusable
from wire import AGENT

from _rehook_runner.model.case import Case
from _rehook_runner.model.message import HOST, Request, Route
from _rehook_runner.side.agent import Answer, Sent

# Headers that say something about the connection or the server at its end. The old side is asked in
# process, where there is neither.
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "date", "server"}

# What the agent is told of the sender, in the place of its own `Host`. Ports are not compared, nor what a
# shim calls itself.
FORWARDED = {
    "host": "127.0.0.1:…",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": HOST,
    "x-forwarded-proto": "http",
    "via": "1.1 rehook-x",
}

# Nobody is there to answer for a route that the source does not show.
NOTHING = Request("nothing at all")


@dataclass
class Through:
    """A request through the shim, and what it is compared with."""

    sent: Sent
    # All that the map has behind the URL, in its order.
    routes: list[Route]
    # The request to each of those that take its method, alone.
    alone: list[Sent]
    # The request to the old server, when it calls them one after another.
    together: Sent | None = None
    # The request to the new URL, whose reply counts when the handler answers for itself.
    new: Sent | None = None


@dataclass
class Plan:
    """What each side is sent."""

    old: list[Sent] = field(default_factory=list)
    new: list[Sent] = field(default_factory=list)
    through: list[Through] = field(default_factory=list)
    # How many of the first ones of `old` and `new` belong together.
    compared: int = 0


def plan(case: Case) -> Plan:
    """Every request to every route, by the first old URL that is its alone; one request by each
    other old URL; and all requests by an old URL that several have."""
    result = Plan()
    behind: dict[str, list[Route]] = {}
    for route in [*case.kept, *case.routes]:
        for url in route.legacy:
            behind.setdefault(url, []).append(route)
        for request in route.requests:
            result.old.append(Sent(route, request, route.old, (route.plugin,)))
            result.new.append(Sent(route, request, route.target))
    result.compared = len(result.old)
    # Plugins remember what they were sent: so first everything in the order of the other sides.
    alone = [(routes[0], url) for url, routes in behind.items() if len(routes) == 1]
    first = dict(reversed([(route.target, url) for route, url in alone]))
    for old, new in list(zip(result.old, result.new)):
        if url := first.get(old.route.target):
            result.through.append(to_one(old, new, url))
    for route, url in alone:
        if route in case.kept:
            result.through.append(to_kept(route, url, result))
        elif url != first[route.target]:
            request = route.requests[0]
            old, new = (
                Sent(route, request, route.old, (route.plugin,)),
                Sent(route, request, route.target),
            )
            result.old.append(old)
            result.new.append(new)
            result.through.append(to_one(old, new, url))
    for url, routes in behind.items():
        if len(routes) > 1:
            result.through += shared(case, url, routes, result)
    if not result.through:
        raise Unusable("the route map has no old URL to be called through the shim")
    return result


def to_one(old: Sent, new: Sent, url: str) -> Through:
    """A request to an old URL that a route has for itself."""
    route, request = old.route, old.request
    answering = [old] if takes(route, request) else []
    return Through(Sent(route, request, url), [route], answering, new=new if route.native else None)


def takes(route: Route, request: Request) -> bool:
    return request.method in route.methods


def to_kept(route: Route, url: str, result: Plan) -> Through:
    """A route whose source is not here: what is at its new URL answers, whatever that is."""
    sent = Sent(route, NOTHING, route.target)
    result.new.append(sent)
    return Through(Sent(route, NOTHING, url), [route], [sent])


def shared(case: Case, url: str, routes: list[Route], result: Plan) -> list[Through]:
    """What is sent to an old URL that several have: what any of them is sent, once."""
    if kept := [route.plugin for route in routes if route in case.kept]:
        raise ValueError(f"{url} is shared with {kept}, which have no source here")
    found, seen = [], []
    plugins = tuple(route.plugin for route in routes)
    for owner in routes:
        for request in owner.requests:
            what = (request.method, request.query, request.headers, request.body, request.settings)
            if what in seen:
                continue
            seen.append(what)
            one = Through(Sent(owner, request, url), routes, [])
            for route in routes:
                if takes(route, request):
                    one.alone.append(Sent(owner, request, route.old, (route.plugin,)))
            # The document does not say that an old URL of its own could be shared.
            if len(one.alone) > 1 and all(route.dialect == "context" for route in routes):
                one.together = Sent(owner, request, routes[0].old, plugins)
            result.old += [*one.alone, *([one.together] if one.together else [])]
            found.append(one)
    return found


def told(sent: Sent) -> Sent:
    """The request with what the shim tells the agent of it. What a plugin writes down of its headers
    shows these; the old server, asked so, has to write the same."""
    request = sent.request
    headers = [(b"Host", AGENT.encode()), *request.headers]
    if request.body:
        headers.append((b"Content-Length", b"%d" % len(request.body)))
    added = [(n.encode(), v.encode()) for n, v in FORWARDED.items() if n != "host"]
    return replace(sent, request=replace(request, headers=headers + added))


def to_arrive(one: Through) -> list[Request]:
    """The heads that the agent has to be sent: to the byte, but for the case of names, which a
    server does not tell."""
    request = told(one.sent).request
    headers = [(name.lower(), value) for name, value in request.headers]
    targets = [route.target for route in one.routes if takes(route, request)]
    arriving = [Request(path, request.method, request.query, headers) for path in targets]
    return sorted(arriving, key=repr)


def difference(one: Through, answers: dict[Sent, Answer], effects: dict[Sent, list]) -> list[tuple]:
    """In what the shim's answer is not what it has to be: what, expected, got."""
    got, alone = answers[one.sent], [answers[sent] for sent in one.alone]
    headers, found = without_signs(one, got)
    if not alone:
        found += not_taken(one, got, headers)
        contexts = []
    elif len(alone) == 1:
        [old] = alone
        reply = answers[one.new] if one.new else old
        # There is nothing but headers in a reply to HEAD, on a wire.
        body = reply.json() if one.sent.request.method != "HEAD" else b""
        found += unequal("status", old.status, got.status)
        found += unequal("headers", of_the_reply(reply.headers), headers)
        found += unequal("body", body, got.json())
        found += unequal("effects", effects[one.alone[0]], got.effects)
        contexts = old.contexts
    else:
        found += of_several(one, answers, effects, headers)
        contexts = [context for answer in alone for context in answer.contexts]
    found += unequal("what came to the agent", to_arrive(one), sorted(got.arrived, key=repr))
    # Each plugin is given a context of its own, so that of several the order is not known.
    if not any(route.native for route in one.routes):
        expected = [(head | FORWARDED, body) for head, body in contexts]
        found += unequal("contexts", sorted(expected, key=repr), sorted(got.contexts, key=repr))
    return found


def unequal(what: str, expected, got) -> list[tuple]:
    return [(what, expected, got)] if expected != got else []


def of_the_reply(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(pair for pair in headers if pair[0] not in OF_THE_CONNECTION)


def without_signs(one: Through, got: Answer) -> tuple[list[tuple[str, str]], list[tuple]]:
    """The headers of a reply without those that say that its URL is an old one, which the shim adds
    to every reply; and in what they are not as promised."""
    signs = [("link", f'<{linked(route)}>; rel="successor-version"') for route in one.routes]
    headers = of_the_reply(got.headers)
    missing = [sign for sign in signs if sign not in headers]
    since = [value for name, value in headers if name == "deprecation"]
    found = unequal("links to the new URL that are missing", [], missing)
    if len(since) != 1 or not re.fullmatch(r"@\d+", since[0]):
        found.append(("the header Deprecation", "one, @ and seconds", since))
    return [h for h in headers if h not in signs and h[0] != "deprecation"], found


def linked(route: Route) -> str:
    """The new URL as a reply names it: what a parameter was given is its own name, encoded."""
    pieces = re.split(r"(\{[^}]*\})", route.target)
    safe = ["/:@!$&'()*+,;=", ""]
    return "".join(quote(piece, safe=safe[index % 2]) for index, piece in enumerate(pieces))


def not_taken(one: Through, got: Answer, headers: list[tuple[str, str]]) -> list[tuple]:
    """A method that the old URL did not take is refused by the shim itself, with a body of its own;
    what a sender goes by is the status and `Allow`."""
    methods = sorted({method for route in one.routes for method in route.methods})
    allowed = [value for name, value in headers if name == "allow"]
    found = unequal("status", 405, got.status)
    found += unequal("effects", [], got.effects)
    found += unequal("Allow", methods, sorted(", ".join(allowed).split(", ")))
    return found


def of_several(
    one: Through,
    answers: dict[Sent, Answer],
    effects: dict[Sent, list],
    headers: list[tuple[str, str]],
) -> list[tuple]:
    """Several plugins are called at the same time: each does what it did alone, whatever the others
    do, and the reply counts. The old server called one after another, stopped at the first failure,
    replied with what that had said, and counted nothing."""
    got, alone = answers[one.sent], [answers[sent] for sent in one.alone]
    expected = [effects[sent] for sent in one.alone]
    good = [answer for answer in alone if 200 <= answer.status < 300]
    failed = [answer for answer in alone if answer not in good]
    body = {
        "success": not failed,
        "message": f"Webhook 处理完成，成功: {len(good)}，失败: {len(failed)}",
        "data": {"results": [], "errors": []},
    }
    # A redirect is nothing that the sender could follow for all of them.
    status = failed[0].status if failed else 200
    status = 502 if 300 <= status < 400 else status
    found = unequal("status", status, got.status)
    found += unequal("body", body if one.sent.request.method != "HEAD" else b"", got.json())
    types = [value.partition(";")[0] for name, value in headers if name == "content-type"]
    found += unequal("type of the body", ["application/json"], types)
    if not interleaved(expected, got.effects):
        found.append(("effects of each, in any order of plugins", expected, got.effects))
    if one.together:
        found += together(alone, answers[one.together], status, body)
    return found


def together(alone: list[Answer], old: Answer, status: int, body: dict) -> list[tuple]:
    """That the old server did with all of them what is said above: else nothing would be proved."""
    effects = []
    for answer in alone:
        effects += answer.effects
        if answer.status >= 300:
            break
    found = unequal("status of the old server, for all of them", old.status, status)
    found += unequal("effects of the old server, for all of them", old.effects, effects)
    if status == 200:
        uncounted = body | {"message": "Webhook 处理完成，成功: 0，失败: 0"}
        found += unequal("body of the old server, for all of them", old.json(), uncounted)
    return found


def interleaved(parts: list[list], whole: list) -> bool:
    """Whether `whole` is all of the parts, each in its order."""

    def within(part: list) -> bool:
        rest = iter(whole)
        return all(any(entry == other for other in rest) for entry in part)

    counted = Counter(repr(entry) for part in parts for entry in part)
    return counted == Counter(map(repr, whole)) and all(map(within, parts))
