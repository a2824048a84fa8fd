import os

from fastapi import Request
from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin("Door", "door", "Opens", "0.1.0", "dev", "https://example.com/door")


@plugin.mount_webhook_method(os.environ["DOOR"], "Door")
async def door(request: Request):
    return {"open": True}
