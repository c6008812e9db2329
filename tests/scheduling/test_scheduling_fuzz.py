"""A short fuzz over the proof kit's zoo: servers with windows and no trouble never refuse anything avoidable."""

from __future__ import annotations

from itertools import count, islice

import pytest
from effort import FUZZ_RUNS

from benchmarks import fuzz
from benchmarks.cases import draw_case, draw_weighted
from benchmarks.core import new_brain


def cases():
    """Draw cases of fixed and lazily started windows in which nothing goes wrong."""
    drawn = (draw_case("suite", number, most_calls=150) for number in count())
    return (case for case in drawn if case.kind in ("fixed", "lazy") and not case.troubles)


def weighted():
    """Draw cases of any server in which nothing goes wrong, and calls cost up to eight tokens.

    A log of calls gives tokens back as they were spent, and its resets tell of the first only.
    """
    drawn = (draw_weighted("suite", number, most_calls=150) for number in count())
    return (case for case in drawn if case.dearest > 1 and not case.troubles and case.kind != "sliding log")


def test_dear_calls_are_not_refused_either():
    """Wherever tokens come back one by one, a reset is not enough for several."""
    runs = [fuzz.play(case, new_brain("exclusive")) for case in islice(weighted(), FUZZ_RUNS // 2)]
    assert [run.case for run in runs if run.avoidable] == []
    assert [run.broken for run in runs if run.broken] == []


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_nothing_avoidable_is_refused(mode):
    """In a few hundred runs of any budget, window, rounding and jitter there is no avoidable 429, and all calls end."""
    runs = [fuzz.play(case, new_brain(mode)) for case in islice(cases(), FUZZ_RUNS)]
    assert [run.broken for run in runs if run.broken] == []
    assert [run.case for run in runs if run.avoidable] == []
    assert [run.case for run in runs if run.cold > 1] == []
    assert [run.case for run in runs if run.is_wrong] == []
