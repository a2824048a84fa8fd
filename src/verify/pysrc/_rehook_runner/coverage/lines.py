"""Which lines of a plugin run, by the interpreter's own trace, and which of a file can.

Lines are 1-based, and told apart by what they run in: the line of a `def` runs when its module is
imported, and a body beside it when the function is called. Python 3.12 tells each line once, the
first time (PEP 669), which costs nearly nothing; 3.11 has to be asked at every line of the plugin.
"""

import ast
import inspect
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from types import CodeType

from _rehook_runner.coverage import conditions
from _rehook_runner.model import ipc

TOOL = 4

# What a line runs in: the first line of a function (or of a class in one); a lambda or the like;
# a module, or a class in it.
ANONYMOUS, IMPORTED = -1, 0

# A file, a line of it, and what it runs in.
Line = tuple[str, int, int]

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


def owner(code: CodeType) -> int:
    """What the lines of this code run in."""
    if not code.co_flags & inspect.CO_OPTIMIZED and "<locals>" not in code.co_qualname:
        return IMPORTED
    return ANONYMOUS if code.co_name.startswith("<") else code.co_firstlineno


class Trace:
    """Collects the lines that run in files of a folder, and which way conditions go."""

    def __init__(self, folder: str, watched: "conditions.Conditions | None" = None):
        self._folder = folder
        self._conditions = watched
        self._new: set[Line] = set()
        self.reached: set[Line] = set()
        # By the ids of functions, which equal ones in other files do not share: the function, and the
        # lines of it that have not run; and the functions that have run since `begin`.
        self._missing: dict[int, tuple[CodeType, set[int]]] = {}
        self._entered: set[int] = set()
        if sys.version_info >= (3, 12):
            self._monitor()
        else:
            sys.settrace(self._call)
            threading.settrace(self._call)

    def begin(self) -> None:
        """From here on it is counted which functions run."""
        self._entered = set()

    def is_complete(self) -> bool:
        """Whether functions have run since then, and all lines of them, if perhaps before."""
        missing = [self._missing[entered][1] for entered in self._entered]
        return bool(missing) and not any(missing)

    def take_new(self) -> set[Line]:
        """The lines that ran for the first time since the last call."""
        new, self._new = self._new, set()
        return new

    def take_reached(self) -> set[Line]:
        """All that ran by now; it starts over, so that what runs again is seen again."""
        reached, self.reached = self.reached, set()
        if sys.version_info >= (3, 12):
            sys.monitoring.restart_events()
        return reached

    def stop(self) -> None:
        """Ends it."""
        if sys.version_info >= (3, 12):
            sys.monitoring.free_tool_id(TOOL)
        else:
            sys.settrace(None)
            threading.settrace(None)

    def _monitor(self) -> None:
        monitoring = sys.monitoring  # type: ignore[attr-defined]  # since Python 3.12
        monitoring.use_tool_id(TOOL, "rehook")
        watched = self._conditions

        def line(code: CodeType, number: int):
            self._see(code, number)
            return monitoring.DISABLE

        def start(code: CodeType, _offset: int):
            if not code.co_filename.startswith(self._folder):
                return monitoring.DISABLE
            if id(code) not in self._missing:
                # Of this call, too. Asking at every line of the libraries would take long.
                has_jumps = watched is not None and watched.of(code)
                asked = monitoring.events.LINE | (conditions.events() if has_jumps else 0)
                monitoring.set_local_events(TOOL, code, asked)
            # Not every release tells the line of a body that is beside its `def`.
            self._enter(code)
            return None

        monitoring.register_callback(TOOL, monitoring.events.PY_START, start)
        monitoring.register_callback(TOOL, monitoring.events.LINE, line)
        if watched is not None:
            for event in (1 << bit for bit in range(32)):
                if event & conditions.events():
                    monitoring.register_callback(TOOL, event, watched.jumped)
        monitoring.set_events(TOOL, monitoring.events.PY_START)

    def _call(self, frame, _event: str, _argument: object):
        if not frame.f_code.co_filename.startswith(self._folder):
            return None
        self._enter(frame.f_code)
        if self._conditions is not None and self._conditions.of(frame.f_code):
            frame.f_trace_opcodes = True
        return self._line

    def _line(self, frame, event: str, _argument: object):
        if event == "line":
            self._see(frame.f_code, frame.f_lineno)
        elif event == "opcode" and self._conditions is not None:
            self._conditions.at_instruction(frame)
        return self._line

    def _enter(self, code: CodeType) -> None:
        if id(code) not in self._missing:
            self._missing[id(code)] = (
                code,
                {line for _, _, line in code.co_lines() if line},
            )
        self._entered.add(id(code))
        self._see(code, code.co_firstlineno)

    def _see(self, code: CodeType, number: int) -> None:
        self._missing[id(code)][1].discard(number)
        line = (code.co_filename, number, owner(code))
        if line not in self.reached:
            self.reached.add(line)
            self._new.add(line)


@ipc.serializable
@dataclass(frozen=True)
class Definition:
    """A function of a file: its qualified name, and the how manieth of that name it is; its first
    line with the decorators, and its last; whether it is decorated as a webhook."""

    name: str
    count: int
    first: int
    last: int
    is_webhook: bool


