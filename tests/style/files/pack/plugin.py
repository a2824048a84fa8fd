"""The plugin."""

from nekro_agent.api.plugin import NekroPlugin

from .constants import AUTHOR

plugin = NekroPlugin(name="pack", module_name="pack", description="d", version="1", author=AUTHOR, url="")
