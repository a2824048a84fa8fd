"""What is said of a plugin's values: JSON that every reader takes, whatever they are.

Usage: shown.py. Each case says what a plugin gave, and what is said of it; and of all of them the line
has to be one that the strictest reader takes. Exits with 1 if a case is not as expected.
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "src/verify/pysrc"))
sys.dont_write_bytecode = True

from _rehook_runner.model import json_safe

# The most levels that readers take.
MOST_LEVELS = 128


class Own(int):
    """A number that denies to be one."""

    def __eq__(self, _other: object) -> bool:
        return False

    __hash__ = int.__hash__


class Unsayable:
    """What fails when it is written."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def deep(levels: int, inner: object = 1) -> list:
    return [inner] if levels == 1 else [deep(levels - 1, inner)]


def deeper(levels: int, inner: object = 1) -> object:
    """The same, deeper than a function can call itself."""
    for _ in range(levels):
        inner = [inner]
    return inner


DEEP, TEXT, PARTS = json_safe.MOST_DEEP, json_safe.MOST_TEXT, json_safe.MOST_PARTS
MANY = list(range(PARTS + 4))
CHANGED = [*range(100_000), -1, *MANY]
FULL = "a" * (TEXT - 1)

# About, the value, the value beside it, and what is said of it.
VALUES = [
    ("a text", "plain 中文 😀", None, "plain 中文 😀"),
    ("what is half of a pair of surrogates", "a\ud800b", None, "a\\ud800b"),
    ("a pair that Python keeps apart", "\ud83d\ude00", None, "\\ud83d\\ude00"),
    ("such a key", {"\udcff": 1}, None, {"\\udcff": 1}),
    ("bytes", b"a\xff", None, "a\\xff"),
    ("ends of lines and of a text", "a\0b\nc\u2028", None, "a\0b\nc\u2028"),
    ("a long text", FULL + "bcde", None, FULL + "b… (+3)"),
    ("where long texts differ", FULL + "a" * 9 + "x", FULL + "a" * 9 + "y", "(+9) …" + FULL + "x"),
    (
        "amid of them",
        "a" * 30_000 + "x" * 30_000,
        "a" * 30_000,
        f"(+29800) …{'a' * 200}{'x' * (TEXT - 200)}… (+10200)",
    ),
    ("several long texts", [FULL] * 7, None, [FULL] * 5 + ["aaaaa… (+19994)", "… (+19999)"]),
    ("nothing, and what is true", [None, True, False], None, [None, True, False]),
    ("the largest numbers", [2**63 - 1, -(2**63)], None, [2**63 - 1, -(2**63)]),
    ("a number of a class of its own", [Own(7)], None, [7]),
    ("a number that is too large", 2**63, None, str(2**63)),
    ("a number that is too small", -(2**63) - 1, None, str(-(2**63) - 1)),
    ("a number of more digits than Python writes", 16**5000, None, "0x1" + "0" * 5000),
    ("what is no number", [float("nan"), float("-inf")], None, ["nan", "-inf"]),
    ("numbers with a point", [0.1, 1e308, -0.0], None, ["0.1", "1e+308", "-0.0"]),
    ("keys that are no text", {1: 1, None: 2, (1, 2): 3}, None, {"1": 1, "None": 2, "(1, 2)": 3}),
    ("what has no form in JSON", {"a"}, None, "{'a'}"),
    ("what cannot be written", [Unsayable()], None, ["(Unsayable)"]),
    ("as deep as is said", deep(DEEP), None, deep(DEEP)),
    ("deeper than is said", deep(DEEP + 2), None, deep(DEEP, "[[1]]")),
    ("deeper than Python writes", deeper(100_000), None, deep(DEEP, "(list)")),
    ("many", MANY, None, [*MANY[: PARTS - 1], "… (+5)"]),
    ("where many differ", CHANGED, [*range(100_000), 0, *MANY], ["(+99998) …", 99_998, 99_999, -1]),
    ("many keys", {str(n): n for n in MANY}, None, {"…": "(+5)"}),
]


def event(**parts: object) -> dict:
    return {"event": "sent", "plugin": "dev.a", **parts}


# About, the event, and whether nothing of it is left out.
EVENTS = [
    ("a request", event(body="x" * 1000, headers=[["a", "b"]]), True),
    ("a body of its own length", event(body="x" * json_safe.MOST_BODY), True),
    ("a longer body", event(body="x" * (json_safe.MOST_BODY + 1)), False),
    ("such a body of bytes", event(base64="x" * (json_safe.MOST_BODY + 1)), False),
    ("a long header", event(headers=[["a", "b" * (TEXT + 1)]]), False),
    ("half of a pair of surrogates", event(body="\udc00"), False),
    ("many headers", event(headers=[["a", "b" * TEXT]] * 300), False),
    ("what JSON makes longer", event(headers=[["a", "\0" * TEXT]] * 50), False),
    ("many texts", event(parts=["c" * TEXT] * 10_000), False),
    ("a long name", event(case="n" * (TEXT + 9)), True),
]


def faults(line: str) -> list[str]:
    """Why a reader does not take a line."""
    found = []

    def constant(name: str) -> None:
        found.append(f"{name} is no JSON")

    def number(digits: str) -> int:
        if int(digits) not in range(-(2**63), 2**64):
            found.append(f"the number {digits[:30]}")
        return int(digits)

    try:
        line.encode()
        said = json.loads(line, parse_constant=constant, parse_int=number)
    except ValueError as error:
        return [str(error)]
    if "\n" in line:
        found.append("it is more than one line")
    if len(line) > json_safe.MOST_LINE:
        found.append(f"it has {len(line)} characters")
    if (deepest := levels(said)) > MOST_LEVELS:
        found.append(f"it is {deepest} levels deep")
    return found


def levels(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)):
        return 0
    return 1 + max(map(levels, parts), default=0)


def values() -> list[str]:
    wrong = []
    for about, value, beside, expected in VALUES:
        said = json_safe.value(value, beside)
        if isinstance(said, list) and isinstance(expected, list) and beside:
            # Of what follows the difference, there is only so much.
            said = said[: len(expected)]
        if isinstance(said, dict) and "…" in said:
            said = {"…": said["…"]}
        if repr(said) != repr(expected):
            wrong.append(f"{about}: {str(said)[:99]!r} instead of {str(expected)[:99]!r}")
        # As deep in an event as a value can be.
        line = json_safe.line({"difference": {"parts": [{"old": json_safe.value(value, beside)}]}})
        wrong += [f"{about}: {fault}" for fault in faults(line)]
    return wrong


def events() -> list[str]:
    wrong = []
    for about, given, is_whole in EVENTS:
        line = json_safe.line(given)
        wrong += [f"{about}: {fault}" for fault in faults(line)]
        if json_safe.is_whole(given) != is_whole:
            wrong.append(f"{about}: {'not ' * is_whole}said to be whole")
        if (json.loads(line) == given) != is_whole:
            wrong.append(f"{about}: {'not ' * is_whole}whole")
        if json.loads(line)["plugin"] != given["plugin"]:
            wrong.append(f"{about}: about another plugin")
    return wrong


def main() -> int:
    wrong = values() + events()
    for one in wrong:
        print(one)
    print(f"shown: {len(VALUES) + len(EVENTS)} cases, {len(wrong)} not as expected")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
