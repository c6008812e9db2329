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
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from apteligent_async._private_files import make_private
from apteligent_async.bulk.units import Row
from apteligent_async.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from pathlib import Path

    from apteligent_async.bulk.ledger_lock import Holder
    from apteligent_async.bulk.units import Question, Unit

    Batch = Sequence[tuple[str, Iterable[Row]]]
else:
    Batch = "Sequence"
"""Units by their keys, each with its rows."""

__all__ = ["BUSY_S", "Batch", "LedgerFile", "StoredRow", "explained", "transaction"]

StoredRow = tuple[Any, ...]
"""The cells of a `Row`, and after them when its unit was had, as ISO 8601."""

_APPLICATION = 0x4150_544C
"""Marks our files, so that nobody's other database is taken for a ledger."""

_VERSION = 1

_LARGEST = 2**63 - 1
"""The largest whole number that SQLite keeps whole."""

BUSY_S = 10.0
"""How long a statement waits for a reader's checkpoint or a virus scanner; another pull cannot be the cause."""

_CELLS = ", ".join(f'"{name}"' for name in Row._fields)
_ROW_CELLS = ", ".join(f'rows."{name}"' for name in Row._fields)

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
_ORDER = "questions.place IS NULL, questions.place, questions.app, questions.query"
_QUESTIONS_IN_ORDER = f"SELECT id FROM questions ORDER BY {_ORDER}"  # noqa: S608  as above
_ROWS_OF_QUESTION = f"""
SELECT {_ROW_CELLS}, units.fetched_at FROM units JOIN rows ON rows.unit = units.id
WHERE units.question = ? AND units.fetched_at IS NOT NULL ORDER BY units.day, units.id, rows.number
"""  # noqa: S608  as above
_WHEN_HAD = """
SELECT day, fetched_at FROM questions JOIN units ON units.question = questions.id
WHERE app = ? AND query = ? AND fetched_at IS NOT NULL
"""
_BEGAN = "SELECT app, query, min(day) FROM questions JOIN units ON units.question = questions.id GROUP BY questions.id"
_MISSED = f"""
SELECT units.key FROM questions JOIN units ON units.question = questions.id
WHERE units.fetched_at IS NULL AND NOT units.is_wanted ORDER BY {_ORDER}, units.day, units.id
"""  # noqa: S608  as above


@contextmanager
def explained(path: Path, doing: str) -> Generator[None]:
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


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """Write all that is written in the block, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


@define(eq=False)
class LedgerFile:
    """An open ledger; the state is the connection. Everything here blocks, and may raise `sqlite3.Error`."""

    _connection: sqlite3.Connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for writing; make the file, readable for its owner alone, if there is none.

        Raises:
            ConfigurationError: others can read or replace it; the message names the mend.
            LedgerError: it is no ledger, or one of a later version.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        file = cls(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False))
        try:
            file._prepare(path)
            make_private(path)  # last: whoever names a file of another kind shall hear that, and not of its mode
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
        file = cls(sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False))
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
        with transaction(self._connection) as connection:
            connection.execute("DELETE FROM holder")
            if holder is not None:
                connection.execute("INSERT INTO holder VALUES (?, ?, ?)", (holder.pid, holder.host, holder.since))

    def note(self, name: str) -> str | None:
        """Read what was kept under a name."""
        found = self._connection.execute("SELECT content FROM notes WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def keep_note(self, name: str, content: str) -> None:
        """Keep a text under a name, in place of an earlier one."""
        with transaction(self._connection) as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, content))

    def register(self, units: Iterable[Unit]) -> list[datetime | None]:
        """Write down what is wanted from now on, in its order; tell of each in turn when it was had.

        Units of a question must follow each other.
        """
        had: list[datetime | None] = []
        with transaction(self._connection) as connection:
            connection.execute("UPDATE questions SET place = NULL")
            connection.execute("UPDATE units SET is_wanted = FALSE WHERE is_wanted")
            for question, group in groupby(units, key=lambda unit: unit.question):
                wanted = list(group)
                asked = (question.app, question.query)
                connection.execute(_INSERT_QUESTION, (*asked, wanted[0].order))
                cells = ((unit.key, unit.day.isoformat(), not unit.is_gone, *asked) for unit in wanted)
                connection.executemany(_INSERT_UNIT, cells)
                had += self._when_had(question, wanted)
        return had

    def when_had(self, units: Iterable[Unit]) -> list[datetime | None]:
        """Tell of each unit in turn when it was had, as `register` does, and write nothing."""
        grouped = groupby(units, key=lambda unit: unit.question)
        return [instant for question, group in grouped for instant in self._when_had(question, group)]

    def began(self) -> dict[tuple[str, str], date]:
        """Tell by app and query the first day that each question was ever wanted for."""
        return {(app, query): date.fromisoformat(day) for app, query, day in self._connection.execute(_BEGAN)}

    def commit(self, batch: Batch, fetched_at: datetime) -> None:
        """Write units and their rows, in place of what was had of them before: all of it, or nothing."""
        with transaction(self._connection) as connection:
            for key, rows in batch:
                number, had_at = self._unit(key)
                if had_at is not None:
                    connection.execute("DELETE FROM rows WHERE unit = ?", (number,))
                cells = ((number, place, *map(_storable, row)) for place, row in enumerate(rows))
                connection.executemany(_INSERT_ROW, cells)
                connection.execute("UPDATE units SET fetched_at = ? WHERE id = ?", (fetched_at.isoformat(), number))

    def rows_of(self, key: str) -> list[Row]:
        """Read the rows of a unit."""
        return [Row(*cells) for cells in self._connection.execute(_ROWS, (self._unit(key)[0],))]

    def rows(self) -> Iterator[StoredRow]:
        """Read every row, in the order of the last plan, older days first; what it left out comes at the end."""
        for question in self._connection.execute(_QUESTIONS_IN_ORDER).fetchall():
            for cells in self._connection.execute(_ROWS_OF_QUESTION, question):  # noqa: UP028  leaves the cursor alone
                yield cells

    def missed(self) -> list[str]:
        """List the units that were wanted once, never had, and can be had no more."""
        return [key for (key,) in self._connection.execute(_MISSED)]

    def _when_had(self, question: Question, units: Iterable[Unit]) -> Iterator[datetime | None]:
        found = dict(self._connection.execute(_WHEN_HAD, (question.app, question.query)).fetchall())
        return (_instant(found.get(unit.day.isoformat())) for unit in units)

    def _unit(self, key: str) -> tuple[int, str | None]:
        found: tuple[int, str | None] = self._connection.execute(
            "SELECT id, fetched_at FROM units WHERE key = ?", (key,)
        ).fetchone()
        return found

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


@lru_cache(maxsize=1_024)  # the days of a question were had in one call
def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


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
