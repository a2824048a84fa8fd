"""The context of a handler, and messages."""

from nekro_agent.schemas.agent_ctx import AgentCtx, WebhookRequest
from nekro_agent.schemas.agent_message import (
    AgentMessageSegment,
    AgentMessageSegmentType,
)

MessageContent = str | list[AgentMessageSegment]

__all__ = [
    "AgentCtx",
    "AgentMessageSegment",
    "AgentMessageSegmentType",
    "MessageContent",
    "WebhookRequest",
]
