"""What counts as a difference between two sides of which the old one varies by itself.

Usage: compare.py. Each case says what the old side gave, what it gave when it ran once more, what the
new side gives, and whether that differs. Exits with 1 if a case is judged otherwise.
"""

import json
import sys
from pathlib import Path

# In the place of this folder, where a file has the same name.
sys.path[0] = str(Path(__file__).resolve().parents[2] / "src/verify/pysrc")
sys.dont_write_bytecode = True

from _rehook_runner.comparison import compare
from _rehook_runner.model.message import Route
from _rehook_runner.side.agent import Answer

# For how many items it is seen that the time does not grow with their square.
MANY = 20_000

LONG = " 1 x-y" * 20_000

UUIDS = [
    "9f0c1e7a-3b52-4a0e-8d1f-6a7b8c9d0e1f",
    "0a1b2c3d-4e5f-4678-9abc-def012345678",
    "c4d5e6f7-0819-4abc-8def-123456789abc",
]
# As `secrets.token_urlsafe` makes them: of one length, with separators in varying number.
TOKENS = [
    "kX7a-Yz_b9-Qw3R-t5",
    "vN2cP8-mL4_sD6fG1h",
    "Zq0-xW-eR9-tY3-uI_",
]
BASE64 = ["aZ3/kf9Q+b7==", "Tb8/pL2x+c1==", "Qx5+mN7w/d4=="]


def log(text: str, level: str = "INFO", error: str | None = None) -> list:
    return ["log", level, text, error]


def send(text: str, chat: str = "onebot_v11-group_1") -> list:
    return ["send", chat, text, {}]


RETRY, SLEEP = log("retry", "DEBUG"), ["time.sleep", 30]

SAME, DIFFERS = False, True

