from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin("Lamp", "lamp", "Shines", "0.1.0", "dev", "https://example.com/lamp")


@plugin.mount_webhook_method("lamp", "Lamp")
async def lamp(_ctx: AgentCtx):
    return _ctx.webhook_request.body
