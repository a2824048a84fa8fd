"""Values of a request that tell what a plugin wants of them.

A probe is the value itself, of a subclass of its type, so that a plugin runs with it as it would with
the value. Beside it, a probe reports each use that a different request would answer differently: a
key that is missing, a comparison, a call that another type has. Here are those of objects and lists;
`tracked_strings.py` has those of text, `tracked_numbers.py` those of numbers.

Probes are for finding requests only. What is compared in the end has been sent without them.
"""

from _rehook_runner.probes.hints import INSIDE, HintCollector, Place
from _rehook_runner.probes.tracked_numbers import Number, Real
from _rehook_runner.probes.tracked_strings import Name, Text

MISSING = object()
# What is false without being absent: a plugin may take each of them for nothing, or none.
FALSY = (0, "", None)
# How deep objects are put into each other: a plugin may go into them so far and no further.
DEPTHS = (2, 3, 4, 5, 6, 8, 12, 24)


def wrap(watch: HintCollector, place: Place, value: object) -> object:
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


def nested(depth: int) -> object:
    """Objects in each other."""
    value: object = "x"
    for _ in range(depth):
        value = {"x": value}
    return value


class Map(dict):
    """An object."""

    def __init__(self, watch: HintCollector, place: Place, value: dict):
        super().__init__({k: wrap(watch, place.child(k), v) for k, v in value.items()})
        self._watch, self._place = watch, place

    def _missed(self, key: object, default: object = None) -> None:
        if isinstance(key, str):
            place = self._place.child(str(key))
            if place.part != "body" and INSIDE not in place.keys:
                # All the others are text.
                self._watch.hint(place, "x")
                return
            likely, others = guesses(default)
            self._watch.hint(place, *likely)
            self._watch.hint(place, *others, strong=False)
            self._watch.hint(place, *FALSY, strong=False, later=True)

    def _met(self, key: object) -> None:
        value = dict.get(self, key)
        if isinstance(value, bool):
            self._watch.hint(self._place.child(str(key)), not value, strong=False)

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
                self._watch.hint(self._place.child(key), None, strong=False)
        return present

    def items(self):
        if not self._watch.is_asking():
            # A library that writes it down, or copies it.
            return super().items()
        if not dict.__len__(self):
            self._sizes()
        if not self._place.keys:
            # What goes through all of an object may go into those in it.
            self._watch.hint(self._place, *map(nested, DEPTHS), strong=False, later=True)
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
        self._watch.hint(self._place, {} if size else {"x": "x"}, strong=False)
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

    def __init__(self, watch: HintCollector, place: Place, value: list):
        super().__init__(wrap(watch, place.child(i), v) for i, v in enumerate(value))
        self._watch, self._place = watch, place

    def _sizes(self) -> None:
        size = list.__len__(self)
        one = list.__getitem__(self, 0) if size else "x"
        self._watch.hint(self._place, [] if size else ["x"], [one] * 12, strong=False)

    def __len__(self):
        self._sizes()
        return super().__len__()

    def __bool__(self):
        self._sizes()
        return list.__len__(self) > 0

    def __getattr__(self, name: str):
        if hasattr(dict, name):
            self._watch.hint(self._place, {})
        raise AttributeError(f"'list' object has no attribute '{name}'")

    def __reduce__(self):
        return list, (list(self),)
