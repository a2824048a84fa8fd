"""Takes the network from this process."""

import ctypes
import os
import sys

# linux/sched.h
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def cut() -> bool:
    """Takes the network from this process and those that it starts. False if the system refuses.

    Only a process with one thread may: before anything is imported that starts another.
    """
    if not sys.platform.startswith("linux"):
        return False
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    # Who may do so alone: among users of its own root has no right to the files of others.
    if libc.unshare(CLONE_NEWNET) == 0:
        return True
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        try:
            # Without a map every file seems to belong to nobody, and some programs refuse those.
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"{user} {user} 1")
            _write("/proc/self/gid_map", f"{group} {group} 1")
        except OSError:
            # The process is what counts; only names of owners are lost.
            pass
        return True
    return False


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
