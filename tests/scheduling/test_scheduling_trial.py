"""Calls that may be refused: when one is risked, what its end settles, and what that is worth."""

from __future__ import annotations

import math
from random import Random

import pytest

from apteligent_async import ConfigurationError
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.fleet import Fleet
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Span
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Cause, Job
from apteligent_async._scheduling.trial import TRIALS, Trial
from benchmarks.meters import FixedWindow, Gcra, LazyWindow, SlidingLog
from benchmarks.player import Client, Player
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect, Server

PAST = -math.inf
NOW = 1000.0


def books(*, left=3, is_alone=True, **windows):
    """Make books of a window that ends in 60 s, where one call is left if the headers count their own, else none."""
    budget = Budget(is_alone=is_alone, trial=Trial(left=left))
    state = {"ends": Span(1060.0, 1062.0), "has_stood": True, "_latest": 1062.0, "_forbidden_until": 1062.0, **windows}
    for name, value in state.items():
        setattr(budget.windows, name, value)
    for view in budget.views:
        view.left = view.most = 1 if view.hypothesis.includes_call else 0
    budget._tally()
    return budget


def test_a_call_is_risked_just_before_the_reset():
    """Where it costs a few seconds at most; on a slow link earlier, as it must be counted before."""
    budget = books()
    assert budget.opens_at(1) == 1056.0
    assert budget.obstacle(now=NOW) is Cause.LATE_LOOK
    budget.trip_s = 5.0
    assert budget.opens_at(1) == 1050.0


@pytest.mark.parametrize(
    "state",
    [
        {"left": 0},
        {"has_stood": False},
        {"has_stood": False, "refills": False},
        {"is_moving": True},
        {"is_disturbed": True},
    ],
)
def test_nothing_is_risked_where_it_would_settle_nothing(state):
    """Nor where there may be no windows, or a refusal has put one off."""
    assert books(**state).opens_at(1) >= 1062.0


def test_a_window_that_began_anew_stands():
    """Even if no two of its answers lie apart."""
    assert books(has_stood=False, refills=True).opens_at(1) == 1056.0


def test_nothing_is_risked_behind_a_shut_gate_or_where_others_spend():
    """The first is shut until the reset, and in the second case nobody knows who was charged."""
    budget = books()
    budget.gate.shut(1062.0)
    assert budget.opens_at(1) == 1062.0
    budget = books()
    budget.views[0]._wary = 1
    assert budget.opens_at(1) == 1062.0


@pytest.mark.parametrize(("most", "at"), [(0, 1056.0), (0.9, 1056.0), (1, 1062.0)])
def test_only_a_reading_that_rules_the_call_out_can_be_proven_wrong_by_it(most, at):
    """One that merely does not prove it says nothing."""
    budget = books()
    for view in budget.views:
        if not view.hypothesis.includes_call:
            view.most = most
    assert budget.opens_at(1) == at


def test_a_dear_call_settles_as_much():
    """If it is dearer than one reading proves and another allows."""
    budget = books()
    for view in budget.views:
        view.left = view.most = view.left + 2
    budget._tally()
    assert budget.opens_at(2) == PAST
    assert budget.opens_at(3) == 1056.0
    assert budget.opens_at(4) == 1062.0


def risked(*, is_alone=True, end):
    """Risk a call and let it end somehow; give the readings that are left, and the books."""
    budget, job = books(is_alone=is_alone), Job()
    job.granted_at = 1056.0
    budget.take(1, now=1056.0)
    assert budget.left == 0
    assert budget.trial.left == 2
    end(budget, job)
    assert budget.trial.foretold == ()
    return {view.hypothesis.includes_call for view in budget.alive()}, budget


def test_a_call_that_is_allowed_was_counted():
    """Whoever shares the budget: the headers that ruled it out were read wrongly."""
    for is_alone in (True, False):
        counts, budget = risked(is_alone=is_alone, end=lambda budget, job: budget.answer(job, None, now=1056.2))
        assert counts == {True}
        assert budget.opens_at(1) >= 1062.0, "nothing is left to be settled"


