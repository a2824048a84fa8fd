"""Handlers of a request."""

import logging

from fastapi import Request
from pack.constants import AUTHOR
from pack.plugin import plugin

logger = logging.getLogger(AUTHOR)


@plugin.mount_webhook_method("request", AUTHOR)
async def request_(request: Request):
    """Take a request."""
    logger.info("taken")
    return {"method": request.method}, 202
