import os

from fastapi import APIRouter, Request
from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin("Gate", "gate", "Opens", "0.1.0", "dev", "https://example.com/gate")
router = APIRouter()


@plugin.mount_router()
def create_router() -> APIRouter:
    """Return the router that is mounted at /plugins/dev.gate."""
    return router


@plugin.mount_webhook_method(os.environ["GATE"], "Gate")
async def open_gate(request: Request):
    return {}


@router.api_route(
    "/close",
    methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"],
    include_in_schema=False,
    summary="Close",
)
async def close_gate(request: Request):
    return {"closed": True}
