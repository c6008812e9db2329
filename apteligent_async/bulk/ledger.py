"""What a pull remembers from one run to the next: on disk, or in memory for a pull that is run once.

Everything that touches the file happens in one worker thread at a time, and is never left half way by cancellation.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import anyio
import anyio.to_thread
from attrs import define, field

from apteligent_async._private_files import user_path
from apteligent_async.bulk.ledger_file import LedgerFile, explained
from apteligent_async.bulk.ledger_lock import Holder, LedgerLock
from apteligent_async.errors import LedgerError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from apteligent_async.bulk.ledger_file import Batch
    from apteligent_async.bulk.units import Row, Unit

__all__ = ["ACCOUNT", "SURVEY", "DiskLedger", "Ledger", "MemoryLedger", "run_whole"]

SURVEY = "survey"
"""The name under which a ledger keeps the last survey."""

ACCOUNT = "account"
"""The name under which a ledger keeps a digest of whose survey that was."""

Found = TypeVar("Found")


async def run_whole(action: Callable[[], Found], doing: str, path: Path, *, thread: anyio.CapacityLimiter) -> Found:
    """Do something with a ledger's file in a thread, to its end even if nobody waits for it any more.

    Raises:
        LedgerError: what could not be done, and why.
    """

    def explaining() -> Found:
        with explained(path, doing):
            return action()

    with anyio.CancelScope(shield=True):
        done = await anyio.to_thread.run_sync(explaining, limiter=thread)
    return done  # noqa: RET504  # pyright: ignore[reportPossiblyUnboundVariable, reportReturnType]  a scope that may end early, for all that the type checker knows


class Ledger(Protocol):
    """Where a pull writes down what it wants and what it has; every method may raise `LedgerError`."""

    async def open(self) -> None:
        """Take it for one pull; raises `LedgerInUse` if another has it."""
        ...

    async def aclose(self) -> None:
        """Let go of it; twice does no harm."""
        ...

    async def note(self, name: str) -> str | None:
        """Read what was kept under a name."""
        ...

    async def keep_note(self, name: str, content: str) -> None:
        """Keep a text under a name."""
        ...

    async def register(self, units: Iterable[Unit]) -> Sequence[datetime | None]:
        """Write down what is wanted from now on; tell of each in turn when it was had, None if it was not."""
        ...

    async def began(self) -> Mapping[tuple[str, str], date]:
        """Tell by app and query the first day that each question was ever wanted for."""
        ...

    async def commit(self, batch: Batch, fetched_at: datetime) -> None:
        """Keep units with their rows: all of them, or none."""
        ...

    async def rows_of(self, key: str) -> Sequence[Row]:
        """Read the rows of a unit that was had."""
        ...

    async def missed(self) -> Sequence[str]:
        """List the units that were wanted once, never had, and can be had no more."""
        ...


def _path(given: str | os.PathLike[str]) -> Path:
    return user_path(given, of="ledger=")


@define(eq=False)
class DiskLedger:
    """A ledger in a file. Its state: the open file and the lock beside it, or neither.

    Args:
        path: the file, which is made, readable for its owner alone, if there is none. Beside it stand SQLite's own
            files and the lock's, whose names begin like its.
    """

    path: Path = field(converter=_path)
    _lock: LedgerLock | None = field(default=None, init=False)
    _file: LedgerFile | None = field(default=None, init=False)
    _thread: anyio.CapacityLimiter = field(factory=partial(anyio.CapacityLimiter, 1), init=False)

    async def open(self) -> None:
        """Take the ledger for one pull.

        Raises:
            LedgerInUse: another pull has it.
            LedgerError: the file cannot be opened, or is no ledger.
        """
        await self._run("open", self._open)

    async def aclose(self) -> None:
        """Let go of it; twice does no harm."""
        await self._run("close", self._close)

    async def note(self, name: str) -> str | None:
        """Read what was kept under a name."""
        return await self._run("read", lambda: self._opened.note(name))

    async def keep_note(self, name: str, content: str) -> None:
        """Keep a text under a name."""
        await self._run("write", lambda: self._opened.keep_note(name, content))

    async def register(self, units: Iterable[Unit]) -> Sequence[datetime | None]:
        """Write down what is wanted from now on; tell of each in turn when it was had, None if it was not."""
        return await self._run("write", lambda: self._opened.register(units))

    async def began(self) -> Mapping[tuple[str, str], date]:
        """Tell by app and query the first day that each question was ever wanted for."""
        return await self._run("read", lambda: self._opened.began())  # noqa: PLW0108  opened in the thread

    async def commit(self, batch: Batch, fetched_at: datetime) -> None:
        """Keep units with their rows: all of them, on the disk, or none."""
        await self._run("write", lambda: self._opened.commit(batch, fetched_at))

    async def rows_of(self, key: str) -> Sequence[Row]:
        """Read the rows of a unit that was had."""
        return await self._run("read", lambda: self._opened.rows_of(key))

    async def missed(self) -> Sequence[str]:
        """List the units that were wanted once, never had, and can be had no more."""
        return await self._run("read", lambda: self._opened.missed())  # noqa: PLW0108  opened in the thread

    async def _run(self, doing: str, action: Callable[[], Found]) -> Found:
        return await run_whole(action, doing, self.path, thread=self._thread)

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = LedgerLock(self.path)
        lock.acquire()
        self._lock = lock
        try:
            self._file = LedgerFile.open(self.path)
            self._file.set_holder(Holder.ourselves(datetime.now(UTC).isoformat(timespec="seconds")))
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        file, self._file = self._file, None
        lock, self._lock = self._lock, None
        if file is not None:
            with suppress(sqlite3.Error):  # a full disk: whoever comes next writes his own name
                file.set_holder(None)
            file.close()
        if lock is not None:
            lock.release()

    @property
    def _opened(self) -> LedgerFile:
        if self._file is None:
            raise LedgerError(f"the ledger {self.path} is not open")
        return self._file


@define(eq=False)
class MemoryLedger:
    """A ledger that ends with the pull: it knows what was had, and keeps the rows of listings alone."""

    _notes: dict[str, str] = field(factory=dict, init=False)
    _lists: set[str] = field(factory=set, init=False)
    _gone: list[str] = field(factory=list, init=False)
    _had: dict[str, datetime] = field(factory=dict, init=False)
    _listings: dict[str, tuple[Row, ...]] = field(factory=dict, init=False)

    async def open(self) -> None:
        """Do nothing: nobody else can have it."""

    async def aclose(self) -> None:
        """Do nothing."""

    async def note(self, name: str) -> str | None:
        """Read what was kept under a name."""
        return self._notes.get(name)

    async def keep_note(self, name: str, content: str) -> None:
        """Keep a text under a name."""
        self._notes[name] = content

    async def register(self, units: Iterable[Unit]) -> Sequence[datetime | None]:
        """Remember which are lists, and which are gone; tell of each in turn when it was had."""
        self._lists, self._gone = set(), []
        return [self._registered(unit) for unit in units]

    async def began(self) -> Mapping[tuple[str, str], date]:
        """Tell of nothing: no earlier run is known."""
        return {}

    async def commit(self, batch: Batch, fetched_at: datetime) -> None:
        """Remember that units were had, and what listings list."""
        for key, rows in batch:
            self._had[key] = fetched_at
            if key in self._lists:
                self._listings[key] = tuple(rows)

    async def rows_of(self, key: str) -> Sequence[Row]:
        """Give the rows of a listing that was had."""
        return self._listings[key]

    async def missed(self) -> Sequence[str]:
        """Name those that can be had no more; nothing is known of earlier runs."""
        return [key for key in self._gone if key not in self._had]

    def _registered(self, unit: Unit) -> datetime | None:
        if unit.is_listing:
            self._lists.add(unit.key)
        if unit.is_gone:
            self._gone.append(unit.key)
        return self._had.get(unit.key)
