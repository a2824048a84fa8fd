"""What stands around the handlers of a plugin after its migration.

A handler that takes a context is the plugin's own code, as it was; what reads the request for it and
makes the reply is the function around it. Where several handlers are in the same one, what it does
with a body is shown at one of them for all. That is only so of a function that sees nothing of which
handler and which URL it is for: it calls the handler, and reads headers and body. Of every other one
nothing is told here.
"""

import ast
import inspect
import linecache
import textwrap
from functools import lru_cache
from types import CodeType, FunctionType

# What FastAPI does for a route besides calling its function, as far as a route says it.
SAYS = ("methods", "status_code", "response_class", "response_model", "dependencies")
# What may be read of the request.
READ = ("headers", "json", "body")
# Names that give a function more to see than its source says.
SEES = {"eval", "exec", "globals", "inspect", "locals", "sys", "vars"}
PLAIN = (bool, bytes, float, int, str, type(None))


def wrapper_identity(scope: dict) -> str | None:
    """What answered the request of this scope (ASGI, HTTP connection scope) besides a handler: equal
    texts within one process mean the same. None where that cannot be told."""
    endpoint, route = scope.get("endpoint"), scope.get("route")
    if not inspect.isfunction(endpoint) or route is None:
        return None
    try:
        closure = inspect.getclosurevars(endpoint).nonlocals
        handlers = [name for name, value in closure.items() if inspect.isfunction(value)]
        if len(handlers) != 1 or not _is_blind(endpoint, handlers[0]):
            return None
        own = [(name, _known(value)) for name, value in closure.items() if name not in handlers]
        says = [(name, repr(getattr(route, name, None))) for name in SAYS]
    except Exception:  # noqa: BLE001
        # There is no source, or an object does not like to be looked at.
        return None
    defaults = [_known(value) for value in endpoint.__defaults__ or ()]
    code = endpoint.__code__
    return repr(
        (
            code.co_filename,
            code.co_firstlineno,
            id(code),
            defaults,
            own,
            type(route),
            says,
        )
    )


def _known(value: object) -> tuple:
    """A value by itself if it is plain, else as the object that it is."""
    return (type(value).__name__, value) if type(value) in PLAIN else ("object", id(value))


def _is_blind(endpoint: FunctionType, handler: str) -> bool:
    """Whether it only calls the handler, and of the request only reads headers and body."""
    # The source of what is wrapped would be another one's.
    if hasattr(endpoint, "__wrapped__") or endpoint.__kwdefaults__:
        return False
    return _is_blind_code(endpoint.__code__, handler)


@lru_cache(maxsize=256)
def _is_blind_code(code: CodeType, handler: str) -> bool:
    """The same of its code, which all handlers have in common."""
    starred = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if not code.co_flags & inspect.CO_COROUTINE or code.co_flags & starred or len(arguments) != 1:
        return False
    # As `inspect.getsource` has it, which looks at the files of all modules for that.
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    tree = ast.parse(textwrap.dedent("".join(inspect.getblock(lines))))
    function = tree.body[0]
    if not isinstance(function, (ast.AsyncFunctionDef, ast.FunctionDef)):
        return False
    good = set()
    for node in (inner for line in function.body for inner in ast.walk(line)):
        if isinstance(node, ast.Call) and _is_name(node.func, handler):
            good.add(node.func)
        elif isinstance(node, ast.Attribute) and _is_name(node.value, arguments[0]):
            if node.attr in READ:
                good.add(node.value)
        elif isinstance(node, ast.Name) and node.id in SEES:
            return False
    named = (handler, arguments[0])
    return all(
        node in good
        for line in function.body
        for node in ast.walk(line)
        if isinstance(node, ast.Name) and node.id in named
    )


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
