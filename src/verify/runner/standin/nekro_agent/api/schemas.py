"""The context of a handler, and messages."""

from nekro_agent.lacking import names_of
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
__getattr__ = names_of(__name__)
