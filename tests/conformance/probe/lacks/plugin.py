"""A plugin that asks for what the stand-in for the agent lacks, in every way there is."""

from fastapi import APIRouter
from nekro_agent.api import core
from nekro_agent.api.plugin import NekroPlugin, TaskCtl
from nekro_agent.api.schemas import AgentCtx
from nekro_agent.models.db_chat_channel import DBChatChannel

plugin = NekroPlugin("Lacks", "lacks", "", "1", "dev", "")


def a_package():
    from nekro_agent.services import agent

    return agent


def a_module():
    import nekro_agent.tools.path_convertor

    return nekro_agent.tools.path_convertor


def a_name():
    from nekro_agent.schemas.errors import ChannelNotFoundError

    return ChannelNotFoundError


def a_name_of_loguru():
    from loguru import opener

    return opener


WAYS = [
    a_name_of_loguru,
    a_package,
    a_module,
    a_name,
    lambda: core.config.AI_CHAT_DEFAULT_PRESET_ID,
    lambda: AgentCtx(from_chat_key="onebot_v11-group_1").fs,
    lambda: plugin.get_docs,
    lambda: TaskCtl.success("done"),
    lambda: TaskCtl(signal="success", message="done"),
    lambda: DBChatChannel.filter(chat_key="onebot_v11-group_1"),
]


@plugin.mount_router()
def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/lacks", response_model=None)
    async def lacks():
        said = []
        for way in WAYS:
            try:
                said.append(type(way()).__name__)
            except (ImportError, AttributeError, NotImplementedError) as error:
                said.append(f"{type(error).__name__}: {error}")
        return said

    return router
