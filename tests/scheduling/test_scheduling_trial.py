"""Calls that may be refused: when one is risked, what its end settles, and what that is worth."""

from __future__ import annotations

import math
from random import Random

import pytest
from attrs import evolve

from apteligent_async import ConfigurationError
from apteligent_async._scheduling.budget import Budget
from apteligent_async._scheduling.decisions import starts_at
from apteligent_async._scheduling.fleet import Fleet
from apteligent_async._scheduling.policy import RatePolicy
from apteligent_async._scheduling.readings import Span, Unit
from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import Cause, Job, Reading
from apteligent_async._scheduling.trial import TRIALS, Trial
from benchmarks.meters import FixedWindow, Gcra, LazyWindow, SlidingCounter
from benchmarks.player import Client, Player
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect, Server

PAST = -math.inf
NOW = 1000.0


def books(*, left=3, is_alone=True, **windows):
    """Make books of a window that ends in 60 s, where one call is left if the headers count their own, else none."""
    budget = Budget(is_alone=is_alone, trial=Trial(left=left))
    state = {
        "ends": Span(1060.0, 1062.0),
        "refills": True,
        "stated_until": 1062.0,
        "_forbidden_until": 1062.0,
        **windows,
    }
    for name, value in state.items():
        setattr(budget.windows, name, value)
    for view in budget.views:
        view.left = view.most = 1 if view.hypothesis.includes_call else 0
    budget._tally()
    return budget


def opens_at(budget, cost=1, *, now=NOW):
    """Say from when a call may start, proven or not."""
    at, _ = starts_at(RatePolicy(reserve=0), budget, Job(cost=cost), wanted=1.0, last_at=PAST, jitter=0.0, now=now)
    return at


def test_a_call_is_risked_just_before_the_reset():
    """Where it costs a few seconds; on a slow link earlier, as it must be answered before."""
    budget = books()
    assert opens_at(budget) == 1056.0
    assert budget.opens_at(1) == 1062.0, "it is proven only then"
    assert budget.obstacle(now=NOW) is Cause.LATE_LOOK
    budget.trip_s = 5.0
    assert opens_at(budget) == 1040.0


@pytest.mark.parametrize(("now", "at"), [(1056.0, 1056.0), (1058.0, 1056.0), (1058.1, 1062.0), (1061.0, 1062.0)])
def test_it_is_not_risked_so_late_that_the_next_window_may_be_charged(now, at):
    """Nobody could tell what its answer means."""
    assert opens_at(books(), now=now) == at


@pytest.mark.parametrize(
    "state",
    [
        {"left": 0},
        {"refills": None},
        {"refills": None, "has_stood": True},
        {"refills": False},
        {"is_moving": True},
        {"is_disturbed": True},
    ],
)
def test_nothing_is_risked_where_it_would_settle_nothing(state):
    """Nor where windows were not seen to begin anew, or a refusal has put this one off."""
    assert opens_at(books(**state)) >= 1062.0


def test_nothing_is_risked_behind_a_shut_gate_or_where_others_spend():
    """The first is shut until the reset, and in the second case nobody knows who was charged."""
    budget = books()
    budget.gate.shut(1062.0)
    assert opens_at(budget) == 1062.0
    budget = books()
    budget.views[0]._wary = 1
    assert opens_at(budget) == 1062.0
    budget = books()
    budget.gate.pause(1057.0)
    assert opens_at(budget) == 1057.0, "nor in a pause"


@pytest.mark.parametrize(
    ("most", "remaining", "counts"), [(0, 0, {True}), (0.9, 5, {True}), (1, 5, {True, False}), (1, 0, {True})]
)
def test_a_reading_that_did_not_rule_the_call_out_is_wrong_only_if_nothing_is_left_after_it(most, remaining, counts):
    """A call that is not counted yet would be left itself."""
    budget, job = books(), Job()
    for view in budget.views:
        view.most = max(view.most, most)
    job.granted_at = 1056.0
    assert opens_at(budget) == 1056.0
    budget.take(1, now=1056.0)
    budget.answer(job, evolve(NUMBERS, remaining=float(remaining), limit=60.0), now=1056.2)
    assert {view.hypothesis.includes_call for view in budget.alive() if view.hypothesis.unit is Unit.COUNT} == counts


def test_dear_calls_are_not_risked():
    """A service may let one pass that it cannot pay for, as something is left."""
    budget = books()
    for view in budget.views:
        view.left = view.most = view.left + 1
    budget._tally()
    assert opens_at(budget, 1) == PAST
    assert opens_at(budget, 2) == 1066.5


