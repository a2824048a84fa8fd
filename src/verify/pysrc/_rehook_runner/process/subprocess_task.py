"""Work in a process of its own: it may hang, end the process or be killed, and the caller goes on.

The work runs in a fork, so that what was imported before is there already and nothing of it comes
back but its result.
"""

import os
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from _rehook_runner.model import ipc
from _rehook_runner.model.request_label import Label
from _rehook_runner.process import parent

# The largest result, in bytes.
MOST_BYTES = 512 << 20

# What stands before each note.
SIZE_BYTES = 8

# What FastAPI reads forms with, and names when it is missing.
FORM_PACKAGE = "python-multipart"

# Descriptors that no plugin may have: that of the results, and those to other processes.
private: set[int] = set()


# The request that is being answered: its method, and what it is called.
Answering = tuple[str, Label]


@ipc.serializable
class Failed(Exception):
    """The work has no result. `reason` is a word of the protocol; `detail` is what Python or the plugin
    says, or a fact, of which sentences are made in `details.rs`."""

    def __init__(self, reason: str, detail: str | dict, answering: Answering | None = None):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.answering = answering
        # What the work had noted until then.
        self.notes: list = []

    def __reduce__(self):
        return Failed, (self.reason, self.detail, self.answering)

    def __str__(self) -> str:
        if self.answering is None:
            return str(self.detail)
        method, label = self.answering
        return f"{self.detail}, while it answers {method} ({label})"


def while_answering(failed: Failed, request) -> Failed:
    """The same, with the request that was being answered."""
    return Failed(failed.reason, failed.detail, (request.method, request.label))


class Progress:
    """What the work is doing, for the case that it goes no further."""

    answering: Answering | None = None
    # A result that is worth having even if the work does not end.
    partial_result: object = None
    allowed = 0.0

    def __init__(self, journal: int):
        self._journal = journal

    def note(self, value: object) -> None:
        """Keeps a value where it outlives the process, however that ends."""
        data = ipc.pack(value)
        os.write(self._journal, len(data).to_bytes(SIZE_BYTES) + data)

    def allow(self, seconds: float) -> None:
        """From now on the work may take this long, within the limit that it was started with."""
        self.allowed = seconds
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))


Result = TypeVar("Result")


def start(work: Callable[[Progress], Result], seconds: float, grace: float) -> Callable[[], Result]:
    """Begins the work; what is returned waits for its result or raises `Failed`. A process that does
    not say in time that it hangs is ended after a `grace`."""
    reader, writer = os.pipe()
    private.add(reader)
    # A file, since nobody reads it before the end, and a pipe takes only so much.
    with tempfile.TemporaryFile() as file:
        journal = os.dup(file.fileno())
    sys.stdout.flush()
    starter = os.getpid()
    child = os.fork()
    if child == 0:
        parent.end_with_it()
        if os.getppid() != starter:
            # It has ended before that.
            os._exit(1)
        for descriptor in private:
            os.close(descriptor)
        _run(work, seconds, writer, journal)
    os.close(writer)
    private.add(journal)
    until = monotonic() + seconds + grace

    def result():
        try:
            return outcome()
        except Failed as failed:
            failed.notes = _notes(journal)
            raise
        finally:
            private.discard(journal)
            os.close(journal)

    def outcome():
        data, problem = _read(reader, until)
        private.discard(reader)
        if problem:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if problem == "late":
            raise Failed("hang", {"kind": "no_result", "seconds": round(seconds)})
        if problem:
            raise Failed("crash", {"kind": "too_large", "mib": MOST_BYTES >> 20})
        if not data:
            code = os.waitstatus_to_exitcode(status)
            if code < 0:
                raise Failed("crash", {"kind": "signal", "number": -code})
            raise Failed("exit", {"kind": "exit_code", "code": code})
        try:
            value = ipc.unpack(data)
        except Exception as error:
            # Something else has written there.
            fact = {"kind": "garbled", "error": type(error).__name__}
            raise Failed("crash", fact) from error
        if isinstance(value, Failed):
            raise value
        return value

    return result


def _notes(journal: int) -> list:
    """What a process has noted; nothing where something else has written there."""
    data = os.pread(journal, min(os.fstat(journal).st_size, MOST_BYTES), 0)
    notes, at = [], 0
    try:
        while at < len(data):
            start = at + SIZE_BYTES
            at = start + int.from_bytes(data[at:start])
            notes.append(ipc.unpack(data[start:at]))
    except Exception:  # noqa: BLE001
        return []
    return notes


def _read(reader: int, until: float) -> tuple[bytes, str]:
    """All that the process writes, or what is wrong with it."""
    parts: list[bytes] = []
    size = 0
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - monotonic()))
            if not ready:
                return b"", "late"
            part = pipe.read(1 << 20)
            if not part:
                return b"".join(parts), ""
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                return b"", "large"


def _run(work: Callable[[Progress], object], seconds: float, writer: int, journal: int) -> None:
    progress = Progress(journal)
    # What a plugin prints is nobody's business, and there may be megabytes of it.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)

    def reply(value: object) -> None:
        try:
            data = ipc.pack(value)
        except Exception as error:  # noqa: BLE001
            data = ipc.pack(Failed("crash", f"{type(error).__name__}: {error}"))
        while data:
            data = data[os.write(writer, data) :]
        os._exit(0)

    def hangs(_signal: int, frame) -> None:
        if progress.partial_result is not None:
            reply(progress.partial_result)
        fact = {
            "kind": "no_result",
            "seconds": round(progress.allowed),
            "place": _where(frame),
        }
        reply(Failed("hang", fact, progress.answering))

    signal.signal(signal.SIGALRM, hangs)
    progress.allow(seconds)
    try:
        value = work(progress)
    except Failed as failed:
        value = failed
    except SystemExit as error:
        value = Failed("exit", f"SystemExit({error.code})", progress.answering)
    except BaseException as error:  # noqa: BLE001
        last = traceback.extract_tb(error.__traceback__)[-1]
        value = Failed(
            "missing_module" if FORM_PACKAGE in str(error) else "crash",
            f"{type(error).__name__}: {error} ({os.path.basename(last.filename)}:{last.lineno})",
            progress.answering,
        )
    signal.setitimer(signal.ITIMER_REAL, 0)
    reply(value)


def _where(frame) -> str:
    """The innermost line of a plugin that is running; empty if none is."""
    folder = os.getcwd()
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(folder):
            return f"{os.path.basename(name)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
