"""The file behind a ledger: which units are wanted, which were had and when, and their rows.

It is an SQLite database that people may look into (WAL, so that reading never hinders a pull): `questions` holds what
is asked, `units` one line for each day of a question, `rows` what came. A unit and its rows are written in one
transaction, which is on the disk when it ends: whatever crashes, a unit is there with all of its rows, or not at all.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from apteligent_async.bulk.units import Row
from apteligent_async.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from apteligent_async.bulk.ledger_lock import Holder
    from apteligent_async.bulk.units import Unit

    Batch = Sequence[tuple[str, Iterable[Row]]]
else:
    Batch = "Sequence"
"""Units by their keys, each with its rows."""

__all__ = ["Batch", "LedgerFile", "StoredRow", "explained"]

StoredRow = tuple[Any, ...]
"""The cells of a `Row`, and after them when its unit was had, as ISO 8601."""

_APPLICATION = 0x4150_544C
"""Marks our files, so that nobody's other database is taken for a ledger."""

_VERSION = 1

_LARGEST = 2**63 - 1
"""The largest whole number that SQLite keeps whole."""

_BUSY_S = 10.0
"""How long a statement waits for a reader's checkpoint or a virus scanner; another pull cannot be the cause."""

_CELLS = ", ".join(f'"{name}"' for name in Row._fields)

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE holder (pid INTEGER NOT NULL, host TEXT NOT NULL, since TEXT NOT NULL);
CREATE TABLE notes (name TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE questions (
    id INTEGER PRIMARY KEY, app TEXT NOT NULL, query TEXT NOT NULL, place INTEGER, UNIQUE (app, query)
);
CREATE TABLE units (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, question INTEGER NOT NULL REFERENCES questions,
    day TEXT NOT NULL, is_wanted INTEGER NOT NULL, fetched_at TEXT
);
CREATE INDEX units_in_order ON units (question, day);
CREATE TABLE rows (
    unit INTEGER NOT NULL REFERENCES units, number INTEGER NOT NULL, {_CELLS}, PRIMARY KEY (unit, number)
) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""

_INSERT_QUESTION = """
INSERT INTO questions (app, query, place) VALUES (?, ?, ?)
ON CONFLICT (app, query) DO UPDATE SET place = min(ifnull(place, excluded.place), excluded.place)
"""
_INSERT_UNIT = """
INSERT INTO units (key, question, day, is_wanted)
SELECT ?, id, ?, ? FROM questions WHERE app = ? AND query = ?
ON CONFLICT (key) DO UPDATE SET is_wanted = excluded.is_wanted
"""
_INSERT_ROW = f"INSERT INTO rows VALUES ({', '.join('?' * (2 + len(Row._fields)))})"  # noqa: S608  question marks alone
_ROWS = f"SELECT {_CELLS} FROM rows WHERE unit = ? ORDER BY number"  # noqa: S608  names of our own
_UNITS_IN_ORDER = """
FROM questions JOIN units ON units.question = questions.id
WHERE {}
ORDER BY questions.place IS NULL, questions.place, questions.app, questions.query, units.day, units.id
"""
_HAD = "SELECT units.id, units.fetched_at" + _UNITS_IN_ORDER.format("units.fetched_at IS NOT NULL")
_BEGAN = "SELECT app, query, min(day) FROM questions JOIN units ON units.question = questions.id GROUP BY questions.id"
_MISSED = "SELECT units.key" + _UNITS_IN_ORDER.format("units.fetched_at IS NULL AND NOT units.is_wanted")


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn what SQLite and the system say of a file into our error.

    Raises:
        LedgerError: what could not be done, why, and that nothing is lost.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        cause = getattr(error, "strerror", None) or error
        raise LedgerError(
            f"cannot {doing} the ledger {path}: {cause}. What it held stays: mend the cause and try again."
        ) from error


@define(eq=False)
class LedgerFile:
    """An open ledger; the state is the connection. Everything here blocks, and may raise `sqlite3.Error`."""

    _connection: sqlite3.Connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for writing; make the file, readable for its owner alone, if there is none.

        Raises:
            LedgerError: it is no ledger, or one of a later version.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        file = cls(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False))
        try:
            file._prepare(path)
        except BaseException:
            file.close()
            raise
        return file

    @classmethod
    def reading(cls, path: Path) -> Self:
        """Open for reading, as it is at this instant; a pull may go on writing meanwhile.

        Raises:
            LedgerError: there is none, or it is no ledger, or one of a later version.
        """
        address = f"{path.absolute().as_uri()}?mode=ro"
        file = cls(sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False))
        try:
            file._require_content(path)
            file._connection.execute("BEGIN")
        except BaseException:
            file.close()
            raise
        return file

    def close(self) -> None:
        """Close it; twice does no harm."""
        self._connection.close()

    def set_holder(self, holder: Holder | None) -> None:
        """Write down who holds it, or that nobody does."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM holder")
            if holder is not None:
                connection.execute("INSERT INTO holder VALUES (?, ?, ?)", (holder.pid, holder.host, holder.since))

    def note(self, name: str) -> str | None:
        """Read what was kept under a name."""
        found = self._connection.execute("SELECT content FROM notes WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def keep_note(self, name: str, content: str) -> None:
        """Keep a text under a name, in place of an earlier one."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, content))

    def register(self, units: Iterable[Unit]) -> dict[str, datetime]:
        """Write down what is wanted from now on, in its order; tell which of it was had, and when."""
        had: dict[str, datetime] = {}
        with self._transaction() as connection:
            connection.execute("UPDATE questions SET place = NULL")
            connection.execute("UPDATE units SET is_wanted = FALSE WHERE is_wanted")
            for unit in units:
                asked, day = (unit.app, unit.question.query), unit.day.isoformat()
                connection.execute(_INSERT_QUESTION, (*asked, unit.order))
                connection.execute(_INSERT_UNIT, (unit.key, day, not unit.is_gone, *asked))
                fetched_at = self._unit(unit.key)[1]
                if fetched_at is not None:
                    had[unit.key] = datetime.fromisoformat(fetched_at)
        return had

    def began(self) -> dict[tuple[str, str], date]:
        """Tell by app and query the first day that each question was ever wanted for."""
        return {(app, query): date.fromisoformat(day) for app, query, day in self._connection.execute(_BEGAN)}

    def had(self) -> dict[str, datetime]:
        """Tell of every unit that was had when that was."""
        found = self._connection.execute("SELECT key, fetched_at FROM units WHERE fetched_at IS NOT NULL")
        return {key: datetime.fromisoformat(fetched_at) for key, fetched_at in found}

    def commit(self, batch: Batch, fetched_at: datetime) -> None:
        """Write units and their rows, in place of what was had of them before: all of it, or nothing."""
        with self._transaction() as connection:
            for key, rows in batch:
                number = self._unit(key)[0]
                connection.execute("DELETE FROM rows WHERE unit = ?", (number,))
                cells = ((number, place, *map(_storable, row)) for place, row in enumerate(rows))
                connection.executemany(_INSERT_ROW, cells)
                connection.execute("UPDATE units SET fetched_at = ? WHERE id = ?", (fetched_at.isoformat(), number))

    def rows_of(self, key: str) -> list[Row]:
        """Read the rows of a unit."""
        return [Row(*cells) for cells in self._connection.execute(_ROWS, (self._unit(key)[0],))]

    def rows(self) -> Iterator[StoredRow]:
        """Read every row, in the order of the last plan, older days first; what it left out comes at the end."""
        for number, fetched_at in self._connection.execute(_HAD).fetchall():
            for cells in self._connection.execute(_ROWS, (number,)):
                yield (*cells, fetched_at)

    def missed(self) -> list[str]:
        """List the units that were wanted once, never had, and can be had no more."""
        return [key for (key,) in self._connection.execute(_MISSED)]

    def _unit(self, key: str) -> tuple[int, str | None]:
        found: tuple[int, str | None] = self._connection.execute(
            "SELECT id, fetched_at FROM units WHERE key = ?", (key,)
        ).fetchone()
        return found

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended it already
                self._connection.execute("ROLLBACK")
            raise

    def _prepare(self, path: Path) -> None:
        if not self._is_ours(path):
            self._connection.executescript(_SCHEMA)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")

    def _require_content(self, path: Path) -> None:
        if not self._is_ours(path):
            raise LedgerError(f"{path} is empty: no pull has begun to fill it.")

    def _is_ours(self, path: Path) -> bool:
        """Whether it is a ledger already; an empty file is not one yet."""
        found = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        [application], [version] = (
            self._connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        if found and application != _APPLICATION:
            raise LedgerError(f"{path} is a database, but no ledger: choose another file.")
        if version > _VERSION:
            raise LedgerError(f"{path} was written by a later version of apteligent-async: use that one, or later.")
        return bool(found)


def _storable(cell: Any) -> Any:
    """Give a cell as SQLite takes it: nothing that the service sends may stop a pull."""
    if isinstance(cell, str):
        return cell if cell.isascii() else cell.encode(errors="replace").decode()
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, int) and not -_LARGEST <= cell <= _LARGEST:
        return _rounded(cell)
    return cell


def _rounded(number: int) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None
