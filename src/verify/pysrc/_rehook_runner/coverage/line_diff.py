"""Which lines of two texts are not in the other one, in time that grows with their length.

Equal beginnings and ends go first, then lines that each text has once divide what is left. Where
there are none, small parts are compared in earnest, and larger ones count as changed.
"""

import difflib
from bisect import bisect_left
from collections import Counter

# How many pairs of lines are compared in earnest, and how often a part is divided.
MOST_PAIRS = 10_000
MOST_DIVISIONS = 40

# From and to a line of the old text, and of the new one.
Part = tuple[int, int, int, int]


def lines(old: list[bytes], new: list[bytes]) -> tuple[set[int], set[int]]:
    """The lines that only the old text has, and those that only the new one has; 1-based."""
    removed: set[int] = set()
    added: set[int] = set()
    parts = [((0, len(old), 0, len(new)), 0)]
    while parts:
        part, depth = parts.pop()
        start, end, new_start, new_end = part = _trimmed(old, new, part)
        anchors = _anchors(old, new, part) if depth < MOST_DIVISIONS else []
        if anchors:
            parts += [(one, depth + 1) for one in _between(part, anchors)]
            continue
        differing = [part]
        if 0 < (end - start) * (new_end - new_start) <= MOST_PAIRS:
            differing = _compared(old, new, part)
        for start, end, new_start, new_end in differing:
            removed.update(range(start + 1, end + 1))
            added.update(range(new_start + 1, new_end + 1))
    return removed, added


def _trimmed(old: list[bytes], new: list[bytes], part: Part) -> Part:
    """Without equal beginnings and ends."""
    start, end, new_start, new_end = part
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return start, end, new_start, new_end


def _anchors(old: list[bytes], new: list[bytes], part: Part) -> list[tuple[int, int]]:
    """Lines that both have exactly once, as many as have the same order in both."""
    start, end, new_start, new_end = part
    counts, new_counts = Counter(old[start:end]), Counter(new[new_start:new_end])
    places = {new[place]: place for place in range(new_start, new_end)}
    pairs = [
        (place, places[old[place]])
        for place in range(start, end)
        if counts[old[place]] == new_counts[old[place]] == 1
    ]
    # The longest rising sequence: the last pairs of those of each length, and what is before each.
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
        before.append(last[length - 1] if length else -1)
    found = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _between(part: Part, anchors: list[tuple[int, int]]) -> list[Part]:
    start, end, new_start, new_end = part
    found = []
    for place, new_place in [*anchors, (end, new_end)]:
        found.append((start, place, new_start, new_place))
        start, new_start = place + 1, new_place + 1
    return found


def _compared(old: list[bytes], new: list[bytes], part: Part) -> list[Part]:
    start, end, new_start, new_end = part
    matcher = difflib.SequenceMatcher(None, old[start:end], new[new_start:new_end], autojunk=False)
    return [
        (start + a, start + b, new_start + c, new_start + d)
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]
