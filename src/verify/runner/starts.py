"""What a search for requests begins with, and what it tries beside what a plugin asks for.

Read from what has been loaded: the plugin's settings, the parameters that FastAPI understands its
handlers to have, the keys of its dictionaries.
"""

import contextlib
import enum
import inspect
import json
import re
import sys
from types import CodeType, ModuleType
from urllib.parse import parse_qsl

import agent
import sample
from draft import Draft
from message import Request, Route
from probe import Place

# Keys of dictionaries and sets that text which is looked up may be meant for.
MOST_KEYS = 80
SECRET = "rehook-secret"

# A setting that is likely to be a secret, by its name.
SECRET_NAME = re.compile(r"secret|token|passw|api_?key|sign", re.IGNORECASE)

# A setting that is likely to be a chat.
CHAT_NAME = re.compile(r"chat|channel", re.IGNORECASE)


def given(request: Request) -> Draft | None:
    """A request that was given, if its parts can be changed."""
    query = dict(parse_qsl(request.query.decode("latin-1"), keep_blank_values=True))
    draft = Draft(method=request.method, query=query, settings=dict(request.settings))
    for name, value in request.headers:
        draft.headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    draft.headers.pop("content-length", None)
    if request.body:
        try:
            draft.body = json.loads(request.body)
        except (ValueError, RecursionError):
            return None
    return draft


def other_settings(settings) -> dict[str, object]:
    """For each setting another value: a switch the other way, something where nothing is, and
    nothing where something is."""
    others: dict[str, object] = {}
    for name, about in getattr(type(settings), "model_fields", {}).items():
        value = getattr(settings, name, None)
        # Of other kinds, enumerations among them, nobody knows what they may be.
        if type(value) is bool:
            other: object = not value
        elif type(value) is int:
            other = 0 if value else 1
        elif value == "" and type(value) is str:
            other = _filled(name, about)
        elif value == []:
            other = [agent.CHAT]
        elif type(value) in (str, list):
            other = type(value)()
        else:
            continue
        # The plugin may check what its settings are set to.
        with contextlib.suppress(Exception):
            setattr(settings.model_copy(deep=True), name, other)
            others[name] = other
    return others


def filled_settings(settings) -> dict[str, object]:
    """Something in every setting that is empty, as somebody who uses all of the plugin has it."""
    others = other_settings(settings)
    return {name: other for name, other in others.items() if getattr(settings, name) in ("", [])}


def _filled(name: str, about) -> str:
    if SECRET_NAME.search(name) or _is_secret(about):
        return SECRET
    return agent.CHAT if CHAT_NAME.search(name) else "x"


def _is_secret(field) -> bool:
    extra = getattr(field, "json_schema_extra", None)
    return isinstance(extra, dict) and bool(extra.get("is_secret"))


def declared(app, route: Route, settings: dict) -> list[Draft]:
    """Requests that fit the parameters which the handler declares, as FastAPI understands them."""
    from fastapi.openapi.utils import get_openapi

    own = [one for one in app.routes if getattr(one, "path", "") == route.old]
    try:
        whole = get_openapi(title="", version="", routes=own)
    except Exception:  # noqa: BLE001
        # A parameter that no schema can be made of: then nothing is known of them.
        return []
    operations = whole.get("paths", {}).get(route.old, {})
    drafts = []
    for method in ("post", "get"):
        operation = operations.get(method)
        if operation is None:
            continue
        for optional in (True, False):
            draft = Draft(method=method.upper(), settings=settings)
            for parameter in operation.get("parameters", []):
                if not optional and not parameter.get("required"):
                    continue
                value = str(sample.sample(parameter.get("schema", {}), whole, optional))
                if parameter["in"] == "query":
                    draft.query[parameter["name"]] = value
                elif parameter["in"] == "header":
                    name = parameter["name"].lower()
                    draft = draft.with_value(Place("header", (name,)), value) or draft
            content = operation.get("requestBody", {}).get("content", {})
            for kind, about in content.items():
                schema = about.get("schema", {})
                value = sample.sample(schema, whole, optional)
                if kind == "application/json":
                    draft.body = value
                elif isinstance(value, dict):
                    draft.form = _form(schema, whole, value)
            drafts.append(draft)
    return drafts


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


def keys_of(folder: str) -> list[str]:
    """Text that the dictionaries, sets and enumerations of plugins in a folder are keyed by."""
    keys: dict[str, None] = {}

    def add(values) -> None:
        for value in values:
            if isinstance(value, enum.Enum):
                value = value.value
            if isinstance(value, str) and value:
                keys[value] = None

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
            if (
                isinstance(value, (dict, set, frozenset))
                or isinstance(value, type)
                and issubclass(value, enum.Enum)
            ):
                add(value)
            elif inspect.isfunction(value):
                codes.append(value.__code__)
    while codes:
        for value in codes.pop().co_consts:
            if isinstance(value, CodeType):
                codes.append(value)
            elif isinstance(value, (frozenset, tuple)):
                add(value)
    return list(keys)[:MOST_KEYS]
