"""A message that came from a chat: none ever does."""

from enum import Enum

from nekro_agent.lacking import absent

ChatMessage = absent("nekro_agent.schemas.chat_message.ChatMessage")


class ChatType(Enum):
    PRIVATE = "private"
    GROUP = "group"
    UNKNOWN = "unknown"
