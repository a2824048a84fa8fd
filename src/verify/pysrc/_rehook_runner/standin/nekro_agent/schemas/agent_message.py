"""A message that goes to a chat, in parts."""

from enum import Enum

from pydantic import BaseModel, ConfigDict


class AgentMessageSegmentType(str, Enum):
    TEXT = "text"
    IMAGE = "image"
    FILE = "file"


class AgentMessageSegment(BaseModel):
    model_config = ConfigDict(use_enum_values=True)

    type: AgentMessageSegmentType = AgentMessageSegmentType.TEXT
    content: str
