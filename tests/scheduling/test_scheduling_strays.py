"""Answers that do not fit: late ones, ones that cannot be true, and ones that speak of somebody else's calls."""

from __future__ import annotations

import pytest
from attrs import evolve
from scripts import Row, play

from apteligent_async import ConfigurationError
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.learned import learn, recall
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Unit
from apteligent_async._scheduling.signals import Job, Reading
from apteligent_async._scheduling.views import views_of


def sent(budget, *, at, cost=1):
    """Start a call."""
    job = Job(cost=cost)
    job.granted_at = at
    budget.take(cost, now=at)
    return job


def answered(*, hypotheses=ALL_HYPOTHESES, is_alone=False, remaining=15.0, reset_s=10.0):
    """Make books that have heard one answer, at 0.2, of a window that ends by 11.2."""
    budget = Budget(is_alone=is_alone, views=views_of(hypotheses))
    budget.answer(sent(budget, at=0.0), Reading(limit=100, remaining=remaining, reset_s=reset_s), now=0.2)
    return budget


@pytest.mark.parametrize("has_stood", [False, True])
def test_an_answer_that_comes_too_late_proves_nothing_and_costs_a_token(has_stood):
    """Nobody knows in which window it was counted; where windows are not sure to stand, in the next one too."""
    budget = answered()
    late = sent(budget, at=1.0)
    budget.windows.has_stood = has_stood
    before, ends = [view.left for view in budget.views], budget.ends
    budget.answer(late, Reading(limit=100, remaining=90, reset_s=50), now=30.0)
    assert [view.left for view in budget.views] == [max(left - 1, 0) for left in before]
    assert (budget.live, budget.ends, budget.windows.is_disturbed) == (0, ends, True)
    assert budget.outlay.blind == (0 if has_stood else 1)


def test_a_refusal_that_comes_too_late_shuts_no_gate_and_costs_a_token():
    """The window that it speaks of is over, and nobody knows in which its call was counted."""
    budget = answered()
    late = sent(budget, at=1.0)
    before = budget.left
    budget.refuse(late, Reading(limit=100, reset_s=0, actual=101, remaining=0), now=30.0)
    assert (budget.refusals, budget.live, budget.own, budget.is_gated) == (1, 0, 2, False)
    assert budget.left == before, "or each of many late refusals would send another call"


def test_a_refusal_within_what_was_proven_is_somebody_else_s_work():
    """Unless one is promised to be alone: then every way of reading the numbers is possible again instead."""
    for is_alone, peers in ((False, 4), (True, 1)):
        budget = answered(is_alone=is_alone)
        budget.views[0].rule_out()
        budget.refuse(sent(budget, at=1.0), Reading(limit=100, reset_s=9, actual=101, remaining=0), now=1.2)
        assert (budget.company.peers, budget.is_gated, budget.left) == (peers, True, 0)
        assert all(view.is_alive for view in budget.views)


def test_numbers_that_no_reading_explains_end_no_reading():
    """Some reading must be the true one, so all are possible again, and what was learned under them is not kept."""
    counts = [each for each in ALL_HYPOTHESES if each.unit is Unit.COUNT]
    budget = answered(hypotheses=counts, is_alone=True)
    for view in budget.views:
        view.budget_lo = 15
    budget.answer(sent(budget, at=1.0), Reading(limit=100, remaining=3.5, reset_s=9), now=1.2)
    assert all(view.is_alive for view in budget.views)
    assert {view.budget_lo for view in budget.views} == {0}


def test_a_reading_that_was_never_learned_begins_without_prejudice():
    """Where an earlier version knew fewer ways to read, the new ones are neither trusted nor ruled out."""
    budget = answered()
    for view in budget.views:
        view.budget_lo = 15
    known = learn(budget)
    fresh = Budget(views=views_of(ALL_HYPOTHESES))
    recall(evolve(known, views=known.views[:2]), fresh)
    assert [view.budget_lo for view in fresh.views] == [15, 15, *[0] * (len(ALL_HYPOTHESES) - 2)]


@pytest.mark.parametrize("wrong", [-1, 1.5, True, None, "5"])
def test_an_estimate_is_for_a_number_of_calls(wrong):
    """Anything else is refused; for no call there is no wait."""
    snapshot = play(RatePolicy(mode="exclusive"), [Row(0, "submit a", "a")]).scheduler.snapshot(now=0)
    with pytest.raises(ConfigurationError, match="n_calls"):
        snapshot.eta(wrong)
    assert snapshot.eta(0) == 0.0


def test_a_polite_line_s_estimate_is_spread_over_the_windows():
    """Ten calls more take half a window longer where a window holds twenty."""
    polite = RatePolicy(mode="polite", reserve=0)
    snapshot = play(polite, [Row(0, "submit a", "a"), Row(0.2, "ok a L=20 V=1 R=60")]).scheduler.snapshot(now=1)
    assert snapshot.eta(15) - snapshot.eta(5) == pytest.approx(30, abs=3)
