"""What a command is called with."""

from nekro_agent.lacking import absent

CommandExecutionContext = absent("nekro_agent.services.command.schemas.CommandExecutionContext")
CommandResponse = absent("nekro_agent.services.command.schemas.CommandResponse")


class Arg:
    """The description of a parameter, as a default value or in an annotation."""

    def __init__(self, description: str = "", **about):
        self.description = description
        self.about = about
