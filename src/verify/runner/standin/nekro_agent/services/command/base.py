"""Commands of a chat can be registered, and are never given."""

from enum import Enum

from nekro_agent.lacking import names_of

__getattr__ = names_of(__name__)


class CommandPermission(str, Enum):
    PUBLIC = "public"
    USER = "user"
    ADVANCED = "advanced"
    SUPER_USER = "super_user"
