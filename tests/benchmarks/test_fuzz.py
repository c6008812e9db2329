"""The fuzzer: it finds what is wrong, finds nothing in what is right, and says so in the promised form."""

from __future__ import annotations

import json
import math

import pytest
from brains import Reckless, Timid

from benchmarks import fuzz
from benchmarks.cases import START_AT, Case, draw_case, draw_cell
from benchmarks.core import new_brain
from benchmarks.meters import Refusals
from benchmarks.zoo import Dialect, Temper

INTERFACE = (
    "runs",
    "avoidable_429s",
    "cold_429s",
    "undecided",
    "wrong_verdicts",
    "worst_makespan_ratio",
    "median_makespan_ratio",
)


def plain(**changes):
    """Return a case without trouble: 30 calls against 10 a minute."""
    settings = {
        "number": 1,
        "kind": "fixed",
        "n": 30,
        "budget": 10,
        "window_s": 60.0,
        "dialect": Dialect(),
        "refusals": Refusals.FREE,
        "batches": ((0.0, 30),),
        "seed": "plain",
    }
    return Case(**{**settings, **changes})


def test_a_reckless_scheduler_is_convicted():
    """Sending everything at once against a tenth of it gives avoidable 429s."""
    run = fuzz.play(plain(), Reckless())
    assert run.avoidable > 20
    assert not run.broken


def test_a_timid_scheduler_is_convicted_of_its_one_refusal_per_window_only():
    """One call too many at the end of each window is counted as exactly that."""
    run = fuzz.play(plain(), Timid())
    opened = math.ceil((run.case.n - run.case.server().left(START_AT)) / run.case.budget)
    assert run.avoidable + run.cold == opened
    assert run.ratio == pytest.approx(run.makespan_s / run.bound_s)


def test_a_moody_server_is_to_blame_for_its_moods():
    """Spurious 429s are excused under their own name."""
    run = fuzz.play(plain(n=5, batches=((0.0, 5),), temper=Temper(spurious=0.5)), Timid())
    assert run.excused["spurious"] > 0
    assert run.avoidable == 0


def test_a_scheduler_that_fails_is_reported_and_not_propagated():
    """An exception inside the scheduler names its file and line in the run."""

    class Faulty(Timid):
        """Fails at its first answer."""

        def settle(self, job, outcome, *, now, dice):
            raise ZeroDivisionError("oops")

    run = fuzz.play(plain(), Faulty())
    assert "oops" in run.broken
    assert "test_fuzz.py:" in run.broken


def test_our_scheduler_is_acquitted_where_nothing_is_unusual():
    """On plain fixed windows of any age the exclusive mode earns no avoidable 429 and loses one window at most."""
    runs = [fuzz.play(plain(seed=f"plain {number}", number=number), new_brain("exclusive")) for number in range(40)]
    assert [run.broken for run in runs if run.broken] == []
    assert sum(run.avoidable for run in runs) == 0
    assert all(run.makespan_s - run.bound_s < 1.2 * run.case.window_s for run in runs)


def test_runs_repeat_exactly():
    """The same seed plays the same runs, to the last digit."""
    first, second = (
        [fuzz.play(draw_case("again", number), Timid()).makespan_s for number in range(20)] for _ in range(2)
    )
    assert str(first) == str(second)


def test_summary_adds_up_and_names_the_worst():
    """The report counts over all runs, and puts the run with the most avoidable 429s first."""
    runs = [fuzz.play(plain(number=number), brain) for number, brain in ((1, Timid()), (2, Reckless()))]
    report = fuzz.summarise(runs)
    assert report.runs == report.undecided == 2
    assert report.avoidable_429s == sum(run.avoidable for run in runs)
    assert report.avoidable_by_server == {"fixed": report.avoidable_429s}
    assert report.worst[0].startswith("#2 fixed")
    assert report.worst_makespan_ratio == pytest.approx(max(run.ratio for run in runs), abs=1e-4)


def test_short_form_prints_the_interface(capsys):
    """The last line is one JSON object that begins with the promised keys, in their order."""
    fuzz.main(["--runs", "12", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert tuple(found)[: len(INTERFACE)] == INTERFACE
    assert found["runs"] == 12


def test_a_replay_tells_its_story(capsys):
    """A replayed run prints its case, its events with the oracle's view, and its verdicts."""
    fuzz.main(["--replay", "3", "--trace"])
    said = capsys.readouterr().out
    assert said.startswith("Case(number=3")
    assert " sent " in said
    assert "truth: speed" in said


def test_goal_cells_are_what_the_goal_says():
    """Every cell has two budgets of calls or more, a window of a minute or more, and a round trip of W/100 at most."""
    for number in range(300):
        cell = draw_cell("goal", number)
        assert cell.n >= 2 * cell.budget
        assert cell.window_s >= 60
        assert 2 * cell.link.up_s <= cell.window_s / 100
        assert cell.is_clean


def test_goal_report_counts_lost_windows(capsys):
    """The goal's report gives both modes their ratios, in each state of knowledge, and names each lost window's run."""
    fuzz.main(["--zoo", "goal2", "--runs", "4", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    for mode in ("exclusive", "shared"):
        assert found[mode]["lost_windows"] == len(found[mode]["lost"])
        assert found[mode]["undecidable"] <= found[mode]["lost_windows"]
        for knowing in ("once_learned", "calibrating", "once_calibrated", "told"):
            assert 1 <= found[mode][knowing]["median"] <= found[mode][knowing]["worst"]


def test_lost_windows_are_those_that_cost_most_of_a_window():
    """A run is said to have lost a window if it took most of one longer than the bound."""
    run = fuzz.Run(case=plain(), bound_s=100.0, makespan_s=141.0)
    assert not run.has_lost_window
    run.makespan_s = 143.0
    assert run.has_lost_window
