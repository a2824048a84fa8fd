"""Requests that were sent, said so that they can be sent once more: whole, or not at all."""

import json
import math
from collections.abc import Callable, Iterator

from _rehook_runner.model import json_safe
from _rehook_runner.model.case import Case
from _rehook_runner.model.message import Request, Route


class Saved:
    """What may still be said, in bytes."""

    def __init__(self, most: int):
        self.left = most

    def events(
        self,
        case: Case,
        sent: list[tuple[Route, Request]],
        shown: Callable[[Route, Request], dict],
    ) -> Iterator[dict]:
        """An event for each request. Of those that cannot be said there is none; whoever counts them
        knows how many were sent."""
        for route, request in sent:
            if not _is_exact(request.settings):
                continue
            event = {
                "event": "sent",
                "case": case.name,
                "plugin": route.plugin,
                "endpoint": route.endpoint,
                "request": shown(route, request) | {"settings": request.settings},
            }
            size = len(json.dumps(event, ensure_ascii=False).encode("utf-8", "backslashreplace"))
            if size <= self.left and json_safe.is_whole(event):
                self.left -= size
                yield event


def _is_exact(value: object, depth: int = 0) -> bool:
    """Whether a value is the same after it was JSON."""
    if depth > json_safe.MOST_DEEP:
        return False
    if type(value) is dict:
        return all(type(key) is str and _is_exact(one, depth + 1) for key, one in value.items())
    if type(value) is list:
        return all(_is_exact(one, depth + 1) for one in value)
    if type(value) is int:
        return value in json_safe.INTEGERS
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) in (bool, str)
