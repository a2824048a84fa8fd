"""The part of loguru that is used to write a log: levels, formatting, options, and sinks that are
functions. A sink is given text with a `record`, as loguru's sinks are."""

import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePath
from types import SimpleNamespace
from typing import Any

from nekro_agent.lacking import attributes_of, lack

LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "SUCCESS": 25}
LEVELS |= {"WARNING": 30, "ERROR": 40, "CRITICAL": 50}

COLOR = re.compile(r"</?(?:[a-zA-Z]+(?:-[a-z]+)?|[fb]g [^<>]+)?>")


class Message(str):
    record: dict


def _writes(level: str):
    def write(self, message, /, *args, **kwargs) -> None:
        self._log(level, message, args, kwargs)

    return write


@dataclass(frozen=True, eq=False)
class Logger:
    """Every logger shares the sinks of the first; the other fields are its own."""

    _sinks: dict[int, tuple[Callable, int, Callable | None]] = field(default_factory=dict)
    _exception: Any = None
    _depth: int = 0
    _lazy: bool = False
    _colors: bool = False
    _capture: bool = True
    _patchers: tuple[Callable, ...] = ()
    _extra: dict = field(default_factory=dict)

    def add(self, sink, *, level: str | int = "DEBUG", filter=None, **_form) -> int:
        if not callable(sink):
            raise NotImplementedError(lack("sink for logs that is no function"))
        key = max(self._sinks, default=0) + 1
        self._sinks[key] = (sink, _level(level).no, filter)
        return key

    def remove(self, handler_id: int | None = None) -> None:
        if handler_id is None:
            self._sinks.clear()
        else:
            del self._sinks[handler_id]

    def opt(self, *, exception=None, depth=0, lazy=False, colors=False, capture=True) -> "Logger":
        return replace(
            self,
            _exception=exception,
            _depth=depth,
            _lazy=lazy,
            _colors=colors,
            _capture=capture,
        )

    def bind(self, **extra) -> "Logger":
        return replace(self, _extra=self._extra | extra)

    def patch(self, patcher: Callable[[dict], Any]) -> "Logger":
        return replace(self, _patchers=(*self._patchers, patcher))

    def log(self, level, message, /, *args, **kwargs) -> None:
        self._log(level, message, args, kwargs)

    trace = _writes("TRACE")
    debug = _writes("DEBUG")
    info = _writes("INFO")
    success = _writes("SUCCESS")
    warning = _writes("WARNING")
    error = _writes("ERROR")
    critical = _writes("CRITICAL")

    def exception(self, message, /, *args, **kwargs) -> None:
        replace(self, _exception=True, _depth=self._depth + 1).error(message, *args, **kwargs)

    __getattr__ = attributes_of("loguru.logger")

    def _log(self, level: str | int, message: Any, args: tuple, kwargs: dict) -> None:
        found = _level(level)
        sinks = [s for s in self._sinks.values() if s[1] <= found.no]
        if not sinks:
            return
        frame = sys._getframe(2 + self._depth)
        path = PurePath(frame.f_code.co_filename)
        if self._lazy:
            args = tuple(value() for value in args)
            kwargs = {name: value() for name, value in kwargs.items()}
        text = message.format(*args, **kwargs) if args or kwargs else str(message)
        record: dict[str, Any] = {
            "exception": _error(self._exception),
            "extra": self._extra | (kwargs if self._capture else {}),
            "file": SimpleNamespace(name=path.name, path=str(path)),
            "function": frame.f_code.co_name,
            "level": found,
            "line": frame.f_lineno,
            "message": COLOR.sub("", text) if self._colors else text,
            "name": frame.f_globals.get("__name__"),
            "time": datetime.now().astimezone(),
        }
        for patcher in self._patchers:
            patcher(record)
        heard = Message(record["message"] + "\n")
        heard.record = record
        for sink, _least, fits in sinks:
            try:
                if fits is None or fits(record):
                    sink(heard)
            except Exception:  # noqa: BLE001
                # A log that cannot be written must not change what the plugin does.
                traceback.print_exc()


def _level(level: str | int) -> SimpleNamespace:
    if isinstance(level, int):
        return SimpleNamespace(name=f"Level {level}", no=level)
    if level not in LEVELS:
        raise ValueError(f"Level '{level}' does not exist")
    return SimpleNamespace(name=level, no=LEVELS[level])


def _error(given: Any) -> SimpleNamespace | None:
    if not given:
        return None
    if isinstance(given, BaseException):
        given = (type(given), given, given.__traceback__)
    parts = given if isinstance(given, tuple) else sys.exc_info()
    return SimpleNamespace(**dict(zip(("type", "value", "traceback"), parts, strict=True)))


logger = Logger()
