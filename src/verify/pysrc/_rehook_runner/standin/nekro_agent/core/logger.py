"""The log: loguru's logger, or one of the same shape where loguru is not installed.

The real agent needs loguru, so plugins and what they use import it as well. Where it is there, it is
used, and there is one logger for all. Where it is not, `small_loguru` takes its name. Nothing is
written anywhere until a sink is added.
"""

import sys

from nekro_agent.lacking import names_of

try:
    from loguru import logger
except ModuleNotFoundError:
    from nekro_agent.core import small_loguru

    sys.modules["loguru"] = small_loguru
    small_loguru.__getattr__ = names_of("loguru")
    logger = small_loguru.logger

logger.remove()


def get_sub_logger(subsystem: str, log_name: str | None = None, **extra):
    """The logger under another name."""
    bound = logger.bind(subsystem=subsystem, **extra)
    return bound.patch(lambda record: record.update({"name": log_name or subsystem}))
