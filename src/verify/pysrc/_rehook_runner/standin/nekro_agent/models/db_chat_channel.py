"""A chat as the database knows it. There is no database: whoever runs the agent says which chats
there are, by putting functions in the place of `get_channel` and `all`."""

from nekro_agent.lacking import attributes_of, lack


class Model(type):
    """Questions to the database are asked of the class."""

    __getattr__ = attributes_of("nekro_agent.models.db_chat_channel.DBChatChannel")


class DBChatChannel(metaclass=Model):
    id = None
    is_active = True
    observe_mode = False
    preset_id = None
    workspace_id = None

    def __init__(
        self,
        *,
        adapter_key: str,
        channel_id: str,
        chat_key: str,
        channel_name: str | None = None,
        channel_type: str | None = None,
        data: str = "{}",
    ):
        self.adapter_key = adapter_key
        self.channel_id = channel_id
        self.channel_name = channel_name
        self.channel_type = channel_type
        self.chat_key = chat_key
        self.data = data

    @classmethod
    async def get_channel(cls, chat_key: str) -> "DBChatChannel":
        raise NotImplementedError(lack(f"chat {chat_key}"))

    @classmethod
    async def all(cls) -> list["DBChatChannel"]:
        return []

    def __repr__(self) -> str:
        return "<DBChatChannel>"

    __getattr__ = attributes_of("nekro_agent.models.db_chat_channel.DBChatChannel")
