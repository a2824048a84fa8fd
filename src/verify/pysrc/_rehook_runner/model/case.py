"""A plugin before and after its migration, and the routes that are to answer alike."""

from dataclasses import dataclass, field
from pathlib import Path

from _rehook_runner.model.message import Route


@dataclass
class Case:
    """A plugin tree before and after, and what is sent to it."""

    name: str
    before: Path
    after: Path | None
    routes: list[Route]
    # Those that were in the map before, and have no source here to be compared.
    kept: list[Route] = field(default_factory=list)
    # Where in the tree the agent's plugin folder is.
    folder: str = "."
    # The name of the package, if that folder is one itself.
    package: str = ""
    # Which of the agent's plugin folders it is put in otherwise.
    into: str = "workdir"
    # The one file or folder there that the agent loads; all if it is empty.
    item: str = ""
    # Whether the plugin is kept from reaching out of its process (`sandbox.py`).
    closed: bool = False
    native: list[str] = field(default_factory=list)
    skip: str = ""
    # What the plugin finds in its store, and which chats there are.
    store: list[dict] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
