"""Messages to chats, as far as they go before they would leave the agent.

The errors and their sentences are the agent's: a handler may put them into its reply.
"""

from nekro_agent.adapters.utils import adapter_utils
from nekro_agent.lacking import absent
from nekro_agent.schemas.agent_ctx import AgentCtx
from nekro_agent.schemas.agent_message import (
    AgentMessageSegment,
    AgentMessageSegmentType,
)
from nekro_agent.schemas.chat_message import ChatMessage
from nekro_agent.services.chat.universal_chat_service import universal_chat_service
from nekro_agent.services.message_service import message_service

download_from_url = absent("nekro_agent.api.message.download_from_url")

__all__ = ["ChatMessage", "download_from_url", "send_file", "send_image", "send_text"]


async def send_text(
    chat_key: str, message: str, ctx: AgentCtx, *, record: bool = True, ref_msg_id=None
) -> None:
    segment = AgentMessageSegment(content=message)
    try:
        await _send(chat_key, segment, ctx, record=record, ref_msg_id=ref_msg_id)
    except Exception as error:
        raise Exception("发送文本消息失败: 请确保聊天标识正确且内容不为空或过长") from error


async def send_file(
    chat_key: str,
    file_path: str,
    ctx: AgentCtx,
    *,
    record: bool = True,
    ref_msg_id=None,
) -> None:
    segment = AgentMessageSegment(type=AgentMessageSegmentType.FILE, content=file_path)
    how = {"file_mode": True, "record": record, "ref_msg_id": ref_msg_id}
    try:
        await _send(chat_key, segment, ctx, **how)
    except Exception as error:
        raise Exception(f"发送文件消息失败: {error}") from error


async def send_image(
    chat_key: str,
    image_path: str,
    ctx: AgentCtx,
    *,
    record: bool = True,
    ref_msg_id=None,
) -> None:
    segment = AgentMessageSegment(type=AgentMessageSegmentType.IMAGE, content=image_path)
    try:
        await _send(chat_key, segment, ctx, record=record, ref_msg_id=ref_msg_id)
    except Exception as error:
        raise Exception(f"发送图片消息失败: {error}") from error


async def push_system(
    chat_key: str,
    message: str,
    ctx: AgentCtx | None = None,
    trigger_agent: bool = False,
) -> None:
    ctx = ctx or await AgentCtx.create_by_chat_key(chat_key)
    try:
        await message_service.push_system_message(
            chat_key=chat_key,
            agent_messages=message,
            trigger_agent=trigger_agent,
            db_chat_channel=ctx.db_chat_channel,
        )
    except Exception as error:
        raise Exception(f"发送系统消息失败: {error}") from error


async def _send(chat_key: str, segment: AgentMessageSegment, ctx: AgentCtx, **how) -> None:
    adapter = await adapter_utils.get_adapter_for_ctx(ctx)
    await universal_chat_service.send_agent_message(chat_key, [segment], adapter, ctx, **how)
