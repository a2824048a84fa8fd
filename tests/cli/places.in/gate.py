import os

from fastapi import Request
from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin("Gate", "gate", "Opens", "0.1.0", "dev", "https://example.com/gate")


@plugin.mount_webhook_method(os.environ["GATE"], "Gate")
async def open_gate(request: Request):
    return {}


@plugin.mount_webhook_method("/close", "Close")
async def close_gate(request: Request):
    return {"closed": True}
