"""Tries `reply_route`, the decorator that a migration writes, with whatever FastAPI runs this program.

Usage: reply_route.py [--verbose]. The decorator is taken from a fixture, as `rehook` wrote it; neither
the agent nor a client library is needed, so any environment with FastAPI 0.100 or later can run it.
Prints the releases and how many cases held, or each case that did not; exits with 1 then.
"""

import ast
import asyncio
import contextlib
import functools
import json
import sys
import threading
import types
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import fastapi
import starlette
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

SOURCE = Path(__file__).resolve().parents[2] / "fixtures/reply-forms/after/line.py"
WRITTEN = ("router", "ReplyHandler", "make_reply", "reply_route")


def written() -> types.SimpleNamespace:
    """What the migration wrote: the imports that it needs, and the decorator."""
    tree = ast.parse(SOURCE.read_text())
    body = []
    for node in tree.body:
        names = [
            target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)
        ]
        module = getattr(node, "module", None) or ""
        if (
            (
                isinstance(node, (ast.Import, ast.ImportFrom))
                and not module.startswith("nekro_agent")
            )
            or getattr(node, "name", None) in WRITTEN
            or set(names) & set(WRITTEN)
        ):
            body.append(node)
    module = types.ModuleType("written")
    sys.modules["written"] = module
    exec(compile(ast.Module(body, []), str(SOURCE), "exec"), module.__dict__)
    return module


@dataclass
class Case:
    """A handler, a request, and what has to be sent."""

    name: str
    handler: Any
    status: int
    value: Any = None
    has: list = field(default_factory=list)
    only: list = field(default_factory=list)
    query: bytes = b""
    body: bytes = b""
    times: int = 1


CASES: list[Case] = []


def case(name: str, handler: Any, status: int, value: Any = None, **more: Any) -> None:
    CASES.append(Case(name, handler, status, value, **more))


def gives(value):
    async def handler(request: Request):
        return value

    return handler


class Reply(NamedTuple):
    body: dict
    code: int


class Status(int):
    """A subclass of `int` is a status."""


# What a reply is.
case("a body and a status", gives(({"a": 1}, 201)), 201, {"a": 1})
case("a NamedTuple", gives(Reply({"a": 1}, 418)), 418, {"a": 1})
case("a subclass of int", gives(({"a": 1}, Status(202))), 202, {"a": 1})
case("a tuple of one", gives(({"a": 1},)), 200, [{"a": 1}])
case("a tuple of four", gives((1, 201, {}, {})), 200, [1, 201, {}, {}])
case("a list", gives([1, 201]), 200, [1, 201])
case("a bool", gives((1, True)), 200, [1, True])
case("a float", gives((1, 201.0)), 200, [1, 201.0])
case("199", gives((1, 199)), 200, [1, 199])
case("200", gives((1, 200)), 200, 1)
case("599", gives((1, 599)), 599, 1)
case("600", gives((1, 600)), 200, [1, 600])
case("no headers", gives(({}, 201, None)), 201, {})
case("a mapping", gives(({}, 201, {"X-A": 3})), 201, {}, has=[("x-a", "3")])
case(
    "pairs",
    gives(({}, 201, [("Set-Cookie", "a"), ("Set-Cookie", "b")])),
    201,
    {},
    has=[("set-cookie", "a"), ("set-cookie", "b")],
)
case(
    "a content type",
    gives(("x", 201, {"Content-Type": "text/x"})),
    201,
    "x",
    only=[("content-type", "text/x")],
)
case("a list of numbers", gives(({}, 201, [1])), 200, [{}, 201, [1]])
case("a list of short strings", gives(({}, 201, ["ab"])), 200, [{}, 201, ["ab"]])
case("a string", gives(({}, 201, "ab")), 200, [{}, 201, "ab"])

# Statuses without a body.
for status in (204, 205, 304):
    reply = ({"a": 1}, status, {"ETag": "x"})
    case(f"{status} has no body", gives(reply), status, b"", has=[("etag", "x")])
case("what has no JSON is dropped", gives((object(), 204)), 204, b"")

# Responses.
text = PlainTextResponse("x", 409, {"X-A": "1"})
case(
    "a Response in a tuple",
    gives((text, 201, {"X-B": "2"})),
    201,
    b"x",
    only=[("x-a", "1"), ("x-b", "2")],
    times=2,
)
case("the same by itself", gives(text), 409, b"x", only=[("x-a", "1")])
case("its headers without a body", gives((text, 204)), 204, b"", has=[("x-a", "1")])
case("a stream", gives((StreamingResponse(iter(["a", "b"])), 202)), 202, b"ab")


# The injected Response.
async def sets(request: Request, response: Response):
    response.headers["X-I"] = "1"
    return {"a": 1}, 201


async def sets_status(request: Request, response: Response):
    response.status_code = 418
    return {"a": 1}


def stamp(response: Response):
    response.headers["X-S"] = "1"


async def stamped(request: Request, _: Annotated[None, Depends(stamp)], response: Response):
    response.headers["X-T"] = "1"
    return None, 204


async def stamped_response(request: Request, _=Depends(stamp)):
    return PlainTextResponse("x"), 201


case("a header on the Response", sets, 201, {"a": 1}, has=[("x-i", "1")])
case("a status on the Response", sets_status, 418, {"a": 1})
case("a dependency sets one", stamped, 204, b"", has=[("x-s", "1"), ("x-t", "1")])
case("not on a Response of its own", stamped_response, 201, b"x", only=[])


# Decorators, threads, strings as annotations, methods, partials, objects.
def in_a_thread(request: Request, q: int = 3):
    return {"q": q, "main": threading.current_thread() is threading.main_thread()}, 203


