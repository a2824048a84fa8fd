"""Puts probes in the place of what a plugin reads of a request, in this process.

For finding requests only (`explore.py`); the sides that are compared run without any of it.
"""

import hmac
import json
import secrets
from importlib.util import find_spec

import sample
import shadows
from child import FORM_PACKAGE
from probe import Map, Place, Watch, compared, wrap

BODY = Place("body", ())
RAW_BODY = Place("raw body", ())
NOT_JSON = b"{"
# The modules that Starlette reads forms with, and the package that has them.
FORM_PARSERS = ("python_multipart", "multipart")


class Current:
    """The request that is being answered: its body, and a package that the handler would need."""

    body = b""
    lacks = ""


def install(watch: Watch, current: Current) -> None:
    """Before the plugin is imported: it may take the functions by name."""
    _context(watch)
    _request(watch, current)
    _models(watch)
    shadows.before(watch)

    def compare_digest(left, right):
        compared(left, right)
        return digest(left, right)

    digest = hmac.compare_digest
    hmac.compare_digest = secrets.compare_digest = compare_digest

    def loads(data, *arguments, **options):
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        # The plugin takes the body apart by itself.
        own = raw == current.body and watch.line() is not None
        if own:
            watch.wish(RAW_BODY, NOT_JSON, strong=False)
        value = parse(data, *arguments, **options)
        return wrap(watch, BODY, value) if own else value

    parse = json.loads
    json.loads = loads


def settings(watch: Watch, kind: type, others: dict[str, object]) -> None:
    """Reports what a plugin reads of its settings, once they are loaded: for each that it reads, the
    other value that may decide what it does."""
    read = kind.__getattribute__

    def __getattribute__(self, name):
        value = read(self, name)
        if name in others and value != others[name]:
            watch.wish(Place("setting", (name,)), others[name], strong=False)
        return value

    kind.__getattribute__ = __getattribute__


def _context(watch: Watch) -> None:
    from nekro_agent.schemas.agent_ctx import AgentCtx

    create = AgentCtx.create_by_webhook.__func__

    async def create_by_webhook(cls, webhook_request):
        context = await create(cls, webhook_request)
        taken = context.webhook_request
        taken.headers = wrap(watch, Place("header", ()), dict(taken.headers))
        taken.body = wrap(watch, BODY, dict(taken.body))
        return context

    AgentCtx.create_by_webhook = classmethod(create_by_webhook)


def _request(watch: Watch, current: Current) -> None:
    from starlette.datastructures import FormData, Headers, QueryParams
    from starlette.requests import Request

    class Probed:
        """A mapping of names to text that reports what is asked for."""

        _part = ""

        def _probe(self, name: str, value: object):
            return wrap(watch, Place(self._part, (str(name),)), value)

        def __getitem__(self, name):
            if not super().__contains__(name):
                watch.wish(Place(self._part, (str(name),)), "x")
            return self._probe(name, super().__getitem__(name))

        def get(self, name, default=None):
            if not super().__contains__(name):
                watch.wish(Place(self._part, (str(name),)), "x")
                return default
            return self._probe(name, super().__getitem__(name))

        def __contains__(self, name):
            present = super().__contains__(name)
            if not present:
                watch.wish(Place(self._part, (str(name),)), "x")
            return present

        def getlist(self, name):
            if not super().__contains__(name):
                watch.wish(Place(self._part, (str(name),)), "x")
            return super().getlist(name)

    class ProbedHeaders(Probed, Headers):
        _part = "header"

    class ProbedQuery(Probed, QueryParams):
        _part = "query"

        def __iter__(self):
            place = Place("query name", ())
            names = list(super().__iter__())
            if not names:
                watch.wish(place, "x", strong=False)
            return iter([wrap(watch, place, name) for name in names])

    class ProbedForm(Probed, FormData):
        _part = "form"

    read_json, read_form = Request.json, Request.form

    async def probed_json(self):
        watch.wish(RAW_BODY, NOT_JSON, strong=False)
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
    Request.method = property(
        lambda self: wrap(watch, Place("method", ("method",)), self.scope["method"])
    )


def _models(watch: Watch) -> None:
    """A plugin that validates the body with a model of its own says by that what it takes."""
    from pydantic import BaseModel

    validate, make = BaseModel.model_validate.__func__, BaseModel.__init__

    def wanted(model: type, place: Place) -> None:
        if watch.line() is None:
            return
        try:
            schema = model.model_json_schema()
        except Exception:  # noqa: BLE001
            # A model that no schema can be made of says nothing.
            return
        watch.wish(place, sample.sample(schema), sample.sample(schema, optional=False))

    def model_validate(cls, value, *arguments, **options):
        wanted(cls, value._place if isinstance(value, Map) else BODY)
        return validate(cls, value, *arguments, **options)

    def __init__(self, /, **data):
        if any(hasattr(value, "_place") for value in data.values()) or not data:
            wanted(type(self), BODY)
        make(self, **data)

    __init__.__pydantic_base_init__ = True
    BaseModel.model_validate = classmethod(model_validate)
    BaseModel.__init__ = __init__
