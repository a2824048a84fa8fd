"""The way to the platform of a chat, up to the platform itself."""

from nekro_agent.lacking import lack


class AdapterUtils:
    @staticmethod
    def get_adapter(adapter_key: str):
        raise NotImplementedError(lack(f"adapter {adapter_key}"))

    @staticmethod
    def get_typed_adapter(adapter_key: str, _adapter_type: type):
        return AdapterUtils.get_adapter(adapter_key)

    @staticmethod
    async def get_adapter_for_chat(chat_key: str):
        from nekro_agent.models.db_chat_channel import DBChatChannel

        channel = await DBChatChannel.get_channel(chat_key=chat_key)
        return AdapterUtils.get_adapter(channel.adapter_key)

    @staticmethod
    async def get_adapter_for_ctx(ctx):
        return await AdapterUtils.get_adapter_for_chat(ctx.chat_key)


adapter_utils = AdapterUtils()
