"""Which lines of a plugin run, by the interpreter's own trace.

Lines are 1-based. Python 3.12 tells each line once, the first time (PEP 669), which costs nearly
nothing; 3.11 has to be asked at every line of the plugin.
"""

import ast
import inspect
import sys
import threading
import tokenize
from types import CodeType, FunctionType

TOOL = 4


class Trace:
    """Collects the lines that run in files of a folder."""

    def __init__(self, folder: str):
        self._folder = folder
        self._new: set[tuple[str, int]] = set()
        self.reached: set[tuple[str, int]] = set()
        if sys.version_info >= (3, 12):
            self._monitor()
        else:
            sys.settrace(self._call)
            threading.settrace(self._call)

    def take_new(self) -> set[tuple[str, int]]:
        """The lines that ran for the first time since the last call."""
        new, self._new = self._new, set()
        return new

    def stop(self) -> None:
        """Ends it."""
        if sys.version_info >= (3, 12):
            sys.monitoring.free_tool_id(TOOL)
        else:
            sys.settrace(None)
            threading.settrace(None)

    def _monitor(self) -> None:
        monitoring = sys.monitoring
        monitoring.use_tool_id(TOOL, "rehook")

        def line(code: CodeType, number: int):
            if code.co_filename.startswith(self._folder):
                self._see(code.co_filename, number)
            return monitoring.DISABLE

        monitoring.register_callback(TOOL, monitoring.events.LINE, line)
        monitoring.set_events(TOOL, monitoring.events.LINE)

    def _call(self, frame, _event: str, _argument: object):
        return self._line if frame.f_code.co_filename.startswith(self._folder) else None

    def _line(self, frame, event: str, _argument: object):
        if event == "line":
            self._see(frame.f_code.co_filename, frame.f_lineno)
        return self._line

    def _see(self, file: str, line: int) -> None:
        if (file, line) not in self.reached:
            self.reached.add((file, line))
            self._new.add((file, line))


def of_function(function: FunctionType) -> set[int]:
    """The lines of its body that can run, those of functions inside it included."""
    found = set()
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        lines = {line for _, _, line in code.co_lines() if line}
        # The first line of a function is its definition: it runs where the function is made.
        lines.discard(code.co_firstlineno)
        if code.co_name == "<lambda>" or code.co_name.startswith("<"):
            lines.add(code.co_firstlineno)
        found |= lines
        codes += [part for part in code.co_consts if isinstance(part, CodeType)]
    return found


def innermost(function) -> FunctionType:
    """The function that an author wrote, under decorators that say what they wrap."""
    return inspect.unwrap(function)


def extent(function: FunctionType) -> tuple[int, int, int]:
    """The first line of a function with its decorators, the first of its body, and the last."""
    code = function.__code__
    try:
        with tokenize.open(code.co_filename) as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError):
        return code.co_firstlineno, code.co_firstlineno + 1, code.co_firstlineno
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first == code.co_firstlineno and node.name == code.co_name:
                return first, node.body[0].lineno, node.end_lineno
    return code.co_firstlineno, code.co_firstlineno + 1, code.co_firstlineno
