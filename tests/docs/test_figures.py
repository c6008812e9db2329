"""The figures that documents state are those of this code."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from benchmarks.makespan import measure_ours
from benchmarks.scenarios import SCENARIOS

ROOT = Path(__file__).parents[2]
MODES = ROOT / "docs" / "scheduler.md"
SITUATIONS = {
    "100 calls, 20 a minute, a fresh window": "idle",
    "100 calls, 20 a minute, into a window that is in use": "used",
    "2,000 calls, 600 a minute": "fast",
    "200 calls, 60 a minute, a link that delays by up to 1.5 s": "jitter",
    "250 calls, 100 in five minutes": "long",
}


@cache
def ratio(mode, scenario):
    """Play a scenario, once."""
    return measure_ours(mode, SCENARIOS[scenario]).ratio


def row_of(page, first):
    """Give the cells of the table's row that begins with these words, without them."""
    [line] = [line for line in page.read_text().splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("| ").split("|")[1:]]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_modes_cost_what_the_guide_says(situation):
    """Whoever chooses a mode by the table gets what it promises, to a hundredth of the shortest time."""
    measured = [ratio(mode, SITUATIONS[situation]) for mode in ("exclusive", "shared", "polite")]
    assert [float(cell) for cell in row_of(MODES, situation)] == pytest.approx(measured, abs=0.01)


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_the_introduction_says_the_same_of_ours(mode):
    """The figures that stand beside those of others are no better than they are, and nobody was refused for them."""
    *alone, _ = row_of(ROOT / "README.md", f"ours, `{mode}`")
    told = [re.fullmatch(r"([\d.]+), none", cell)[1] for cell in alone]
    measured = [ratio(mode, scenario) for scenario in ("used", "fast", "long")]
    assert list(map(float, told)) == pytest.approx(measured, abs=0.01)