def test_a_call_that_is_refused_was_not_there():
    """The gate shuts as after any refusal, but nothing else is doubted."""
    counts, budget = risked(end=lambda budget, job: budget.refuse(job, None, now=1056.2))
    assert counts == {False}
    assert budget.is_gated
    assert budget.windows.has_stood


def test_where_others_may_have_taken_it_two_refusals_say_so():
    """One may be anybody's work."""
    counts, budget = risked(is_alone=False, end=lambda budget, job: budget.refuse(job, None, now=1056.2))
    assert counts == {True, False}
    assert [view.strikes for view in budget.views] == [int(view.hypothesis.includes_call) for view in budget.views]


def test_a_call_whose_answer_is_lost_settles_nothing():
    """It is not risked again before the next one."""
    counts, budget = risked(end=lambda budget, job: budget.lose(job, now=1056.2))
    assert counts == {True, False}
    assert all(view.strikes == 0 for view in budget.views)


def test_nothing_is_risked_unless_asked_for():
    """Not by default, and not by the books of a store."""
    assert Scheduler(RatePolicy(mode="exclusive")).budget.trial.left == 0
    assert Scheduler(RatePolicy(mode="exclusive", calibrate=True)).budget.trial.left == TRIALS
    assert Fleet(budget=Budget()).budget.trial.left == 0


@pytest.mark.parametrize("value", [1, "yes", 0.5])
def test_it_is_a_matter_of_yes_or_no(value):
    """Nothing else is guessed at."""
    with pytest.raises(ConfigurationError, match="calibrate= must be True or False"):
        RatePolicy(calibrate=value)


def served(server, *, calls, policy, learned=None):
    """Serve calls over a quick link; give the scheduler and the seconds that it took."""
    brain = Scheduler(policy, learned=learned)
    client = Client(brain)
    player = Player(server=server, link=Link(up_s=0.1, down_s=0.1), dice=Random("1"), now=NOW, horizon_at=NOW + 1e6)
    player.submit(client, [Job() for _ in range(calls)])
    player.run()
    return brain, client.done_at - NOW


def a_server(*, is_speed, is_before, meter=LazyWindow, remaining="floor", **window):
    """Make a server of forty calls in five minutes."""
    return Server(
        meter=meter(budget=40, window_s=300.0, **window),
        dialect=Dialect(is_speed=is_speed, is_before=is_before, remaining=remaining),
        dice=Random("1"),
    )


CALIBRATING = RatePolicy(mode="exclusive", reserve=0, calibrate=True)
ALONE = RatePolicy(mode="exclusive", reserve=0)


@pytest.mark.parametrize("is_before", [True, False])
@pytest.mark.parametrize("is_speed", [True, False])
@pytest.mark.parametrize("meter", [LazyWindow, FixedWindow])
def test_one_refusal_buys_the_last_call_of_every_window(meter, is_speed, is_before):
    """Without it, four windows of forty do not hold what they hold; once it is known, they do."""
    likeness = {"is_speed": is_speed, "is_before": is_before, "meter": meter}
    window = {"began_at": NOW} if meter is FixedWindow else {}
    cautious, long_s = served(a_server(**likeness, **window), calls=160, policy=ALONE)
    assert cautious.budget.refusals == 0
    assert long_s > 1200.0 or is_before

    server = a_server(**likeness, **window)
    taught, _ = served(server, calls=120, policy=CALIBRATING)
    assert server.refused == taught.budget.refusals == int(is_before)
    settled = {view.hypothesis.includes_call for view in taught.budget.alive()}
    assert settled == {not is_before}

    server = a_server(**likeness, **window)
    _, short_s = served(server, calls=160, policy=ALONE, learned=taught.learned())
    assert server.refused == 0
    assert short_s < 912.0


@pytest.mark.parametrize("meter", [Gcra, SlidingLog])
def test_nothing_is_risked_where_tokens_come_back_one_by_one(meter):
    """There is no last call of a window."""
    window = {"burst": 10} if meter is Gcra else {}
    server = a_server(is_speed=False, is_before=False, meter=meter, **window)
    served(server, calls=160, policy=CALIBRATING)
    assert server.refused == 0
