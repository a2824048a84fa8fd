# SPDX-License-Identifier: MIT
from __future__ import annotations

# Numbers come first.
import decimal
import sys as system
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import path as ospath
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import APIRouter as Router
from fastapi import Depends, FastAPI, HTTPException, Query  # the web
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,  # plain
    RedirectResponse,
    StreamingResponse,
)
from nekro_agent.api.plugin import ConfigBase, NekroPlugin
from pydantic import BaseModel as Model
from pydantic import Field as ModelField
from pydantic import validate_call
from starlette import status
from starlette.concurrency import *

if TYPE_CHECKING:
    from fastapi import Request

plugin = NekroPlugin(name="several", module_name="several", description="d", version="1", author="a", url="")
USED = [decimal, system, Mapping, dataclass, field, ospath, Any, httpx, Router, Depends, FastAPI, Query]
USED += [FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, StreamingResponse, ConfigBase]
USED += [Model, ModelField, validate_call, status, HTTPException]


@plugin.mount_webhook_method("several/things/with/a/long/endpoint", "A name that says at length what it is for", "and more")
async def several(request: Request):
    if "x-event" not in request.headers:
        return {"status": "ignored", "reason": "there is no event in the headers", "headers": list(request.headers)}, 400
    if request.method == "HEAD":
        return None, 204
    if request.method == "GET":
        return ({"status": "fine"} if request.headers["x-event"] == "ping" else {"status": "unknown", "event": 1}), 202
    return await request.json(), status.HTTP_201_CREATED  # noqa: RUF100, it is created by then


@plugin.mount_webhook_method("second", "second")  # type: ignore[misc]  # with a reason, and a long one at that
async def second(request: Request):
    return {"status": "accepted", "queue": request.query_params.get("queue", "default")}, 202  # noqa: RUF100, PLR2004


@plugin.mount_webhook_method(
    endpoint="third",
    name="third",
)
async def third(request: Request):
    return {
        "status": "accepted",
        "event": request.headers["x-event"],
    }, 202
