"""What is to be run: the fixtures, their routes, and the requests that are sent to each.

A case names requests in `case.toml`; beside them every route gets the requests of its dialect
(`message.table`). See README.md for the format.
"""

import base64
import hashlib
import hmac
import json
import tomllib
from importlib.metadata import version
from pathlib import Path

from _rehook_runner.model.case import Case
from _rehook_runner.model.message import Request, Route, table
from _rehook_runner.process.subprocess_task import Failed


class Unusable(Failed):
    """What was to be compared cannot be run; the message says why."""

    def __init__(self, detail: str):
        super().__init__("unusable", detail)


def read(folder: Path) -> Case:
    """The case in a folder of `fixtures/`."""
    about = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    agent = about.get("agent", {})
    after = folder / "after"
    case = Case(
        name=folder.name,
        before=folder / "before",
        after=after if after.is_dir() else None,
        routes=[],
        folder=agent.get("folder", "."),
        package=agent.get("package", ""),
        native=agent.get("native", []),
        skip=agent.get("skip", "") or too_old(agent.get("since", "")),
        store=agent.get("store", []),
        channels=agent.get("channels", []),
    )
    if case.after:
        known = {route.target for route in routes(case.before)}
        for route in routes(case.after):
            (case.kept if route.target in known else case.routes).append(route)
    for spec in about.get("request", []):
        request = from_spec(spec)
        fitting = [route for route in case.routes if fits(spec, route)]
        if case.after and len(fitting) != 1:
            raise ValueError(f"{folder.name}: a request fits {len(fitting)} routes: {spec}")
        for route in fitting:
            route.requests.append(request)
    for route in case.routes:
        route.native = route.endpoint in case.native
        route.requests += table(route)
    return case


def too_old(since: str) -> str:
    """Why a case that needs a release of the agent cannot be run, if it cannot."""

    def numbers(release: str) -> list[int]:
        return [int(part) for part in release.split(".") if part.isdecimal()]

    if since and numbers(version("nekro-agent")) < numbers(since):
        return f"it needs release {since} of the agent"
    return ""


def routes(tree: Path) -> list[Route]:
    """What the route map of a tree says."""
    path = tree / "webhook-routes.toml"
    if not path.is_file():
        return []
    entries = tomllib.loads(path.read_text("utf-8")).get("route", [])
    return [Route(**entry) for entry in entries]


def fits(spec: dict, route: Route) -> bool:
    return (
        spec.get("endpoint", route.endpoint) == route.endpoint
        and spec.get("plugin", route.plugin) == route.plugin
    )


def from_spec(spec: dict) -> Request:
    """A `[[request]]` of `case.toml`."""
    spec = dict(spec)
    for key in ("endpoint", "plugin"):
        spec.pop(key, None)
    headers = spec.pop("headers", {})
    pairs = headers.items() if isinstance(headers, dict) else headers
    request = Request(
        label=spec.pop("about", ""),
        method=spec.pop("method", "POST"),
        query=spec.pop("query", "").encode(),
        headers=[(str(name).encode("latin-1"), str(value).encode()) for name, value in pairs],
        settings=spec.pop("settings", {}),
        expect=spec.pop("expect", {}),
    )
    names = {name.lower() for name, _ in request.headers}
    if "json" in spec:
        request.body = json.dumps(spec.pop("json"), ensure_ascii=False).encode()
        if b"content-type" not in names:
            request.headers.append((b"Content-Type", b"application/json"))
    elif "base64" in spec:
        request.body = base64.b64decode(spec.pop("base64"))
    else:
        request.body = spec.pop("body", "").encode()
    if "sign" in spec:
        request.headers.append(
            (b"X-Hub-Signature-256", github_signature(spec.pop("sign"), request.body))
        )
    if spec:
        raise ValueError(f"a request has keys that are not known: {sorted(spec)}")
    return request


def github_signature(secret: str, body: bytes) -> bytes:
    return b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
