"""Rows on disk as they arrive: lines of JSON, and the same as CSV for spreadsheets.

Each answer's rows are one write at the end of either file, with no buffer in between. So whatever ends the program,
what was fetched stays, in whole lines; a write that fails half way is taken back.
"""

from __future__ import annotations

import csv
import io
import json
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from attrs import define

from apteligent_async.cli.showing.output import CannotWrite
from apteligent_async.models.tables import inert

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from apteligent_async.cli.demo.cuts import Cut
    from apteligent_async.models.monitoring import Pie

__all__ = ["COLUMNS", "Recorder", "recording", "rows_of"]

COLUMNS = ("app_id", "app_name", "metric", "group_by", "name", "label", "value", "start", "end")
"""The keys of every row, in the order of the CSV's columns."""

Row = dict[str, Any]


@define(eq=False)
class _LineFile:
    """A file that only grows, by whole lines; the state is its length up to the last of them."""

    path: Path
    _file: io.FileIO
    _length: int = 0

    def append(self, text: str) -> None:
        data, written = text.encode(errors="replace"), 0
        try:
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as error:
            with suppress(OSError):  # the first error is the one to tell
                self._file.truncate(self._length)
            problem = f"cannot write {self.path}: {error.strerror or error}"
            raise CannotWrite(f"{problem}. The rows before stay; make room, or choose --output elsewhere.") from error
        self._length += len(data)


@define(eq=False)
class Recorder:
    """Two open files; the state is how many rows they hold."""

    _json_lines: _LineFile
    _table: _LineFile
    rows: int = 0

    def record(self, rows: Sequence[Row]) -> None:
        """Append the rows of one answer to both files.

        Raises:
            CannotWrite: the disk is full; the rows of earlier answers stay.
        """
        self._json_lines.append("".join(json.dumps(row) + "\n" for row in rows))
        self._table.append(_csv_text([[inert(row[name]) for name in COLUMNS] for row in rows]))
        self.rows += len(rows)


def rows_of(cut: Cut, pie: Pie) -> list[Row]:
    """Make one row per slice; the times are the service's own text."""
    return [
        {
            "app_id": cut.app_id,
            "app_name": cut.app_name,
            "metric": cut.graph.value,
            "group_by": cut.group_by.value,
            "name": part.name,
            "label": part.label,
            "value": part.value,
            "start": pie.start_text,
            "end": pie.end_text,
        }
        for part in pie.slices
    ]


@contextmanager
def recording(folder: Path) -> Generator[Recorder]:
    """Open ``metrics.jsonl`` and ``metrics.csv`` in a folder, which is made; those of an earlier run are replaced.

    Raises:
        CannotWrite: the folder cannot be made, or is not ours to write in.
    """
    with ExitStack() as files:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            json_lines = files.enter_context(_opened(folder / "metrics.jsonl"))
            table = files.enter_context(_opened(folder / "metrics.csv"))
        except OSError as error:
            problem = f"cannot write in {folder}: {error.strerror or error}"
            raise CannotWrite(f"{problem}. Choose another folder with --output.") from error
        table.append(_csv_text([COLUMNS]))
        yield Recorder(json_lines, table)


@contextmanager
def _opened(path: Path) -> Generator[_LineFile]:
    with path.open("wb", buffering=0) as file:
        yield _LineFile(path, file)


def _csv_text(lines: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()
