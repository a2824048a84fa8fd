"""What a callback for messages answers."""

from enum import Enum


class MsgSignal(Enum):
    FORCE_TRIGGER = -1
    CONTINUE = 0
    BLOCK_TRIGGER = 1
    BLOCK_ALL = 2
