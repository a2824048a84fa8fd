"""Values of a request that tell what a plugin wants of them.

A probe is the value itself, of a subclass of its type, so that a plugin runs with it as it would with
the value. Beside it, a probe reports each use that a different request would answer differently: a
key that is missing, a comparison, a call that another type has. Text that was made of a probe
(`sig[7:]`, `name.lower()`) remembers how, so that a comparison of it says what the whole should be.

Probes are for finding requests only. What is compared in the end has been sent without them.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType

from figures import Number, Real, exact, other_type

# Frames between the plugin's line and the probe: helpers of the standard library, no server.
DEPTH = 6
LONG = "x" * 300
MISSING = object()
# A key of a place: what comes after it is in text that is JSON.
INSIDE = "<JSON>"


@dataclass(frozen=True)
class Place:
    """A place in a request: `header`, `query` or `form` and a name, or `body` and the keys to it;
    `query name` is the name itself, `method` the method, `raw body` the body as bytes. `setting` and
    a name is one of the plugin's settings, which go with a request."""

    part: str
    keys: tuple

    def child(self, key: object) -> "Place":
        return Place(self.part, (*self.keys, key))


@dataclass(frozen=True)
class Wish:
    """A value that would be answered differently, and the line of the plugin that showed it.

    `strong` ones are named by the plugin (a constant, a key), others are guesses at it.
    """

    place: Place
    value: object
    line: tuple[str, int]
    strong: bool = True


@dataclass(frozen=True)
class LookedUp:
    """What was looked up, the line of the plugin that did, and the function with that line."""

    place: Place
    rebuild: Callable
    line: tuple[str, int]
    is_number: bool
    code: CodeType

    def is_part(self) -> bool:
        """Whether it is a part of what a request has."""
        return self.rebuild not in (_same, exact)


class Watch:
    """Collects the wishes while a request is answered."""

    def __init__(self, folder: str):
        self.folder = folder
        # Whose each file is, as it has been found.
        self._files: dict[str, str] = {}
        self.wishes: list[Wish] = []
        self.looked_up: list[LookedUp] = []
        # The function of the line that was asked for last.
        self.code: CodeType | None = None

    def is_asking(self) -> bool:
        """Whether a line of the plugin calls what calls this."""
        return sys._getframe(2).f_code.co_filename.startswith(self.folder)

    def take(self) -> tuple[list[Wish], list]:
        taken = self.wishes, self.looked_up
        self.wishes, self.looked_up = [], []
        return taken

    def line(self) -> tuple[str, int] | None:
        """The line of the plugin that is asking, if it is one that asks."""
        frame = sys._getframe(2)
        for _ in range(DEPTH):
            if frame is None:
                return None
            file = frame.f_code.co_filename
            whose = self._files.get(file) or self._files.setdefault(file, self._whose(file))
            if whose == "plugin":
                self.code = frame.f_code
                return file, frame.f_lineno
            if whose == "library":
                # It reads for itself.
                return None
            frame = frame.f_back
        return None

    def _whose(self, file: str) -> str:
        if file.startswith(self.folder):
            return "plugin"
        return "library" if "site-packages" in file and not file.startswith(RUNNER) else "between"

    def wish(self, place: Place, *values: object, strong: bool = True) -> None:
        line = self.line()
        if line is not None:
            self.wishes += [Wish(place, value, line, strong) for value in values]

    def look_up(self, place: Place, rebuild: Callable, value: object) -> None:
        """Something is looked up in a set or dict, or put in one: nothing says in which."""
        line = self.line()
        if line is not None:
            self.looked_up.append(LookedUp(place, rebuild, line, isinstance(value, int), self.code))


RUNNER = os.path.dirname(os.path.abspath(__file__)) + os.sep


