"""Puts probes in the place of what a plugin reads of a request, in this process.

For finding requests only (`explore.py`); the sides that are compared run without any of it.
"""

import hmac
import json
import secrets
import sys
from functools import lru_cache
from importlib.util import find_spec

from _rehook_runner.probes import builtin_patches, parameters, schema_values
from _rehook_runner.probes.hints import BODY, INSIDE, HintCollector, Place
from _rehook_runner.probes.probe import Map, wrap
from _rehook_runner.probes.tracked_strings import Bytes, Text, compared
from _rehook_runner.process.subprocess_task import FORM_PACKAGE

RAW_BODY = Place("raw_body", ())
COOKIE = Place("header", ("cookie",))
NOT_JSON = b"{"
# The modules that Starlette reads forms with, and the package that has them.
FORM_PARSERS = ("python_multipart", "multipart")


class Current:
    """The request that is being answered: its body, and a package that the handler would need."""

    body = b""
    lacks = ""


def install(watch: HintCollector, current: Current) -> None:
    """Before the plugin is imported: it may take the functions by name."""
    _context(watch)
    _request(watch, current)
    _models(watch)
    builtin_patches.before(watch)

    def compare_digest(left, right):
        compared(left, right)
        return digest(left, right)

    digest = hmac.compare_digest
    hmac.compare_digest = secrets.compare_digest = compare_digest

    def loads(data, *arguments, **options):
        plain = data.plain() if isinstance(data, (Bytes, Text)) else data
        raw = plain.encode("utf-8", "surrogatepass") if isinstance(plain, str) else plain
        # The plugin takes the body apart by itself.
        own = raw == current.body and watch.line() is not None
        if own:
            watch.hint(RAW_BODY, NOT_JSON, strong=False)
            if not raw:
                watch.hint(BODY, {})
        elif type(data) is Text and data.is_whole():
            place = data._place.child(INSIDE)
            watch.hint(place, {})
            return wrap(watch, place, parse(plain, *arguments, **options))
        value = parse(plain, *arguments, **options)
        return wrap(watch, BODY, value) if own else value

    parse = json.loads
    json.loads = loads


def settings(watch: HintCollector, kind: type, others: dict[str, list]) -> None:
    """Reports what a plugin reads of its settings, once they are loaded: for each that it reads, the
    other values that may decide what it does."""
    read = kind.__getattribute__

    def __getattribute__(self, name):
        value = read(self, name)
        for other in others.get(name, ()):
            if value != other:
                watch.hint(Place("setting", (name,)), other, strong=False)
        return value

    kind.__getattribute__ = __getattribute__


def _context(watch: HintCollector) -> None:
    from nekro_agent.schemas.agent_ctx import AgentCtx

    create = AgentCtx.create_by_webhook.__func__

    async def create_by_webhook(cls, webhook_request):
        context = await create(cls, webhook_request)
        taken = context.webhook_request
        taken.headers = wrap(watch, Place("header", ()), dict(taken.headers))
        taken.body = wrap(watch, BODY, dict(taken.body))
        return context

    AgentCtx.create_by_webhook = classmethod(create_by_webhook)


