"""What a search for requests begins with, and what it tries beside what a plugin asks for.

Read from what has been loaded: the plugin's settings, the parameters that FastAPI understands its
handlers to have, the keys of its dictionaries.
"""

import contextlib
import dis
import enum
import inspect
import json
import re
import sys
import typing
from collections.abc import Iterable
from copy import copy
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any
from urllib.parse import parse_qsl

from _rehook_runner.model.message import Request
from _rehook_runner.probes import schema_values
from _rehook_runner.probes.hints import Place
from _rehook_runner.search.candidate import Candidate
from _rehook_runner.side import agent

# Keys of dictionaries and sets that text which is looked up may be meant for.
MOST_KEYS = 80
# Values at bounds that are tried of one handler.
MOST_BOUNDS = 80
SECRET = "rehook-secret"

# A setting that is likely to be a secret, by its name.
SECRET_NAME = re.compile(r"secret|token|passw|api_?key|sign", re.IGNORECASE)

# A setting that is likely to be a chat.
CHAT_NAME = re.compile(r"chat|channel", re.IGNORECASE)


def given(request: Request) -> Candidate | None:
    """A request that was given, if its parts can be changed."""
    query = dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True))
    candidate = Candidate(method=request.method, query=query, settings=dict(request.settings))
    for name, value in request.headers:
        candidate.headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    candidate.headers.pop("content-length", None)
    if request.body:
        try:
            candidate.body = json.loads(request.body)
        except (ValueError, RecursionError):
            return None
    return candidate


def other_settings(settings) -> dict[str, list]:
    """For each setting other values: the others of a choice, a switch the other way, something where
    nothing is, and nothing where something is."""
    others: dict[str, list] = {}
    for name, about in getattr(type(settings), "model_fields", {}).items():
        value = getattr(settings, name, None)
        for other in _others(name, about, value):
            # The plugin may check what its settings are set to.
            with contextlib.suppress(Exception):
                setattr(settings.model_copy(deep=True), name, other)
                others.setdefault(name, []).append(other)
    return others


def _others(name: str, about, value: Any) -> list:
    choices = _choices(about.annotation)
    if choices:
        return [one for one in choices if one != value]
    if type(value) is bool:
        return [not value]
    if type(value) in (int, float):
        return [
            type(value)(0 if value else 1),
            *([type(value)(1)] if type(value) is float else []),
        ]
    if value == "" and type(value) is str:
        return [_filled(name, about)]
    if value == []:
        return [[agent.CHAT]]
    if value is None:
        kinds = typing.get_args(about.annotation)
        fitting = (
            (str, _filled(name, about)),
            (int, 1),
            (float, 1.0),
            (list, [agent.CHAT]),
        )
        return [one for kind, one in fitting if kind in kinds][:1]
    # Of other kinds nobody knows what they may be.
    return [type(value)()] if type(value) in (str, list, dict) else []


def _choices(annotation: object) -> list:
    """What may be chosen, where that is said."""
    # Members of an enumeration are not plain values, which is all that a request can be with.
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return []


def filled_settings(settings) -> dict[str, object]:
    """Something in every setting that is empty, as somebody who uses all of the plugin has it."""
    others = other_settings(settings)
    return {name: other[0] for name, other in others.items() if getattr(settings, name) in ("", [])}


def _filled(name: str, about) -> str:
    if SECRET_NAME.search(name) or _is_secret(about):
        return SECRET
    return agent.CHAT if CHAT_NAME.search(name) else "x"


def _is_secret(field) -> bool:
    extra = getattr(field, "json_schema_extra", None)
    return isinstance(extra, dict) and bool(extra.get("is_secret"))


def _operations(app, url: str) -> tuple[dict, dict]:
    """What the handler at a URL declares, by the method, as FastAPI understands it; and the document
    that references lead into."""
    from fastapi.openapi.utils import get_openapi

    own = [copy(one) for one in app.routes if getattr(one, "path", "") == url]
    for one in own:
        # Routes that were webhooks are in no document.
        one.include_in_schema = True
    try:
        whole = get_openapi(title="", version="", routes=own)
    except Exception:  # noqa: BLE001
        # A parameter that no schema can be made of: then nothing is known of them.
        return {}, {}
    return whole.get("paths", {}).get(url, {}), whole


