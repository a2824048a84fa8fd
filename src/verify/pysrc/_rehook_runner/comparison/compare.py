"""In what two answers to one request differ.

Some plugins answer otherwise each time: with the time, a random identifier, logs in a random number.
So the old side is run more than once, and one principle says what of that the new side owes: **what
all runs of the old side agree in holds for the new one too; where they do not agree, the new side
may have what is of the same kind.** From what was seen a `Rule` is made, which the new value fits or
not:

- Text is taken as tokens. Where all have the same number, those that are the same in all are
  required in their places. Else what all begin with and end with is, and that there is something in
  between.
- A dict has the keys that all have, with values that fit. The others are a bag of keys with values.
- A list of one length, with the same kinds of items in the same places, goes place by place.
- Every other list, and that of the effects, is a bag: an item that is there equally often each time
  is required, that often, in the order that it had to the others, unless the order varied too. What
  is there in varying number may be there in any number, and has to fit the rule that is made from
  all such items of its kind. So an item of a kind whose number does not vary cannot come or go.

What was seen only once, in the places where it could be, says no more than its kind. That is the
lenient side, rightly: a webhook gets a hundred requests, so a real difference shows in another one,
and what is called different by chance once is called different for good.

Each rule is made, and tried, in a time that grows as what it looks at: items are grouped by keys and
never held against each other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from _rehook_runner.comparison.nondeterminism import LONG, WORD, Rule, text_rule
from _rehook_runner.model.message import Route
from _rehook_runner.side.agent import Answer

# Nested deeper than this, values are compared as text.
DEEPEST = 60


def parts(route: Route, old: Answer, new: Answer) -> list[tuple[str, object, object]]:
    """The parts that differ, with both values: status, body, headers, effects, context."""
    if _seems_same(old, new):
        return []
    pairs = zip(_parts(route, old).items(), _parts(route, new).values(), strict=True)
    return [(part, one, other) for (part, one), other in pairs if _key(one) != _key(other)]


def real(route: Route, runs: list[Answer], new: Answer) -> list[tuple[str, object, object]]:
    """The parts that differ from the first run of the old side although all its runs, two at least,
    agree in them: what varies by itself (times, random identifiers) is not a difference."""
    # The length of what varies says nothing.
    lengths_vary = len({one.body for one in runs}) > 1
    every = [_parts(route, one, lengths_vary) for one in (*runs, new)]
    found = []
    for part, one, other in parts(route, runs[0], new):
        *seen, last = [values[part] for values in every]
        if part == "status":
            fits = last in seen
        elif part in ("effects", "headers"):
            fits = _bag(seen, 0, _first, _record)(last)
        else:
            fits = _rule(seen)(last)
        if not fits:
            found.append((part, one, other))
    return found


def _seems_same(old: Answer, new: Answer) -> bool:
    """Whether both are the same as text, in which 1, 1.0 and true differ. Of most answers this is all
    that has to be known, and it takes a tenth of the time."""
    return (
        old.status == new.status
        and old.body == new.body
        and repr((old.headers, old.effects, old.contexts))
        == repr((new.headers, new.effects, new.contexts))
    )


def _parts(route: Route, answer: Answer, lengths_vary: bool = False) -> dict[str, Any]:
    effects = [list(effect) for effect in answer.effects]
    if route.native:
        # A handler that takes the request itself answers for itself, and does without a context.
        return {"status": answer.status, "effects": effects}
    headers = [
        [name, "" if lengths_vary and name == "content-length" else value]
        for name, value in answer.headers
    ]
    return {
        "status": answer.status,
        "body": answer.json(),
        "headers": headers,
        "effects": effects,
        "context": answer.contexts,
    }


def _key(value: object, depth: int = 0) -> Hashable:
    """The same for values that are the same; 1, 1.0 and true are not."""
    if isinstance(value, (str, bytes)):
        return value
    if depth > DEEPEST:
        return repr(value)
    if isinstance(value, (list, tuple)):
        return (list, *[_key(part, depth + 1) for part in value])
    if isinstance(value, dict):
        return (
            dict,
            frozenset((key, _key(part, depth + 1)) for key, part in value.items()),
        )
    # Not a number is not even itself, but is written as itself.
    return (type(value), repr(value))


def _type(value: object) -> type:
    return list if isinstance(value, tuple) else type(value)


def _first(record: list) -> Hashable:
    """The kind of an effect or a header: what it is called."""
    return record[0], len(record)


def _rule(seen: list, depth: int = 0) -> Rule:
    """What holds for everything that was seen, of which there are two at least."""
    keys = {_key(one, depth) for one in seen}
    if len(keys) == 1:
        return lambda new: _key(new, depth) in keys
    types = {_type(one) for one in seen}
    if len(types) > 1:
        return lambda new: _type(new) in types
    (kind,) = types
    if kind is str:
        fits = text_rule(seen)
    elif kind is bytes:
        text = text_rule([one.decode("utf-8", "surrogateescape") for one in seen])

        def fits(new):
            return text(new.decode("utf-8", "surrogateescape"))

    elif kind in (dict, list) and depth > DEEPEST:
        text = text_rule([repr(one) for one in seen])

        def fits(new):
            return text(repr(new))

    elif kind is dict:
        fits = _dict(seen, depth)
    elif kind is list:
        fits = _list(seen, depth)
    else:
        return lambda new: _type(new) is kind
    return lambda new: _type(new) is kind and fits(new)


def _dict(seen: list[dict], depth: int) -> Rule:
    common = [key for key in seen[0] if all(key in one for one in seen)]
    rules = {key: _rule([one[key] for one in seen], depth + 1) for key in common}

    def others(one: dict) -> list:
        return [[key, value] for key, value in one.items() if key not in rules]

    # The order of keys is not part of a dict.
    bag = _bag([others(one) for one in seen], depth + 1, _type, _record, is_ordered=False)
    return lambda new: (
        all(key in new and fits(new[key]) for key, fits in rules.items()) and bag(others(new))
    )


def _list(seen: list[list], depth: int) -> Rule:
    is_even = len({len(one) for one in seen}) == 1
    is_shuffled = len({frozenset(Counter(map(_key, one)).items()) for one in seen}) == 1
    if (
        is_even
        and not is_shuffled
        and all(len(set(map(_type, column))) == 1 for column in zip(*seen, strict=True))
    ):
        return _record(seen, depth)
    return _bag(seen, depth, _type, _rule)


def _record(seen: list[list], depth: int) -> Rule:
    """Place by place."""
    if len({len(one) for one in seen}) > 1:
        return _list(seen, depth)
    rules = [_rule(list(column), depth + 1) for column in zip(*seen, strict=True)]
    return lambda new: (
        len(new) == len(rules) and all(fits(part) for fits, part in zip(rules, new, strict=True))
    )


@dataclass(eq=False)
class Slot:
    """An item of a bag that is there each time."""

    kind: Hashable
    # Where it was in each of the lists.
    places: list[int]
    fits: Rule | None = None
    # Items with the same label are tried first.
    label: Hashable = None
    block: int = 0


def _bag(
    seen: list[list],
    depth: int,
    kind_of: Callable[[Any], Hashable],
    rule: Callable[[list, int], Rule],
    is_ordered: bool = True,
) -> Rule:
    """Items that are there equally often each time, and others in varying number."""
    left = [dict(enumerate(one)) for one in seen]
    exact: dict[Hashable, list[Slot]] = defaultdict(list)
    slots: list[Slot] = []
    varying: dict[Hashable, list] = defaultdict(list)
    common = set.intersection(*[set(WORD.findall(_written(one))) for one in seen])

    def worded(item: object) -> Hashable:
        return kind_of(item), *[word for word in WORD.findall(_written(item)) if word in common]

    def grouped(label_of: Callable[[object], Hashable]) -> list[list[list[int]]]:
        """The places in each list of those that have the same label."""
        groups: dict[Hashable, list[list[int]]] = {}
        for i, items in enumerate(left):
            for place, item in items.items():
                groups.setdefault(label_of(item), [[] for _ in seen])[i].append(place)
        return list(groups.values())

    def take(places: list[list[int]], is_exact: bool = False) -> None:
        rows = [
            [items.pop(place) for place in row] for items, row in zip(left, places, strict=True)
        ]
        if len({len(row) for row in rows}) > 1:
            for row in rows:
                for item in row:
                    varying[kind_of(item)].append(item)
            return
        for column, where in zip(zip(*rows, strict=True), zip(*places, strict=True), strict=True):
            item, kind = column[0], kind_of(column[0])
            if is_exact:
                exact[_key(item, depth)].append(Slot(kind, list(where)))
            else:
                fits = rule(list(column), depth + 1)
                slots.append(Slot(kind, list(where), fits, worded(item)))

    # First those with the same words, where all have some.
    for places in grouped(worded):
        if not all(places):
            continue
        by_key: dict[Hashable, list[list[int]]] = {}
        for i, row in enumerate(places):
            for place in row:
                key = _key(left[i][place], depth)
                by_key.setdefault(key, [[] for _ in seen])[i].append(place)
        # Some that are the same are so by chance, where others are not, and so are numbers.
        item = left[0][places[0][0]]
        told = item[1:] if rule is _record else item
        if all(map(all, by_key.values())) and WORD.search(_written(told)):
            for same in by_key.values():
                take(same, is_exact=True)
        else:
            take(places)
    for places in grouped(kind_of):
        take(places)
    others = {kind: rule(items, depth + 1) for kind, items in varying.items() if len(items) > 1}
    _number([*slots, *[slot for row in exact.values() for slot in row]], len(seen))

    def fits(new: list) -> bool:
        found: list[tuple[int, Slot]] = []
        taken: Counter = Counter()
        over: dict[int, object] = {}
        for place, item in enumerate(new):
            key = _key(item, depth)
            if taken[key] < len(exact.get(key, ())):
                found.append((place, exact[key][taken[key]]))
                taken[key] += 1
            else:
                over[place] = item
        if len(found) < sum(map(len, exact.values())):
            return False
        open_slots = slots
        for label_of, slot_label in (
            (worded, lambda slot: slot.label),
            (kind_of, lambda slot: slot.kind),
        ):
            waiting = defaultdict(list)
            for slot in reversed(open_slots):
                waiting[slot_label(slot)].append(slot)
            for place, item in list(over.items()):
                row = waiting.get(label_of(item))
                if row and (fits_slot := row[-1].fits) and fits_slot(item):
                    found.append((place, row.pop()))
                    del over[place]
            open_slots = [slot for row in waiting.values() for slot in reversed(row)]
        if open_slots:
            return False
        for item in over.values():
            kind = kind_of(item)
            if kind not in varying or (kind in others and not others[kind](item)):
                return False
        blocks = [slot.block for _, slot in sorted(found, key=lambda pair: pair[0])]
        return not is_ordered or blocks == sorted(blocks)

    return fits


def _number(slots: list[Slot], runs: int) -> None:
    """Numbers the blocks of slots that came in the same order each time. Inside of a block the order
    varied, and a block reaches as far as there are kinds of which it did."""
    slots = sorted(slots, key=lambda slot: slot.places[0])
    ranks = []
    for run in range(runs):
        order = sorted(range(len(slots)), key=lambda i: slots[i].places[run])
        ranks.append({i: rank for rank, i in enumerate(order)})
    blocks, current, highest = [], [], -1
    for i, slot in enumerate(slots):
        current.append(slot)
        highest = max(highest, *(rank[i] for rank in ranks))
        if highest == i:
            blocks.append(current)
            current = []
    moved = {slot.kind for block in blocks if len(block) > 1 for slot in block}
    number, did_move = 0, False
    for block in blocks:
        moves = all(slot.kind in moved for slot in block)
        if not (moves and did_move):
            number += 1
        did_move = moves
        for slot in block:
            slot.block = number


def _written(item: object, depth: int = 0) -> str:
    """The text in an item, by which it is told from others: of long text the beginning."""
    if isinstance(item, str):
        return item[:LONG]
    if depth > DEEPEST:
        return ""
    if isinstance(item, dict):
        item = [part for pair in item.items() for part in pair]
    if isinstance(item, (list, tuple)):
        return "\n".join(_written(part, depth + 1) for part in item)
    return ""
