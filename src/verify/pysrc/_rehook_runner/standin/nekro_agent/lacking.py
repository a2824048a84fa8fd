"""What the stand-in lacks, and how it says so.

Every message begins with `PHRASE`, so that a plugin which needs the real agent can be told from one
that is broken. `asked` has everything that was asked for in vain, since a plugin may catch the error
and go on without.
"""

from functools import partial
from importlib.machinery import PathFinder, SourceFileLoader

PHRASE = "the stand-in agent has no "

# Not in the real agent either: asking for them fails there as well, in Python's own words.
GONE = {"nekro_agent.api.context", "nekro_agent.api.llm", "nekro_agent.api.user"}

asked: list[str] = []


def lack(name: str) -> str:
    """The message for something that is lacking, which is thereby noted."""
    asked.append(name)
    return PHRASE + name


class Finder:
    """Finds the modules of the stand-in, and says of any other that it is lacking."""

    @staticmethod
    def find_spec(name, path=None, _target=None):
        if not name.startswith("nekro_agent."):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None and name not in GONE:
            # Without `name=`: for one that has it, `from package import it` says something else.
            raise ModuleNotFoundError(lack(name))
        if spec and spec.origin and not spec.submodule_search_locations:
            spec.loader = Loader(name, spec.origin)
        return spec


class Loader(SourceFileLoader):
    """Gives each module a `__getattr__`. Packages need none: theirs are looked for by the finder."""

    def exec_module(self, module) -> None:
        super().exec_module(module)
        module.__getattr__ = names_of(module.__name__)


def names_of(module: str):
    def lookup(name: str):
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise ImportError(lack(f"{module}.{name}"))

    return lookup


def attributes_of(owner: str):
    """The `__getattr__` of a class or an object."""

    def lookup(_self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(lack(f"{owner}.{name}"))

    return lookup


def without(*names: str):
    """Decorates a class: these attributes the real one has beside its own."""

    def decorator(cls):
        for name in names:
            setattr(cls, name, property(partial(attributes_of(cls.__name__), name=name)))
        return cls

    return decorator


class Absent(type):
    """A name that plugins import for what is no webhook: it can be imported, stand in annotations
    and be derived from. Only its use fails."""

    def __call__(cls, *_args, **_kwargs):
        raise NotImplementedError(lack(cls.__doc__ or ""))

    def __getattr__(cls, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(lack(f"{cls.__doc__}.{name}"))


def absent(name: str) -> type:
    return Absent(name.rpartition(".")[2], (), {"__doc__": name})
