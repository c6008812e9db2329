"""A short fuzz over the proof kit's zoo: servers with windows and no trouble never refuse anything avoidable."""

from __future__ import annotations

from itertools import count, islice

import pytest
from effort import FUZZ_RUNS

from benchmarks import fuzz
from benchmarks.cases import draw_case
from benchmarks.core import new_brain


def cases():
    """Draw cases of fixed and lazily started windows in which nothing goes wrong."""
    drawn = (draw_case("suite", number, most_calls=150) for number in count())
    return (case for case in drawn if case.kind in ("fixed", "lazy") and not case.troubles)


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_nothing_avoidable_is_refused(mode):
    """In a few hundred runs of any budget, window, rounding and jitter there is no avoidable 429, and all calls end."""
    runs = [fuzz.play(case, new_brain(mode)) for case in islice(cases(), FUZZ_RUNS)]
    assert [run.broken for run in runs if run.broken] == []
    assert [run.case for run in runs if run.avoidable] == []
    assert [run.case for run in runs if run.cold > 1] == []
    assert [run.case for run in runs if run.is_wrong] == []
