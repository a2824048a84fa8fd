import os

from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin("Many", "many", "Many", "0.1.0", "dev", "https://example.com/many")


@plugin.mount_webhook_method(os.environ["H1"], "H")
async def other1(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method(os.environ["H2"], "H")
async def other2(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method(os.environ["H3"], "H")
async def other3(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method(os.environ["H4"], "H")
async def other4(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method(os.environ["H5"], "H")
async def other5(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method("h1", "H")
async def h1(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method("h2", "H")
async def h2(_ctx: AgentCtx):  # rehook: ignore[RH301]
    pass


@plugin.mount_webhook_method("h3", "H")
async def h3(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method("h4", "H")
async def h4(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method("h5", "H")
async def h5(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method("h6", "H")
async def h6(_ctx: AgentCtx):
    pass


@plugin.mount_webhook_method("h7", "H")
async def h7(_ctx: AgentCtx):
    pass
