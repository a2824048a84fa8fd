"""Where messages to chats would leave the agent. Whoever runs it puts a function there."""

from nekro_agent.lacking import attributes_of


class UniversalChatService:
    __getattr__ = attributes_of(f"{__name__}.universal_chat_service")


universal_chat_service = UniversalChatService()
