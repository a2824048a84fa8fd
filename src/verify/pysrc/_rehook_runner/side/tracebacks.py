"""Tracebacks that a plugin writes down: where in its files a line is, and what that line says, is another
place and another text after a migration, while what the plugin does is the same.
"""

import re

# Where the agent has its plugins, in the name of a file.
PLUGINS = "/data/nekro_agent/plugins/"
# The same in text and where text is written as JSON.
QUOTE, END = r'\\?"', r"(?:\n|\\n)"
# A frame in a plugin's file, with the source below it.
FRAME = re.compile(
    rf"({PLUGINS}[^\"\n]*{QUOTE}, line )\d+((?:, in (?:(?!\\n)[^\n])+)?)(?:{END} {{4}}(?:(?!\\n)[^\n])*)*"
)
IN_BYTES = re.compile(FRAME.pattern.encode())


def without_places(text: str) -> str:
    """The text without the numbers and the source of a plugin's lines."""
    return FRAME.sub(r"\1…\2", text) if PLUGINS in text else text


def without_places_in_bytes(text: bytes) -> bytes:
    return IN_BYTES.sub(rb"\1...\2", text) if PLUGINS.encode() in text else text
