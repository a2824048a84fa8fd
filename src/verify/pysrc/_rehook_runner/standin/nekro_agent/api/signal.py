"""What a callback for messages answers."""

from nekro_agent.schemas.signal import MsgSignal

__all__ = ["MsgSignal"]