# For each part of an answer: about, old, again, new, whether it differs.
CASES = {
    "body": [
        # What does not vary.
        ("the same", {"a": 1}, {"a": 1}, {"a": 1}, SAME),
        ("another order of keys", {"a": 1, "b": 2}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, SAME),
        ("another value", {"a": 1}, {"a": 1}, {"a": 2}, DIFFERS),
        ("true instead of 1", {"a": 1}, {"a": 1}, {"a": True}, DIFFERS),
        ("1.0 instead of 1", [1], [1], [1.0], DIFFERS),
        ("not a number", [float("nan")], [float("nan")], [float("nan")], SAME),
        ("no number any more", [float("nan")], [float("nan")], [1.5], DIFFERS),
        # Values that vary.
        ("random numbers", {"a": 0.25}, {"a": 0.5}, {"a": 0.75}, SAME),
        ("text instead of numbers", {"a": 0.25}, {"a": 0.5}, {"a": "x"}, DIFFERS),
        ("nothing at times", {"a": None}, {"a": "x"}, {"a": "y"}, SAME),
        ("a number beside nothing and text", {"a": None}, {"a": "x"}, {"a": 1}, DIFFERS),
        ("beside what varies", {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 2}, DIFFERS),
        # Text.
        ("uuids", *[f"id {one} ok" for one in UUIDS], SAME),
        (
            "what is behind a uuid",
            *[f"{u} {t}" for u, t in zip(UUIDS, ["ok", "ok", "no"])],
            DIFFERS,
        ),
        (
            "what is before a uuid",
            *[f"{t} {u}" for u, t in zip(UUIDS, ["ok", "ok", "no"])],
            DIFFERS,
        ),
        ("tokens", *[f"{one} ok" for one in TOKENS], SAME),
        (
            "what is behind a token",
            f"{TOKENS[0]} ok",
            f"{TOKENS[1]} ok",
            f"{TOKENS[2]} no",
            DIFFERS,
        ),
        (
            "what is before a token",
            f"ok {TOKENS[0]}",
            f"ok {TOKENS[1]}",
            f"no {TOKENS[2]}",
            DIFFERS,
        ),
        ("no token at all", f"{TOKENS[0]} ok", f"{TOKENS[1]} ok", "failed", DIFFERS),
        ("nothing in its place", f"a {TOKENS[0]} ok", f"a {TOKENS[1]} ok", "a  ok", DIFFERS),
        ("text as bytes", b"\xff 1 ok", b"\xff 2 ok", b"\xff 3 ok", SAME),
        ("other text as bytes", b"\xff 1 ok", b"\xff 2 ok", b"\xff 3 no", DIFFERS),
        ("separators of base64", *BASE64, SAME),
        ("separators of numbers", "a 1/2", "a 3/4", "a 5-6", DIFFERS),
        ("whole parts that are the same by chance", "took 0.5 s", "took 0.7 s", "took 1.2 s", SAME),
        ("a number with an exponent", "took 0.5 s", "took 0.7 s", "took 1e-05 s", SAME),
        ("a number below zero", "took -3 s", "took -4 s", "took 5 s", SAME),
        ("the next minute", "at 12:30:58", "at 12:30:59", "at 12:31:00", SAME),
        ("a word between numbers", "3 of 5 done", "4 of 6 done", "5 out 7 done", DIFFERS),
        ("names of more words", "to Rome at 1", "to Oslo at 2", "to New York at 3", SAME),
        ("words between names", "to Rome by air", "to Oslo by air", "to New York by sea", DIFFERS),
        (
            "one word in it",
            "to Rome via A now",
            "to Oslo via B now",
            "to New York past C now",
            DIFFERS,
        ),
        ("more text at times", "done", "done late", "done early", SAME),
        # Dicts whose keys vary.
        ("keys with uuids", *[{"id-" + one: 1} for one in UUIDS], SAME),
        (
            "another value for such a key",
            {"id-1": 1, "a": "x"},
            {"id-2": 1, "a": "x"},
            {"id-3": 2, "a": "x"},
            DIFFERS,
        ),
        ("another text in such a key", {"id-1": 1}, {"id-2": 1}, {"no-3": 1}, DIFFERS),
        ("no such key", {"id-1": 1, "a": 1}, {"id-2": 1, "a": 1}, {"a": 1}, DIFFERS),
        ("one more such key", {"id-1": 1}, {"id-2": 1}, {"id-3": 1, "id-4": 1}, DIFFERS),
        ("such keys in varying number", {"id-1": 1}, {"id-2": 1, "id-3": 1}, {}, SAME),
        (
            "a common key is missing",
            {"id-1": 1, "a": 1},
            {"id-2": 1, "a": 1},
            {"id-3": 1, "b": 1},
            DIFFERS,
        ),
        ("a key that is there at times", {"a": 1, "b": 2}, {"a": 1}, {"a": 1, "b": 3}, SAME),
        (
            "the value of a common key",
            {"id-1": 1, "a": 1},
            {"id-2": 1, "a": 1},
            {"id-3": 1, "a": 2},
            DIFFERS,
        ),
        # Lists.
        ("kinds that change places", [1, "aa"], ["bb", 2], ["cc", "dd"], DIFFERS),
        ("dice", [1, 4, 6], [4, 2, 2], [5, 5, 5], SAME),
        ("more dice", [1, 4, 6], [4, 2, 2], [5, 5], DIFFERS),
        ("dice in varying number", [1, 4, 6], [4, 2], [5], SAME),
        ("text among dice", [1, 4, 6], [4, 2], ["x"], DIFFERS),
        ("one of a few words", ["red", "blue"], ["blue", "green"], ["red", "red"], SAME),
        ("places of a list", ["ok", UUIDS[0]], ["ok", UUIDS[1]], ["no", UUIDS[2]], DIFFERS),
        ("the order of a set", ["aa", "bb", "cc"], ["cc", "aa", "bb"], ["bb", "aa", "cc"], SAME),
        (
            "another item in a set",
            ["aa", "bb", "cc"],
            ["cc", "aa", "bb"],
            ["bb", "aa", "dd"],
            DIFFERS,
        ),
        ("a set with one item less", ["aa", "bb", "cc"], ["cc", "aa", "bb"], ["bb", "aa"], DIFFERS),
    ],
    "status": [
        ("another status", 200, 200, 201, DIFFERS),
        ("a status of those that vary", 200, 500, 500, SAME),
        ("a status beside those that vary", 200, 500, 404, DIFFERS),
    ],
    "headers": [
        # Headers.
        ("a header", [["x-id", "1"]], [["x-id", "2"]], [["x-id", "3"]], SAME),
        ("another header", [["x-id", "1"]], [["x-id", "2"]], [["x-no", "3"]], DIFFERS),
        (
            "one more header",
            [["x-id", "1"]],
            [["x-id", "2"]],
            [["x-id", "3"], ["x-a", "1"]],
            DIFFERS,
        ),
    ],
    "effects": [
        # Effects.
        (
            "logs in varying number",
            [RETRY] * 5 + [send("ok")],
            [RETRY] * 3 + [send("ok")],
            [RETRY] * 8 + [send("ok")],
            SAME,
        ),
        (
            "no logs at all",
            [RETRY] * 5 + [send("ok")],
            [RETRY] * 3 + [send("ok")],
            [send("ok")],
            SAME,
        ),
        (
            "text to a chat",
            [RETRY] * 5 + [send("ok")],
            [RETRY] * 3 + [send("ok")],
            [RETRY] * 4 + [send("no")],
            DIFFERS,
        ),
        (
            "to another chat",
            [RETRY] * 5 + [send("ok")],
            [RETRY] * 3 + [send("ok")],
            [RETRY] * 4 + [send("ok", "onebot_v11-group_2")],
            DIFFERS,
        ),
        (
            "to no chat",
            [RETRY] * 5 + [send("ok")],
            [RETRY] * 3 + [send("ok")],
            [RETRY] * 4,
            DIFFERS,
        ),
        (
            "twice to a chat",
            [RETRY] * 5 + [send("ok")],
            [RETRY] * 3 + [send("ok")],
            [RETRY] * 4 + [send("ok")] * 2,
            DIFFERS,
        ),
        ("another log", [RETRY] * 5, [RETRY] * 3, [RETRY] * 4 + [log("failed")], DIFFERS),
        (
            "the log at the end",
            [RETRY] * 5 + [log("ok")],
            [RETRY] * 3 + [log("ok")],
            [RETRY] * 4 + [log("no")],
            DIFFERS,
        ),
        ("another kind", [RETRY] * 5, [RETRY] * 3, [RETRY] * 4 + [["connect", "a"]], DIFFERS),
        (
            "words in varying number",
            [log("red"), log("blue")],
            [log("green")],
            [log("pink")] * 3,
            SAME,
        ),
        (
            "another level of these",
            [log("red"), log("blue")],
            [log("green")],
            [log("red", "ERROR")],
            DIFFERS,
        ),
        ("a log at times", [log("took 0.5 s")], [], [log("took 0.7 s")], SAME),
        ("a chat instead of a log at times", [log("took 0.5 s")], [], [send("ok")], DIFFERS),
        (
            "counted",
            [log("try 0")],
            [log("try 0"), log("try 1")],
            [log("try 0"), log("try 1"), log("try 2")],
            SAME,
        ),
        (
            "times beside varying numbers",
            [log("took 0.5 s"), *[RETRY] * 5, send(f"{TOKENS[0]} ok")],
            [log("took 0.7 s"), *[RETRY] * 3, send(f"{TOKENS[1]} ok")],
            [log("took 1.2 s"), *[RETRY] * 2, send(f"{TOKENS[2]} ok")],
            SAME,
        ),
        (
            "text beside varying numbers",
            [log("took 0.5 s"), *[RETRY] * 5],
            [log("took 0.7 s"), *[RETRY] * 3],
            [log("lost 1.2 s"), *[RETRY] * 2],
            DIFFERS,
        ),
        (
            "text with a token beside them",
            [*[RETRY] * 5, send(f"{TOKENS[0]} ok")],
            [*[RETRY] * 3, send(f"{TOKENS[1]} ok")],
            [*[RETRY] * 2, send("failed")],
            DIFFERS,
        ),
        (
            "a thread that waits",
            [SLEEP, send("ok"), log("done")],
            [send("ok"), SLEEP, SLEEP, log("done")],
            [send("ok"), log("done"), SLEEP],
            SAME,
        ),
        (
            "another text beside it",
            [SLEEP, send("ok"), log("done")],
            [send("ok"), SLEEP, SLEEP, log("done")],
            [send("no"), log("done"), SLEEP],
            DIFFERS,
        ),
        (
            "another order beside it",
            [SLEEP, send("ok"), log("done")],
            [send("ok"), SLEEP, SLEEP, log("done")],
            [log("done"), send("ok"), SLEEP],
            DIFFERS,
        ),
        (
            "a thread that logs once",
            [log("seen"), send("ok"), send("more")],
            [send("ok"), log("seen"), send("more")],
            [send("ok"), send("more"), log("seen")],
            SAME,
        ),
        (
            "the order of a set of chats",
            [log("go"), *map(send, ("aa", "bb", "cc")), log("end")],
            [log("go"), *map(send, ("cc", "aa", "bb")), log("end")],
            [log("go"), *map(send, ("bb", "aa", "cc")), log("end")],
            SAME,
        ),
        (
            "one of the set that stayed",
            [log("go"), *map(send, ("aa", "bb", "cc")), log("end")],
            [log("go"), *map(send, ("aa", "cc", "bb")), log("end")],
            [log("go"), *map(send, ("bb", "aa", "cc")), log("end")],
            SAME,
        ),
        (
            "what is around the set",
            [log("go"), *map(send, ("aa", "bb", "cc")), log("end")],
            [log("go"), *map(send, ("cc", "aa", "bb")), log("end")],
            [*map(send, ("bb", "aa", "cc")), log("go"), log("end")],
            DIFFERS,
        ),
        (
            "one chat beside another in varying number",
            [send("ok", "c_1"), *[send("ok", "c_2")] * 3],
            [send("ok", "c_1"), *[send("ok", "c_2")] * 5],
            [send("ok", "c_3"), *[send("ok", "c_2")] * 3],
            DIFFERS,
        ),
        (
            "the same by chance",
            [log(f"dice {i}") for i in (1, 4, 6)],
            [log(f"dice {i}") for i in (4, 2)],
            [log("dice 5")],
            SAME,
        ),
        (
            "a time in a long text",
            [log(f"at 10:30:{LONG} in {i}") for i in (1, 2)],
            [log(f"at 10:31:{LONG} in {i}") for i in (3, 4)],
            [log(f"at 10:32:{LONG} in {i}") for i in (5, 6)],
            SAME,
        ),
        (
            "another word behind a long text",
            [log(f"at 10:30:{LONG} ok {i}") for i in (1, 2)],
            [log(f"at 10:31:{LONG} ok {i}") for i in (3, 4)],
            [log(f"at 10:32:{LONG} no {i}") for i in (5, 6)],
            DIFFERS,
        ),
        (
            "another word in a long text",
            [log(f"at 10:30 {LONG} ok {LONG}")],
            [log(f"at 10:31 {LONG} ok {LONG}")],
            [log(f"at 10:32 {LONG} no {LONG}")],
            DIFFERS,
        ),
        (
            "a long text that is shorter than what stays",
            [log(f"{LONG} 1 {LONG}")],
            [log(f"{LONG} 2 {LONG}")],
            [log(f"{LONG} ")],
            DIFFERS,
        ),
        (
            "many",
            [log(f"item {i} {i % 7}") for i in range(MANY)],
            [log(f"item {i} {i % 5}") for i in range(MANY + 9)],
            [log(f"item {i} {i % 3}") for i in range(MANY + 5)],
            SAME,
        ),
        (
            "many, and one else",
            [log(f"item {i} {i % 7}") for i in range(MANY)],
            [log(f"item {i} {i % 5}") for i in range(MANY + 9)],
            [log(f"item {i} {i % 3}") for i in range(MANY)] + [send("ok")],
            DIFFERS,
        ),
    ],
}


def answer(part: str, value: object) -> Answer:
    made = Answer(200, [], b"null", [])
    if part == "body":
        made.body = value if isinstance(value, bytes) else json.dumps(value).encode()
    elif part == "headers":
        made.headers = [tuple(pair) for pair in value]
    else:
        setattr(made, part, value)
    return made


def main() -> int:
    wrong = 0
    route = Route("dev.a", "a", "context", "/a")
    every = [(part, *case) for part, cases in CASES.items() for case in cases]
    for part, about, old, again, new, differs in every:
        old, again, new = (answer(part, value) for value in (old, again, new))
        found = bool(compare.real(route, [old, again], new))
        if found != differs:
            wrong += 1
            print(f"{part}: {about}: {'differs' if found else 'does not differ'}, WRONG")
    print(f"compare: {len(every)} cases, {wrong} not as expected")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
