"""A budget in a file, for all processes of one host.

The state of an account is one row, and a step is one transaction that locks the file at its beginning. It touches the
page cache only: what a power failure takes with it is of the last run of the machine, and no token of that is trusted.
So a step that finds the file free is taken at once, in less time than a change of threads would need; whatever may wait
goes to a worker thread: opening the file, waiting for its lock, and writing back the log.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio.to_thread import run_sync
from attrs import Factory, define, field

from apteligent_async._budgets.hosts import boot_id
from apteligent_async._budgets.shared import Lines
from apteligent_async._budgets.store import StoreGone, Told
from apteligent_async._private_files import make_private, user_path

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from apteligent_async._budgets.store import Change

__all__ = ["SQLiteBudget", "SQLiteStore"]

Found = TypeVar("Found")

BUSY_MS = 1000
"""How long a step waits for the file; others hold it for less than a millisecond."""

CHECKPOINT_EVERY = 500
"""After how many steps of a process the log is written back into the file."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS budgets (account TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID"
_READ = "SELECT state FROM budgets WHERE account = ?"
_WRITE = "INSERT INTO budgets VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET state = excluded.state"


class _Busy(Exception):  # noqa: N818  a signal within this module
    """Somebody else has the file right now."""


@define(eq=False)
class SQLiteStore:
    """One account's row. Its state is the connection, which one worker thread at a time uses.

    Attributes:
        path: the file.
        account: the row.
        clock: reads this host's monotonic clock.
    """

    path: Path
    account: str
    clock: Callable[[], float] = time.monotonic
    _boot_id: str = field(factory=boot_id, init=False)
    _connection: sqlite3.Connection | None = field(default=None, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _changes: int = field(default=0, init=False)
    _threads: anyio.CapacityLimiter | None = field(default=None, init=False)

    async def change(self, change: Change[Found]) -> Found:
        """Apply a change to the row; give what it gave.

        Raises:
            StoreGone: the file is locked for too long, or cannot be read or written.
            ConfigurationError: others may read it.
        """
        self._changes += 1
        if self._connection is not None and self._changes % CHECKPOINT_EVERY:
            with suppress(_Busy):
                return self._guarded(partial(self._at_once, change))
        return await self._in_thread(lambda: self._guarded(partial(self._patiently, change)))

    async def look(self) -> Told:
        """Read the row and the time, and change nothing."""
        return await self._in_thread(lambda: self._guarded(self._read))

    async def aclose(self) -> None:
        """Close the file."""
        if self._connection is not None:
            await self._in_thread(self._close)

    async def _in_thread(self, act: Callable[[], Found]) -> Found:
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(1)
        return await run_sync(act, limiter=self._threads)

    def _guarded(self, act: Callable[[sqlite3.Connection], Found]) -> Found:
        with self._lock:
            try:
                return act(self._connection or self._open())
            except (sqlite3.Error, OSError) as error:
                self._drop()
                raise StoreGone(f"{type(error).__name__}: {error}") from None

    def _at_once(self, change: Change[Found], connection: sqlite3.Connection) -> Found:
        try:
            return self._transact(connection, change)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:  # the low byte: there are kinds of it
                raise _Busy from None
            raise

    def _patiently(self, change: Change[Found], connection: sqlite3.Connection) -> Found:
        """Wait for the file, and write back its log when that is due."""
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        found = self._transact(connection, change)
        if self._changes % CHECKPOINT_EVERY == 0:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        connection.execute("PRAGMA busy_timeout = 0")
        return found

    def _transact(self, connection: sqlite3.Connection, change: Change[Found]) -> Found:
        connection.execute("BEGIN IMMEDIATE")
        try:
            text, found = change(self._read(connection))
            connection.execute(_WRITE, (self.account, text))
        except BaseException:
            connection.rollback()
            raise
        connection.execute("COMMIT")
        return found

    def _read(self, connection: sqlite3.Connection) -> Told:
        row = connection.execute(_READ, (self.account,)).fetchone()
        return Told(None if row is None else row[0], clock=self._boot_id, now=self.clock())

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(self.path)
        connection = sqlite3.connect(self.path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(_SCHEMA)
        return connection

    def _close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _path(given: str | os.PathLike[str]) -> Path:
    return user_path(given, of="SQLiteBudget(path)")


def _no_lines(budget: SQLiteBudget) -> Lines:
    return Lines(lambda account: SQLiteStore(budget.path, account), {})


@define(eq=False)
class SQLiteBudget:
    """A budget that all processes of one host share which name the same file: no server is needed.

    Put the file on a local disk: locks do not work over every network. It holds no secret, and is yours alone (0600).
    One object serves any number of clients, on asyncio and on trio. If the file cannot be used for a while, each
    process goes on by itself with great care, and says so in an event (``store.degraded``, ``store.restored``).

    Clients that log in with a `PasswordGrant` share their token, too, in a file of the state folder that is yours alone
    (0600): one login and one renewal for all processes. A ``duration`` that was asked for is that of whoever logged in.

    Args:
        path: the file; made if there is none.

    Raises:
        ConfigurationError: the path is none; or, when a client opens, other users may open the file.
    """

    path: Path = field(converter=_path)
    lines: Lines = field(init=False, repr=False, default=Factory(_no_lines, takes_self=True))
