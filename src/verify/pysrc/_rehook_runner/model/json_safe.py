"""What is said of a plugin's values, whatever they are, as JSON that every reader takes.

A plugin's text may be no Unicode, or megabytes; its numbers may be larger than any that JSON's
readers know, and its lists deeper. What is left out is said in its place: `… (+3)` for three more.
"""

import json
from itertools import islice

# How long a text of a plugin is, and a body that is to be sent once more.
MOST_TEXT, MOST_BODY = 20_000, 1_000_000
# How many texts, numbers and so on there are of a value, and how many characters.
MOST_PARTS, MOST_CHARACTERS = 5_000, 100_000
# How deep a value is. Readers take 128 levels, some of which are around it.
MOST_DEEP = 60
# How much is shown before the first character in which two texts differ.
BEFORE = 200
# How long a line is: far less than is taken.
MOST_LINE = 4_000_000

# Numbers that every reader knows.
INTEGERS = range(-(2**63), 2**63)
# What is known by its name, which is not the plugin's.
NAMES = ("case", "plugin", "endpoint")


def line(event: dict) -> str:
    """An event as a line, without its end."""
    said = ""
    for share in (1, 10, 100, 1000):
        said = json.dumps(_said(event, share), ensure_ascii=False, allow_nan=False)
        if len(said) <= MOST_LINE:
            break
    return said


def is_whole(event: dict) -> bool:
    """Whether nothing of an event is left out of its line."""
    said = _said(event, 1)
    return said == event and len(json.dumps(said, ensure_ascii=False)) <= MOST_LINE


def _said(value: object, share: int, key: str = "") -> object:
    """A part of an event, with texts of a `share` of what they may be."""
    if isinstance(value, dict):
        return {text(name): _said(part, share, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_said(part, share, key) for part in value]
    if isinstance(value, str):
        most = MOST_BODY if key in ("body", "base64") else MOST_TEXT
        return text(value) if key in NAMES else text(value, most // share)
    return value


def text(value: str, most: int | None = None, beside: object = None) -> str:
    """A text of a plugin, `most` characters of it. Where it is to be told from the one `beside` it,
    those are shown in which they differ."""
    start, end = 0, len(value)
    if most is not None and end > most:
        if isinstance(beside, str):
            start = max(0, min(common(value, beside) - BEFORE, end - most))
        end = start + most
    shown = value[start:end].encode("utf-8", "backslashreplace").decode()
    before = f"(+{start}) …" if start else ""
    return before + shown + (f"… (+{len(value) - end})" if end < len(value) else "")


def common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def value(value: object, beside: object = None) -> object:
    """A value of a plugin; of large ones what differs from the value `beside` it, if it can be."""
    return _Shown().of(value, beside, 0)


class _Shown:
    """What may still be shown of a value."""

    def __init__(self):
        self.parts, self.characters = MOST_PARTS, MOST_CHARACTERS

    def of(self, value: object, beside: object, depth: int) -> object:
        self.parts -= 1
        if value is None or isinstance(value, bool):
            return value
        # One of a class of its own may not be equal to what it is.
        if isinstance(value, int) and int(value) in INTEGERS:
            return int(value)
        if isinstance(value, (dict, list, tuple)) and depth < MOST_DEEP:
            if isinstance(value, dict):
                return self._dict(value, beside, depth + 1)
            return self._list(value, beside, depth + 1)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "backslashreplace")
            beside = (
                beside.decode("utf-8", "backslashreplace") if isinstance(beside, bytes) else beside
            )
        elif not isinstance(value, str):
            value, beside = _written(value), _written(beside)
        most = max(0, min(MOST_TEXT, self.characters))
        self.characters -= min(len(value), most)
        return text(value, most, beside)

    def _dict(self, value: dict, beside: object, depth: int) -> dict:
        shown: dict[str, object] = {}
        for key, part in value.items():
            if self.parts <= 0:
                shown["…"] = f"(+{len(value) - len(shown)})"
                break
            other = beside.get(key) if isinstance(beside, dict) else None
            self.characters -= min(len(str_of(key)), MOST_TEXT)
            shown[text(str_of(key), MOST_TEXT)] = self.of(part, other, depth)
        return shown

    def _list(self, value: list | tuple, beside: object, depth: int) -> list:
        others = beside if isinstance(beside, (list, tuple)) else ()
        # Of a long list, from shortly before what differs.
        start = 0
        if len(value) > self.parts:
            pairs = zip(value, others, strict=False)
            start = next((n for n, (one, other) in enumerate(pairs) if one != other), 0)
            start = max(0, start - 2)
        shown: list[object] = [f"(+{start}) …"] if start else []
        for number, part in enumerate(islice(value, start, None), start):
            if self.parts <= 0:
                shown.append(f"… (+{len(value) - number})")
                break
            other = others[number] if number < len(others) else None
            shown.append(self.of(part, other, depth))
        return shown


def str_of(key: object) -> str:
    return key if isinstance(key, str) else _written(key)


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)


def _written(value: object) -> str:
    """What has no form in JSON, as Python writes it."""
    try:
        return repr(value)
    except ValueError:
        # A number of more digits than Python writes: it does write those of base 16.
        return f"{value:#x}" if isinstance(value, int) else f"({type(value).__name__})"
    except Exception:  # noqa: BLE001
        # Too deep, or the plugin's own way of writing it fails.
        return f"({type(value).__name__})"
