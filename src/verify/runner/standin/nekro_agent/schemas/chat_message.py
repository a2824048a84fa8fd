"""A message that came from a chat: none ever does."""

from enum import Enum

from nekro_agent.lacking import absent, names_of

ChatMessage = absent("nekro_agent.schemas.chat_message.ChatMessage")
__getattr__ = names_of(__name__)


class ChatType(Enum):
    PRIVATE = "private"
    GROUP = "group"
    UNKNOWN = "unknown"
