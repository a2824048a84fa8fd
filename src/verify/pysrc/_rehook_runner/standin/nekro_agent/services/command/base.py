"""Commands of a chat can be registered, and are never given."""

from enum import Enum


class CommandPermission(str, Enum):
    PUBLIC = "public"
    USER = "user"
    ADVANCED = "advanced"
    SUPER_USER = "super_user"
