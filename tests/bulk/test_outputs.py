"""Outputs: the same rows make the same bytes, whole or not at all, in four formats."""

from __future__ import annotations

import csv
import json
import resource
import sqlite3
import sys
import tracemalloc
from contextlib import closing

import pyarrow.parquet
import pytest
from wanted import NOON, rows_for, unit

from apteligent_async import LedgerError
from apteligent_async.bulk.ledger_file import LedgerFile
from apteligent_async.bulk.outputs import OutputOptions, write_output
from apteligent_async.bulk.units import Row

KINDS = ["jsonl", "csv", "parquet", "sqlite"]
WITH_TIMES = OutputOptions(has_fetched_at=True)


def filled(path, *, backwards=False, values=(1, 2.5, None), label=None):
    """Make a ledger with three units, fetched in either order."""
    units = [unit("one"), unit("two", order=1), unit("three", order=2)]
    with closing(LedgerFile.open(path)) as file:
        file.register(units)
        for wanted in reversed(units) if backwards else units:
            rows = [row._replace(label=label) for row in rows_for(wanted, *values)]
            file.commit([(wanted.key, rows)], NOON)
    return path


def read(path, kind):
    """Give a file's rows as dictionaries."""
    if kind == "jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    if kind == "csv":
        with path.open(newline="") as file:
            return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]
    if kind == "parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM rows")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_written_in_plan_order(kind, tmp_path):
    """With the columns that are promised, and the values as they were sent."""
    ledger = filled(tmp_path / "ledger")
    assert write_output(ledger, tmp_path / "out", kind) == 9
    rows = read(tmp_path / "out" / f"rows.{kind}", kind)
    assert tuple(rows[0]) == Row._fields
    assert [row["app"] for row in rows] == ["one"] * 3 + ["two"] * 3 + ["three"] * 3
    assert [row["value"] and float(row["value"]) for row in rows[:3]] == [1, 2.5, None]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["rows.about.json", f"rows.{kind}"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [OutputOptions(), WITH_TIMES])
def test_the_same_rows_make_the_same_bytes(kind, options, tmp_path):
    """In whatever order they came."""
    written = []
    for name in ("first", "second"):
        ledger = filled(tmp_path / name, backwards=name == "second")
        write_output(ledger, tmp_path / f"{name}-out", kind, options)
        written.append((tmp_path / f"{name}-out" / f"rows.{kind}").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("kind", KINDS)
def test_times_are_written_only_where_they_are_asked_for(kind, tmp_path):
    """As a last column."""
    write_output(filled(tmp_path / "ledger"), tmp_path, kind, WITH_TIMES)
    rows = read(tmp_path / f"rows.{kind}", kind)
    assert list(rows[0])[-1] == "fetched_at"
    assert {row["fetched_at"] for row in rows} == {NOON.isoformat()}


def test_the_convention_of_days_is_named(tmp_path):
    """Beside every output, and inside those formats that have room for it."""
    ledger = filled(tmp_path / "ledger")
    for kind in KINDS:
        write_output(ledger, tmp_path, kind)
    about = json.loads((tmp_path / "rows.about.json").read_text())
    assert tuple(about) == Row._fields
    assert "point i" in about["query"]
    schema = pyarrow.parquet.read_schema(tmp_path / "rows.parquet")
    assert schema.metadata[b"about.query"].decode() == about["query"]
    with closing(sqlite3.connect(tmp_path / "rows.sqlite")) as connection:
        assert dict(connection.execute("SELECT * FROM about"))["query"] == about["query"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_are_made_inert_unless_told_otherwise(sign, tmp_path):
    """In CSV alone: no spreadsheet opens the others by itself."""
    ledger, text = filled(tmp_path / "ledger", label=f"{sign}1+1"), f"{sign}1+1"
    write_output(ledger, tmp_path, "csv")
    assert {row["label"] for row in read(tmp_path / "rows.csv", "csv")} == {f"'{text}"}
    write_output(ledger, tmp_path, "csv", OutputOptions(is_inert=False))
    assert {row["label"] for row in read(tmp_path / "rows.csv", "csv")} == {text}
    write_output(ledger, tmp_path, "jsonl")
    assert {row["label"] for row in read(tmp_path / "rows.jsonl", "jsonl")} == {text}


def test_negative_numbers_stay_numbers(tmp_path):
    """Only text can be a formula of the service's."""
    write_output(filled(tmp_path / "ledger", values=(-1,)), tmp_path, "csv")
    assert {row["value"] for row in read(tmp_path / "rows.csv", "csv")} == {"-1"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_leaves_the_old_file(kind, tmp_path):
    """Nothing half written is left, and the error says that nothing is lost."""
    ledger, out = filled(tmp_path / "ledger"), tmp_path / "out"
    write_output(ledger, out, kind)
    before = {each.name: each.read_bytes() for each in out.iterdir()}
    larger = filled(tmp_path / "larger", values=range(5_000), label="text" * 10)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        with pytest.raises(LedgerError, match=r"cannot write in .* The ledger has all"):
            write_output(larger, out, kind)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {each.name: each.read_bytes() for each in out.iterdir()} == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_ledger_makes_an_empty_table(kind, tmp_path):
    """With its columns where the format has them."""
    LedgerFile.open(tmp_path / "ledger").close()
    assert write_output(tmp_path / "ledger", tmp_path, kind) == 0
    assert read(tmp_path / f"rows.{kind}", kind) == []


def test_without_the_extra_nothing_is_written_and_the_error_names_it(tmp_path, monkeypatch):
    """Whoever has not installed what Parquet needs is told how to."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ledger = filled(tmp_path / "ledger")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'apteligent-async\[arrow\]'"):
        write_output(ledger, tmp_path / "out", "parquet")
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_ledger_nothing_is_written(tmp_path):
    """Not even a folder."""
    with pytest.raises(LedgerError, match="cannot read the ledger"):
        write_output(tmp_path / "missing", tmp_path / "out", "csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow_with_the_rows(kind, tmp_path):
    """Not a tenth of them is ever held at once."""
    ledger = filled(tmp_path / "ledger", values=range(8_000), label="a label of usual length")
    write_output(ledger, tmp_path, kind)
    tracemalloc.start()
    try:
        write_output(ledger, tmp_path, kind)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
