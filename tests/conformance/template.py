"""The plugins that are written for `rehook verify`: the head that all of them have, and those that are
little more than a handler."""

from dataclasses import dataclass, field

HEAD = """plugin = NekroPlugin(
    name="{name}",
    module_name="{name}",
    description="",
    version="0.1.0",
    author="dev",
    url="https://example.com",
)
"""

# What its settings follow.
CONFIG = """

@plugin.mount_config()
class Config(ConfigBase):
"""

# Another webhook, behind a plugin.
HOOK = """

@plugin.mount_webhook_method("again", "hook")
async def again(_ctx: AgentCtx):
    core.logger.info(str(_ctx.webhook_request.body))
"""

HANDLER = (
    """from fastapi import HTTPException, Request
from nekro_agent.api import core
from nekro_agent.api.plugin import ConfigBase, NekroPlugin
from nekro_agent.api.schemas import AgentCtx
{top}

"""
    + HEAD
    + CONFIG
    + """    SECRET: str = ""
    CHAT: str = ""
    LABEL: str = "label"
    LOUD: bool = False
    TIMES: int = 3


@plugin.mount_webhook_method("{endpoint}", "hook")
async def hook({parameter}){body}
"""
)


@dataclass
class Plugin:
    """A plugin, and what is to be said of it."""

    name: str
    body: str
    top: str = ""
    dialect: str = "context"
    # `same`, …, or the reason of the failure.
    verdict: str = "same"
    # Text of the lines that no request reaches.
    missed: list[str] = field(default_factory=list)
    # What it tried and was refused.
    refused: list[str] = field(default_factory=list)
    # The requests that are said not to have ended, or to have ended the process: what they are called,
    # and their bodies.
    endless: list[tuple[str, dict]] = field(default_factory=list)

    def text(self) -> str:
        context = self.dialect == "context"
        return HANDLER.format(
            name=self.name,
            top=self.top,
            endpoint=self.name if context else f"/{self.name}",
            parameter="_ctx: AgentCtx" if context else "request: Request",
            body=":\n" + "\n".join("    " + line for line in self.body.strip("\n").split("\n")),
        )
