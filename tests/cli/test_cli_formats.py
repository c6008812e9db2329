"""What programs get: exact JSON, and CSV that no spreadsheet can be hurt by."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async.cli.showing.formats import Output, write_view
from apteligent_async.cli.showing.views import Heading, Sheet, View
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.tables import Column

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]


def view_of(cells, kind="text"):
    """Make a view of one column."""
    columns = (Column(name="cell", kind=kind, cells=cells),)
    return View(title="title", sheets=(Sheet(columns=columns, headings=(Heading("cell", "cell"),)),))


@pytest.fixture
def written(tmp_path):
    """Give what writes a view to a file, and reads it."""

    def write(view, **flags):
        path = tmp_path / "file"
        write_view(view, Output(output=path, **flags))
        return path.read_bytes().decode()

    return write


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_cell_that_would_be_a_formula_is_none(written, cell):
    """An apostrophe goes before it; --raw-cells leaves it as it came."""
    lines = list(csv.reader(io.StringIO(written(view_of([cell]), format="csv"), newline="")))
    assert lines[1][0].startswith(("'", "?"))
    raw = list(csv.reader(io.StringIO(written(view_of([cell]), format="csv", raw_cells=True), newline="")))
    assert raw[1] == [cell]


def test_numbers_below_zero_stay_numbers(written):
    """They are ours to write, and no formulas."""
    assert written(view_of([-1.5, None], "number"), format="csv") == 'cell\r\n-1.5\r\n""\r\n'


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1, max_size=5))
def test_json_is_exact(cells):
    """Every text comes back as it was, in pure ASCII on a single line."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        write_view(view_of(cells), Output(as_json=True))
    [line] = out.getvalue().splitlines()
    assert line.isascii()
    assert [row["cell"] for row in json.loads(line)["rows"]] == cells


def test_numbers_that_json_has_not_become_null(written):
    """A strict reader on the other side does not fail."""
    assert json.loads(written(view_of([float("nan"), float("inf"), 1.5], "number"), format="json"))["rows"] == [
        {"cell": None},
        {"cell": None},
        {"cell": 1.5},
    ]


def test_times_are_iso_texts(written):
    """In JSON and in CSV alike."""
    cells = [datetime(2016, 12, 12, 18, tzinfo=UTC)]
    assert '"2016-12-12T18:00:00+00:00"' in written(view_of(cells, "instant"), format="jsonl")
    assert "2016-12-12\r\n" in written(view_of([date(2016, 12, 12)], "day"), format="csv")


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv", "parquet"])
def test_the_suffix_of_a_file_chooses_its_format(tmp_path, suffix):
    """Whoever names a file has said it all; --format counts more."""
    assert Output(output=tmp_path / f"rows.{suffix}").chosen == suffix
    assert Output(output=tmp_path / f"rows.{suffix}", format="csv").chosen == "csv"


def test_any_other_file_gets_the_table(written):
    """As the terminal shows it, with all rows."""
    assert len(written(view_of([str(number) for number in range(40)])).splitlines()) == 43


@pytest.mark.parametrize("flags", [{"as_json": True, "format": "csv"}, {"format": "parquet"}])
def test_flags_that_contradict_each_other_are_refused(flags):
    """Before anything is asked."""
    with pytest.raises(ConfigurationError):
        _ = Output(**flags).chosen
