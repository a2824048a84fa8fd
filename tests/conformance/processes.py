"""What stands around plugins while they are run: their files, their process, and its end."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from program import said, verify
from table import named
from template import Plugin

import shim
from _rehook_runner import main as runner
from _rehook_runner.process import landlock, sandbox


def closing(agent: str, scratch: Path) -> list[str]:
    """What is said of files is what a process shows, and one that cannot be closed later is not run."""
    wrong = []
    close, folder = landlock.close, str(scratch)

    def breaks(_folder: str) -> bool:
        raise OSError("broken")

    for closes, expected in ((lambda _: True, True), (lambda _: False, False), (breaks, False)):
        landlock.close = closes
        _, status = os.waitpid(runner._beside(folder), 0)
        if (status == 0) != expected:
            wrong.append(f"closing: not said to be {expected}")
    sandbox.Files.cut, landlock.close = True, lambda _: False
    try:
        sandbox.close(folder, print)
        wrong.append("closing: one that is not closed is run")
    except OSError:
        pass
    finally:
        sandbox.Files.cut, landlock.close = False, close
    print(f"verify on {agent}: what is said of files: {'so' if not wrong else 'NOT SO'}")
    return wrong


def killed(agent: str, scratch: Path) -> list[str]:
    """What was started ends with what has started it, even if that can do nothing about it."""
    if not sys.platform.startswith("linux"):
        return []
    folder = scratch / f"{agent}-killed"
    folder.mkdir()
    begun = folder / "begun"
    os.mkfifo(begun)
    # It is loaded for ever. Opening that waits for somebody who writes.
    top = f"open({str(begun)!r}).close()\nwhile True:\n    pass"
    (folder / "loops.py").write_text(Plugin("loops", "pass", top).text())
    # Far longer than is waited for below.
    command = [shim.binary(), "verify", "--agent", agent, "--python", sys.executable]
    command += ["--limit", "300"]
    with open(folder / "said", "w") as said_there:
        rehook = subprocess.Popen(command, cwd=folder, stdout=said_there, stderr=subprocess.STDOUT)
    writer = _writer(begun, rehook)
    started = [] if writer is None else _descendants(rehook.pid)
    if writer is not None:
        os.close(writer)
    rehook.kill()
    rehook.wait()
    until = time.monotonic() + 20
    while (left := [one for one in started if _lives(one)]) and time.monotonic() < until:
        time.sleep(0.02)
    for one in left:
        os.kill(one, signal.SIGKILL)
    good = len(started) >= 2 and not left
    print(f"verify on {agent}: killed: {len(started)} processes, {len(left)} left")
    if writer is None:
        return [f"killed: the plugin was not loaded: {(folder / 'said').read_text()}"]
    return [] if good else [f"killed: of {started} there are left {left}"]


def _writer(pipe: Path, program: subprocess.Popen) -> int | None:
    """Opens a pipe once somebody reads it; none if the program ends before, or never comes to it."""
    until = time.monotonic() + 120
    while program.poll() is None and time.monotonic() < until:
        try:
            # Opened otherwise, it waits for ever for a reader that may not come.
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        time.sleep(0.02)
    return None


def _descendants(process: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        for one in map(int, path.read_text().split()):
            found += [one, *_descendants(one)]
    return found


def _lives(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def odd_place(agent: str, scratch: Path) -> list[str]:
    """The temporary folder may have a name that is no text, which is not so on every system."""
    if not sys.platform.startswith("linux"):
        return []
    folder, temporary = scratch / f"{agent}-odd", os.path.join(os.fsencode(scratch), b"\xff")
    folder.mkdir()
    os.makedirs(temporary, exist_ok=True)
    (folder / "own_folders.py").write_text(named("own_folders").text())
    environment = {"TMPDIR": os.fsdecode(temporary)}
    done = verify(folder, agent, "--format", "json", environment=environment)
    verdicts = said(json.loads(done.stdout or '{"webhooks": [], "failed": []}'))
    good = verdicts == {"dev.own_folders": "same"} and not os.listdir(temporary)
    print(f"verify on {agent}: a temporary folder that is no text: {verdicts}")
    return [] if good else [f"odd place: {verdicts}, {os.listdir(temporary)}, {done.stderr}"]


def broken_fastapi(agent: str, scratch: Path) -> list[str]:
    """A FastAPI that is there and cannot be imported is named, with the reason and what to do."""
    folder, broken = scratch / f"{agent}-broken", scratch / f"{agent}-broken-fastapi"
    folder.mkdir()
    broken.mkdir()
    (folder / "json_safe.py").write_text(named("plain").text())
    (broken / "fastapi.py").write_text('raise RuntimeError("half installed")\n')
    done = verify(folder, agent, environment={"PYTHONPATH": str(broken)})
    texts = ["FastAPI is installed for ", "cannot be imported: RuntimeError: half installed"]
    texts += ["fix that environment, or name another with --python"]
    good = done.returncode == 2 and all(text in done.stderr for text in texts)
    print(f"verify on {agent}: a FastAPI that is broken: {'named' if good else 'NOT NAMED'}")
    return [] if good else [f"broken FastAPI: {done.returncode}, {done.stdout}{done.stderr}"]