class Source:
    """The text of a module, and what of it can run when a function is called.

    Raises `SyntaxError` or `ValueError` if it is not Python.
    """

    def __init__(self, text: bytes):
        self.definitions: list[Definition] = []
        # The first lines and names of functions and classes, and whether the body is beside.
        self._known: dict[tuple[int, str], bool] = {}
        # The outermost functions and classes.
        self._tops: list[tuple[int, int, str]] = []
        # Statements inside functions that take several lines.
        self._statements: list[tuple[int, int]] = []
        self.tree = ast.parse(text)
        self._read(self.tree)
        self._code = compile(self.tree, "<plugin>", "exec", dont_inherit=True)
        self.runnable = self._runnable([self._code])

    def _read(self, tree: ast.Module) -> None:
        counts: Counter[str] = Counter()
        nodes: list[tuple[ast.AST, str, bool]] = [(tree, "", False)]
        while nodes:
            node, inside, is_called = nodes.pop()
            if isinstance(node, (*DEFINITIONS, ast.ClassDef)):
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                self._known[first, node.name] = node.body[0].lineno == first
                if not inside:
                    self._tops.append((first, _end(node), node.name))
                name = inside + node.name
                inside = f"{name}."
                if isinstance(node, DEFINITIONS):
                    is_called, inside = True, f"{name}.<locals>."
                    count = counts[name] = counts[name] + 1
                    is_webhook = any(map(_registers, node.decorator_list))
                    self.definitions.append(Definition(name, count, first, _end(node), is_webhook))
            elif isinstance(node, ast.stmt) and is_called:
                self._statements.append((node.lineno, _end_of_head(node)))
            # Functions and statements are in nothing else.
            parts = [one for one in ast.iter_child_nodes(node) if isinstance(one, STATEMENTS)]
            nodes += [(part, inside, is_called) for part in reversed(parts)]

    def _runnable(self, codes: list[CodeType]) -> dict[int, set[int]]:
        """The lines that can run when a function is called, with what they run in."""
        found: dict[int, set[int]] = {}
        while codes:
            code = codes.pop()
            is_anonymous = code.co_name.startswith("<")
            is_beside = self._known.get((code.co_firstlineno, code.co_name))
            if not is_anonymous and is_beside is None:
                # What Python makes of annotations and the like runs only if it is asked for.
                continue
            codes += [part for part in code.co_consts if isinstance(part, CodeType)]
            where = owner(code)
            if where == IMPORTED or code.co_name.startswith("<generic"):
                continue
            lines = {line for _, _, line in code.co_lines() if line}
            if not is_anonymous and not is_beside:
                lines.discard(code.co_firstlineno)
            for line in lines:
                found.setdefault(line, set()).add(where)
        for owners in found.values():
            # A lambda is a part of the line that it is in.
            if len(owners) > 1:
                owners.discard(ANONYMOUS)
        return found

    def within(self, first: int, last: int) -> dict[int, set[int]]:
        """What can run of a function, from its first line to its last."""
        codes, found = [self._code], []
        while codes:
            code = codes.pop()
            if code.co_firstlineno == first and (first, code.co_name) in self._known:
                found.append(code)
            codes += [part for part in code.co_consts if isinstance(part, CodeType)]
        runnable = self._runnable(found)
        return {line: owners for line, owners in runnable.items() if first <= line <= last}

    def required(self, changed: set[int]) -> dict[int, set[int]]:
        """What has to run so that all `changed` lines of functions have, with what it runs in. Of a
        statement that is changed at a line of which no code is made, that is its first."""
        found = {line: self.runnable[line] for line in changed if line in self.runnable}
        for first, last in self._statements:
            lines = range(first, last + 1)
            if changed.isdisjoint(lines) or not found.keys().isdisjoint(lines):
                continue
            start = next((line for line in lines if line in self.runnable), None)
            if start is not None:
                found[start] = self.runnable[start]
        return found

    def top_at(self, line: int) -> str | None:
        """The name of the function or class that this line is in, of those in no other one."""
        for first, last, name in self._tops:
            if first <= line <= last:
                return name
        return None

    def definition_at(self, line: int) -> Definition | None:
        """The innermost function that this line is in, its decorators included."""
        around = [one for one in self.definitions if one.first <= line <= one.last]
        return min(around, key=lambda one: one.last - one.first, default=None)


def _registers(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr == "mount_webhook_method"


def _end(node: ast.stmt | ast.expr) -> int:
    # Only trees that were put together by hand do not have it.
    return node.end_lineno or node.lineno


def _end_of_head(node: ast.stmt) -> int:
    """The last line of a statement, without the statements in it."""
    if not hasattr(node, "body") and not hasattr(node, "cases"):
        return _end(node)
    heads = [*ast.iter_child_nodes(node)]
    heads += [one.context_expr for one in heads if isinstance(one, ast.withitem)]
    ends = [_end(one) for one in heads if isinstance(one, ast.expr)]
    return max([node.lineno, *ends])
