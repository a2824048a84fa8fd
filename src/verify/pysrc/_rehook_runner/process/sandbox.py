"""What keeps a plugin that is only being tried from doing anything real.

The process has no network; it writes in its scratch folder alone; it starts no programs. All of it is
taken away by the system where it lets us (`landlock.py` for files and programs). It is refused by
Python's audit hooks as well, which cannot be taken out again: so the plugin sees an error, and the
attempt is recorded as something that it did. Where the system takes nothing away, a library that does
without Python is not stopped.
"""

import _posixsubprocess
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from _rehook_runner.process import landlock

# The kinds of what is refused.
REFUSALS = ("write", "run", "connect", "end")

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# The audit events (Python's "Audit events table") that change a file, with the places of paths.
CHANGES = {
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (0, 1),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.removexattr": (0,),
    "os.setxattr": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
    "sqlite3.connect": (0,),
}
PROGRAMS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
)
NETWORK = (
    "socket.connect",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
)


class Files:
    """Whether the system takes files and programs from a process, as one has shown. It holds for all:
    one that cannot be closed then is not run."""

    cut = False


def close(scratch: str, refused: Callable[[str, str], None]) -> None:
    """From here on what would reach out of this process is refused; `refused` hears of each
    attempt: its kind (write, connect, run) and its object."""
    root = os.path.realpath(scratch) + os.sep
    # For each thread: what one does to find out must not let another through.
    judging = threading.local()

    def outside(path: Any) -> str:
        """The real path, if it is not in the scratch folder."""
        if isinstance(path, int) or path in (None, "", ":memory:", b":memory:"):
            return ""
        real = os.path.realpath(os.fsdecode(path))
        return "" if (real + os.sep).startswith(root) or real == os.devnull else real

    def refuse(kind: str, what: str) -> None:
        refused(kind, what)
        raise PermissionError(f"not while a plugin is verified: {kind} {what}")

    def hook(event: str, arguments: tuple) -> None:
        # What is done to find out is not what the plugin does.
        if getattr(judging, "now", False):
            return
        judging.now = True
        try:
            _judge(event, arguments)
        finally:
            judging.now = False

    def _judge(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _mode, flags = arguments
            if flags & WRITES and (real := outside(path)):
                refuse("write", real)
        elif event in CHANGES:
            for place in CHANGES[event]:
                if place < len(arguments) and (real := outside(arguments[place])):
                    refuse("write", real)
        elif event in PROGRAMS:
            refuse("run", _named(arguments[0]) if arguments else event)
        elif event in NETWORK:
            what = (
                arguments[1]
                if event.startswith("socket.send") or event == "socket.connect"
                else arguments[0]
            )
            # A socket of the file system is a service of this machine: not ours either.
            refuse("connect", _shown(what))
        elif event == "os.kill" and arguments[0] != os.getpid():
            refuse("end", str(arguments[0]))

    def no_program(arguments, *_others):
        refuse("run", _named(arguments[0]) if arguments else "")

    if not landlock.close(root) and Files.cut:
        raise OSError("the system does not take the files from this process")
    # The one way to start a program that raises no event: `multiprocessing` takes it.
    _posixsubprocess.fork_exec = no_program
    sys.addaudithook(hook)


def _named(program: object) -> str:
    return os.fsdecode(program) if isinstance(program, (bytes, str, os.PathLike)) else str(program)


def _shown(address: object) -> str:
    if isinstance(address, tuple) and len(address) >= 2:
        return f"{_named(address[0])}:{address[1]}"
    return _named(address)
