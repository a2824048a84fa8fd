"""Which way the conditions of changed lines went.

A line with a condition runs whichever way that goes, so that a changed bound is not seen at requests
that are all on one side of it. The interpreter tells each conditional jump and where it led: by
PEP 669 from Python 3.12 on, by its trace of instructions before. A condition is the test of an `if`,
`while`, `assert`, conditional expression, comprehension or `case`, and each operand of an `and` or `or`.
"""

import ast
import dis
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType

from _rehook_runner.model import ipc

# Where an expression stands: its first line and column and its last; lines are 1-based, columns 0-based
# and in bytes.
Span = tuple[int, int, int, int]


@ipc.serializable
@dataclass(frozen=True)
class Went:
    """A condition, of a file, that came out one way."""

    file: str
    span: Span
    outcome: bool


@dataclass(frozen=True)
class _Jump:
    """A conditional jump: the condition, where it leads if it is taken, and what the condition is
    then."""

    span: Span
    target: int
    outcome: bool


def tests(tree: ast.Module) -> dict[Span, ast.expr]:
    """The conditions of a module, by where they stand."""
    found: dict[Span, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            _add(node.test, found)
        elif isinstance(node, ast.comprehension):
            for one in node.ifs:
                _add(one, found)
        elif isinstance(node, ast.match_case) and node.guard is not None:
            _add(node.guard, found)
        elif isinstance(node, ast.BoolOp):
            # Of the last one the value is taken as it is, unless all of it is a test.
            for one in node.values[:-1]:
                _add(one, found)
    return found


def _add(test: ast.expr, found: dict[Span, ast.expr]) -> None:
    if isinstance(test, ast.BoolOp):
        for one in test.values:
            _add(one, found)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        _add(test.operand, found)
    elif not isinstance(test, ast.Constant):
        found[_span(test)] = test


def _span(node: ast.expr) -> Span:
    return (
        node.lineno,
        node.col_offset,
        node.end_lineno or node.lineno,
        node.end_col_offset or node.col_offset,
    )


def jumps(code: CodeType, known: dict[Span, ast.expr]) -> dict[int, _Jump]:
    """The conditional jumps of a function that decide `known` conditions, by their places in it."""
    found = {}
    for instruction in dis.get_instructions(code):
        kind = instruction.opname
        if "JUMP" not in kind or "_IF_" not in kind or instruction.positions is None:
            continue
        at = instruction.positions
        span = (
            at.lineno or 0,
            at.col_offset or 0,
            at.end_lineno or 0,
            at.end_col_offset or 0,
        )
        test = known.get(span)
        if test is None:
            continue
        if "NONE" in kind:
            is_none = "NOT_NONE" not in kind
            outcome = is_none == _asks_for_none(test)
        else:
            outcome = "IF_TRUE" in kind
        found[instruction.offset] = _Jump(span, instruction.argval, outcome)
    return found


def _asks_for_none(test: ast.expr) -> bool:
    """Whether a comparison with None is true where there is None."""
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is)


class Conditions:
    """Collects which way conditions went, of those that `known` gives of a file."""

    def __init__(self, known: Callable[[str], dict[Span, ast.expr]]):
        self._known = known
        self._jumps: dict[CodeType, dict[int, _Jump]] = {}
        self.went: set[tuple[str, tuple[Span, bool]]] = set()
        # Before Python 3.12: of the frames that are at a jump, where that is.
        self._at: dict[int, int] = {}

    def of(self, code: CodeType) -> dict[int, _Jump]:
        """The jumps of a function that are looked at."""
        found = self._jumps.get(code)
        if found is None:
            known = self._known(code.co_filename)
            lines = {line for _, _, line in code.co_lines() if line} if known else set()
            own = {span: test for span, test in known.items() if span[0] in lines}
            found = self._jumps[code] = jumps(code, own) if own else {}
        return found

    def jumped(self, code: CodeType, offset: int, destination: int) -> None:
        """A jump of a function led somewhere."""
        jump = self.of(code).get(offset)
        if jump is not None:
            outcome = jump.outcome if destination == jump.target else not jump.outcome
            self.went.add((code.co_filename, (jump.span, outcome)))

    def at_instruction(self, frame) -> None:
        """A function is about to run an instruction."""
        before = self._at.pop(id(frame), None)
        if before is not None:
            self.jumped(frame.f_code, before, frame.f_lasti)
        if frame.f_lasti in self.of(frame.f_code):
            self._at[id(frame)] = frame.f_lasti


def events() -> int:
    """The events that `sys.monitoring` has for jumps."""
    of = sys.monitoring.events  # type: ignore[attr-defined]  # since Python 3.12
    # From Python 3.14 on, each way is an event of its own.
    return of.BRANCH_LEFT | of.BRANCH_RIGHT if hasattr(of, "BRANCH_LEFT") else of.BRANCH
