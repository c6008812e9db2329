"""A cache in a file, for the processes of one host."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.to_thread
from attrs import define, field

from apteligent_async._cache.entries import CacheEntry, CacheStatistics, statistics_of
from apteligent_async._cache.freshness import Freshness
from apteligent_async._cache.memory import MemoryCache
from apteligent_async._private_files import make_private, user_path
from apteligent_async._scheduling.policy import checked, is_whole, must_be
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SQLiteCache"]

Given = TypeVar("Given")

_logger = logging.getLogger("apteligent_async")

_OURS = 0x41505443
"""What SQLite keeps as the file's application id: whose it is."""

_VERSION = 2
_BUSY_S = 5.0

_SWEEPS = 64
"""How often a process makes room while it writes as much as may be kept; each time it looks through all there is."""

_TABLES = """
DROP TABLE IF EXISTS replies; DROP TABLE IF EXISTS claims;
CREATE TABLE replies (key TEXT PRIMARY KEY, status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    stored_at REAL NOT NULL, fresh_s REAL NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX replies_by_age ON replies (stored_at, size, fresh_s);
CREATE TABLE claims (key TEXT PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
"""

_CLAIM = """
INSERT INTO claims (key, holder, until) VALUES (:key, :holder, :until)
ON CONFLICT (key) DO UPDATE SET holder = :holder, until = :until
WHERE holder = :holder OR until <= :now OR until > :until + 60
"""

_SPENT = """
DELETE FROM replies WHERE key IN (SELECT key FROM replies WHERE stored_at + max(fresh_s, ?) < ?)
"""

_OVERFLOW = """
DELETE FROM replies WHERE stored_at <= (
    SELECT stored_at FROM (SELECT stored_at, sum(size) OVER (ORDER BY stored_at DESC) AS newer FROM replies)
    WHERE newer > ? ORDER BY stored_at DESC LIMIT 1)
"""


def _path(given: str | os.PathLike[str]) -> Path:
    return user_path(given, of="SQLiteCache(path)")


