"""Regular expressions: text that a pattern fits, and what a plugin does with the groups of a match."""

import re
from re import _parser

from _rehook_runner.probes.hints import HintCollector
from _rehook_runner.probes.tracked_strings import Text

# How many different texts are made for a pattern, and how long a repetition is made at most.
MOST, LONGEST = 6, 64
# What a class of characters may have.
LIKELY = "xa1 -_.:/A0,#@\n中"
CATEGORIES = {
    "DIGIT": "1",
    "NOT_DIGIT": "x",
    "WORD": "a",
    "NOT_WORD": "-",
    "SPACE": " ",
}


def samples(pattern: re.Pattern) -> list[str]:
    """Some texts that fit, with another branch and another number of repetitions in each."""
    if not isinstance(pattern.pattern, str):
        return []
    parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    found: dict[str, None] = {}
    for turn in range(MOST):
        text = _made(parsed, turn, {})
        if pattern.search(text):
            found[text] = None
    return list(found)


def _made(parsed, turn: int, groups: dict[int, str]) -> str:
    return "".join(_one(str(kind), about, turn, groups) for kind, about in parsed)


def _one(kind: str, about, turn: int, groups: dict[int, str]) -> str:
    match kind:
        case "LITERAL":
            return chr(about)
        case "NOT_LITERAL":
            return "y" if about == ord("x") else "x"
        case "ANY":
            return "x"
        case "IN":
            return _character(about)
        case "BRANCH":
            return _made(about[1][turn % len(about[1])], turn, groups)
        case "SUBPATTERN":
            groups[about[0]] = text = _made(about[3], turn, groups)
            return text
        case "ATOMIC_GROUP":
            return _made(about, turn, groups)
        case "GROUPREF":
            return groups.get(about, "")
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = about
            times = min(max(least, turn % 2), int(most), LONGEST)
            return "".join(_made(inner, turn, groups) for _ in range(times))
    # Of what stands around it, and of places in it, nothing is made.
    return ""


def _character(items) -> str:
    """One that a class has."""
    if str(items[0][0]) == "NEGATE":
        return next((one for one in LIKELY if not _has(items[1:], one)), "")
    kind, about = items[0]
    if str(kind) == "LITERAL":
        return chr(about)
    if str(kind) == "RANGE":
        return chr(about[0])
    return CATEGORIES.get(str(about).removeprefix("CATEGORY_"), "-")


def _has(items, character: str) -> bool:
    for kind, about in items:
        if str(kind) == "LITERAL" and chr(about) == character:
            return True
        if str(kind) == "RANGE" and about[0] <= ord(character) <= about[1]:
            return True
        if str(kind) == "CATEGORY" and re.match(_written(str(about)), character):
            return True
    return False


def _written(category: str) -> str:
    """As a pattern has it."""
    name = category.removeprefix("CATEGORY_")
    letter = name.removeprefix("NOT_")[0].lower()
    return "\\" + (letter.upper() if name.startswith("NOT_") else letter)


class Watched:
    """A pattern that says what text would fit, where what a request has does not."""

    def __init__(self, pattern: re.Pattern):
        self._pattern = pattern

    def __getattr__(self, name: str):
        return getattr(self._pattern, name)

    def _find(self, how: str, text, *where):
        found = getattr(self._pattern, how)(text, *where)
        if type(text) is not Text:
            return found
        if found is None:
            self._wish(text)
            return None
        return Found(found, text)

    def _wish(self, text: Text) -> None:
        for one in samples(self._pattern):
            text._want(one)

    def match(self, text, *where):
        return self._find("match", text, *where)

    def fullmatch(self, text, *where):
        return self._find("fullmatch", text, *where)

    def search(self, text, *where):
        return self._find("search", text, *where)

    def finditer(self, text, *where):
        found = list(self._pattern.finditer(text, *where))
        if type(text) is not Text:
            return iter(found)
        if not found:
            self._wish(text)
        return iter([Found(one, text) for one in found])

    def findall(self, text, *where):
        if type(text) is not Text:
            return self._pattern.findall(text, *where)
        groups = self._pattern.groups
        found = self.finditer(text, *where)
        if groups > 1:
            return [one.groups("") for one in found]
        return [one.group(groups) or "" for one in found]

    def sub(self, by, text, *count):
        return self._pattern.sub(by, text, *count)


class Found:
    """A match, with groups that know where in the text they are."""

    def __init__(self, found: re.Match, text: Text):
        self._found, self._text = found, text

    def __getattr__(self, name: str):
        return getattr(self._found, name)

    def _group(self, which, default=None):
        start, end = self._found.span(which)
        return default if start < 0 else self._text.cut(start, end)

    def group(self, *which):
        groups = tuple(self._group(one) for one in which or (0,))
        return groups if len(groups) > 1 else groups[0]

    def __getitem__(self, which):
        return self._group(which)

    def groups(self, default=None):
        return tuple(self._group(n + 1, default) for n in range(self._found.re.groups))

    def groupdict(self, default=None):
        return {name: self._group(name, default) for name in self._found.re.groupindex}


def install(watch: HintCollector) -> None:
    """Before the plugin is imported: it may take the functions by name."""
    for name in ("match", "fullmatch", "search", "findall", "finditer"):
        setattr(re, name, _function(name, getattr(re, name)))


def _function(name: str, plain):
    compiled = re.compile

    def function(pattern, string, flags=0):
        if isinstance(pattern, Watched):
            return getattr(pattern, name)(string)
        if type(string) is Text:
            return getattr(Watched(compiled(pattern, flags)), name)(string)
        return plain(pattern, string, flags)

    return function


def watched(value: object) -> object:
    """What a plugin has of patterns, as those that are watched; anything else as it is."""
    if isinstance(value, re.Pattern):
        return Watched(value)
    if type(value) in (list, tuple) and any(_is_pattern(one) for one in value):
        return type(value)(watched(one) for one in value)
    if type(value) is dict and any(_is_pattern(one) for one in value.values()):
        return {key: watched(one) for key, one in value.items()}
    return value


def _is_pattern(value: object) -> bool:
    return isinstance(value, re.Pattern) or (type(value) is tuple and any(map(_is_pattern, value)))


def compiling() -> None:
    """From here on, what is compiled in the plugin is watched."""
    plain = re.compile

    def compile(pattern, flags=0):  # noqa: A001 (it takes the place of `re.compile`)
        made = plain(pattern, flags)
        return Watched(made) if HintCollector.current.line() is not None else made

    re.compile = compile
