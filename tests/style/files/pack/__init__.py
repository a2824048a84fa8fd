"""A package whose plugin is imported absolutely, too."""

from . import handlers, replies
from .plugin import plugin

__all__ = ["handlers", "plugin", "replies"]
