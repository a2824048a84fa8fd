"""What holds for texts that vary by themselves: which tokens stay, and where others may be."""

import re
from collections.abc import Callable
from typing import Any

from _rehook_runner.model.json_safe import common

Rule = Callable[[Any], bool]

# Longer than this, much of a text is the same in all that was seen, or it would take long.
LONG = 20_000

# Times and numbers with a point or an exponent are one token each: all of it varies.
TOKEN = re.compile(r"\d+(?::\d+)+(?:\.\d+)?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]\d+\b|\w+|\W")
WORD = re.compile(r"\b[^\W\d_]{2,}\b")
# What may be between two letters of encoded random bytes, or before a number.
JOINTS = set("+-/=")


def text_rule(seen: list[str]) -> Rule:
    """What holds for texts. Of long ones, what they begin and end with alike is not looked into: it has
    to be there, and none of it varies."""
    if max(map(len, seen)) <= LONG:
        return _tokens(seen)
    one = seen[0]
    start = min(common(one, other) for other in seen[1:])
    # Between tokens.
    start = one.rfind(" ", 0, start) + 1
    most = min(map(len, seen)) - start
    backwards = [text[:start:-1][: most - 1] for text in seen]
    end = min(common(backwards[0], other) for other in backwards[1:])
    end = backwards[0].rfind(" ", 0, end) + 1
    head, tail = one[:start], one[len(one) - end :]
    inside = _tokens([text[start : len(text) - end] for text in seen])
    return lambda new: (
        len(new) >= start + end
        and new.startswith(head)
        and new.endswith(tail)
        and inside(new[start : len(new) - end])
    )


def _tokens(seen: list[str]) -> Rule:
    every = [TOKEN.findall(one) for one in seen]
    columns = list(zip(*every, strict=False))
    same = [len(set(column)) == 1 for column in columns]
    shortest = len(columns)
    is_even = all(len(tokens) == shortest for tokens in every)
    one = every[0]
    required = []
    if is_even:
        required = [i for i in range(shortest) if same[i] and not _is_joint(i, same, columns)]
    begin = next((i for i in range(shortest) if not same[i]), shortest)
    end = 0
    while end < shortest - begin and len({tokens[-1 - end] for tokens in every}) == 1:
        end += 1
    # Between them there is always something, or not.
    is_filled = all(len(tokens) > begin + end for tokens in every)
    head, tail = one[:begin], one[len(one) - end :]
    while head and head[-1] in JOINTS:
        head.pop()
    while tail and tail[0] in JOINTS:
        tail.pop(0)
    words = [one[i] for i in required if begin <= i < shortest - end and WORD.fullmatch(one[i])]

    def fits(new: str) -> bool:
        tokens = TOKEN.findall(new)
        if is_even and len(tokens) == shortest:
            return all(tokens[i] == one[i] for i in required)
        until = len(tokens) - len(tail)
        if until < len(head) + is_filled or tokens[: len(head)] != head or tokens[until:] != tail:
            return False
        left = iter(tokens[len(head) : until])
        return all(word in left for word in words)

    return fits


def _is_joint(i: int, same: list[bool], columns: list[tuple[str, ...]]) -> bool:
    """Whether a token only happens to be the same, since it is inside of encoded random bytes."""
    return (
        columns[i][0] in JOINTS
        and 0 < i < len(columns) - 1
        and not same[i - 1]
        and not same[i + 1]
        and any(
            letter.isalpha() for around in (i - 1, i + 1) for letter in "".join(columns[around])
        )
    )
