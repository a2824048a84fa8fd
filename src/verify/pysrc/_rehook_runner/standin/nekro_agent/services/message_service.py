"""Where messages to the model would leave the agent. Whoever runs it puts a function there."""

from nekro_agent.lacking import attributes_of


class MessageService:
    __getattr__ = attributes_of("nekro_agent.services.message_service.message_service")


message_service = MessageService()
