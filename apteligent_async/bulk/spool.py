"""Numbers over time that wait for their sinks: in the ledger's file, beside what they were made of.

A run's numbers, the growth of counts and the end of its slot are written in one transaction. A number has a name and an
instant, and of each such pair the file takes one: a run that is read twice, as it was killed in between, adds nothing
the second time. What would be written alike for being called almost alike has paths that differ, the same ever after.
Each reader's place is kept as the number of the last point that it was given.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
from attrs import asdict, define, evolve, field, frozen

from apteligent_async.bulk.ledger import SURVEY, run_whole
from apteligent_async.bulk.ledger_file import BUSY_S, LedgerFile, transaction
from apteligent_async.bulk.recipes.points import Point
from apteligent_async.bulk.survey import Survey
from apteligent_async.bulk.units import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


__all__ = ["KEPT_FOR", "Slot", "Spool", "SpooledPoint", "Standing"]

Found = TypeVar("Found")

KEPT_FOR = timedelta(days=30)
"""How long a point is kept after the run that it came of, whoever has read it: a sink may be down for so long."""

_AFRESH = 0.5
"""A count below this part of its highest was begun anew; one that has dropped less is merely corrected (a guess)."""

_SLOT = "slot"
_CELLS = "path, at, value, app, section, metric, grouping, key"
_ROW_CELLS = ", ".join(f'"{name}"' for name in Row._fields)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS points (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL,
    app TEXT NOT NULL, section TEXT NOT NULL, metric TEXT NOT NULL, grouping TEXT, key TEXT, written INTEGER NOT NULL,
    UNIQUE (path, at)
);
CREATE INDEX IF NOT EXISTS points_by_age ON points (written);
CREATE TABLE IF NOT EXISTS paths (path TEXT PRIMARY KEY, series TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value REAL);
CREATE TABLE IF NOT EXISTS readers (name TEXT PRIMARY KEY, given INTEGER NOT NULL);
"""
_INSERT = f"""
INSERT OR IGNORE INTO points ({_CELLS}, written) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608  names of our own
_UNREAD = f"""
SELECT id, {_CELLS} FROM points WHERE id > ifnull((SELECT given FROM readers WHERE name = ?), 0) ORDER BY id LIMIT ?
"""  # noqa: S608  names of our own
_HAD = """
SELECT units.id, app, query, fetched_at FROM questions JOIN units ON units.question = questions.id
WHERE fetched_at IS NOT NULL ORDER BY questions.place, units.day
"""
_ROWS = f"SELECT {_ROW_CELLS} FROM rows WHERE unit = ? ORDER BY number"  # noqa: S608  names of our own
_NEWEST = f"""
SELECT id, {_CELLS} FROM points WHERE id IN (
    SELECT (SELECT id FROM points WHERE points.path = paths.path ORDER BY at DESC LIMIT 1) FROM paths
) ORDER BY path
"""  # noqa: S608  likewise; a look into the index for each path, however many points there are


@frozen(kw_only=True)
class Slot:
    """A run of a recipe.

    Attributes:
        at: the instant that it is for, in UTC.
        opened_at: when it began, by this machine's clock: whatever was had since is part of it.
        is_open: whether its numbers are still to be written.
    """

    at: datetime
    opened_at: datetime
    is_open: bool = True

    def to_json(self) -> str:
        """Write it as the file keeps it."""
        return json.dumps(
            {name: each if name == "is_open" else each.isoformat() for name, each in asdict(self).items()}
        )

    @classmethod
    def from_json(cls, kept: str) -> Self:
        """Read what `to_json` wrote."""
        told = json.loads(kept)
        at, opened_at = (datetime.fromisoformat(told[name]) for name in ("at", "opened_at"))
        return cls(at=at, opened_at=opened_at, is_open=told["is_open"])


@frozen(kw_only=True)
class SpooledPoint:
    """A point as the file holds it, with its number there and its path below the root."""

    number: int
    path: str
    point: Point


@frozen(kw_only=True)
class Standing:
    """What a slot has brought so far.

    Attributes:
        survey: the apps; None where they were never listed.
        rows: what was had since the slot was opened.
        answered: the questions that were answered since, each with its app.
    """

    survey: Survey | None
    rows: tuple[Row, ...]
    answered: frozenset[str]


@define(eq=False)
class Spool:
    """The points in a ledger's file. Its state: the open file, or none, and who waits for points.

    Args:
        path: the ledger's file, which is made if there is none. Several processes may have it open.
    """

    path: Path = field(converter=Path)
    _connection: sqlite3.Connection | None = field(default=None, init=False)
    _thread: anyio.CapacityLimiter = field(factory=partial(anyio.CapacityLimiter, 1), init=False)
    _added: anyio.Event = field(factory=anyio.Event, init=False)

    async def __aenter__(self) -> Self:
        await self._run("open", self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._run("close", self._close)

    async def slot(self) -> Slot | None:
        """Give the last slot that was opened; None if there was none."""
        return await self._run("read", self._slot)

    async def open_slot(self, slot: Slot) -> None:
        """Write down that a run begins."""
        await self._run("write", partial(self._write_slot, slot))

    async def standing(self, slot: Slot) -> Standing:
        """Read what was had since a slot was opened."""
        return await self._run("read", partial(self._standing, slot))

    async def close_slot(self, slot: Slot, points: Iterable[Point], answered: frozenset[str]) -> int:
        """Write a run's points and that it is over, all or nothing; tell how many points are new.

        A count that only grows becomes a point where it is higher than it ever was. The first answer to its question
        says where to count from; what turns up later is counted from nothing, and so is a count that has dropped to
        less than half. One that has dropped less is counted again when it has passed its highest, so that nothing is
        counted twice.
        """
        added = await self._run("write", partial(self._close_slot, slot, points, answered))
        if added:
            self._added.set()
            self._added = anyio.Event()
        return added

    async def unread(self, reader: str, *, most: int) -> list[SpooledPoint]:
        """Give the oldest points that a reader was not given, each after all that were written before it."""
        return await self._run("read", partial(self._listed, _UNREAD, reader, most))

    async def newest(self) -> list[SpooledPoint]:
        """Give the latest point of each path, by path."""
        return await self._run("read", partial(self._listed, _NEWEST))

    async def mark_read(self, reader: str, number: int) -> None:
        """Write down that a reader has all points up to a number."""
        await self._run("write", partial(self._mark_read, reader, number))

    async def wait_for_more(self, seconds: float) -> None:
        """Wait until this process writes points, or for so many seconds."""
        with anyio.move_on_after(seconds):
            await self._added.wait()

    async def _run(self, doing: str, action: Callable[[], Found]) -> Found:
        return await run_whole(action, doing, self.path, thread=self._thread)

    def _open(self) -> None:
        LedgerFile.open(self.path).close()
        self._connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @property
    def _opened(self) -> sqlite3.Connection:
        assert self._connection is not None  # noqa: S101  used within `async with`
        return self._connection

    def _slot(self) -> Slot | None:
        found = self._opened.execute("SELECT content FROM notes WHERE name = ?", (_SLOT,)).fetchone()
        return None if found is None else Slot.from_json(found[0])

    def _write_slot(self, slot: Slot) -> None:
        self._opened.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (_SLOT, slot.to_json()))

    def _standing(self, slot: Slot) -> Standing:
        kept = self._opened.execute("SELECT content FROM notes WHERE name = ?", (SURVEY,)).fetchone()
        if kept is None:
            return Standing(survey=None, rows=(), answered=frozenset())
        survey = Survey.from_json(json.loads(kept[0]))
        since = survey.instant_of(slot.opened_at)
        units = self._opened.execute(_HAD).fetchall()
        recent = [each for each in units if datetime.fromisoformat(each[3]) >= since]
        return Standing(
            survey=survey,
            rows=tuple(Row(*cells) for unit in recent for cells in self._opened.execute(_ROWS, unit[:1])),
            answered=frozenset(f"{app}|{query}" for _, app, query, _ in recent),
        )

    def _close_slot(self, slot: Slot, points: Iterable[Point], answered: frozenset[str]) -> int:
        written, oldest = (int(instant.timestamp()) for instant in (slot.at, slot.at - KEPT_FOR))
        with transaction(self._opened) as connection:
            known: dict[str, float | None] = dict(connection.execute("SELECT name, value FROM totals"))
            grown = [each for point in points for each in self._grown(point, known)]
            cells = [(self._path_of(point), *_cells(point), written) for point in grown]
            before = connection.total_changes
            connection.executemany(_INSERT, cells)
            added = connection.total_changes - before
            connection.executemany("INSERT OR IGNORE INTO totals VALUES (?, NULL)", ((name,) for name in answered))
            connection.execute("DELETE FROM points WHERE written < ?", (oldest,))
            self._write_slot(Slot(at=slot.at, opened_at=slot.opened_at, is_open=False))
        return added

    def _path_of(self, point: Point) -> str:
        """Give a series' path: the plain one, unless another series had that first."""
        series = _series_of(point)
        if self._holder_of(point.path, series) == series:
            return point.path
        self._holder_of(_told_apart(point), series)
        return _told_apart(point)

    def _holder_of(self, path: str, series: str) -> str:
        """Tell which series has a path: the first that it was given to."""
        self._opened.execute("INSERT OR IGNORE INTO paths VALUES (?, ?)", (path, series))
        [(holder,)] = self._opened.execute("SELECT series FROM paths WHERE path = ?", (path,))
        return str(holder)

    def _grown(self, point: Point, known: dict[str, float | None]) -> Iterator[Point]:
        """Give a point as it is, or by how much its count has passed its highest."""
        if point.total_of is None:
            yield point
            return
        name = f"{point.total_of}|{point.path}"
        highest = known.get(name) or 0.0
        if highest * _AFRESH <= point.value <= highest:
            return
        self._opened.execute("INSERT OR REPLACE INTO totals VALUES (?, ?)", (name, point.value))
        if point.value > highest and point.total_of in known:
            yield evolve(point, value=point.value - highest, total_of=None)

    def _listed(self, query: str, *arguments: Any) -> list[SpooledPoint]:
        return [_spooled(cells) for cells in self._opened.execute(query, arguments)]

    def _mark_read(self, reader: str, number: int) -> None:
        self._opened.execute("INSERT OR REPLACE INTO readers VALUES (?, ?)", (reader, number))


def _series_of(point: Point) -> str:
    return json.dumps([point.app, point.section, point.metric, point.grouping, point.key])


def _told_apart(point: Point) -> str:
    """Write a path that is no other series' for certain: a digest goes to the group, or to the app without one."""
    mark = sha256(_series_of(point).encode()).hexdigest()[:8]
    if point.grouping is None:
        return evolve(point, app=f"{point.app} {mark}").path
    return evolve(point, key=f"{point.key} {mark}").path


def _cells(point: Point) -> tuple[Any, ...]:
    return point.at, point.value, point.app, point.section, point.metric, point.grouping, point.key


def _spooled(cells: tuple[Any, ...]) -> SpooledPoint:
    number, path, at, value, app, section, metric, grouping, key = cells[:9]
    point = Point(app=app, section=section, metric=metric, grouping=grouping, key=key, at=at, value=value)
    return SpooledPoint(number=number, path=path, point=point)
