from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin(name="lonely", module_name="lonely", description="d", version="1", author="a", url="")


@plugin.mount_webhook_method("lonely", "lonely")
async def lonely(_ctx):
    return _ctx.webhook_request.body
