"""The old URL: every enabled plugin that has the endpoint is called, and what it returns is lost."""

import json
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from nekro_agent.schemas.agent_ctx import AgentCtx, WebhookRequest
from nekro_agent.schemas.errors import NotFoundError
from nekro_agent.services.plugin.collector import plugin_collector

router = APIRouter(prefix="/webhook")


class WebhookResponse(BaseModel):
    """The counts are always 0."""

    success: bool = True
    message: str = "Webhook 处理完成，成功: 0，失败: 0"
    data: dict[str, Any] = {"results": [], "errors": []}


@router.post("/{endpoint}")
async def webhook_handler(endpoint: str, request: Request) -> WebhookResponse:
    methods = plugin_collector.get_webhook_methods_by_endpoint(endpoint)
    if not methods:
        raise NotFoundError(resource="Webhook 处理器")
    # Of a header that is given twice the last value stays.
    headers = dict(request.headers.items())
    if "application/json" in headers.get("content-type", ""):
        body = await request.json()
    else:
        text = (await request.body()).decode()
        try:
            body = json.loads(text)
        except json.JSONDecodeError:
            body = {"raw_content": text}
    received = WebhookRequest(headers=headers, body=body)
    ctx = await AgentCtx.create_by_webhook(webhook_request=received)
    for _plugin, method in methods:
        await method(ctx)
    return WebhookResponse()
