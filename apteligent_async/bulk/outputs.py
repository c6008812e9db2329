"""What a ledger holds, as files for other programs: JSON lines, CSV, Parquet or SQLite.

A file is written beside its name, and takes it when it is whole and on the disk. It depends on the ledger's rows alone:
the same rows make the same bytes, in whatever order they were fetched. Only a few rows are in memory at a time.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

from apteligent_async.bulk.ledger_file import LedgerFile, explained
from apteligent_async.bulk.units import Row
from apteligent_async.bulk.whole_files import replacing
from apteligent_async.errors import LedgerError
from apteligent_async.models.tables import arrow, inert

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from pathlib import Path

    from apteligent_async.bulk.ledger_file import StoredRow

__all__ = ["ABOUT", "Format", "OutputOptions", "write_output"]

Format: TypeAlias = Literal["jsonl", "csv", "parquet", "sqlite"]

ABOUT: Mapping[str, str] = {
    "app": "the app id",
    "metric": "what was measured, in the service's word",
    "grouping": "what key is, such as appVersion or hash; empty where there is one value for the app",
    "key": "the group, to join on",
    "label": "the group as shown to people; for a figure that is no number, its text",
    "start": "where the window begins, inclusive: a day in the app's own days, or an instant in ISO 8601",
    "end": "where it ends, exclusive, written like start; empty where the service states no window",
    "value": "the number",
    "query": "the question; #days= in it names the convention by which undated points became days: 'end' takes point i "
    "of a graph for the day start + i + 1, so that the last is the running day, 'start' takes it for start + i",
    "fetched_at": "when the row was had, in UTC",
}
"""What the columns mean, as every output says it."""

_NAME = "rows"
_BATCH = 2_048


@frozen(kw_only=True)
class OutputOptions:
    """How rows are written.

    Attributes:
        has_fetched_at: whether a last column tells when each row was had; then two pulls never make the same file.
        is_inert: whether CSV cells that a spreadsheet would take for a formula get an apostrophe in front.
    """

    has_fetched_at: bool = False
    is_inert: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return (*Row._fields, "fetched_at") if self.has_fetched_at else Row._fields


_AS_USUAL = OutputOptions()


def write_output(ledger: Path, folder: Path, kind: Format, options: OutputOptions = _AS_USUAL) -> int:
    """Write ``rows.jsonl``, ``.csv``, ``.parquet`` or ``.sqlite``, and ``rows.about.json``, which explains the columns.

    Those of an earlier time are replaced. Blocks for as long as it takes; a pull may fill the ledger meanwhile.

    Args:
        ledger: the ledger's file.
        folder: where to write; it is made if need be.
        kind: which of the four. Parquet needs ``apteligent-async[arrow]``.
        options: how.

    Returns:
        How many rows there are.

    Raises:
        LedgerError: there is no ledger, or the output cannot be written, for instance as the disk is full.
        ModuleNotFoundError: the extra is not installed.
    """
    with explained(ledger, "read"), closing(LedgerFile.reading(ledger)) as file:
        rows = (row[: len(options.columns)] for row in file.rows())
        with _explained_writing(folder), replacing(folder / f"{_NAME}.{kind}") as path:
            count = _WRITERS[kind](path, rows, options)
    about = {name: ABOUT[name] for name in options.columns}
    with _explained_writing(folder), replacing(folder / f"{_NAME}.about.json") as path:
        path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return count


@contextmanager
def _explained_writing(folder: Path) -> Generator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        cause = getattr(error, "strerror", None) or error
        raise LedgerError(
            f"cannot write in {folder}: {cause}. The ledger has all that was fetched: mend the cause, and write again "
            "with `apteligent export`."
        ) from error


def _write_jsonl(path: Path, rows: Iterable[StoredRow], options: OutputOptions) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(dict(zip(options.columns, row, strict=True))) + "\n")
            count += 1
    return count


def _write_csv(path: Path, rows: Iterable[StoredRow], options: OutputOptions) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(options.columns)
        for row in rows:
            writer.writerow(map(inert, row) if options.is_inert else row)
            count += 1
    return count


def _write_parquet(path: Path, rows: Iterable[StoredRow], options: OutputOptions) -> int:
    pa, pq = arrow(), arrow("pyarrow.parquet")
    kinds = {name: pa.float64() if name == "value" else pa.string() for name in options.columns}
    about = {f"about.{name}": ABOUT[name] for name in options.columns}
    schema = pa.schema(list(kinds.items()), metadata=about)
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in _batches(rows):
            columns = zip(*batch, strict=True)
            arrays = [pa.array(cells, kind) for cells, kind in zip(columns, kinds.values(), strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(batch)
    return count


def _write_sqlite(path: Path, rows: Iterable[StoredRow], options: OutputOptions) -> int:
    columns = ", ".join(f'"{name}"' for name in options.columns)
    marks = ", ".join("?" * len(options.columns))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # what is not whole is thrown away
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute('CREATE TABLE about ("column" TEXT, meaning TEXT)')
        connection.executemany("INSERT INTO about VALUES (?, ?)", ((name, ABOUT[name]) for name in options.columns))
        connection.execute(f"CREATE TABLE rows ({columns})")
        count = connection.executemany(f"INSERT INTO rows VALUES ({marks})", rows).rowcount  # noqa: S608  marks
        connection.execute("COMMIT")
    return max(count, 0)


def _batches(rows: Iterable[StoredRow]) -> Iterator[list[StoredRow]]:
    source = iter(rows)
    while batch := list(islice(source, _BATCH)):
        yield batch


_WRITERS: Mapping[Format, Callable[[Path, Iterable[StoredRow], OutputOptions], int]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "sqlite": _write_sqlite,
}
