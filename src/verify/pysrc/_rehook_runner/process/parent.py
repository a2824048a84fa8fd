"""Ends this process with the one that has started it, however that ends."""

import ctypes
import signal
import sys

# linux/prctl.h
PR_SET_PDEATHSIG = 1


def end_with_it() -> None:
    """From now on the system ends this process when the thread ends that has started it. A change of
    rights takes that back, and a fork does not have it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
