"""The server that the document of the old API describes, which no release ever was.

The expected side of the request dialect: a handler is a FastAPI endpoint at the documented URL, it
answers all methods, `return body, status` (and a third element of headers) is a reply with that
status, and its return annotation is no response model. The body of such a reply is what FastAPI's
encoder makes of it; 204 and 304 have none.

Beside it the names that the document uses and the release does not have. They are given to the old
side alone: what has been migrated must do without them.
"""

import functools
import inspect
import sys
import types
from collections.abc import Mapping

from message import METHODS


def install_document_api() -> None:
    """`nekro_agent.api.context` and `plugin.config`."""
    from nekro_agent import api
    from nekro_agent.schemas.agent_ctx import AgentCtx
    from nekro_agent.services.plugin.base import NekroPlugin

    context = types.ModuleType("nekro_agent.api.context")

    async def create_temp_ctx(chat_key):
        return await AgentCtx.create_by_chat_key(chat_key)

    context.create_temp_ctx = create_temp_ctx
    sys.modules["nekro_agent.api.context"] = context
    api.context = context
    NekroPlugin.config = property(lambda self: self.get_config())


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

    module = function_of(func).__globals__
    for name in ("Request", "Response", "UploadFile", "BackgroundTasks"):
        module.setdefault(name, getattr(fastapi, name))


def function_of(handler):
    """The function behind a handler: a method, a `partial` and an object have none of its names."""
    while not inspect.isfunction(handler):
        if isinstance(handler, functools.partial):
            handler = handler.func
        elif isinstance(handler, (staticmethod, classmethod)) or inspect.ismethod(handler):
            handler = handler.__func__
        else:
            handler = type(handler).__call__
    return handler


def documented(func):
    """The endpoint: the handler, with its replies understood as the document does."""
    import fastapi

    @functools.wraps(func)
    async def endpoint(*args, **kwargs):
        answer = reply(await func(*args, **kwargs))
        # What the handler has set on the Response that it was given is part of its reply, as
        # FastAPI has it for a body without a status.
        given = [value for value in kwargs.values() if isinstance(value, fastapi.Response)]
        if given and isinstance(answer, fastapi.Response) and answer is not given[0]:
            answer.headers.raw.extend(
                pair for pair in given[0].headers.raw if pair[0] != b"content-length"
            )
        return answer

    # "It takes a Request as its parameter": also where the author did not write the type, which
    # FastAPI alone would take for a part of the query.
    signature = signature_of(func)
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].annotation is parameters[0].default is inspect.Parameter.empty:
        parameters[0] = parameters[0].replace(annotation=fastapi.Request)
    endpoint.__signature__ = signature.replace(parameters=parameters)
    return endpoint


def signature_of(func) -> inspect.Signature:
    """Annotations that are text are read in the module of the handler; older releases of FastAPI
    would look for their names in this one."""
    try:
        return inspect.signature(func, eval_str=True)
    except NameError:
        return inspect.signature(func)


def reply(value):
    from fastapi import Response
    from fastapi.encoders import jsonable_encoder
    from fastapi.responses import JSONResponse

    if not is_reply(value):
        return value
    body, status, headers = (*value, None)[:3]
    if isinstance(body, Response):
        raise NotImplementedError("the document does not say what a Response with a status is")
    headers = {str(name): str(text) for name, text in (headers or {}).items()}
    if status in (204, 304):
        return Response(status_code=int(status), headers=headers)
    return JSONResponse(jsonable_encoder(body), status_code=int(status), headers=headers)


def is_reply(value) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) in (2, 3)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
        and 100 <= value[1] <= 599
        and (len(value) == 2 or value[2] is None or isinstance(value[2], Mapping))
    )
