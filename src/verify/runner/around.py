"""What stands around the handlers of a plugin after its migration.

A handler that takes a context is the plugin's own code, as it was; what reads the request for it and
makes the reply is the function around it. Where several handlers are in the same one, what it does
with a body is shown at one of them for all.
"""

import inspect

# What FastAPI does for a route besides calling its function, as far as a route says it.
SAYS = ("methods", "status_code", "response_class", "response_model", "dependencies")


def around(scope: dict) -> str | None:
    """What answered the request of this scope (ASGI, HTTP connection scope) besides a handler: equal
    texts within one process mean the same. None where the two cannot be told apart."""
    endpoint, route = scope.get("endpoint"), scope.get("route")
    if not inspect.isfunction(endpoint) or route is None:
        return None
    closure = inspect.getclosurevars(endpoint).nonlocals
    handlers = [name for name, value in closure.items() if inspect.isfunction(value)]
    if len(handlers) != 1:
        return None
    own = {name: value for name, value in closure.items() if name not in handlers}
    code = endpoint.__code__
    made = (code.co_filename, code.co_firstlineno, code.co_name, endpoint.__defaults__)
    says = [(name, getattr(route, name, None)) for name in SAYS]
    return repr((made, endpoint.__kwdefaults__, own, type(route), says))
