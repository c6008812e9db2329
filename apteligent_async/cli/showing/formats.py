"""Where a command's findings go: to people as tables, to programs as JSON, lines of JSON, CSV or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from pathlib import Path  # noqa: TC003  the command line reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Literal

from attrs import evolve, frozen
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from apteligent_async.cli.flags import AsJson, Flag, Quiet  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.showing.output import CannotWrite, open_console
from apteligent_async.cli.showing.sheets import MOST_ROWS, print_view
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.tables import arrow, arrow_table, inert, printable, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apteligent_async.cli.showing.views import Sheet, View

__all__ = ["AS_TABLE", "Format", "Output", "write_view"]

Format = Literal["table", "json", "jsonl", "csv", "parquet"]

_SUFFIXES: Mapping[str, Format] = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_FILE_WIDTH = 160


@Parameter(name="*", group="Output")
@frozen(kw_only=True)
class Output:
    """How a command shows what it has found.

    Attributes:
        format: How to write it; without, as the suffix of --output says, else a table. Files of one table (jsonl, csv,
            parquet) hold the last table that is shown.
        as_json: The same as --format json: one JSON object on the last line; everything else goes to standard error.
        output: File to write to; parquet needs one.
        top: How many rows at most; 0 for all. Without, a table shows twenty and the other formats all.
        raw_cells: Leave the service's text in CSV as it is. Without, control characters become question marks, and
            an apostrophe goes before a cell that a spreadsheet would take for a formula.
        quiet: Show no progress.
    """

    format: Annotated[Format | None, Parameter(show_default=False)] = None
    as_json: AsJson = False
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None
    top: Annotated[int | None, Parameter(validator=Number(gte=0))] = None
    raw_cells: Flag = False
    quiet: Quiet = False

    @property
    def chosen(self) -> Format:
        """The format to write.

        Raises:
            ConfigurationError: the flags contradict each other.
        """
        if self.as_json and self.format not in {None, "json"}:
            raise ConfigurationError(f"--json and --format {self.format} contradict each other: give one of them.")
        by_suffix = _SUFFIXES.get(self.output.suffix.lower(), "table") if self.output else "table"
        found: Format = "json" if self.as_json else self.format or by_suffix
        if found == "parquet" and self.output is None:
            raise ConfigurationError("parquet is not for terminals: name a file with --output.")
        return found

    @property
    def is_for_people(self) -> bool:
        """Whether a table goes to standard output."""
        return self.chosen == "table" and self.output is None


AS_TABLE = Output()
"""What people read."""


def write_view(view: View, output: Output) -> None:
    """Write what was found as the flags say.

    Raises:
        CannotWrite: the file cannot be written.
        ModuleNotFoundError: Parquet needs an extra that is missing.
    """
    chosen = output.chosen
    if output.top:
        view = evolve(view, sheets=tuple(sheet.shortened(output.top) for sheet in view.sheets))
    if chosen == "table":
        _write_table(view, output, most_rows=MOST_ROWS if output.top is None else None)
    elif chosen == "parquet":
        _write_parquet(view.sheets[-1], output)
    else:
        text = _json_text(view) if chosen == "json" else _TEXTS[chosen](view.sheets[-1], output)
        _write_text(text, output.output)


def _write_table(view: View, output: Output, *, most_rows: int | None) -> None:
    if output.output is None:
        print_view(open_console(as_json=False), view, most_rows=most_rows)
        return
    text = io.StringIO()
    print_view(Console(file=text, width=_FILE_WIDTH, markup=False, emoji=False, highlight=False), view, most_rows=None)
    _write_text(text.getvalue(), output.output)


def _write_parquet(sheet: Sheet, output: Output) -> None:
    parquet = arrow("pyarrow.parquet")
    table = arrow_table(sheet.columns)
    try:
        parquet.write_table(table, output.output)
    except OSError as error:
        raise _cannot_write(output.output, error) from error


def _write_text(text: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path | None, error: OSError) -> CannotWrite:
    return CannotWrite(f"cannot write {path}: {error.strerror or error}. Choose another file with --output.")


def _json_text(view: View) -> str:
    facts = {"facts": {name.replace(" ", "_"): _json_value(value) for name, value in view.facts}} if view.facts else {}
    tables = {sheet.name: _json_rows(sheet) for sheet in view.sheets}
    failures = [{"of": name, "reason": reason} for name, reason in view.failures]
    return json.dumps({"title": view.title, **facts, **tables, "notes": list(view.notes), "failures": failures}) + "\n"


def _json_lines(sheet: Sheet, output: Output) -> str:  # noqa: ARG001  alike for all formats of one table
    return "".join(json.dumps(row) + "\n" for row in _json_rows(sheet))


def _csv_text(sheet: Sheet, output: Output) -> str:
    cell: Callable[[Any], Any] = _as_sent if output.raw_cells else _inert
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([cell(column.name) for column in sheet.columns])
    writer.writerows([[cell(value) for value in row.values()] for row in rows(sheet.columns)])
    return text.getvalue()


_TEXTS: Mapping[str, Callable[[Sheet, Output], str]] = {"jsonl": _json_lines, "csv": _csv_text}


def _json_rows(sheet: Sheet) -> list[dict[str, Any]]:
    return [{name: _json_value(cell) for name, cell in row.items()} for row in rows(sheet.columns)]


def _json_value(cell: Any) -> Any:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return _as_sent(cell)


def _as_sent(cell: Any) -> Any:
    return cell.isoformat() if hasattr(cell, "isoformat") else cell


def _inert(cell: Any) -> Any:
    return inert(printable(cell)) if isinstance(cell, str) else _as_sent(cell)
