"""What a callback for messages answers."""

from enum import Enum

from nekro_agent.lacking import names_of

__getattr__ = names_of(__name__)


class MsgSignal(Enum):
    FORCE_TRIGGER = -1
    CONTINUE = 0
    BLOCK_TRIGGER = 1
    BLOCK_ALL = 2
