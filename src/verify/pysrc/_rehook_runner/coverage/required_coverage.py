"""What of a change has to be run, and was not.

Each changed line of a function has to run on the side that has it, and each condition in one has to come
out both ways there. A line of a handler counts for its
webhook alone. Every other one counts for all webhooks of the plugin: which of them come to it can
only be seen at those that did.
"""

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import CodeType

from _rehook_runner.coverage import line_diff, reachable_names
from _rehook_runner.coverage.conditions import Span, Went, tests
from _rehook_runner.coverage.lines import IMPORTED, Definition, Line, Source
from _rehook_runner.model import ipc
from _rehook_runner.model.case import Case
from _rehook_runner.model.message import Route


@ipc.serializable
@dataclass(frozen=True)
class Handler:
    """The function that an author wrote for a webhook; numbers are 1-based."""

    file: str
    definition: Definition
    # What of it can run, with what that runs in.
    lines: dict[int, set[int]] = field(hash=False)


@dataclass
class Ran:
    """The lines that a side ran: while it was loaded, and for requests."""

    loading: set[Line]
    answering: set[Line]
    went: set[Went] = field(default_factory=set)

    def files(self) -> set[str]:
        return {file for file, _, _ in self.loading | self.answering}

    def did(self, file: str, line: int, owners: set[int], handler: int | None) -> bool:
        """Whether a line ran in all that it is a part of; of the handler that begins at a line (where
        it is in one), for a request."""
        for owner in owners:
            # A handler that is defined in a function is so while it is loaded.
            is_own = handler is not None and not IMPORTED <= owner < handler
            ran = self.answering if is_own else self.answering | self.loading
            if (file, line, owner) not in ran:
                return False
        return True


@dataclass(frozen=True)
class Missed:
    """A changed line that did not run, or a condition in one that did not come out one way; of no
    handler if it counts for all webhooks."""

    side: str
    file: str
    line: int
    handler: Handler | None
    # The condition as it is written, and what it never was; empty for a line.
    condition: str = ""
    never: bool = False


def read(case: Case) -> None:
    """Reads the files in which handlers are, so that they are known when they are asked for."""
    for file in {route.written["file"] for route in case.routes if route.written}:
        for tree in (case.before, case.after):
            _source(tree, file)


def changed(case: Case, side: str, file: str) -> dict[Span, ast.expr]:
    """The conditions of a file that stand in lines which only this side has."""
    assert case.after is not None, "it has run"
    old, new = _text(case.before, file), _text(case.after, file)
    source = _source(case.before if side == "old" else case.after, file)
    if old == new or source is None:
        return {}
    lines = line_diff.lines(old.splitlines(), new.splitlines())[side == "new"]
    return {
        span: test
        for span, test in tests(source.tree).items()
        if not lines.isdisjoint(range(span[0], span[2] + 1))
    }


def handler(case: Case, route: Route, code: CodeType | None, file: str) -> Handler | None:
    """The handler of a route: where the plan says that it is written, else the code that was
    registered, which is in `file`."""
    if route.written:
        source = _source(case.before, route.written["file"])
        found = source and _written(source, route.written["line"], route.written["name"])
        if source and found:
            return _handler(route.written["file"], source, found)
    if code is None:
        return None
    source = _source(case.before, file)
    if source is None:
        return None
    for one in source.definitions:
        if one.first == code.co_firstlineno and one.name == code.co_qualname:
            return _handler(file, source, one)
    return None


def _handler(file: str, source: Source, found: Definition) -> Handler:
    return Handler(file, found, source.within(found.first, found.last))


def _written(source: Source, line: int, name: str) -> Definition | None:
    """The function of that name that is decorated at this line, or the only one."""
    at_line = source.definition_at(line)
    if at_line is not None and _last(at_line.name) == name:
        return at_line
    of_name = [one for one in source.definitions if _last(one.name) == name]
    return of_name[0] if len(of_name) == 1 else None


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def missed(case: Case, handlers: list[Handler], old: Ran, new: Ran) -> list[Missed]:
    """The changed lines that have to run and did not, in order."""
    assert case.after is not None, "it has run"
    before = _Side("old", case.before, old)
    sides = before, _Side("new", case.after, new, before)
    found: list[Missed] = []
    for file in sorted(old.files() | new.files()):
        texts = [side.text(file) for side in sides]
        if texts[0] == texts[1]:
            continue
        parts = line_diff.lines(*(text.splitlines() for text in texts))
        for side, lines in zip(sides, parts, strict=True):
            if lines and side.source(file):
                found += side.missed(file, lines, handlers)
                found += side.one_way(file, changed(case, side.name, file), handlers)
    return found


