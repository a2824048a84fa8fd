"""In what two answers to one request differ."""

import re

from agent import Answer
from message import Route


def parts(route: Route, old: Answer, new: Answer) -> list[tuple[str, object, object]]:
    """The parts that differ, with both values: status, body, headers, effects, context."""
    found: list[tuple[str, object, object]] = []
    if old.status != new.status:
        found.append(("status", old.status, new.status))
    # A handler that takes the request itself answers for itself, and does without a context.
    if not route.native and old.json() != new.json():
        found.append(("body", old.json(), new.json()))
    if not route.native and old.headers != new.headers:
        found.append(("headers", old.headers, new.headers))
    if old.effects != new.effects:
        found.append(("effects", old.effects, new.effects))
    if not route.native and old.contexts != new.contexts:
        found.append(("context", old.contexts, new.contexts))
    return found


def real(route: Route, old: Answer, again: Answer, new: Answer) -> list[tuple[str, object, object]]:
    """The parts that differ although they were the same when the old side ran once more: what
    varies by itself (times, random identifiers) is no difference."""
    twice = {part: (one, other) for part, one, other in parts(route, old, again)}
    found = []
    for part, one, other in parts(route, old, new):
        _, second = twice.get(part, (one, one))
        if not _alike(one, second, other):
            found.append((part, one, other))
    return found


def _alike(old: object, again: object, new: object) -> bool:
    """Whether `new` is what `old` is, but for what varies between `old` and `again`."""
    if new in (old, again):
        return True
    if old == again:
        return _inside(old, again, new)
    if (
        isinstance(old, (list, tuple))
        and isinstance(again, (list, tuple))
        and len(old) != len(again)
    ):
        return True
    if isinstance(old, (dict, list, tuple, str)):
        return _inside(old, again, new)
    return type(new) is type(old) or type(new) is type(again)


def _inside(old: object, again: object, new: object) -> bool:
    if isinstance(old, dict) and isinstance(again, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(
            _alike(value, again.get(key), new[key]) for key, value in old.items()
        )
    if all(isinstance(one, (list, tuple)) for one in (old, again, new)):
        return len(old) == len(new) and all(map(_alike, old, again, new))
    if all(isinstance(one, str) for one in (old, again, new)) and old != again:
        words = [re.findall(r"\w+|\W", one) for one in (old, again, new)]
        if len(words[0]) != len(words[1]):
            return True
        return len(words[0]) == len(words[2]) and all(
            third == first or first != second for first, second, third in zip(*words, strict=True)
        )
    return False
