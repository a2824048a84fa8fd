"""The log and the settings."""

from nekro_agent.core.config import CoreConfig, ModelConfigGroup, config
from nekro_agent.core.logger import get_sub_logger
from nekro_agent.lacking import absent

logger = get_sub_logger("api_bridge")
get_qdrant_client = absent("nekro_agent.api.core.get_qdrant_client")
get_qdrant_config = absent("nekro_agent.api.core.get_qdrant_config")

__all__ = [
    "CoreConfig",
    "ModelConfigGroup",
    "config",
    "get_qdrant_client",
    "get_qdrant_config",
    "logger",
]
