"""What stands in a plugin's modules in the place of functions and types that ask a probe for nothing:
they take what is in it, and what comes of that says no more what it was made of.

Only names that a plugin has not given a meaning of its own, and only while requests are looked for.
"""

import base64
import builtins
import datetime
import sys
import time
from types import ModuleType

from _rehook_runner.probes import patterns, tracked_numbers
from _rehook_runner.probes.hints import HintCollector
from _rehook_runner.probes.probe import Items, Map
from _rehook_runner.probes.tracked_numbers import (
    Number,
    Real,
    TrackedNumber,
    TrackedTimestamp,
)
from _rehook_runner.probes.tracked_strings import Bytes, SplitResult, Text

# The longest list and object that are made for a number of entries.
MOST_ENTRIES = 32


class _Kind(type):
    """Passes for the type that it stands for."""

    def __instancecheck__(cls, value):
        return isinstance(value, cls.stands_for)

    def __subclasscheck__(cls, kind):
        return issubclass(kind, cls.stands_for)

    def __eq__(cls, other):
        return other is cls or other is cls.stands_for

    def __hash__(cls):
        return hash(cls.stands_for)


def _kind(plain: type, convert=None, **others) -> type:
    def __new__(cls, *arguments, **named):
        if cls is not kind:
            return plain.__new__(cls, *arguments, **named)
        if convert is not None and len(arguments) == 1 and not named:
            return convert(arguments[0])
        return plain(*arguments, **named)

    others |= {"stands_for": plain, "__new__": __new__, "__module__": plain.__module__}
    kind = _Kind(plain.__name__, (plain,), others)
    return kind


def _int(value):
    if type(value) is Text:
        whole = value._rebuild
        try:
            number = int(value.plain())
        except ValueError:
            value._want("12")
            raise
        return Number(
            value._watch,
            value._place,
            number,
            lambda wanted: tracked_numbers.text_of(wanted, whole),
        )
    if type(value) is Number:
        return value
    if type(value) is Real:
        return Number(value._watch, value._place, int(value.plain()), value._rebuild)
    return int(value)


def _float(value):
    if type(value) is Text:
        whole = value._rebuild
        try:
            number = float(value.plain())
        except ValueError:
            value._want("1.5")
            raise
        return Real(
            value._watch,
            value._place,
            number,
            lambda wanted: whole(str(tracked_numbers.exact(wanted))),
        )
    if isinstance(value, TrackedNumber):
        return Real(value._watch, value._place, float(value.plain()), value._rebuild)
    return float(value)


def _str(value):
    if type(value) is Text:
        return value
    if isinstance(value, TrackedNumber):
        whole, number = value._rebuild, type(value.plain())
        text = str(value.plain())
        return Text(value._watch, value._place, text, lambda wanted: whole(number(wanted)))
    return str(value)


def _len(value):
    if isinstance(value, (Text, Bytes)):
        plain, whole = value.plain(), value._rebuild
        fill = "x" if type(value) is Text else b"x"

        def long(wanted):
            return whole(plain[: _count(wanted)].ljust(_count(wanted), fill))

    elif type(value) is SplitResult:
        size = list.__len__(value)
        text = value._text

        def long(wanted):
            return value.of_size(_count(wanted, MOST_ENTRIES))

        return Number(text._watch, text._place, size, long)

    elif type(value) is Items:
        plain = list(value)

        def long(wanted):
            times = _count(wanted, MOST_ENTRIES)
            return (plain + [plain[-1] if plain else "x"] * times)[:times]

    elif type(value) is Map:
        plain = dict(value)

        def long(wanted):
            more = {f"x{number}": "x" for number in range(_count(wanted, MOST_ENTRIES))}
            return dict([*plain.items(), *more.items()][: _count(wanted)])

    else:
        return len(value)
    return Number(value._watch, value._place, len(plain), long)


