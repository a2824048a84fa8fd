"""Handlers of a context."""

from nekro_agent.api.schemas import AgentCtx

from .constants import AUTHOR
from .plugin import plugin


@plugin.mount_webhook_method("context", AUTHOR)
async def context(_ctx: AgentCtx) -> None:
    """Take a context."""
    str(_ctx.webhook_request.body)