NUMBERS = Reading(limit=20.0, remaining=0.0, reset_s=4.0)


def risked(end, *, is_alone=True):
    """Risk a call and let it end somehow; give what is left of the readings, and the books."""
    budget, job = books(is_alone=is_alone), Job()
    job.granted_at = 1056.0
    budget.take(1, now=1056.0)
    assert (budget.left, budget.trial.left) == (0, 2)
    end(budget, job)
    assert not budget.trial.foretold
    return {view.hypothesis.includes_call for view in budget.alive()}, budget


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_call_that_is_allowed_was_counted(is_alone):
    """Whoever shares the budget: the headers that ruled it out were read wrongly."""
    counts, budget = risked(lambda budget, job: budget.answer(job, NUMBERS, now=1056.2), is_alone=is_alone)
    assert counts == {True}
    assert opens_at(budget, now=1056.2) >= 1061.0, "nothing is left to be settled"


def test_a_call_that_is_refused_was_not_there():
    """The gate shuts as after any refusal, but nothing else is doubted."""
    counts, budget = risked(lambda budget, job: budget.refuse(job, NUMBERS, now=1056.2))
    assert counts == {False}
    assert budget.is_gated
    assert budget.openings.may_infer


def test_where_others_may_have_taken_it_two_refusals_say_so():
    """One may be anybody's work."""
    counts, budget = risked(lambda budget, job: budget.refuse(job, NUMBERS, now=1056.2), is_alone=False)
    assert counts == {True, False}
    assert [view.strikes for view in budget.views] == [int(view.hypothesis.includes_call) for view in budget.views]


@pytest.mark.parametrize(
    "end",
    [
        lambda budget, job: budget.lose(job, now=1056.2),
        lambda budget, job: budget.answer(job, None, now=1056.2),  # from something before the service
        lambda budget, job: budget.refuse(job, None, now=1056.2),
        lambda budget, job: budget.answer(job, NUMBERS, now=1060.1),  # the next window may have been charged
        lambda budget, job: budget.refuse(job, NUMBERS, now=1060.1),
    ],
)
def test_an_end_that_may_mean_anything_settles_nothing(end):
    """No reading is ruled out by it."""
    counts, budget = risked(end)
    assert counts == {True, False}
    assert all(view.strikes == 0 for view in budget.views)


def test_a_call_that_never_left_was_not_risked():
    """What it would have settled is asked again, and nothing is proven of it."""
    counts, budget = risked(lambda budget, job: budget.give_back(job.cost))
    assert counts == {True, False}
    assert (budget.left, budget.live, budget.trial.left) == (0, 0, 3)
    assert opens_at(budget, now=1056.1) == 1056.0


def test_another_call_s_end_is_not_that_of_the_risked_one():
    """Nor is that of a window that begins beside it."""
    budget, other = books(), Job()
    other.granted_at = 1000.0
    budget.live = 1
    assert opens_at(budget) == math.inf
    budget.live = 0
    budget.take(1, now=1056.0)
    budget.live += 1
    budget.answer(other, NUMBERS, now=1056.1)
    assert budget.trial.foretold
    assert len(budget.alive()) == 4
    budget._open_window(1, now=1063.0)
    assert not budget.trial.foretold


def test_a_refusal_that_puts_the_reset_off_does_not_make_windows_move():
    """Some services do so with every call that they refuse."""
    _, budget = risked(lambda budget, job: budget.refuse(job, evolve(NUMBERS, reset_s=34.0), now=1056.2))
    assert not budget.windows.is_moving
    assert budget.reopens_at == pytest.approx(1091.2)


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
    taught, _ = served(server, calls=200, policy=CALIBRATING)
    assert server.refused == taught.budget.refusals == int(is_before)
    settled = {view.hypothesis.includes_call for view in taught.budget.alive()}
    assert settled == {not is_before}

    server = a_server(**likeness, **window)
    _, short_s = served(server, calls=160, policy=ALONE, learned=taught.learned())
    assert server.refused == 0
    assert short_s < 912.0


@pytest.mark.parametrize("is_before", [True, False])
@pytest.mark.parametrize("meter", [Gcra, SlidingCounter])
def test_nothing_is_risked_where_tokens_come_back_one_by_one(meter, is_before):
    """There is no last call of a window."""
    window = {"burst": 10} if meter is Gcra else {}
    server = a_server(is_speed=False, is_before=is_before, meter=meter, **window)
    brain, _ = served(server, calls=160, policy=CALIBRATING)
    assert brain.budget.trial.left == TRIALS
    assert server.refused == 0