class _Side:
    def __init__(self, name: str, tree: Path, ran: Ran, before: "_Side | None" = None):
        self.name, self.tree, self.ran = name, tree, ran
        self.before = before or self
        self.files = ran.files()
        self.sources: dict[str, Source | None] = {}
        self.mentioned: set[str] | None = None
        # Of files, the lines that every migration writes alike.
        self.helpers: dict[str, list[range]] = {}

    def text(self, file: str) -> bytes:
        return _text(self.tree, file)

    def source(self, file: str) -> Source | None:
        """A file that was loaded."""
        if file not in self.files:
            return None
        if file not in self.sources:
            self.sources[file] = _source(self.tree, file)
        return self.sources[file]

    def readable(self, file: str) -> Source:
        """A file of which `source` has said that it was loaded."""
        source = self.source(file)
        assert source is not None, file
        return source

    def missed(self, file: str, lines: set[int], handlers: list[Handler]) -> list[Missed]:
        source = self.readable(file)
        found = []
        for line, owners in sorted(source.required(lines).items()):
            whose, first = self.owner(file, line, handlers)
            if self.counts(file, line, handlers) and not self.ran.did(file, line, owners, first):
                found.append(Missed(self.name, file, line, _handler_of(whose)))
        return found

    def one_way(
        self, file: str, conditions: dict[Span, ast.expr], handlers: list[Handler]
    ) -> list[Missed]:
        """The conditions that did not come out both ways. What did not come out at all did not run."""
        found = []
        for span, test in sorted(conditions.items(), key=lambda one: one[0]):
            outcomes = {
                one.outcome for one in self.ran.went if (one.file, one.span) == (file, span)
            }
            if len(outcomes) == 1 and self.counts(file, span[0], handlers):
                whose, _ = self.owner(file, span[0], handlers)
                never = not outcomes.pop()
                text = ast.unparse(test)
                found.append(Missed(self.name, file, span[0], _handler_of(whose), text, never))
        return found

    def counts(self, file: str, line: int, handlers: list[Handler]) -> bool:
        """Whether a changed line is of one of the webhooks, or of what they come to."""
        if file not in self.helpers:
            self.helpers[file] = self.reply_helpers(self.readable(file))
        if any(line in helper for helper in self.helpers[file]):
            return False
        whose, _ = self.owner(file, line, handlers)
        if isinstance(whose, _Unowned):
            return False
        return whose is not None or self.is_mentioned(file, line, handlers)

    def reply_helpers(self, source: Source) -> list[range]:
        """The lines of `reply_route` and of what makes its replies, where only this side has them.

        A migration writes them as they are for every plugin, for all kinds of replies; which kinds a
        handler has is seen at what it replies.
        """
        if self.before is self or not source:
            return []
        written = {
            node.name: node for node in source.tree.body if isinstance(node, ast.FunctionDef)
        }
        before = {one.name for other in self.before.files for one in self.definitions_before(other)}
        found = set()
        for name, node in written.items():
            inside = list(ast.walk(node))
            if any(isinstance(n, ast.Constant) and n.value == "given_response" for n in inside):
                found.add(name)
                found |= {
                    call.func.id
                    for call in inside
                    if isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Name)
                    and any(isinstance(a, ast.Name) and a.id == "given_response" for a in call.args)
                }
        return [
            range(written[name].lineno, (written[name].end_lineno or 0) + 1)
            for name in found & set(written) - before
        ]

    def definitions_before(self, file: str) -> list[Definition]:
        source = self.before.source(file)
        return source.definitions if source else []

    def owner(self, file: str, line: int, handlers: list[Handler]) -> "Owner":
        source = self.readable(file)
        return _owner(file, source, line, handlers, self.before.source(file) or source)

    def is_mentioned(self, file: str, line: int, handlers: list[Handler]) -> bool:
        """Whether anything of the webhooks leads to this line, by the names of functions."""
        if self.mentioned is None:
            modules = []
            for other in sorted(self.files):
                if source := self.source(other):
                    firsts = {one.first for one in source.definitions}
                    # What is around the handlers of others is theirs too.
                    others = {
                        first
                        for first in firsts
                        if isinstance(self.owner(other, first, handlers)[0], _Unowned)
                    }
                    modules.append((source.tree, others))
            roots = {one.definition.name.partition(".")[0] for one in handlers}
            self.mentioned = reachable_names.mentioned(modules, roots)
        name = self.readable(file).top_at(line)
        return name is None or name in self.mentioned


class _Unowned:
    """Of a handler that is not looked at here."""


Owner = tuple[Handler | _Unowned | None, int | None]


def _handler_of(whose: Handler | _Unowned | None) -> Handler | None:
    return whose if isinstance(whose, Handler) else None


def _owner(file: str, source: Source, line: int, handlers: list[Handler], before: Source) -> Owner:
    """The handler that a line is in, and the line at which that begins. On the new side it has the
    name of the one on the old side."""
    for one in source.definitions:
        if not one.first <= line <= one.last:
            continue
        alike = [other for other in before.definitions if other.name == one.name]
        own = [other for other in source.definitions if other.name == one.name]
        if len(alike) == len(own):
            alike = [other for other in alike if other.count == one.count]
        for known in handlers:
            if known.file == file and known.definition in alike:
                return known, one.first
        if any(other.is_webhook for other in alike):
            return _Unowned(), one.first
    return None, None


def _text(tree: Path, file: str) -> bytes:
    path = Path(tree) / file
    return path.read_bytes() if path.is_file() else b""


@lru_cache(maxsize=256)
def _source(tree: Path, file: str) -> Source | None:
    """Read once: the trees stay as they were laid out, and one file may have many handlers."""
    try:
        return Source(_text(tree, file))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