def bounds(app, url: str) -> list[tuple[Place, object]]:
    """Values at the bounds of the parameters which the handler at a URL declares, and beside them."""
    operations, whole = _operations(app, url)
    found: dict[str, tuple[Place, object]] = {}
    for operation in operations.values():
        places: list[tuple[Place, dict]] = [
            (Place(one["in"], (_name(one),)), one.get("schema", {}))
            for one in operation.get("parameters", [])
            if one["in"] in ("query", "header")
        ]
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            places.append((Place("body", ()), content["application/json"].get("schema", {})))
        for place, schema in places:
            for keys, values in schema_values.bounds(schema, whole):
                at = Place(place.part, (*place.keys, *keys)) if place.part == "body" else place
                for value in values:
                    found[repr((at, value))] = at, value
    return list(found.values())[:MOST_BOUNDS]


def _name(parameter: dict) -> str:
    name = parameter["name"]
    return name.lower() if parameter["in"] == "header" else name


def declared(app, url: str, settings: dict) -> list[Candidate]:
    """Requests that fit the parameters which the handler at a URL declares."""
    operations, whole = _operations(app, url)
    candidates = []
    for method in ("post", "get"):
        operation = operations.get(method)
        if operation is None:
            continue
        for optional in (True, False):
            candidate = Candidate(method=method.upper(), settings=settings)
            for parameter in operation.get("parameters", []):
                if not optional and not parameter.get("required"):
                    continue
                text = str(schema_values.sample(parameter.get("schema", {}), whole, optional))
                if parameter["in"] == "query":
                    candidate.query[parameter["name"]] = text
                elif parameter["in"] == "header":
                    name = parameter["name"].lower()
                    candidate = candidate.with_value(Place("header", (name,)), text) or candidate
            content = operation.get("requestBody", {}).get("content", {})
            for kind, about in content.items():
                schema = about.get("schema", {})
                value = schema_values.sample(schema, whole, optional)
                if kind == "application/json":
                    candidate.body = value
                    for keys, values in schema_values.others(schema, whole) if optional else ():
                        others = [candidate.with_value(Place("body", keys), one) for one in values]
                        candidates += [other for other in others if other is not None]
                elif isinstance(value, dict):
                    candidate.form = _form(schema, whole, value)
            candidates.append(candidate)
    return candidates


def _form(schema: dict, whole: dict, value: dict) -> dict:
    """Fields, and bytes where a file is asked for."""
    if "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    form = {}
    for name, one in value.items():
        about = repr(schema.get("properties", {}).get(name, {}))
        is_file = "'binary'" in about or "contentMediaType" in about
        form[name] = b"x" if is_file else one
    return form


def keys_of(folder: str, settings: Iterable) -> list[str | int]:
    """Text and numbers that the dictionaries, sets and enumerations of plugins in a folder and of their
    settings are keyed by."""
    keys: dict[str | int, None] = {}

    def add(values) -> None:
        for key in values:
            value = key.value if isinstance(key, enum.Enum) else key
            if (isinstance(value, str) and value) or type(value) is int:
                keys[value] = None

    for one in settings:
        for value in vars(one).values():
            if isinstance(value, (dict, set, frozenset)):
                add(value)
    codes: list[CodeType] = []
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType) or not str(
            getattr(module, "__file__", "") or ""
        ).startswith(folder):
            continue
        for name, value in list(vars(module).items()):
            # Its built-in names and annotations are Python's.
            if name.startswith("__"):
                continue
            if isinstance(value, (dict, set, frozenset)) or (
                isinstance(value, type) and issubclass(value, enum.Enum)
            ):
                add(value)
            elif inspect.isfunction(value) and value.__code__.co_filename.startswith(folder):
                codes.append(value.__code__)
    while codes:
        for value in codes.pop().co_consts:
            if isinstance(value, CodeType):
                codes.append(value)
            elif isinstance(value, (frozenset, tuple)):
                add(value)
    return list(keys)[:MOST_KEYS]


@lru_cache(maxsize=256)
def named_in(code: CodeType, of_parts: bool) -> list[str]:
    """Text that a function looks for in what it has put together: what it asks to be in it, and, of
    the parts of text, the keys that it asks for."""
    found: dict[str, None] = {}
    instructions = list(dis.get_instructions(code))
    for place, one in enumerate(instructions):
        before, after = (
            instructions[max(place - 2, 0) : place],
            instructions[place + 1 : place + 3],
        )
        if one.opname != "LOAD_CONST" or not isinstance(one.argval, str) or not one.argval:
            continue
        is_key = any(other.argval == "get" for other in before[-1:]) or any(
            "SUBSCR" in other.opname or other.argrepr == "[]" for other in after[:1]
        )
        if any(other.opname == "CONTAINS_OP" for other in after) or (of_parts and is_key):
            found[one.argval] = None
    return list(found)[:MOST_KEYS]
