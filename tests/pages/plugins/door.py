"""收到钥匙时开门。"""

from fastapi import HTTPException
from nekro_agent.api import core
from nekro_agent.api.plugin import NekroPlugin
from nekro_agent.api.schemas import AgentCtx

plugin = NekroPlugin(
    name="门禁",
    module_name="door",
    description="收到钥匙时开门",
    version="0.1.0",
    author="dev",
    url="https://example.com/door",
)


@plugin.mount_webhook_method(endpoint="open", name="开门", description="用钥匙开门")
async def open_door(_ctx: AgentCtx) -> str:
    """用钥匙开门。"""
    body = _ctx.webhook_request.body
    if not isinstance(body, dict):
        raise HTTPException(status_code=400)
    if "key" not in body:
        return "closed"
    core.logger.info("开门")
    return "open"
