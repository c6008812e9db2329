"""Rows on disk: whole lines at every instant, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apteligent_async import ErrorGraph, ErrorGroupBy
from apteligent_async.cli.demo.cuts import Cut
from apteligent_async.cli.demo.recording import COLUMNS, recording, rows_of
from apteligent_async.cli.showing.output import CannotWrite
from apteligent_async.models.monitoring import Pie, Slice

CUT = Cut(graph=ErrorGraph.CRASHES, group_by=ErrorGroupBy.OS, app_ids=("a1",), app_name="Summit")
SLICES = st.lists(
    st.builds(Slice, name=st.text(), label=st.none() | st.text(), value=st.none() | st.integers() | st.floats(0, 1e9))
)


def pie_of(*names):
    """Make a pie whose slices have these names, each worth its position."""
    return Pie(slices=tuple(Slice(name=name, value=position) for position, name in enumerate(names)))


def read(folder):
    """Give the rows of both files."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    with (folder / "metrics.csv").open(newline="") as table:
        return lines, list(csv.DictReader(table))


def test_a_row_says_whose_number_it_is(tmp_path):
    """App, metric, dimension, slice and window stand in every row of both files."""
    pie = Pie(slices=(Slice(name="ios 9", label="iOS 9", value=3),), start_text="2016-01-01", end_text="2016-01-02")
    with recording(tmp_path) as recorder:
        recorder.record(rows_of(CUT, pie))
    wanted = ["a1", "Summit", "crashes", "os", "ios 9", "iOS 9", 3, "2016-01-01", "2016-01-02"]
    lines, table = read(tmp_path)
    assert lines == [dict(zip(COLUMNS, wanted, strict=True))]
    assert table == [dict(zip(COLUMNS, map(str, wanted), strict=True))]
    assert recorder.rows == 1


def test_rows_are_on_disk_before_the_files_are_closed(tmp_path):
    """A kill at any instant keeps what came before it."""
    with recording(tmp_path / "new" / "folder") as recorder:
        recorder.record(rows_of(CUT, pie_of("x", "y")))
        lines, table = read(tmp_path / "new" / "folder")
        assert [row["name"] for row in lines] == [row["name"] for row in table] == ["x", "y"]


@settings(max_examples=50)
@given(st.lists(SLICES, max_size=3))
def test_any_text_comes_back_from_both_files(tmp_path_factory, answers):
    """Quotes, newlines and control characters neither break a line nor change a cell, but for a formula's prefix."""
    folder = tmp_path_factory.mktemp("rows")
    with recording(folder) as recorder:
        for slices in answers:
            recorder.record(rows_of(CUT, Pie(slices=tuple(slices))))
    lines, table = read(folder)
    wanted = [part for slices in answers for part in slices]
    assert [(row["name"], row["label"], row["value"]) for row in lines] == [(p.name, p.label, p.value) for p in wanted]
    assert [row["name"].removeprefix("'") for row in table] == [p.name.removeprefix("'") for p in wanted]
    assert (folder / "metrics.jsonl").read_bytes().isascii()


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_takes_no_name_for_a_formula(tmp_path, name):
    """The CSV's cell starts with an apostrophe; the JSON keeps the service's text."""
    with recording(tmp_path) as recorder:
        recorder.record(rows_of(CUT, pie_of(name)))
    lines, table = read(tmp_path)
    assert (lines[0]["name"], table[0]["name"]) == (name, f"'{name}")


def test_half_a_character_does_not_end_the_pull(tmp_path):
    """JSON can state a lone surrogate, which no UTF-8 file can hold."""
    with recording(tmp_path) as recorder:
        recorder.record(rows_of(CUT, pie_of("a\ud800b")))
    lines, table = read(tmp_path)
    assert (lines[0]["name"], table[0]["name"]) == ("a\ud800b", "a?b")


def test_a_number_is_no_formula(tmp_path):
    """A negative value stays a number."""
    with recording(tmp_path) as recorder:
        recorder.record(rows_of(CUT, Pie(slices=(Slice(name="x", value=-1.5),))))
    assert read(tmp_path)[1][0]["value"] == "-1.5"


def test_an_earlier_run_s_rows_are_replaced(tmp_path):
    """Two runs into one folder do not mix."""
    for name in ("old", "new"):
        with recording(tmp_path) as recorder:
            recorder.record(rows_of(CUT, pie_of(name)))
    assert [row["name"] for row in read(tmp_path)[0]] == ["new"]


def test_a_full_disk_is_said_in_a_line(tmp_path):
    """The error names the file and the cause, and says what to do."""
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    with recording(tmp_path) as recorder, pytest.raises(CannotWrite) as full:
        recorder.record(rows_of(CUT, pie_of("x")))
    assert str(full.value) == (
        f"cannot write {tmp_path}/metrics.jsonl: No space left on device. "
        "The rows before stay; make room, or choose --output elsewhere."
    )


def test_half_a_write_is_taken_back(tmp_path, monkeypatch):
    """A disk that fills up in the middle of a line keeps the lines before it, whole."""
    resource = pytest.importorskip("resource")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    with recording(tmp_path) as recorder:
        recorder.record(rows_of(CUT, pie_of("x")))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, unlimited[1]))
        try:
            with pytest.raises(CannotWrite):
                recorder.record(rows_of(CUT, pie_of("y" * 200)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert [row["name"] for row in read(tmp_path)[0]] == ["x"]


def test_a_folder_that_cannot_be_made_is_said_in_a_line(tmp_path):
    """A file in its place is named."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(CannotWrite, match=r"^cannot write in .*taken: File exists\. Choose another folder"):
        recording(tmp_path / "taken").__enter__()
