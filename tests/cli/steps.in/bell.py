from fastapi import Request
from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin("Bell", "bell", "Rings", "0.1.0", "dev", "https://example.com/bell")


@plugin.mount_webhook_method("/ring", "Ring", description="Rings a bell")
async def ring(request: Request):
    if request.headers.get("x-token") != plugin.get_config().TOKEN:
        return {"ok": False}, 403
    return {"ok": True}
