"""Probes for numbers: a comparison says what the number in the request should be, also after the
plugin computes with it."""

import math
import operator
import time
from collections.abc import Callable

# How far a number may be from the time to be taken for it, in seconds; and its units in a second.
NEAR, SCALES = 1000, (1, 1000)
# What is in time for a while, and what is too late, in seconds.
AWAY = 600


_real_time, _started = time.time, []


def now() -> int:
    """The time that requests are made for. One for all of a search, so that a hint for it is the same
    hint."""
    if not _started:
        _started.append(int(_real_time()))
    return _started[0]


def moment(value: float) -> int | None:
    """The time that requests are made for, in the unit of a number that is about the present."""
    for scale in SCALES:
        if abs(value - now() * scale) < NEAR * scale:
            return now() * scale
    return None


def exact(value: float) -> int | float:
    """Whole numbers as such: that is how most senders write them."""
    return int(value) if math.isfinite(value) and value == int(value) else value


class TrackedNumber:
    """What whole and other numbers have in common. `_rebuild` makes the value at the place of what
    this number should be."""

    def _want(self, *values, strong: bool = True) -> None:
        for value in values:
            try:
                whole = self._rebuild(value)
            except (ArithmeticError, TypeError, ValueError):
                # No number comes out as that.
                continue
            self._watch.hint(self._place, whole, strong=strong)

    def _of(self, value, rebuild: Callable):
        """The outcome of reckoning with this number."""
        whole = self._rebuild
        kind = {int: Number, float: Real}.get(type(value))
        if kind is None:
            return value
        return kind(self._watch, self._place, value, lambda wanted: whole(rebuild(wanted)))

    def __bool__(self):
        self._want(0 if self._plain.__bool__(self) else 1, strong=False)
        return self._plain.__bool__(self)

    def __hash__(self):
        self._watch.look_up(self._place, self._rebuild, self)
        return self._plain.__hash__(self)

    def __abs__(self):
        return self._of(self._plain.__abs__(self), _same)

    def __neg__(self):
        return self._of(self._plain.__neg__(self), operator.neg)

    def __round__(self, *digits):
        return self._of(self._plain.__round__(self, *digits), _same)

    def __reduce__(self):
        return self._plain, (self.plain(),)

    def plain(self):
        """The number without anything to it."""
        return self._plain.__add__(self, 0)


def _same(value):
    return value


class Number(TrackedNumber, int):
    """A whole number."""

    _plain = int

    def __new__(cls, watch, place, value: int, rebuild: Callable = exact):
        self = int.__new__(cls, value)
        self._watch, self._place, self._rebuild = watch, place, rebuild
        return self

    def __int__(self):
        self._want(1_000_000, -1, strong=False)
        return int.__int__(self)

    def __getattr__(self, name: str):
        # One that text was read as, or that was computed, is of no other type.
        if self._rebuild is exact and not name.startswith("_"):
            other = other_type(name)
            if other is not None:
                self._watch.hint(self._place, other)
        raise AttributeError(f"'int' object has no attribute '{name}'")


class Real(TrackedNumber, float):
    """A number with a point."""

    _plain = float

    def __new__(cls, watch, place, value: float, rebuild: Callable = exact):
        self = float.__new__(cls, value)
        self._watch, self._place, self._rebuild = watch, place, rebuild
        return self


def other_type(attribute: str) -> object:
    """A value of the type that has a method."""
    for kind, value in ((dict, {}), (list, ["x"]), (str, "x")):
        if hasattr(kind, attribute):
            return value
    return None


# How a number comes to be that gives what is wanted, on the left of a number and on its right.
BACK = {
    "add": (lambda wanted, by: wanted - by,) * 2,
    "sub": (lambda wanted, by: wanted + by, lambda wanted, by: by - wanted),
    "mul": (lambda wanted, by: wanted / by,) * 2,
    "truediv": (lambda wanted, by: wanted * by, lambda wanted, by: by / wanted),
    "floordiv": (lambda wanted, by: wanted * by,) * 2,
    "mod": (lambda wanted, by: wanted,) * 2,
}


# Of those in which the number is on the right, the ones that fail for nothing.
DIVIDED = ("__rtruediv__", "__rfloordiv__", "__rmod__")


def _reckoning(kind: type, name: str, back: Callable) -> Callable:
    reckon, beside = getattr(kind._plain, name), getattr(float, name)

    def method(self, other):
        value = reckon(self, other)
        if value is NotImplemented and isinstance(other, float):
            value = beside(float(self.plain()), other)
        if type(value) not in (int, float):
            return value
        if name in DIVIDED:
            self._want(0, strong=False)
        elif name.replace("__", "__r", 1) in DIVIDED and isinstance(other, TrackedNumber):
            other._want(0, strong=False)
        by = self._about(other)
        return self._of(value, lambda wanted: back(wanted, by))

    return method


def _step(value) -> int:
    """How far from a number another one is that is certainly on its other side: time goes on."""
    scales = (
        (scale for scale in SCALES if moment(value) == now() * scale) if abs(value) > 1e9 else ()
    )
    return next((AWAY * scale for scale in scales), 1)


def _comparison(kind: type, name: str) -> Callable:
    compare, plainly = getattr(kind._plain, name), getattr(operator, name)

    def method(self, other):
        if isinstance(other, (int, float)) and not isinstance(other, bool):
            other = other.plain() if isinstance(other, TrackedNumber) else other
            by = self._about(other)
            step = _step(other)
            self._want(by, by + step, by - step)
        elif isinstance(other, str) and self._rebuild is exact:
            self._watch.hint(self._place, str(other))
        if isinstance(other, TrackedTimestamp):
            # Which asks this number in its turn.
            return plainly(self.plain(), float.__add__(other, 0.0))
        return compare(self, other)

    return method


def _about(self, other):
    """The other number; if it is the present, the time that requests are made for."""
    present = None if abs(other) < 1e9 else moment(other)
    if present is None:
        return other
    self._want(present)
    return present


TrackedNumber._about = _about
for _kind in (Number, Real):
    for _name, (_left, _right) in BACK.items():
        setattr(_kind, f"__{_name}__", _reckoning(_kind, f"__{_name}__", _left))
        setattr(_kind, f"__r{_name}__", _reckoning(_kind, f"__r{_name}__", _right))
    for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        setattr(_kind, _name, _comparison(_kind, _name))


class TrackedTimestamp(float):
    """The present, as a plugin is told: a number with a point asks no other number for its opinion."""


def _asking(name: str, other_name: str) -> None:
    plain = getattr(float, name)

    def method(self, other):
        if isinstance(other, Number):
            return getattr(other, other_name)(float.__add__(self, 0.0))
        return plain(self, other)

    setattr(TrackedTimestamp, name, method)


for _name, _other in (
    ("__sub__", "__rsub__"),
    ("__lt__", "__gt__"),
    ("__le__", "__ge__"),
    ("__gt__", "__lt__"),
    ("__ge__", "__le__"),
):
    _asking(_name, _other)


def _staying(name: str) -> None:
    """What is computed from the present is about it too: `time.time() * 1000`."""
    plain = getattr(TrackedTimestamp, name)

    def method(self, other):
        value = plain(self, other)
        return TrackedTimestamp(value) if type(value) is float else value

    setattr(TrackedTimestamp, name, method)


for _name in ("__add__", "__radd__", "__sub__", "__mul__", "__rmul__"):
    _staying(_name)


def text_of(wanted, whole: Callable) -> object:
    """For a whole number that was read from text."""
    return whole(str(math.floor(wanted)))
