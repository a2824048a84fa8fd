"""Both dialects, with what most plugins import."""

import os

from fastapi import HTTPException, Request
from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin(
    name="plain",
    module_name="plain",
    description="Both dialects",
    version="0.1.0",
    author="author",
    url="https://example.com",
)


@plugin.mount_webhook_method("/started", "Started")
async def started(request: Request) -> tuple[dict[str, str], int]:
    """Tell that it started."""
    if request.method == "GET":
        raise HTTPException(405)
    return {"separator": os.sep}, 201


@plugin.mount_webhook_method("changed", "Changed")
async def changed(_ctx: AgentCtx) -> None:
    """Take a change."""
    os.fspath(str(_ctx.webhook_request.body))