def wraps(f):
    @functools.wraps(f)
    async def inner(*args, **kwargs):
        body, _ = await f(*args, **kwargs)
        return body, 207

    return inner


def passes_on(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return f(*args, **kwargs)

    return inner


async def typed(request: "Request", q: "int" = 1) -> "Missing":  # noqa: F821
    return {"q": q}, 201


async def half_typed(request: "Request", q: "int", other: "Missing" = None):  # noqa: F821
    return {"q": q}, 201


async def bound(request: Request, secret: str = "s", q: int = 0):
    return {"secret": secret, "q": q}, 201


class Service:
    async def method(self, request: "Request", q: "int" = 1):
        return {"q": q}, 201

    wrapped = wraps(method)
    filled = functools.partialmethod(method, q=7)

    @staticmethod
    async def static(request: "Request", q: "int" = 1):
        return {"q": q}, 201

    @classmethod
    async def of_class(cls, request: "Request", q: "int" = 1):
        return {"q": q}, 201

    async def __call__(self, request: "Request", q: "int" = 1):
        return {"q": q}, 201


service = Service()
secret = functools.partial(bound, secret="bound")
TRIED = b"secret=x&q=5"
case("a plain function", in_a_thread, 203, {"q": 3, "main": False})
case("a decorator", wraps(typed), 207, {"q": 5}, query=TRIED)
case("a plain decorator", passes_on(wraps(typed)), 207, {"q": 5}, query=TRIED)
case("strings as annotations", typed, 201, {"q": 5}, query=TRIED)
case("a method", service.method, 201, {"q": 5}, query=TRIED)
case("a decorated method", service.wrapped, 207, {"q": 5}, query=TRIED)
case("a partial method", service.filled, 201, {"q": 7}, query=TRIED)
case("a static method", service.static, 201, {"q": 5}, query=TRIED)
case("a static method object", vars(Service)["static"], 201, {"q": 5}, query=TRIED)
case("a class method", service.of_class, 201, {"q": 5}, query=TRIED)
case("an object", service, 201, {"q": 5}, query=TRIED)


async def namesake(given_response: int, given_response_: int = 2):
    return {"sum": given_response + given_response_}, 201


case("parameters of the wrapper's own name", namesake, 201, {"sum": 3}, query=b"given_response=1")
case("a partial", secret, 201, {"secret": "bound", "q": 5}, query=TRIED)
case("a partial in a decorator", wraps(secret), 207, {"secret": "bound", "q": 5}, query=TRIED)
case(
    "a partial of a partial",
    functools.partial(secret, q=9),
    201,
    {"secret": "bound", "q": 9},
    query=TRIED,
)


# The rest of FastAPI.
done: list[int] = []


async def later(request: Request, tasks: BackgroundTasks):
    tasks.add_task(done.append, 1)
    return {}, 201


async def refuses(request: Request):
    raise HTTPException(403, "no")


async def reads(post: int, item: dict):
    return {"post": post, **item}, 201


async def nothing():
    return {}, 201


case("background tasks", later, 201, {})
case("HTTPException", refuses, 403, {"detail": "no"})
case("a body", reads, 201, {"post": 1, "a": 2}, query=b"post=1", body=b'{"a": 2}')
case("no parameters", nothing, 201, {})


async def ask(app: FastAPI, path: str, one: Case) -> tuple[int, list, bytes]:
    """Sends a request to the application itself, and gives what it sends."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": one.query,
        "headers": [(b"content-type", b"application/json")],
        "client": ("192.0.2.1", 50000),
        "server": ("localhost", 80),
    }
    parts = [{"type": "http.request", "body": one.body, "more_body": False}]
    sent: list[dict] = []
    ended = asyncio.Event()

    async def receive():
        if not parts:
            await ended.wait()
            return {"type": "http.disconnect"}
        return parts.pop()

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    ended.set()
    headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:])


def difference(one: Case, status: int, headers: list, body: bytes) -> str | None:
    if status != one.status:
        return f"status {status}, not {one.status}"
    same = body == one.value if isinstance(one.value, bytes) else json.loads(body) == one.value
    if not same:
        return f"body {body!r}, not {one.value!r}"
    if missing := [pair for pair in [*one.has, *one.only] if pair not in headers]:
        return f"headers {headers}, without {missing}"
    for name, value in one.only:
        if [pair for pair in headers if pair[0] == name] != [(name, value)]:
            return f"headers {headers}, not {name} once"
    lengths = [int(value) for name, value in headers if name == "content-length"]
    return (
        f"a length of {lengths} for {len(body)} bytes" if lengths not in ([], [len(body)]) else None
    )


async def main() -> int:
    warnings.simplefilter("error", UserWarning)
    module = written()
    app = FastAPI()
    wrong = []
    for index, one in enumerate(CASES):
        if module.reply_route(f"/{index}", summary=one.name)(one.handler) is not one.handler:
            wrong.append(f"{one.name}: the handler is another one")
    # A name that exists only for type checkers does not keep the plugin from loading.
    with contextlib.suppress(fastapi.exceptions.FastAPIError):
        module.reply_route("/half")(half_typed)
    app.include_router(module.router, prefix="/plugin")
    for index, one in enumerate(CASES):
        for _ in range(one.times):
            try:
                found = difference(one, *await ask(app, f"/plugin/{index}", one))
            except Exception as error:
                found = repr(error)
            if found:
                wrong.append(f"{one.name}: {found}")
    if done != [1]:
        wrong.append(f"background tasks: {done}")
    if app.openapi()["paths"]:
        wrong.append("the routes stand in the OpenAPI document")
    print("\n".join(wrong), end="\n" if wrong else "")
    versions = f"FastAPI {fastapi.__version__}, Starlette {starlette.__version__}"
    print(f"reply_route: {len(CASES)} cases with {versions}, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
