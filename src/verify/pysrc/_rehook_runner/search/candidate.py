"""A request that is still being looked for: parts that can be changed one by one."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from _rehook_runner.model.message import Request
from _rehook_runner.model.request_label import Label, Tried
from _rehook_runner.probes.hints import INSIDE, Place


class NoBody:
    """No body. A class, since copies of one are itself."""


BOUNDARY = "rehook-boundary"
FORM = "application/x-www-form-urlencoded"
# What stands for a text that no request had before.
UNIQUE = "rehook-fresh"
# The longest list that is made to give an item at a place something to stand in.
MOST_ITEMS = 32
# The longest text that is put anywhere, in characters.
MOST_TEXT = 4096


@dataclass
class Candidate:
    """Parts of a request. A body is JSON, or a form of fields and files (bytes), or raw."""

    method: str = "POST"
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: object = NoBody
    form: dict[str, object] = field(default_factory=dict)
    raw: bytes = b""
    settings: dict[str, object] = field(default_factory=dict)

    def with_value(self, place: Place, value: Any) -> "Candidate | None":
        """The candidate with a value at a place; none where no request can have it."""
        if isinstance(value, str) and len(value) > MOST_TEXT:
            return None
        new = self._copy()
        if place.part == "body":
            if new.form or new.method in ("GET", "HEAD"):
                return None
            body = {} if new.body is NoBody else new.body
            new.body, new.raw = _put(body, place.keys, value), b""
            return new
        if place.part == "setting":
            new.settings[place.keys[0]] = value
            return new
        if place.part == "raw_body":
            if new.form or new.method in ("GET", "HEAD"):
                return None
            new.raw = value
            return new
        if INSIDE in place.keys:
            name, *keys = place.keys
            text = self._text(place.part, name)
            return self.with_value(Place(place.part, (name,)), _put(text, tuple(keys), value))
        if isinstance(value, (dict, list)) or value is None:
            return None
        if place.part == "query_name":
            new.query[str(value)] = "x"
            return new
        name, text = str(place.keys[0]), str(value)
        if place.part == "header":
            if not _fits_header(name, text):
                return None
            new.headers[name.lower()] = text
        elif place.part == "query":
            new.query[name] = text
        elif place.part == "form":
            new.form[name] = text
            new.body = NoBody
        elif place.part == "method":
            if not (text.isascii() and text.isalpha()):
                return None
            new.method = text.upper()
        return new

    def _text(self, part: str, name: str) -> object:
        parts: dict[str, dict[str, Any]]
        parts = {"header": self.headers, "query": self.query, "form": self.form}
        named = parts.get(part, {})
        return named.get(name.lower() if part == "header" else name)

    def _copy(self) -> "Candidate":
        """Another candidate of which each part can be set. The values in its parts are never changed."""
        return Candidate(
            self.method,
            dict(self.query),
            dict(self.headers),
            self.body,
            dict(self.form),
            self.raw,
            dict(self.settings),
        )

    def key(self) -> str:
        """The same for equal candidates."""
        return repr(vars(self))

    def request(self, label: Label, number: int = 0) -> Request:
        """The request as it is sent, the how manieth it is."""
        fresh = f"new-{number}"
        headers, body = (
            {n: v.replace(UNIQUE, fresh) for n, v in self.headers.items()},
            b"",
        )
        if self.raw:
            headers.setdefault("content-type", "application/json")
            body = self.raw
        elif self.form:
            headers.setdefault("content-type", self._form_type())
            body = self._form_body()
        elif self.body is not NoBody:
            headers.setdefault("content-type", "application/json")
            body = json.dumps(self.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self.query.items())
        query = query.replace(UNIQUE, fresh)
        body = body.replace(UNIQUE.encode(), fresh.encode())
        if isinstance(label, Tried):
            label = replace(label, value=label.value.replace(UNIQUE, fresh))
        return Request(
            label=label,
            method=self.method,
            query=query.encode(),
            headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()],
            body=body,
            settings=dict(self.settings),
        )

    def _has_file(self) -> bool:
        return any(isinstance(value, bytes) for value in self.form.values())

    def _form_type(self) -> str:
        return f"multipart/form-data; boundary={BOUNDARY}" if self._has_file() else FORM

    def _form_body(self) -> bytes:
        if not self._has_file():
            return "&".join(
                f"{_quoted(n)}={_quoted(str(v))}" for n, v in self.form.items()
            ).encode()
        body = b""
        for name, value in self.form.items():
            file = (
                '; filename="file.txt"\r\nContent-Type: text/plain'
                if isinstance(value, bytes)
                else ""
            )
            data = value if isinstance(value, bytes) else str(value).encode()
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
            body += head.encode() + data + b"\r\n"
        return body + f"--{BOUNDARY}--\r\n".encode()


def _put(value: object, keys: tuple, new: object) -> object:
    """A value with a new one at the end of the keys; what is in the way becomes what they need. The
    two may have parts in common, which nobody changes."""
    if not keys:
        return new
    key, rest = keys[0], keys[1:]
    if key == INSIDE:
        return json.dumps(_put(_inside(value), rest, new))
    if isinstance(key, int):
        items = list(value) if isinstance(value, list) else []
        while len(items) <= min(key, MOST_ITEMS):
            items.append("x")
        key = min(key, MOST_ITEMS)
        items[key] = _put(items[key], rest, new)
        return items
    entries = dict(value) if isinstance(value, dict) else {}
    entries[key] = _put(entries.get(key), rest, new)
    return entries


def _inside(text: object) -> object:
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError):
        return None


def _fits_header(name: str, value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return token and all(ch == "\t" or (ch >= " " and ch != "\x7f") for ch in value)


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")
