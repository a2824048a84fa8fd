"""What a callback for messages answers."""

from nekro_agent.lacking import names_of
from nekro_agent.schemas.signal import MsgSignal

__all__ = ["MsgSignal"]
__getattr__ = names_of(__name__)
