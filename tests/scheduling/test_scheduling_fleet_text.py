"""A fleet's state as a text: it comes back as it was, and nothing of it is lost between two steps."""

from __future__ import annotations

import json
import math

import pytest

from apteligent_async import RatePolicy
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.fleet import Fleet, Member, News, Step
from apteligent_async._scheduling.fleet_text import FORMAT, advance, fleet_of, text_of
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Span, Unit
from apteligent_async._scheduling.signals import Job, Reading, Succeeded
from apteligent_async._scheduling.views import views_of

STEP = Step(member="me", policy=RatePolicy(mode="exclusive"), host="h", pid=7, cost=1, wanted=(0, 0, 2, 0))


def eventful():
    """Make a state in which everything has happened."""
    budget = Budget(limit=60.0, views=views_of(ALL_HYPOTHESES))
    for at, reset_s in ((1.0, 30.0), (2.0, 29.0), (40.0, 60.0)):
        job = Job()
        job.granted_at = at
        budget.take(1, now=at)
        budget.answer(job, Reading(limit=60, remaining=20, reset_s=reset_s), now=at + 0.5)
    budget.take(2, now=41.0)
    budget.lose(Job(cost=1), now=42.0)
    members = {
        "me": Member("h", 7, epoch=3, held=1, wanted=(0, 1, 2, 3), tag=4.5, seen_at=41.0, asks_at=43.0, given=9),
        "you": Member("elsewhere", 8),
    }
    return Fleet(budget, members, "c", 42.0, virtual=4.5, passes=2, epochs=3, last_at=41.0, trip_s=0.25)


def test_a_state_comes_back_as_it_was():
    """With every number, name, span and member of it, and of the same types."""
    fleet = eventful()
    again = fleet_of(text_of(fleet))
    assert again == fleet
    assert isinstance(again.members["me"].wanted, tuple)
    assert isinstance(again.budget.views, tuple)
    assert all(isinstance(view.hypothesis, Hypothesis) for view in again.budget.views)
    assert {view.hypothesis.unit for view in again.budget.views} == set(Unit)
    assert isinstance(again.budget.ends, Span)
    assert again.budget.outlay.stragglers == [(72.0, 1)]
    assert isinstance(again.budget.outlay.stragglers[0], tuple)


def test_an_empty_state_comes_back_as_it_was():
    """What is unknown stays unknown, and what is infinite infinite."""
    again = fleet_of(text_of(Fleet()))
    assert again == Fleet()
    assert (again.budget.ends, again.stamped_at) == (None, -math.inf)


def test_what_is_frozen_stays_so():
    """Coming back is no way to change a span."""
    again = fleet_of(text_of(eventful()))
    with pytest.raises(AttributeError):
        again.budget.ends.lo = 0.0


def test_a_text_is_small_and_names_nothing_but_members():
    """It is lists, without a blank."""
    text = text_of(eventful())
    assert " " not in text
    assert isinstance(json.loads(text), list)
    assert set(json.loads(text)[1]) == {"me", "you"}
    assert len(text) < 1500


def test_a_text_of_other_fields_is_not_taken_for_one():
    """Neither with one too many nor with one too few: versions of other fields keep apart by `FORMAT`."""
    values = json.loads(text_of(Fleet()))
    for wrong in (values[:-1], [*values, 0]):
        with pytest.raises(ValueError, match="zip"):
            fleet_of(json.dumps(wrong))
    assert len(FORMAT) == 8
    assert int(FORMAT, 16) >= 0


def test_the_first_step_opens_books_of_the_hypotheses_that_it_is_given():
    """And takes the clock that it is told."""
    text, (granted, fleet) = advance(None, STEP, hypotheses=ALL_HYPOTHESES[:1], clock="c", now=5.0)
    assert [view.hypothesis for view in fleet.budget.views] == [ALL_HYPOTHESES[0]]
    assert (granted.tokens, fleet.clock, fleet.stamped_at) == (1, "c", 5.0)
    assert fleet_of(text) == fleet


def test_a_further_step_goes_on_from_the_text():
    """The hypotheses count no more; members and their tokens are there."""
    text, (first, _) = advance(None, STEP, hypotheses=ALL_HYPOTHESES[:1], clock="c", now=5.0)
    news = (News(1, 5.25, Succeeded(reading=Reading(limit=60, remaining=59, reset_s=60))),)
    second = Step(member="me", policy=STEP.policy, epoch=first.epoch, news=news)
    text, (_, fleet) = advance(text, second, hypotheses=ALL_HYPOTHESES, clock="c", now=6.0, blur_s=0.25)
    assert len(fleet.budget.views) == 1
    assert (fleet.members["me"].held, fleet.stamped_at) == (0, 6.0)
    assert fleet.trip_s == pytest.approx((6.25 - 5.25) / 8)
    assert fleet_of(text) == fleet


def test_a_step_on_another_clock_begins_anew():
    """The clock that is told counts, not the text's."""
    text, _ = advance(None, STEP, hypotheses=ALL_HYPOTHESES, clock="c", now=5.0)
    _, (granted, fleet) = advance(text, STEP, hypotheses=ALL_HYPOTHESES, clock="next", now=1.0)
    assert (granted.tokens, fleet.clock, fleet.stamped_at) == (1, "next", 1.0)
