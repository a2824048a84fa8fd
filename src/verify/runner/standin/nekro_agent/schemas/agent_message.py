"""A message that goes to a chat, in parts."""

from enum import Enum

from nekro_agent.lacking import names_of
from pydantic import BaseModel, ConfigDict

__getattr__ = names_of(__name__)


class AgentMessageSegmentType(str, Enum):
    TEXT = "text"
    IMAGE = "image"
    FILE = "file"


class AgentMessageSegment(BaseModel):
    model_config = ConfigDict(use_enum_values=True)

    type: AgentMessageSegmentType = AgentMessageSegmentType.TEXT
    content: str
