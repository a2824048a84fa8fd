"""A plugin that cannot be started."""

from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin("Broken", "broken", "", "1", "dev", "")


@plugin.mount_init_method()
async def init():
    raise LookupError("there is no door")
