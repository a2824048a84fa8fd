"""The server that the document of the old API describes, which no release ever was.

The expected side of the request dialect: a handler is a FastAPI endpoint at the documented URL, it
answers all methods, `return body, status` (and a third element of headers) is a reply with that
status, and its return annotation is not a response model. The body of such a reply is what FastAPI's
encoder makes of it; 204, 205 and 304 have none. A Response with a status is sent with that status.

Beside it the names that the document uses and the release does not have. They are given to the old
side alone: what has been migrated must do without them.
"""

import copy
import functools
import inspect
import sys
import types
from collections.abc import Mapping

from _rehook_runner.model.message import METHODS


def install_document_api() -> None:
    """`nekro_agent.api.context`, `plugin.config` and `plugin.mount_webhook`."""
    from nekro_agent import api
    from nekro_agent.schemas.agent_ctx import AgentCtx
    from nekro_agent.services.plugin.base import NekroPlugin

    context = types.ModuleType("nekro_agent.api.context")

    async def create_temp_ctx(chat_key):
        return await AgentCtx.create_by_chat_key(chat_key)

    context.create_temp_ctx = create_temp_ctx  # type: ignore[attr-defined]
    sys.modules["nekro_agent.api.context"] = context
    api.context = context
    NekroPlugin.config = property(lambda self: self.get_config())
    # The name in the older edition of the document, with the endpoint alone.
    NekroPlugin.mount_webhook = lambda self, endpoint: self.mount_webhook_method(endpoint, endpoint)


def mount(app, collector, routes) -> None:
    """Puts the documented URLs of the request dialect on the application, and mends the endpoints
    of the context dialect that release 2.4.0 stores but cannot be called at."""
    from nekro_agent.routers.webhook import webhook_handler

    done = set()
    for route in routes:
        key = route.plugin, route.endpoint
        if key in done:
            continue
        done.add(key)
        plugin = collector.get_plugin(route.plugin)
        method = plugin and plugin.webhook_methods.get(route.endpoint)
        if not method:
            continue
        if route.dialect == "request":
            resolve(method.func)
            app.add_api_route(
                route.old, documented(method.func), methods=METHODS, response_model=None
            )
            continue
        # `/github` is stored with its slash, and looked up without it: what it would do is what
        # it does once it is found. The same for an endpoint of more than one segment.
        segment = route.endpoint.removeprefix("/")
        plugin.webhook_methods.setdefault(segment, method)
        if "/" in segment:
            app.add_api_route("/api/webhook/{endpoint:path}", webhook_handler, methods=["POST"])


def resolve(func) -> None:
    """Names that only a type checker sees do not hinder a server that passes the request itself."""
    import fastapi

    module = getattr(innermost(func), "__globals__", {})
    for name in ("Request", "Response", "UploadFile", "BackgroundTasks"):
        module.setdefault(name, getattr(fastapi, name))


def documented(func):
    """The endpoint: the handler, with its replies understood as the document does."""
    import fastapi
    from fastapi.concurrency import run_in_threadpool

    def given_response(response: fastapi.Response) -> fastapi.Response:
        return response

    async def endpoint(*args, rehook_given_response, **kwargs):
        if inspect.iscoroutinefunction(func):
            value = await func(*args, **kwargs)
        else:
            value = await run_in_threadpool(func, *args, **kwargs)
            if inspect.isawaitable(value):
                value = await value
        return reply(value, rehook_given_response)

    # Not `functools.wraps`: with `__wrapped__`, FastAPI looks through to the handler.
    endpoint.__name__ = getattr(func, "__name__", "endpoint")
    endpoint.__doc__ = func.__doc__

    # "It takes a Request as its parameter": also where the author did not write the type, which
    # FastAPI alone would take for a part of the query.
    signature = signature_of(func)
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].annotation is parameters[0].default is inspect.Parameter.empty:
        parameters[0] = parameters[0].replace(annotation=fastapi.Request)
    bound = bound_keywords(func)
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in parameters
        if parameter.name not in bound
    ]
    parameters.append(
        inspect.Parameter(
            "rehook_given_response",
            inspect.Parameter.KEYWORD_ONLY,
            default=fastapi.Depends(given_response),
        )
    )
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return endpoint


def bound_keywords(func) -> set:
    """The keywords that a `partial` has bound: no request can set them."""
    bound: set[str] = set()
    func = inspect.unwrap(func)
    while isinstance(func, functools.partial):
        bound |= func.keywords.keys()
        func = inspect.unwrap(func.func)
    return bound


def signature_of(func) -> inspect.Signature:
    """Annotations that are text are read in the module of the handler: FastAPI would look for their
    names in this one. One that has no value there stays text, and does not hinder the others."""
    signature = inspect.signature(func)
    module = getattr(innermost(func), "__globals__", {})

    def read(annotation):
        if not isinstance(annotation, str):
            return annotation
        try:
            return eval(annotation, dict(module))
        except Exception:  # noqa: BLE001 (an annotation may fail in any way)
            return annotation

    parameters = [
        parameter.replace(annotation=read(parameter.annotation))
        for parameter in signature.parameters.values()
    ]
    return signature.replace(parameters=parameters)


def innermost(func):
    """The function behind decorators, `partial` and instances."""
    func = inspect.unwrap(func)
    while isinstance(func, functools.partial):
        func = inspect.unwrap(func.func)
    return func if inspect.isroutine(func) else inspect.unwrap(type(func).__call__)


def reply(value, given):
    """What is sent for what a handler returned; `given` is the Response that FastAPI passes to
    handlers and dependencies, and adds to the replies that it makes itself."""
    from fastapi import Response
    from fastapi.encoders import jsonable_encoder
    from fastapi.responses import JSONResponse

    if not is_reply(value):
        return value
    body, status, headers = (*value, None)[:3]
    status = int(status)
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    pairs = [(str(name), str(text)) for name, text in pairs]
    own = body.raw_headers if isinstance(body, Response) else ()
    if status in (204, 205, 304):
        answer = Response(status_code=status)
        own = [pair for pair in own if not pair[0].startswith(b"content-")]
    elif isinstance(body, Response):
        # Others may return the same object: it stays as it is.
        answer = copy.copy(body)
        answer.status_code = status
        answer.raw_headers = []
        answer.__dict__.pop("_headers", None)
    else:
        answer = JSONResponse(jsonable_encoder(body), status_code=status)
    answer.raw_headers.extend(own)
    for name, _ in pairs:
        del answer.headers[name]
    for name, text in pairs:
        answer.headers.append(name, text)
    if not isinstance(body, Response):
        answer.raw_headers.extend(given.raw_headers)
    return answer


def is_reply(value) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) in (2, 3)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
        and value[1] in range(200, 600)
        and (len(value) == 2 or value[2] is None or are_headers(value[2]))
    )


def are_headers(value) -> bool:
    """A mapping, or pairs."""
    return isinstance(value, Mapping) or (
        isinstance(value, (list, tuple))
        and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value)
    )
