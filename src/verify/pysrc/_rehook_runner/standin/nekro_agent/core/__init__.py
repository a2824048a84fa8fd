"""The log, the settings, and what turns errors into replies."""

from .config import config
from .logger import logger

__all__ = ["config", "logger"]
