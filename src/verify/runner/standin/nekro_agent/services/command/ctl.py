"""What a command answers."""

from nekro_agent.lacking import absent, names_of

CmdCtl = absent("nekro_agent.services.command.ctl.CmdCtl")
__getattr__ = names_of(__name__)