def _request(watch: HintCollector, current: Current) -> None:
    from starlette.datastructures import FormData, Headers, QueryParams
    from starlette.requests import Request

    class Probed:
        """A mapping of names to text that reports what is asked for."""

        _part = ""

        def _missed(self, name: str) -> None:
            watch.hint(Place(self._part, (str(name),)), "x")

        def _probe(self, name: str, value: object):
            return wrap(watch, Place(self._part, (str(name),)), value)

        def __getitem__(self, name):
            if not super().__contains__(name):
                self._missed(name)
            return self._probe(name, super().__getitem__(name))

        def get(self, name, default=None):
            if not super().__contains__(name):
                self._missed(name)
                return default
            return self._probe(name, super().__getitem__(name))

        def __contains__(self, name):
            present = super().__contains__(name)
            if not present:
                self._missed(name)
            return present

        def getlist(self, name):
            if not super().__contains__(name):
                self._missed(name)
            return super().getlist(name)

    class ProbedHeaders(Probed, Headers):
        _part = "header"

    class ProbedQuery(Probed, QueryParams):
        _part = "query"

        def __iter__(self):
            place = Place("query_name", ())
            names = list(super().__iter__())
            if not names:
                watch.hint(place, "x", strong=False)
            return iter([wrap(watch, place, name) for name in names])

    class ProbedForm(Probed, FormData):
        _part = "form"

    class ProbedCookies(Probed, dict):
        def _header(self, name: str, value: str) -> str:
            others = {one: text for one, text in dict.items(self) if one != name}
            return "; ".join(f"{one}={text}" for one, text in {**others, name: value}.items())

        def _probe(self, name: str, value: object):
            return Text(watch, COOKIE, value, lambda wanted: self._header(name, wanted))

        def _missed(self, name: str) -> None:
            watch.hint(COOKIE, self._header(name, "x"))

    cookies = Request.cookies.fget

    read_json, read_form = Request.json, Request.form

    async def probed_json(self):
        watch.hint(RAW_BODY, NOT_JSON, strong=False)
        if not await self.body():
            watch.hint(BODY, {})
        return wrap(watch, BODY, await read_json(self))

    class Form:
        """What `request.form()` gives: to be awaited, or entered."""

        def __init__(self, inner):
            self._inner = inner

        def __await__(self):
            return self._read().__await__()

        async def _read(self):
            return ProbedForm((await self._inner).multi_items())

        async def __aenter__(self):
            return ProbedForm((await self._inner.__aenter__()).multi_items())

        async def __aexit__(self, *error):
            return await self._inner.__aexit__(*error)

    Request.json = probed_json

    def form(self, **limits):
        if not any(map(find_spec, FORM_PARSERS)):
            # The handler may catch the error, and then both sides go the same wrong way.
            current.lacks = FORM_PACKAGE
        return Form(read_form(self, **limits))

    Request.form = form
    Request.headers = property(lambda self: ProbedHeaders(scope=self.scope))
    Request.query_params = property(lambda self: ProbedQuery(self.scope["query_string"]))
    Request.cookies = property(lambda self: ProbedCookies(cookies(self)))
    Request.method = property(
        lambda self: wrap(watch, Place("method", ("method",)), self.scope["method"])
    )


def _models(watch: HintCollector) -> None:
    """A plugin that validates the body with a model of its own says by that what it takes."""
    from pydantic import BaseModel

    parse = json.loads
    validate, make = BaseModel.model_validate.__func__, BaseModel.__init__
    validate_json = BaseModel.model_validate_json.__func__

    @lru_cache(maxsize=256)
    def is_own(model: type) -> bool:
        """Whether the plugin has made it: the agent makes many of its own with each request."""
        module = sys.modules.get(model.__module__)
        return str(getattr(module, "__file__", None) or "").startswith(watch.folder)

    def wanted(model: type, place: Place) -> None:
        if watch.line() is None:
            return
        try:
            schema = model.model_json_schema()
        except Exception:  # noqa: BLE001
            # A model that no schema can be made of says nothing.
            return
        watch.hint(
            place,
            schema_values.sample(schema),
            schema_values.sample(schema, optional=False),
        )
        for keys, others in schema_values.others(schema):
            watch.hint(Place(place.part, (*place.keys, *keys)), *others)

    def probed(model, given: object) -> None:
        """What a model has of a request goes on telling what the plugin wants of it."""
        for name, field in type(model).model_fields.items():
            key = field.validation_alias or field.alias or name
            if not isinstance(given, dict) or not isinstance(key, str):
                return
            value, raw = vars(model).get(name), dict.get(given, key)
            if isinstance(value, BaseModel):
                probed(value, raw)
            elif type(value) is list and value and isinstance(value[0], BaseModel):
                for one, of_one in zip(value, raw, strict=False):
                    probed(one, of_one)
            elif type(value) in (str, int, float, list) and hasattr(raw, "_place"):
                vars(model)[name] = wrap(watch, raw._place, value)

    def model_validate(cls, value, *arguments, **options):
        if not is_own(cls):
            return validate(cls, value, *arguments, **options)
        wanted(cls, value._place if isinstance(value, Map) else BODY)
        model = validate(cls, value, *arguments, **options)
        probed(model, value)
        return model

    def model_validate_json(cls, data, *arguments, **options):
        if not is_own(cls):
            return validate_json(cls, data, *arguments, **options)
        watch.hint(RAW_BODY, NOT_JSON, strong=False)
        wanted(cls, BODY)
        plain = data.plain() if isinstance(data, (Bytes, Text)) else data
        model = validate_json(cls, plain, *arguments, **options)
        probed(model, wrap(watch, BODY, parse(plain)))
        return model

    def __init__(self, /, **data):
        if not is_own(type(self)):
            return make(self, **data)
        if any(hasattr(value, "_place") for value in data.values()) or not data:
            wanted(type(self), BODY)
        make(self, **data)
        probed(self, data)
        return None

    __init__.__pydantic_base_init__ = True
    BaseModel.model_validate = classmethod(model_validate)
    BaseModel.model_validate_json = classmethod(model_validate_json)
    BaseModel.__init__ = __init__
    parameters.install(watch, probed)
