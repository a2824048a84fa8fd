"""The agent's own settings: which plugins are enabled, and no other."""

from nekro_agent.lacking import absent, attributes_of

ModelConfigGroup = absent("nekro_agent.core.config.ModelConfigGroup")


class CoreConfig:
    def __init__(self):
        self.PLUGIN_ENABLED: list[str] = []

    __getattr__ = attributes_of("nekro_agent.core.config.config")


config = CoreConfig()
