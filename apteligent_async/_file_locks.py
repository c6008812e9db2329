"""A lock that ends with the process that holds it, whatever ends that.

It is SQLite's own, on an empty database: the operating system takes it from a dead process, so that none is ever left
behind, and it is the same on every system.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["take_lock"]


def take_lock(file: Path) -> sqlite3.Connection | None:
    """Take the lock on a file, which is made if need be; None while somebody else has it, of this process or another.

    Closing what is given gives the lock back.

    Raises:
        OSError: the file cannot be made.
        sqlite3.Error: as above, or the folder's file system has no locks.
    """
    file.touch(mode=0o600)
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = MEMORY")  # nothing is ever written, so that no file shall lie about
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:  # the low byte: there are kinds of it
            return None
        raise
    return connection
