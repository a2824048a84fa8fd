"""What a plugin registers, with the words that describe it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class SandboxMethodType(str, Enum):
    TOOL = "tool"
    AGENT = "agent"
    BEHAVIOR = "behavior"
    MULTIMODAL_AGENT = "multimodal_agent"


@dataclass
class WebhookMethod:
    name: str
    description: str
    func: Callable


class PromptInjectMethod(WebhookMethod):
    pass


@dataclass
class SandboxMethod:
    method_type: SandboxMethodType
    name: str
    description: str
    func: Callable
