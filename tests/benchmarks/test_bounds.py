"""The clairvoyant bounds against every schedule there is, on cases small enough to try them all."""

from __future__ import annotations

import copy
import itertools
import math
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.bounds import Trip, makespan_bound
from benchmarks.meters import FixedWindow, Gcra, LazyWindow, RunningAverage, SlidingCounter, SlidingLog

GRID_S = 0.5
SPAN = 18  # grid points that are tried
HORIZON_S = GRID_S * SPAN
TRIP = Trip(0.5, 0.25)
WINDOWS = st.sampled_from([1.0, 2.0, 3.0])


def is_served(meter, arrivals):
    """Say whether a server allows calls at all these instants."""
    for at in arrivals:
        if meter.left(at) < 1:
            return False
        meter.count(at)
    return True


def best_of_all_schedules(meter, n):
    """Try every non-decreasing vector of arrivals on the grid, soonest last arrival first."""
    instants = [TRIP.up_s + GRID_S * step for step in range(SPAN)]
    for last in instants:
        earlier = [at for at in instants if at <= last]
        for head in itertools.combinations_with_replacement(earlier, n - 1):
            if is_served(copy.deepcopy(meter), (*head, last)):
                return last + TRIP.down_s
    return math.inf


def bound(meter, n):
    """Return the closed form, with the meter left as it was."""
    return makespan_bound(copy.deepcopy(meter), now=0.0, n=n, trip=TRIP)


budgets = st.integers(1, 3)
counts = st.integers(1, 4)
ages = st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0]), max_size=2).map(lambda found: sorted(found, reverse=True))


@settings(deadline=None)
@given(budgets, WINDOWS, st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 3), counts)
def test_fixed_bound_is_what_the_best_schedule_takes(budget, window_s, gone_s, used, n):
    """No schedule beats the bound of a fixed window, and one attains it."""
    meter = FixedWindow(budget=budget, window_s=window_s, began_at=-gone_s, used=min(used, budget))
    best = best_of_all_schedules(meter, n)
    assert best == bound(meter, n) or (best == math.inf and bound(meter, n) > HORIZON_S)


@settings(deadline=None)
@given(budgets, WINDOWS, st.sampled_from([-1.0, 0.0, 0.5, 1.0]), st.integers(0, 3), counts)
def test_lazy_bound_is_what_the_best_schedule_takes(budget, window_s, ends_at, used, n):
    """No schedule beats the bound of a lazily opened window, and one attains it."""
    meter = LazyWindow(budget=budget, window_s=window_s, ends_at=ends_at, used=min(used, budget))
    best = best_of_all_schedules(meter, n)
    assert best == bound(meter, n) or (best == math.inf and bound(meter, n) > HORIZON_S)


@settings(deadline=None)
@given(budgets, WINDOWS, ages, counts)
def test_sliding_bound_is_what_the_best_schedule_takes(budget, window_s, ages_s, n):
    """No schedule beats the bound of a sliding log, and one attains it."""
    log = deque([-age_s for age_s in ages_s][:budget])
    meter = SlidingLog(budget=budget, window_s=window_s, log=log)
    best = best_of_all_schedules(meter, n)
    assert best == pytest.approx(bound(meter, n)) or (best == math.inf and bound(meter, n) > HORIZON_S)


@settings(deadline=None)
@given(budgets, st.sampled_from([0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0, 2.0]), counts)
def test_bucket_bound_is_what_the_best_schedule_takes(burst, drip_s, empty_s, n):
    """No schedule beats the bound of a token bucket, and one attains it."""
    meter = Gcra(budget=4, window_s=4 * drip_s, burst=burst, full_at=min(empty_s, burst * drip_s))
    best = best_of_all_schedules(meter, n)
    assert best == pytest.approx(bound(meter, n)) or (best == math.inf and bound(meter, n) > HORIZON_S)


@settings(max_examples=60, deadline=None)
@given(budgets, WINDOWS, st.tuples(st.integers(0, 3), st.integers(0, 3)), st.sampled_from([0.0, 0.5]), counts)
def test_counter_bound_is_within_a_grid_step_of_the_best_schedule(budget, window_s, loads, gone_s, n):
    """No schedule on the grid beats the bound of a sliding counter, and the best misses it by a grid step per call."""
    meter = SlidingCounter(
        budget=budget, window_s=window_s, began_at=-gone_s, before=min(loads[0], budget), used=min(loads[1], budget)
    )
    best = best_of_all_schedules(meter, n)
    assert bound(meter, n) <= best + 1e-6
    late_s = n * (GRID_S + window_s / budget)
    assert best <= bound(meter, n) + late_s or bound(meter, n) + late_s > HORIZON_S


@settings(max_examples=60, deadline=None)
@given(budgets, WINDOWS, st.floats(0, 3), counts)
def test_average_bound_is_within_a_grid_step_of_the_best_schedule(budget, window_s, level, n):
    """No schedule on the grid beats the bound of a running average, and the best misses it by a grid step per call."""
    meter = RunningAverage(budget=budget, window_s=window_s, level=level)
    best = best_of_all_schedules(meter, n)
    assert bound(meter, n) <= best + 1e-6
    assert best <= bound(meter, n) + n * GRID_S or bound(meter, n) + n * GRID_S > HORIZON_S


COLUMNS = [
    (FixedWindow(budget=20, window_s=60.0), 100, 0.1, 240.1),
    (FixedWindow(budget=20, window_s=60.0, began_at=-25.0, used=12), 100, 0.1, 275.1),
    (FixedWindow(budget=20, window_s=60.0), 15, 0.1, 0.2),
    (FixedWindow(budget=600, window_s=60.0), 2000, 0.25, 180.25),
    (FixedWindow(budget=100, window_s=300.0, began_at=-100.0), 250, 0.1, 500.1),
    (SlidingLog(budget=20, window_s=60.0), 100, 0.1, 240.2),
    (Gcra(budget=20, window_s=60.0, burst=5), 100, 0.1, 285.2),
]


@pytest.mark.parametrize(("meter", "n", "half_s", "expected_s"), COLUMNS)
def test_bounds_give_the_published_columns(meter, n, half_s, expected_s):
    """The closed forms reproduce the bounds that can be worked out by hand for the table's columns."""
    found = makespan_bound(copy.deepcopy(meter), now=0.0, n=n, trip=Trip(half_s, half_s))
    assert found == pytest.approx(expected_s)


def test_a_meter_without_a_bound_is_refused():
    """A kind of counting for which no bound is known is an error, not a guess."""
    with pytest.raises(TypeError):
        makespan_bound(object(), now=0.0, n=1, trip=TRIP)
