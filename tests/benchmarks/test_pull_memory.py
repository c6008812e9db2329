"""The memory benchmark in short: the long form is ``python -m benchmarks.memory --json``."""

from __future__ import annotations

import json

import pytest

from benchmarks.memory import main


@pytest.mark.parametrize(("plan", "is_a_row_a_unit"), [("graphs", True), ("everything", False)])
def test_it_counts_what_came(plan, is_a_row_a_unit, capsys):
    """One JSON object on the last line; of graphs alone, every point is a unit of its own."""
    main(["--plan", plan, "--apps", "1", "--json"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["rows"] == figures["units"]) is is_a_row_a_unit
    assert figures["rows"] >= figures["units"] > figures["calls"] > 0
    assert figures["peak_mb"] >= figures["idle_mb"] > 0
