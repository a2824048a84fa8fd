"""What a request is called, in parts: sentences for people are made of them in `report/request_label.rs`.

Text alone is the name that whoever gave the request has given it.
"""

from dataclasses import dataclass

from _rehook_runner.model import ipc


@ipc.serializable
@dataclass(frozen=True)
class Known:
    """One of the requests that plugins get whatever they ask for. Every `kind` is in the table of
    `request_label.rs`."""

    kind: str
    # The method, where requests of this kind are sent by several.
    method: str = ""
    # With the headers that the plugin looks for.
    looked_for: bool = False

    def __str__(self) -> str:
        by = f", by {self.method}" if self.method else ""
        return (
            self.kind + by + (", with the headers that are looked for" if self.looked_for else "")
        )


@ipc.serializable
@dataclass(frozen=True)
class Tried:
    """One with a value that may be answered differently: a part of a request (see `wishes.Place`), a
    name there, and the value as Python writes it."""

    part: str
    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.part} {self.name} = {self.value}"


Label = Known | Tried | str


def parts(label: Label) -> dict:
    """As `protocol.rs` reads it."""
    if isinstance(label, str):
        return {"given": label}
    return {type(label).__name__.lower(): vars(label)}
