"""What processes of one host can know of each other: whether they share a clock, and whether one of them is gone."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

__all__ = ["boot_id", "host_id", "is_gone"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")
_ROUGHLY_S = 600


def boot_id() -> str:
    """Name the present run of this machine: the monotonic clock starts anew with the next one."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:  # not Linux: when it was started, roughly
        return f"since {int((time.time() - time.monotonic()) / _ROUGHLY_S)}"


def host_id() -> str:
    """Name the set of processes that see each other's numbers: containers of one machine do not."""
    try:
        return f"{boot_id()}:{_NAMESPACE.stat().st_ino}"
    except OSError:
        return boot_id()


def is_gone(pid: int) -> bool:
    """Whether a process of this host is certainly gone, or dead and only not yet buried by its parent."""
    if sys.platform == "win32":  # there, signal 0 is Ctrl-C
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in {"Z", "X"}
