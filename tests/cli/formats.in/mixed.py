import os

from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin("Mixed", "mixed", "Mixes", "0.1.0", "dev", "https://example.com/mixed")


@plugin.mount_webhook_method(os.environ["HOOK"], "Any")
async def any_hook(_ctx: AgentCtx):
    pass


plugin.mount_webhook_method("made", "Made")(make_handler())
print(plugin.webhook_methods)


def late():
    other = NekroPlugin("Other", "other", "Other", "0.1.0", "dev", "https://example.com/other")

    @other.mount_webhook_method("late", "Late")
    async def handle(_ctx: AgentCtx):
        pass


@whoever.mount_webhook_method("whose", "Whose")
async def whose(_ctx: AgentCtx):
    pass
