"""One pull at a time: a lock beside the ledger, which ends with the process that holds it.

Who holds it is written in the ledger, where anybody can read it at any time.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from attrs import define, frozen

from apteligent_async._file_locks import take_lock
from apteligent_async.errors import LedgerInUse

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Holder", "LedgerLock"]


@frozen
class Holder:
    """Who holds a ledger: a process of a machine, since an instant (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str

    @classmethod
    def ourselves(cls, since: str) -> Holder:
        """Describe this process."""
        return cls(os.getpid(), socket.gethostname(), since)


@define(eq=False)
class LedgerLock:
    """The lock of one ledger; its state is the connection whose transaction is the lock."""

    path: Path
    _connection: sqlite3.Connection | None = None

    def acquire(self) -> None:
        """Take it, or say who has it.

        Raises:
            LedgerInUse: another pull has it, of this process or of another.
            OSError: the file beside the ledger cannot be made.
            sqlite3.Error: as above, or the folder's file system has no locks.
        """
        self._connection = take_lock(self._file)
        if self._connection is None:
            raise self._refusal()

    def release(self) -> None:
        """Give it back; twice does no harm."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _file(self) -> Path:
        return self.path.with_name(f"{self.path.name}-lock")

    def _refusal(self) -> LedgerInUse:
        holder = self._holder()
        if holder is None:
            return LedgerInUse(f"{self.path} is in use by another pull: wait for its end, or choose another ledger.")
        return LedgerInUse(
            f"{self.path} is in use by the pull of process {holder.pid} on {holder.host}, since {holder.since}: wait "
            "for its end, or choose another ledger.",
            pid=holder.pid,
            host=holder.host,
            since=holder.since,
        )

    def _holder(self) -> Holder | None:
        """Read who has written down that he holds it; None where it is too early for that."""
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as ledger:
                found = ledger.execute("SELECT pid, host, since FROM holder").fetchone()
        except sqlite3.Error:
            return None
        return None if found is None else Holder(*found)
