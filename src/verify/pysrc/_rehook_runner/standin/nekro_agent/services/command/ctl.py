"""What a command answers."""

from nekro_agent.lacking import absent

CmdCtl = absent("nekro_agent.services.command.ctl.CmdCtl")
