"""The kill test in short: the long form is ``python -m benchmarks.killtest --kills 100``."""

from __future__ import annotations

from benchmarks.killtest import kill_often


def test_a_pull_that_is_killed_again_and_again_loses_nothing():
    """The output is that of an undisturbed pull, and no unit that was kept is asked for again."""
    figures = kill_often(5, apps=3)
    assert (figures.kills, figures.identical, figures.refetched) == (5, True, 0)
    assert (figures.lost, figures.corrupt) == (0, 0)