def _count(wanted, most: int = 1 << 20) -> int:
    if not 0 <= wanted <= most:
        raise ValueError("nothing has so many")
    return int(wanted)


def _fromhex(text):
    if type(text) is not Text:
        return bytes.fromhex(text)
    whole = text._rebuild
    try:
        value = bytes.fromhex(text.plain())
    except ValueError:
        text._want("00")
        raise
    return Bytes(text._watch, text._place, value, lambda wanted: whole(wanted.hex()))


def _now() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(tracked_numbers.now(), datetime.UTC)


# A date that is long ago.
BEFORE = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def _fromisoformat(text):
    if type(text) is Text:
        for one in (_now(), _now().replace(tzinfo=None), BEFORE):
            text._want(one.isoformat())
    return datetime.datetime.fromisoformat(text)


def _date_fromisoformat(text):
    if type(text) is Text:
        for one in (_now(), BEFORE):
            text._want(one.date().isoformat())
    return datetime.date.fromisoformat(text)


def _strptime(text, form):
    if type(text) is Text:
        for one in (_now(), BEFORE):
            text._want(one.strftime(form))
    return datetime.datetime.strptime(text, form)


def _fromtimestamp(stamp, tz=None):
    if isinstance(stamp, TrackedNumber):
        stamp._want(tracked_numbers.now(), int(BEFORE.timestamp()))
    return datetime.datetime.fromtimestamp(stamp, tz)


def _decoding(decode):
    def function(text, *how, **named):
        if not isinstance(text, (Text, Bytes)):
            return decode(text, *how, **named)
        whole, is_text = text._rebuild, type(text) is Text
        encode = (
            base64.urlsafe_b64encode if "urlsafe" in decode.__name__ else base64.standard_b64encode
        )

        def back(wanted):
            return whole(encode(wanted).decode() if is_text else encode(wanted))

        try:
            value = decode(text.plain(), *how, **named)
        except ValueError:
            text._watch.hint(text._place, back(b"x"))
            raise
        return Bytes(text._watch, text._place, value, back)

    return function


def before(watch: HintCollector) -> None:
    """Before the plugin is imported: it may take functions by name."""
    HintCollector.current = watch
    patterns.install(watch)
    for name in ("b64decode", "standard_b64decode", "urlsafe_b64decode"):
        setattr(base64, name, _decoding(getattr(base64, name)))
    plain = time.time

    def now():
        return TrackedTimestamp(plain()) if watch.is_asking() else plain()

    time.time = now


NAMES = {
    "int": _kind(int, _int),
    "float": _kind(float, _float),
    "str": _kind(str, _str),
    "bytes": _kind(bytes, fromhex=staticmethod(_fromhex)),
    "len": _len,
}
DATETIME = _kind(
    datetime.datetime,
    fromisoformat=staticmethod(_fromisoformat),
    strptime=staticmethod(_strptime),
    fromtimestamp=staticmethod(_fromtimestamp),
)
DATE = _kind(datetime.date, fromisoformat=staticmethod(_date_fromisoformat))
MODULE = ModuleType("datetime")
vars(MODULE).update(vars(datetime) | {"datetime": DATETIME, "date": DATE})
# By what they stand for.
OTHERS = {
    id(datetime.datetime): DATETIME,
    id(datetime.date): DATE,
    id(datetime): MODULE,
}


def after(folder: str) -> None:
    """Once the plugin is imported: in the modules that are in a folder."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) if isinstance(module, ModuleType) else None
        if not file or not str(file).startswith(folder):
            continue
        names = vars(module)
        for name, value in list(names.items()):
            other = OTHERS.get(id(value))
            if other is None and not name.startswith("__"):
                other = patterns.watched(value)
            if other is not None and other is not value:
                names[name] = other
        for name, value in NAMES.items():
            if getattr(builtins, name) is names.get(name, getattr(builtins, name)):
                names[name] = value
    patterns.compiling()