@define(eq=False)
class SQLiteCache:
    """Keeps answers in a file that the processes of one host share: what one of them fetches, all of them have.

    Of identical calls in several processes one is made; if its process dies, another makes it within ten seconds. The
    file is made with mode 600, and holds no secret and no address in clear. Fresh answers are also kept in memory, so
    that giving them again costs no look at the file. Trouble with the file fails no call: it is logged once, and what
    cannot be read is fetched.

    Its state is the open file, how many clients use it, the answers in memory, and the bytes written since there was
    last made room.

    Args:
        path: the file; made if there is none.
        freshness: how old answers may be; see `Freshness`.
        max_bytes: how much is kept, and at times, for each process that writes, one part in 64 more; the oldest
            answers go first.
        keeps_personal: whether answers with personal data (users, breadcrumbs, diagnostics) are kept, too.
        clock: tells the seconds since the epoch.

    Raises:
        ConfigurationError: the path is none, or a setting is not possible; or, when a client enters, the file is not
            one of ours, is open to other users, or cannot be used.
    """

    path: Path = field(converter=_path)
    freshness: Freshness = field(
        factory=Freshness, kw_only=True, validator=must_be(Freshness, "a Freshness, such as Freshness(young_s=30)")
    )
    max_bytes: int = field(
        default=256 * 1024 * 1024,
        kw_only=True,
        validator=checked(lambda value: is_whole(value) and value >= 0, "a whole number of bytes, at least 0"),
    )
    keeps_personal: bool = field(default=False, kw_only=True)
    clock: Callable[[], float] = field(default=time.time, kw_only=True, repr=False)
    counts: Counter[str] = field(factory=Counter, init=False, repr=False)
    _near: MemoryCache = field(init=False, repr=False)
    _file: sqlite3.Connection | None = field(default=None, init=False, repr=False)
    _users: int = field(default=0, init=False, repr=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)
    _unswept: float = field(default=math.inf, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._near = MemoryCache(max_bytes=min(self.max_bytes, 32 * 1024 * 1024), clock=self.clock)

    def now(self) -> float:
        """Tell the time: seconds since the epoch."""
        return self.clock()

    def statistics(self) -> CacheStatistics:
        """Say what became of this process's calls so far."""
        return statistics_of(self.counts)

    async def open(self) -> None:
        """Open the file, or make it."""
        await anyio.to_thread.run_sync(self._open)

    async def aclose(self) -> None:
        """Close the file when the last client leaves."""
        await anyio.to_thread.run_sync(self._close)

    async def read(self, key: str) -> CacheEntry | None:
        """Give what is kept under a key: from memory while it is fresh, else from the file."""
        near = await self._near.read(key)
        if near is not None and 0 <= self.now() - near.stored_at <= near.fresh_s:
            return near
        found = await self._try(self._read, key, otherwise=None)
        if found is not None:
            await self._near.write(key, found)
        return found

    async def write(self, key: str, entry: CacheEntry) -> None:
        """Keep an answer, unless it is larger than all that may be kept."""
        if entry.size <= self.max_bytes:
            await self._near.write(key, entry)
            await self._try(self._write, key, entry, otherwise=None)

    async def claim(self, key: str, holder: str, *, for_s: float) -> bool:
        """Take the right to fetch, in one transaction; a right whose time is up is free again."""
        return await self._try(self._claim, key, holder, for_s, otherwise=True)

    async def release(self, key: str, holder: str) -> None:
        """Give the right back, if it is still held."""
        await self._try(self._release, key, holder, otherwise=None)

    async def clear(self) -> None:
        """Forget all answers, for all processes; what another one has in memory it gives until it is not fresh."""
        self._near.clear()
        await self._try(self._clear, otherwise=None)

    async def _try(self, run: Callable[..., Given], *arguments: Any, otherwise: Given) -> Given:
        try:
            return await anyio.to_thread.run_sync(self._locked, run, *arguments)
        except sqlite3.Error as error:
            if not self.counts["failed"]:
                _logger.warning("The cache %s cannot be used (%s); calls go on without it.", self.path, error)
            self.counts["failed"] += 1
            return otherwise

    def _locked(self, run: Callable[..., Given], *arguments: Any) -> Given:
        with self._lock:
            return run(self._opened(), *arguments)

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            raise sqlite3.ProgrammingError("it is closed")
        return self._file

    def _open(self) -> None:
        with self._lock:
            if self._file is None:
                self._file = _open(self.path)
            self._users += 1

    def _close(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users and self._file is not None:
                self._file.close()
                self._file = None

    def _read(self, file: sqlite3.Connection, key: str) -> CacheEntry | None:
        row = file.execute("SELECT status, headers, body, stored_at, fresh_s FROM replies WHERE key = ?", (key,))
        found = row.fetchone()
        if found is None:
            return None
        status, headers, body, stored_at, fresh_s = found
        return CacheEntry(status=status, headers=json.loads(headers), body=body, stored_at=stored_at, fresh_s=fresh_s)

    def _write(self, file: sqlite3.Connection, key: str, entry: CacheEntry) -> None:
        row = (key, entry.status, json.dumps(dict(entry.headers)), entry.body, entry.stored_at, entry.fresh_s)
        with file:
            file.execute("BEGIN IMMEDIATE")
            file.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, entry.size))
            self._unswept += entry.size
            if self._unswept * _SWEEPS >= self.max_bytes:
                file.execute(_SPENT, (self.freshness.most_s, self.now()))
                file.execute(_OVERFLOW, (self.max_bytes,))
                self._unswept = 0

    def _claim(self, file: sqlite3.Connection, key: str, holder: str, for_s: float) -> bool:
        now = self.now()
        with file:
            file.execute("BEGIN IMMEDIATE")
            return file.execute(_CLAIM, {"key": key, "holder": holder, "now": now, "until": now + for_s}).rowcount > 0

    def _release(self, file: sqlite3.Connection, key: str, holder: str) -> None:
        with file:
            file.execute("DELETE FROM claims WHERE key = ? AND holder = ?", (key, holder))

    def _clear(self, file: sqlite3.Connection) -> None:
        with file:
            file.execute("DELETE FROM replies")


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(path)
        file = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"The cache {path} cannot be opened: {error}.") from None
    try:
        _prepare(file, path)
    except sqlite3.Error as error:
        file.close()
        raise ConfigurationError(f"{path} is no cache, or a damaged one ({error}): remove it.") from None
    except BaseException:
        file.close()
        raise
    return file


def _prepare(file: sqlite3.Connection, path: Path) -> None:
    """Make the tables in a new file, and anew in one of another version: what is lost can be fetched again."""
    file.execute("PRAGMA journal_mode=WAL")
    file.execute("PRAGMA synchronous=NORMAL")
    with file:
        file.execute("BEGIN IMMEDIATE")
        ((owner,),) = file.execute("PRAGMA application_id")
        ((version,),) = file.execute("PRAGMA user_version")
        if owner != _OURS and file.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise ConfigurationError(f"{path} is a database, but no cache of ours: choose another file.")
        if (owner, version) != (_OURS, _VERSION):
            for statement in filter(str.strip, _TABLES.split(";")):
                file.execute(statement)
            file.execute(f"PRAGMA application_id = {_OURS}")
            file.execute(f"PRAGMA user_version = {_VERSION}")
