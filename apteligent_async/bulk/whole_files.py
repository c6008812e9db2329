"""Files that are whole or not there: written beside their name, which they take once they are on the disk."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from glob import escape
from secrets import token_hex
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["replacing"]

_IS_POSIX = os.name == "posix"
"""Elsewhere an open file can be neither removed nor renamed, there is no `flock`, and folders cannot be opened."""


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a new file to write; when the block is done, it is on the disk under the name that it is meant to have.

    Where the block fails, the file of an earlier time stays. What a killed process began to write is removed by the
    next that writes there.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_left_behind(path)
    part = path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}.part")
    try:
        with part.open("xb") as held:
            _hold(held)
            yield part
            os.fsync(held.fileno())
            if not _IS_POSIX:
                held.close()
            part.replace(path)
        if _IS_POSIX:
            _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _clear_left_behind(path: Path) -> None:
    """Remove what a killed process began to write; what another one is writing is left alone."""
    for part in path.parent.glob(f".{escape(path.name)}.*.part"):
        with suppress(OSError):
            _remove_unheld(part)


def _remove_unheld(part: Path) -> None:
    """Remove a file; raises `OSError` while a process writes it."""
    if not _IS_POSIX:
        part.unlink()
        return
    with part.open("rb") as found:
        _hold(found)
        part.unlink()


def _hold(file: BinaryIO) -> None:
    """Mark a file as being written, for as long as it is open; raises `OSError` if another process has."""
    if _IS_POSIX:
        import fcntl  # noqa: PLC0415  not there elsewhere

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
