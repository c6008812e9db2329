"""``apteligent export``: what a pull's ledger holds, as files; and how ``pull`` writes them."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from cyclopts import Parameter

from apteligent_async.bulk.outputs import Format, OutputOptions, write_output
from apteligent_async.cli.flags import AsJson, Flag  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.showing.output import open_console, print_json

__all__ = ["Writing", "export"]


@Parameter(name="*", group="Output")
@frozen(kw_only=True)
class Writing:
    """Where rows go, and how they are written.

    Attributes:
        out: Folder for the rows and for what explains their columns; those of an earlier time are replaced.
        format: How rows are written: rows.jsonl, rows.csv, rows.parquet or rows.sqlite.
        with_fetched_at: Add a column that tells when each row was fetched.
        raw_cells: Leave CSV cells that a spreadsheet would take for a formula as the service sent them.
    """

    out: Path = Path("pull-output")
    format: Format = "jsonl"
    with_fetched_at: Flag = False
    raw_cells: Flag = False

    def write(self, ledger: Path) -> int:
        """Write what a ledger holds, and tell how many rows there are.

        Raises:
            LedgerError: there is no ledger, or the output cannot be written.
        """
        options = OutputOptions(has_fetched_at=self.with_fetched_at, is_inert=not self.raw_cells)
        return write_output(ledger, self.out, self.format, options)

    def sentence(self, rows: int) -> str:
        """Say what was written."""
        return f"{rows:,} rows in {self.out / f'rows.{self.format}'}"


_AS_USUAL = Writing()


def export(
    ledger: Path,
    *,
    writing: Writing = _AS_USUAL,
    as_json: AsJson = False,
) -> None:
    """Write what a ledger holds, without a call; a pull may be filling it meanwhile.

        apteligent export pull-output/ledger.sqlite --format csv

    Args:
        ledger: The ledger's file, which `apteligent pull` made.
        writing: Where the rows go.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    rows = writing.write(ledger)
    open_console(as_json=as_json).print(writing.sentence(rows), soft_wrap=True)
    if as_json:
        print_json({"rows": rows, "output": str(writing.out)})
