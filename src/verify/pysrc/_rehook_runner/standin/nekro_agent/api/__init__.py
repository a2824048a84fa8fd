"""The names that plugins import."""

from nekro_agent.api import core, i18n, message, plugin, schemas, signal, timer

__all__ = ["core", "i18n", "message", "plugin", "schemas", "signal", "timer"]