def wrap(watch: Watch, place: Place, value: object) -> object:
    """The value as a probe, with all that is in it."""
    if isinstance(value, dict):
        return Map(watch, place, value)
    if isinstance(value, list):
        return Items(watch, place, value)
    if isinstance(value, str):
        return Text(watch, place, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Number(watch, place, value)
    if isinstance(value, float):
        return Real(watch, place, value)
    return value


def guesses(default: object) -> tuple[list, list]:
    """What a key may have that is read with a default: likely values, and others."""
    if isinstance(default, bool):
        return [not default], []
    if isinstance(default, dict):
        return [{}], ["x"]
    if isinstance(default, (list, tuple)):
        return [["x"]], ["x", {}]
    if isinstance(default, (int, float)):
        return [1], []
    if isinstance(default, str):
        return ["x"], [1]
    return ["x"], [1, True, {}, ["x"]]


class Map(dict):
    """An object."""

    def __init__(self, watch: Watch, place: Place, value: dict):
        super().__init__({k: wrap(watch, place.child(k), v) for k, v in value.items()})
        self._watch, self._place = watch, place

    def _missed(self, key: object, default: object = None) -> None:
        if isinstance(key, str):
            place = self._place.child(str(key))
            if place.part != "body" and INSIDE not in place.keys:
                # All the others are text.
                self._watch.wish(place, "x")
                return
            likely, others = guesses(default)
            self._watch.wish(place, *likely)
            self._watch.wish(place, *others, strong=False)

    def _met(self, key: object) -> None:
        value = dict.get(self, key)
        if isinstance(value, bool):
            self._watch.wish(self._place.child(str(key)), not value, strong=False)

    def __getitem__(self, key):
        if key not in dict.keys(self):
            self._missed(key)
        self._met(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        if key not in dict.keys(self):
            self._missed(key, default)
        self._met(key)
        return super().get(key, default)

    def pop(self, key, default=MISSING):
        if key not in dict.keys(self):
            self._missed(key, None if default is MISSING else default)
        self._met(key)
        return super().pop(key) if default is MISSING else super().pop(key, default)

    def __contains__(self, key):
        present = super().__contains__(key)
        if not present:
            self._missed(key)
            if isinstance(key, str) and self._place.part == "body":
                self._watch.wish(self._place.child(key), None, strong=False)
        return present

    def items(self):
        if not self._watch.is_asking():
            # A library that writes it down, or copies it.
            return super().items()
        if not dict.__len__(self):
            self._sizes()
        return [(self._name(key), value) for key, value in super().items()]

    def _name(self, key: object):
        if type(key) is not str:
            return key

        def named(wanted):
            value = dict.get(self, key)
            return {name: one for name, one in self._bare().items() if name != key} | {
                wanted: value
            }

        return Name(self._watch, self._place, key, named)

    def _bare(self) -> dict:
        return dict(dict.items(self))

    def _sizes(self) -> int:
        size = dict.__len__(self)
        self._watch.wish(self._place, {} if size else {"x": "x"}, strong=False)
        return size

    def __len__(self):
        return self._sizes()

    def __bool__(self):
        return self._sizes() > 0

    def __reduce__(self):
        return dict, (dict(self),)

    def copy(self):
        return Map(self._watch, self._place, self)


class Items(list):
    """A list."""

    def __init__(self, watch: Watch, place: Place, value: list):
        super().__init__(wrap(watch, place.child(i), v) for i, v in enumerate(value))
        self._watch, self._place = watch, place

    def _sizes(self) -> None:
        size = list.__len__(self)
        one = list.__getitem__(self, 0) if size else "x"
        self._watch.wish(self._place, [] if size else ["x"], [one] * 12, strong=False)

    def __len__(self):
        self._sizes()
        return super().__len__()

    def __bool__(self):
        self._sizes()
        return list.__len__(self) > 0

    def __getattr__(self, name: str):
        if hasattr(dict, name):
            self._watch.wish(self._place, {})
        raise AttributeError(f"'list' object has no attribute '{name}'")

    def __reduce__(self):
        return list, (list(self),)


def _other_type(watch: Watch, place: Place, attribute: str) -> None:
    """A method was called that another type has."""
    other = other_type(attribute)
    if other is not None:
        watch.wish(place, other)


def _same(text: str) -> str:
    return text


class _Sequence:
    """What text and bytes have in common. `_rebuild` makes the whole value at the place of what this
    part of it should be; the whole is text."""

    def _of(self, value, rebuild: Callable):
        return type(self)(self._watch, self._place, value, rebuild)

    def _want(self, value, strong: bool = True) -> None:
        whole = _whole(self._rebuild, value)
        if whole is not None:
            self._watch.wish(self._place, whole, strong=strong)

    def plain(self):
        """The value without anything to it."""
        return self._plain.__getitem__(self, slice(None))

    def is_whole(self) -> bool:
        """Whether it is all that is at its place."""
        return self._rebuild is _same

    def cut(self, start: int, end: int):
        """A part, which remembers what is around it."""
        plain, whole = self.plain(), self._rebuild
        before, after = plain[:start], plain[end:]
        return self._of(plain[start:end], lambda wanted: whole(before + wanted + after))

    def __eq__(self, other):
        if isinstance(other, self._plain):
            self._want(self._plain(other))
        elif isinstance(other, (bool, int)) or other is None:
            self._watch.wish(self._place, other, strong=False)
        return self._plain.__eq__(self, other)

    def __ne__(self, other):
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self):
        self._watch.look_up(self._place, self._rebuild, self)
        return self._plain.__hash__(self)

    def startswith(self, prefix, *where):
        does = self._plain.startswith(self, prefix, *where)
        if not does:
            for one in prefix if isinstance(prefix, tuple) else (prefix,):
                self._want(one + self._plain(self))
        return does

    def endswith(self, suffix, *where):
        does = self._plain.endswith(self, suffix, *where)
        if not does:
            for one in suffix if isinstance(suffix, tuple) else (suffix,):
                self._want(self._plain(self) + one)
        return does

    def __contains__(self, part):
        does = self._plain.__contains__(self, part)
        if not does and isinstance(part, self._plain):
            self._want(self._plain(self) + part)
        return does

    def removeprefix(self, prefix):
        rest = self._plain.removeprefix(self, prefix)
        return self.cut(len(self.plain()) - len(rest), len(self.plain()))

    def removesuffix(self, suffix):
        return self.cut(0, len(self._plain.removesuffix(self, suffix)))

    def strip(self, *which):
        return self._of(self._plain.strip(self, *which), self._rebuild)

    def lstrip(self, *which):
        return self._of(self._plain.lstrip(self, *which), self._rebuild)

    def rstrip(self, *which):
        return self._of(self._plain.rstrip(self, *which), self._rebuild)

    def replace(self, *how):
        # What it looks like afterwards, it may look like before.
        return self._of(self._plain.replace(self, *how), self._rebuild)

    def lower(self):
        return self._of(self._plain.lower(self), self._rebuild)

    def upper(self):
        return self._of(self._plain.upper(self), self._rebuild)

    def split(self, sep=None, maxsplit=-1):
        return self._split(self._plain.split(self, sep, maxsplit), sep)

    def rsplit(self, sep=None, maxsplit=-1):
        return self._split(self._plain.rsplit(self, sep, maxsplit), sep)

    def _split(self, parts: list, separator):
        plain = self.plain()
        between = (" " if self._plain is str else b" ") if separator is None else separator
        if len(parts) < 2:
            self._want((plain or self._x) + between + (plain or self._x))
        return Pieces(self, [self._part(parts, between, i) for i in range(len(parts))], between)

    def partition(self, separator):
        return self._parts(separator, self._plain.partition(self, separator), 0)

    def rpartition(self, separator):
        return self._parts(separator, self._plain.rpartition(self, separator), 2)

    def _parts(self, separator, parts: tuple, whole: int):
        before, found, _ = parts
        if not found:
            self._want(self.plain() + separator + self.plain())
            return tuple(self if place == whole else part for place, part in enumerate(parts))
        return self.cut(0, len(before)), found, self.cut(len(before + found), len(self.plain()))

    def _part(self, parts: list, separator, place: int):
        whole = self._rebuild

        def rebuild(wanted):
            return whole(separator.join([*parts[:place], wanted, *parts[place + 1 :]]))

        return self._of(parts[place], rebuild)

    def __getitem__(self, key):
        if not isinstance(key, (int, slice)):
            self._watch.wish(self._place, {})
            return self._plain.__getitem__(self, key)
        value = self._plain.__getitem__(self, key)
        size = self._plain.__len__(self)
        if isinstance(key, int):
            # Of bytes that is a number.
            place = key % size
            return self.cut(place, place + 1) if self._plain is str else value
        start, end, step = key.indices(size)
        if step != 1:
            return value
        if key.stop is not None and key.stop > size:
            # There is room for more.
            end = size
        return self.cut(start, max(start, end))

    def __len__(self):
        size = self._plain.__len__(self)
        self._watch.wish(self._place, "", LONG, strong=False)
        if not size and self._rebuild is not _same:
            self._want(self._x, strong=False)
        return size

    def __iter__(self):
        self._watch.wish(self._place, ["x"], [{}], strong=False)
        return self._plain.__iter__(self)

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        _other_type(self._watch, self._place, name)
        raise AttributeError(f"'{self._plain.__name__}' object has no attribute '{name}'")

    def __reduce__(self):
        return self._plain, (self._plain.__str__(self) if self._plain is str else bytes(self),)


class Pieces(list):
    """What text was split into."""

    def __init__(self, text, pieces: list, separator):
        super().__init__(pieces)
        self._text, self._separator = text, separator

    def of_size(self, size: int):
        """The text, split into so many."""
        pieces = [one.plain() for one in self][:size]
        pieces += [self._text._x] * (size - len(pieces))
        return self._text._rebuild(self._separator.join(pieces))

    def __len__(self):
        for size in (1, 2, 3):
            self._text._watch.wish(self._text._place, self.of_size(size), strong=False)
        return super().__len__()


def _whole(rebuild: Callable, value):
    try:
        return rebuild(value)
    except (TypeError, ValueError):
        # It was put together with something else; then nothing is known of the whole.
        return None


class Text(_Sequence, str):
    """Text."""

    _plain, _x = str, "x"

    def __new__(cls, watch: Watch, place: Place, value: str, rebuild: Callable = _same):
        self = str.__new__(cls, value)
        self._watch, self._place, self._rebuild = watch, place, rebuild
        return self

    def encode(self, *how):
        whole = self._rebuild
        return Bytes(
            self._watch,
            self._place,
            str.encode(self, *how),
            lambda wanted: whole(wanted.decode()),
        )

    def casefold(self):
        return self._of(str.casefold(self), self._rebuild)

    def splitlines(self, *how):
        parts = str.splitlines(self, *how)
        return Pieces(self, [self._part(parts, "\n", i) for i in range(len(parts))], "\n")

    def isdigit(self):
        self._want("12", strong=False)
        return str.isdigit(self)

    isdecimal = isnumeric = isdigit

    def __int__(self):
        for text in ("12", "1000000", "-1"):
            self._want(text, strong=False)
        return int(str.__str__(self))

    def __float__(self):
        self._want("1.5", strong=False)
        return float(str.__str__(self))


class Name(Text):
    """The name of an entry: what it is looked up in is most often another object of its kind."""

    def __hash__(self):
        return str.__hash__(self)


class Bytes(_Sequence, bytes):
    """Bytes that were text."""

    _plain, _x = bytes, b"x"

    def __new__(cls, watch: Watch, place: Place, value: bytes, rebuild: Callable):
        self = bytes.__new__(cls, value)
        self._watch, self._place, self._rebuild = watch, place, rebuild
        return self

    def decode(self, *how):
        whole = self._rebuild
        return Text(
            self._watch,
            self._place,
            bytes.decode(self, *how),
            lambda wanted: whole(wanted.encode()),
        )


def compared(left: object, right: object) -> None:
    """What `hmac.compare_digest` is asked: it looks at the bytes and calls no method."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, _Sequence) and type(other) is one._plain:
            one._want(other)
