"""Takes from this process what it may do outside of one folder, by the Linux kernel (Landlock).

What it takes is taken for good, from libraries without Python too, and needs no rights. The kernel
has had it since 5.13, each release more of it; what one does not know of is left out.

Numbers and structures are those of linux/landlock.h; the calls have the same numbers on every
architecture that Python's Linux wheels exist for.
"""

import ctypes
import os
import struct
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ONLY_VERSION = 1
PATH_BENEATH = 1
PR_SET_NO_NEW_PRIVS = 38

EXECUTE, WRITE_FILE = 1 << 0, 1 << 1
# Removing, making, moving, truncating: the right, and the version that brought it.
CHANGES = [
    *((1 << bit, 1) for bit in range(4, 13)),
    (WRITE_FILE, 1),
    (1 << 13, 2),
    (1 << 14, 3),
]
# Listening and connecting by TCP.
NETWORK, NETWORK_VERSION = 0b11, 4
# Sockets without a file, and signals, of processes outside.
SCOPED, SCOPED_VERSION = 0b11, 6


def version() -> int:
    """Which version the kernel has; 0 for none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _call(CREATE_RULESET, None, 0, ONLY_VERSION))


def close(folder: str) -> bool:
    """From here on this thread, and what it starts, changes nothing outside of the folder, starts no
    programs, and has no TCP and no signals for others, as far as the kernel knows of that. False if
    it takes nothing at all."""
    known = version()
    if not known:
        return False
    changes = sum(right for right, since in CHANGES if since <= known)
    attributes = struct.pack("=Q", changes | EXECUTE)
    if known >= NETWORK_VERSION:
        attributes += struct.pack("=Q", NETWORK)
    if known >= SCOPED_VERSION:
        attributes += struct.pack("=Q", SCOPED)
    rules = _call(CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    try:
        allowed = _allow(rules, folder, changes) and _allow(rules, os.devnull, WRITE_FILE)
        # The kernel asks for this of those without rights: then no program gives them any.
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return allowed and _call(RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> bool:
    place = os.open(path, os.O_PATH)
    try:
        rule = struct.pack("=Qi", rights, place)
        return _call(ADD_RULE, rules, PATH_BENEATH, rule, 0) == 0
    finally:
        os.close(place)


def _call(number: int, *arguments: int | bytes | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    typed = [
        ctypes.c_long(one) if isinstance(one, int) else ctypes.c_char_p(one) for one in arguments
    ]
    return call(ctypes.c_long(number), *typed)
