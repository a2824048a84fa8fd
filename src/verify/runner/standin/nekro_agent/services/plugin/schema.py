"""What a plugin registers, with the words that describe it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from nekro_agent.lacking import names_of

__getattr__ = names_of(__name__)


class SandboxMethodType(str, Enum):
    TOOL = "tool"
    AGENT = "agent"
    BEHAVIOR = "behavior"
    MULTIMODAL_AGENT = "multimodal_agent"


@dataclass
class SandboxMethod:
    method_type: SandboxMethodType
    name: str
    description: str
    func: Callable


@dataclass
class WebhookMethod:
    name: str
    description: str
    func: Callable


@dataclass
class PromptInjectMethod:
    name: str
    description: str
    func: Callable
