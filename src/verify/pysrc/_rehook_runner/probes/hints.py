"""What a plugin is seen to want of a request, and the watch that collects it.

`probe.py` and the modules beside it report it: values in the place of what a request has.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType

from _rehook_runner.probes.tracked_numbers import exact, other_type

# Frames between the plugin's line and the probe: helpers of the standard library, no server.
DEPTH = 6
# A key of a place: what comes after it is in text that is JSON.
INSIDE = "<JSON>"
# Code that is a part of the function around it: until Python 3.11 it is run as one of its own.
COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>"}
# Where the modules of the runner are.
RUNNER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def same(value):
    """Makes the whole of a value that is all there is at its place."""
    return value


@dataclass(frozen=True)
class Place:
    """A place in a request: `header`, `query` or `form` and a name, or `body` and the keys to it;
    `query_name` is the name itself, `method` the method, `raw_body` the body as bytes. `setting` and
    a name is one of the plugin's settings, which go with a request."""

    part: str
    keys: tuple

    def child(self, key: object) -> "Place":
        return Place(self.part, (*self.keys, key))


BODY = Place("body", ())


@dataclass(frozen=True)
class Hint:
    """A value that would be answered differently, and the line of the plugin that showed it.

    `strong` ones are named by the plugin (a constant, a key), others are guesses at it. What is to come
    `later` is tried with the requests that came furthest, when nothing else is left to be tried.
    """

    place: Place
    value: object
    line: tuple[str, int]
    strong: bool = True
    later: bool = False


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
        return self.rebuild not in (same, exact)


def _function(frame) -> CodeType:
    """The function that a line is part of: what a comprehension makes is used there."""
    while frame.f_code.co_name in COMPREHENSIONS and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code


class HintCollector:
    """Collects the hints while a request is answered."""

    def __init__(self, folder: str):
        self.folder = folder
        # Whose each file is, as it has been found.
        self._files: dict[str, str] = {}
        self.hints: list[Hint] = []
        self.looked_up: list[LookedUp] = []
        # The function of the line that was asked for last.
        self.code: CodeType | None = None

    def is_asking(self) -> bool:
        """Whether a line of the plugin calls what calls this."""
        return sys._getframe(2).f_code.co_filename.startswith(self.folder)

    def take(self) -> tuple[list[Hint], list]:
        taken = self.hints, self.looked_up
        self.hints, self.looked_up = [], []
        return taken

    def line(self) -> tuple[str, int] | None:
        """The line of the plugin that is asking, if it is one that asks."""
        frame: FrameType | None = sys._getframe(2)
        for _ in range(DEPTH):
            if frame is None:
                return None
            file = frame.f_code.co_filename
            whose = self._files.get(file) or self._files.setdefault(file, self._owner(file))
            if whose == "plugin":
                self.code = _function(frame)
                return file, frame.f_lineno
            if whose == "library":
                # It reads for itself.
                return None
            frame = frame.f_back
        return None

    def _owner(self, file: str) -> str:
        if file.startswith(self.folder):
            return "plugin"
        return "library" if "site-packages" in file and not file.startswith(RUNNER) else "between"

    def hint(self, place: Place, *values: object, strong: bool = True, later: bool = False) -> None:
        line = self.line()
        if line is not None:
            self.hints += [Hint(place, value, line, strong, later) for value in values]

    def look_up(self, place: Place, rebuild: Callable, value: object) -> None:
        """Something is looked up in a set or dict, or put in one: nothing says in which."""
        line = self.line()
        if line is not None and self.code is not None:
            self.looked_up.append(LookedUp(place, rebuild, line, isinstance(value, int), self.code))

    def other_type(self, place: Place, attribute: str) -> None:
        """A method was called that another type has."""
        other = other_type(attribute)
        if other is not None:
            self.hint(place, other)
