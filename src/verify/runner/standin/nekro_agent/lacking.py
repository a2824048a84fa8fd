"""What the stand-in lacks, and how it says so.

Every message begins with `PHRASE`, so that a plugin which needs the real agent can be told from one
that is broken. `asked` has everything that was asked for in vain, since a plugin may catch the error
and go on without.
"""

import sys

PHRASE = "the stand-in agent has no "

# Not in the real agent either: asking for them fails there as well, in Python's own words.
GONE = {"nekro_agent.api.context", "nekro_agent.api.llm", "nekro_agent.api.user"}

asked: list[str] = []


def lack(name: str) -> str:
    """The message for something that is lacking, which is thereby noted."""
    asked.append(name)
    return PHRASE + name


class Finder:
    """Comes after all other finders, so that what gets to it is not there."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if name.startswith("nekro_agent.") and name not in GONE:
            # Without `name=`: for one that has it, `from package import it` says something else.
            raise ModuleNotFoundError(lack(name))


def install_finder() -> None:
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)


def names_of(module: str):
    """The `__getattr__` of a module. Packages need none: theirs are looked for by the finder."""

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


def attribute(name: str) -> property:
    """A single attribute of a class that is otherwise complete."""

    def lookup(_self):
        raise AttributeError(lack(name))

    return property(lookup)


class Absent(type):
    """A name that plugins import for what is no webhook: it can be imported, stand in annotations
    and be derived from. Only its use fails."""

    def __call__(cls, *_args, **_kwargs):
        raise NotImplementedError(lack(cls.__doc__))

    def __getattr__(cls, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(lack(f"{cls.__doc__}.{name}"))


def absent(name: str) -> type:
    return Absent(name.rpartition(".")[2], (), {"__doc__": name})
