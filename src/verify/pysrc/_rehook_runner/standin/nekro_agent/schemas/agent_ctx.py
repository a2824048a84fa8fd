"""The context that a handler is given."""

from typing import Any

from nekro_agent.adapters.utils import adapter_utils
from nekro_agent.lacking import without
from pydantic import BaseModel


class WebhookRequest(BaseModel):
    """Headers and body as an object; a body that is none is refused here."""

    headers: dict[str, str]
    body: dict[str, Any]


@without(
    *(
        "fs",
        "get_core_config",
        "get_bound_workspace",
        "get_onebot_v11_bot",
        "get_preset_by_id",
    ),
    *("get_effective_preset_by_id", "set_preset", "current_preset"),
)
class AgentCtx(BaseModel):
    container_key: str | None = None
    from_chat_key: str | None = None
    webhook_request: WebhookRequest | None = None
    channel_id: str | None = None
    channel_name: str | None = None
    channel_type: str | None = None
    adapter_key: str | None = None

    @classmethod
    async def create_by_webhook(cls, webhook_request: WebhookRequest) -> "AgentCtx":
        return cls(webhook_request=webhook_request)

    @classmethod
    async def create_by_chat_key(
        cls,
        chat_key: str,
        container_key: str | None = None,
        from_chat_key: str | None = None,
        webhook_request: WebhookRequest | None = None,
    ) -> "AgentCtx":
        from nekro_agent.models.db_chat_channel import DBChatChannel

        channel = await DBChatChannel.get_channel(chat_key=chat_key)
        return cls.create_by_db_chat_channel(channel, container_key, from_chat_key, webhook_request)

    @classmethod
    def create_by_db_chat_channel(
        cls,
        db_chat_channel,
        container_key: str | None = None,
        from_chat_key: str | None = None,
        webhook_request: WebhookRequest | None = None,
    ) -> "AgentCtx":
        return cls(
            container_key=container_key,
            from_chat_key=from_chat_key or db_chat_channel.chat_key,
            webhook_request=webhook_request,
            channel_id=db_chat_channel.channel_id,
            channel_name=db_chat_channel.channel_name,
            channel_type=db_chat_channel.channel_type,
            adapter_key=db_chat_channel.adapter_key,
        )

    @property
    def chat_key(self) -> str:
        if not self.from_chat_key:
            raise ValueError("missing from_chat_key")
        return self.from_chat_key

    @property
    def adapter(self):
        if not self.adapter_key:
            raise ValueError("missing adapter_key")
        return adapter_utils.get_adapter(self.adapter_key)

    @property
    def db_chat_channel(self) -> None:
        """Not kept, by the real agent neither: pydantic drops it where it is given."""

    @property
    def db_user(self) -> None:
        """The user who wrote a message; a webhook has none."""

    from_platform_userid = from_user_id = db_user

    @property
    def ms(self):
        from nekro_agent.api import message

        return message

    async def send_text(self, content: str, *, record: bool = True) -> None:
        await self.ms.send_text(self.chat_key, content, self, record=record)

    async def send_image(self, file_path: str, *, record: bool = True) -> None:
        await self.ms.send_image(self.chat_key, file_path, self, record=record)

    async def send_file(self, file_path: str, *, record: bool = True) -> None:
        await self.ms.send_file(self.chat_key, file_path, self, record=record)

    async def push_system(self, message: str, trigger_agent: bool = False) -> None:
        await self.ms.push_system(self.chat_key, message, self, trigger_agent=trigger_agent)
