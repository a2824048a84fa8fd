"""Imports in several runs."""

import json

try:
    import orjson
except ImportError:
    orjson = json

from nekro_agent.api.core import logger
from nekro_agent.api.plugin import NekroPlugin

if json:
    from nekro_agent.api.schemas import AgentCtx

NAME = "optional"
plugin = NekroPlugin(name=NAME, module_name=NAME, description="d", version="1", author="a", url="")


@plugin.mount_webhook_method("optional", "optional")
async def optional(_ctx: AgentCtx):
    logger.info(orjson.dumps(_ctx.webhook_request.headers))


if NAME:

    @plugin.mount_webhook_method("optional/nested/in/a/condition", "nested, with a name that is long")
    async def nested(_ctx: AgentCtx):
        logger.info(_ctx)
