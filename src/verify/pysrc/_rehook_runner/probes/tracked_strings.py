"""Probes for text and bytes. What is made of one (`sig[7:]`, `name.lower()`) remembers how, so that a
comparison of it says what the whole should be.
"""

from collections.abc import Callable

from _rehook_runner.probes.hints import HintCollector, Place, same

LONG = "x" * 300


class Sequence:
    """What text and bytes have in common. `_rebuild` makes the whole value at the place of what this
    part of it should be; the whole is text."""

    def _of(self, value, rebuild: Callable):
        return type(self)(self._watch, self._place, value, rebuild)

    def _want(self, value, strong: bool = True) -> None:
        whole = _whole(self._rebuild, value)
        if whole is not None:
            self._watch.hint(self._place, whole, strong=strong)

    def plain(self):
        """The value without anything to it."""
        return self._plain.__getitem__(self, slice(None))

    def is_whole(self) -> bool:
        """Whether it is all that is at its place."""
        return self._rebuild is same

    def cut(self, start: int, end: int):
        """A part, which remembers what is around it."""
        plain, whole = self.plain(), self._rebuild
        before, after = plain[:start], plain[end:]
        return self._of(plain[start:end], lambda wanted: whole(before + wanted + after))

    def __eq__(self, other):
        if isinstance(other, self._plain):
            self._want(self._plain(other))
        elif isinstance(other, (bool, int)) or other is None:
            self._watch.hint(self._place, other, strong=False)
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
            # One part like another would be taken for the same.
            self._want((plain or self._x) + between + self._x, strong=False)
        return SplitResult(
            self, [self._part(parts, between, i) for i in range(len(parts))], between
        )

    def partition(self, separator):
        return self._parts(separator, self._plain.partition(self, separator), 0)

    def rpartition(self, separator):
        return self._parts(separator, self._plain.rpartition(self, separator), 2)

    def _parts(self, separator, parts: tuple, whole: int):
        before, found, _ = parts
        if not found:
            self._want(self.plain() + separator + self.plain())
            return tuple(self if place == whole else part for place, part in enumerate(parts))
        return (
            self.cut(0, len(before)),
            found,
            self.cut(len(before + found), len(self.plain())),
        )

    def _part(self, parts: list, separator, place: int):
        whole = self._rebuild

        def rebuild(wanted):
            return whole(separator.join([*parts[:place], wanted, *parts[place + 1 :]]))

        return self._of(parts[place], rebuild)

    def __getitem__(self, key):
        if not isinstance(key, (int, slice)):
            self._watch.hint(self._place, {})
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
        self._watch.hint(self._place, "", LONG, strong=False)
        if not size and self._rebuild is not same:
            self._want(self._x, strong=False)
        return size

    def __iter__(self):
        self._watch.hint(self._place, ["x"], [{}], strong=False)
        return self._plain.__iter__(self)

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        self._watch.other_type(self._place, name)
        raise AttributeError(f"'{self._plain.__name__}' object has no attribute '{name}'")

    def __reduce__(self):
        return self._plain, (self._plain.__str__(self) if self._plain is str else bytes(self),)


class SplitResult(list):
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
            self._text._watch.hint(self._text._place, self.of_size(size), strong=False)
        return super().__len__()


def _whole(rebuild: Callable, value):
    try:
        return rebuild(value)
    except (TypeError, ValueError):
        # It was put together with something else; then nothing is known of the whole.
        return None


class Text(Sequence, str):
    """Text."""

    _plain, _x = str, "x"

    def __new__(cls, watch: HintCollector, place: Place, value: str, rebuild: Callable = same):
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
        return SplitResult(self, [self._part(parts, "\n", i) for i in range(len(parts))], "\n")

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


def _as_number(name: str) -> None:
    """What only a number can be asked says that it should be one."""
    plain = getattr(str, name, None)

    def method(self, other):
        is_compared = plain is not None
        if isinstance(other, (int, float)) and self.is_whole():
            self._watch.hint(self._place, *((other + 1, other - 1) if is_compared else (1,)))
        elif isinstance(other, str) and is_compared:
            # At the bound, and on both sides of it.
            for text in (str(other), str(other) + self._x, str(other)[:-1]):
                self._want(text)
        return plain(self, other) if plain else NotImplemented

    setattr(Text, name, method)


for _name in ("lt", "le", "gt", "ge", "sub", "rsub", "truediv", "rtruediv", "radd"):
    _as_number(f"__{_name}__")


class Name(Text):
    """The name of an entry: what it is looked up in is most often another object of its kind."""

    def __hash__(self):
        return str.__hash__(self)


class Bytes(Sequence, bytes):
    """Bytes that were text."""

    _plain, _x = bytes, b"x"

    def __new__(cls, watch: HintCollector, place: Place, value: bytes, rebuild: Callable):
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
        if isinstance(one, Sequence) and type(other) is one._plain:
            one._want(other)
