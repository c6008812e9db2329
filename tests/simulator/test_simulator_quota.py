"""The quota: what it admits, what it says, and the truth that it tells benchmarks."""

from __future__ import annotations

import itertools
import math

import pytest
from front_desk import fixture
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apteligent_async.simulator import Quota, QuotaSettings

KINDS = ("fixed", "lazy", "sliding", "gcra")
windows = st.sampled_from(KINDS)
settings_st = st.builds(
    QuotaSettings,
    limit=st.integers(1, 40),
    bucket_s=st.sampled_from([3.0, 10.0, 60.0, 78.0, 300.0]),
    window=windows,
    reading=st.sampled_from(["speed", "count"]),
    rounding=st.sampled_from(["floor", "ceil", "round", "exact"]),
    counts=st.sampled_from(["after", "before"]),
    refused=st.sampled_from(["counted", "free"]),
    starts_at=st.floats(-100, 100),
)
gaps = st.lists(st.one_of(st.just(0.0), st.floats(0, 90)), max_size=120)


def admitted_at(quota, instants):
    """Send calls and keep the instants of those that were let in."""
    return [at for at in instants if quota.call(at).is_allowed]


@settings(deadline=None)
@given(settings_st, gaps)
def test_no_period_of_a_bucket_holds_more_calls_than_the_window_allows(settings, steps):
    """A sliding log admits its budget in any period, the others at most twice that across a boundary."""
    admitted = admitted_at(Quota(settings), itertools.accumulate(steps))
    most = settings.budget if settings.window == "sliding" else 2 * settings.budget
    for at in admitted:
        assert sum(at <= other < at + settings.bucket_s for other in admitted) <= most


@settings(deadline=None)
@given(settings_st.filter(lambda one: one.window == "fixed"), gaps)
def test_a_fixed_bucket_never_admits_more_than_its_budget(settings, steps):
    """Calls are binned by the true phase."""
    admitted = admitted_at(Quota(settings), itertools.accumulate(steps))
    bins = [math.floor((at - settings.starts_at) / settings.bucket_s) for at in admitted]
    assert all(bins.count(one) <= settings.budget for one in bins)


@settings(deadline=None)
@given(settings_st, gaps, st.floats(0, 200))
def test_the_truth_agrees_with_the_next_call(settings, steps, pause):
    """`left` is positive exactly when a call at that instant is admitted."""
    quota = Quota(settings)
    now = 0.0
    for now in itertools.accumulate(steps):
        quota.call(now)
    now += pause
    assert (quota.left(now) > 0) == quota.call(now).is_allowed


@settings(deadline=None)
@given(settings_st, st.lists(st.floats(0, 40), max_size=30), st.integers(1, 60), st.floats(0, 80))
@example(QuotaSettings(limit=1, bucket_s=3.0, starts_at=1e-300), [0.0], 1, 0.0)
def test_the_bound_is_what_a_clairvoyant_client_reaches(settings, steps, calls, pause):
    """A client that waits for the true reset whenever nothing is left needs exactly `bound_seconds`."""
    quota = Quota(settings)
    ready_at = 0.0
    for ready_at in itertools.accumulate(steps):
        quota.call(ready_at)
    ready_at += pause + 0.001
    bound = quota.bound_seconds(calls, ready_at=ready_at)
    now = ready_at
    for _ in range(calls):
        while not quota.left(now):
            now += quota.reset_in(now) + 1e-9
        assert quota.call(now).is_allowed
    assert now - ready_at == pytest.approx(bound, abs=1e-5)
    assert quota.bound_seconds(calls, ready_at=ready_at) == pytest.approx(bound)


def test_the_bound_has_the_documented_numbers():
    """A hundred calls at 20 a minute: 240.2 s from an idle bucket; 275.1 s where 12 are used and 35 s remain."""
    idle = Quota(QuotaSettings(limit=20))
    assert idle.bound_seconds(100, ready_at=0.0, round_trip=0.2) == pytest.approx(240.1, abs=0.11)
    used = Quota(QuotaSettings(limit=20, initial_use=12))
    used.call(0.0)
    assert used.bound_seconds(101, ready_at=25.0, round_trip=0.2) == pytest.approx(275.1, abs=0.01)
    gcra = Quota(QuotaSettings(limit=20, window="gcra", burst=5))
    assert gcra.bound_seconds(100, ready_at=0.0, round_trip=0.2) == pytest.approx(285.2, abs=0.11)


@pytest.mark.parametrize(
    ("window", "script"),
    [
        # Two calls per minute; fixed buckets start at 0, 60, 120 ...
        (
            "fixed",
            [(50.0, True), (59.9, True), (59.9, False), (60.0, True), (60.0, True), (119.9, False), (120.0, True)],
        ),
        (
            "lazy",
            [(50.0, True), (59.9, True), (60.0, False), (109.9, False), (110.0, True), (169.9, True), (170.0, True)],
        ),
        ("sliding", [(50.0, True), (59.9, True), (109.5, False), (110.0, True), (119.5, False), (119.9, True)]),
        (
            "gcra",
            [(50.0, True), (50.0, True), (79.9, False), (80.0, True), (109.9, False), (110.0, True), (110.0, False)],
        ),
    ],
)
def test_each_window_admits_to_the_tenth_of_a_second(window, script):
    """Instants and decisions as data, refused calls being free."""
    quota = Quota(QuotaSettings(limit=2, window=window, refused="free"))
    assert [quota.call(at).is_allowed for at, _ in script] == [allowed for _, allowed in script]


def test_the_captured_headers_mean_fourteen_calls_left():
    """Six calls into a bucket with 46 s to go, a quota of 20 states the speed 18."""
    quota = Quota(QuotaSettings(limit=20, starts_at=0.0))
    verdict = [quota.call(14.0) for _ in range(6)][-1]
    assert dict(verdict.headers) == {
        "Rate-Limit-Limit": "20",
        "Rate-Limit-Remaining": "18",
        "Rate-Limit-Reset": "46",
    }
    assert quota.left(14.0) == 14


def test_the_documented_429_appears_when_refused_calls_are_counted():
    """Twenty-five calls in eighteen seconds give the documented body, to the letter."""
    quota = Quota(QuotaSettings(limit=20))
    verdict = [quota.call(18.0) for _ in range(25)][-1]
    assert not verdict.is_allowed
    assert verdict.body == fixture("rate_limited_429.json")["response"]


def test_refused_calls_are_free_where_that_is_set():
    """The stated use stays at the limit however often one asks."""
    quota = Quota(QuotaSettings(limit=20, refused="free"))
    assert [quota.call(18.0) for _ in range(25)][-1].actual == 20


def test_refused_calls_postpone_a_sliding_log():
    """Where they are charged, asking in vain keeps the door shut."""
    free, counted = (Quota(QuotaSettings(limit=2, window="sliding", refused=how)) for how in ("free", "counted"))
    for quota in (free, counted):
        for at in (0.0, 0.0, 30.0, 30.0):
            quota.call(at)
    assert free.left(61.0) == 2
    assert counted.left(61.0) == 0


@pytest.mark.parametrize(("counts", "stated"), [("after", "19"), ("before", "20")])
def test_remaining_is_taken_after_or_before_the_present_call(counts, stated):
    """The first call of a bucket of twenty shows which."""
    quota = Quota(QuotaSettings(limit=20, counts=counts, reading="count"))
    assert dict(quota.call(0.0).headers)["Rate-Limit-Remaining"] == stated


@pytest.mark.parametrize(
    ("rounding", "stated"), [("floor", "32"), ("ceil", "33"), ("round", "33"), ("exact", "32.571")]
)
def test_headers_are_rounded_as_set(rounding, stated):
    """Nineteen calls in thirty-five seconds are a speed of 32.57."""
    quota = Quota(QuotaSettings(limit=20, rounding=rounding))
    assert dict(quota.call(25.0).headers)["Rate-Limit-Remaining"] == stated


@settings(deadline=None)
@given(settings_st, gaps)
def test_the_log_tells_everything(settings, steps):
    """Every call is logged with its instant, and the refused are those that got no place."""
    quota = Quota(settings)
    instants = list(itertools.accumulate(steps))
    allowed = [quota.call(at).is_allowed for at in instants]
    assert [entry.at for entry in quota.log] == instants
    assert [not entry.is_refused for entry in quota.log] == allowed
    assert all(entry.is_counted for entry in quota.log if not entry.is_refused)


def test_an_earlier_instant_is_taken_as_the_latest():
    """Calls that are reported late never turn the clock back."""
    quota = Quota(QuotaSettings(limit=1))
    quota.call(70.0)
    assert not quota.call(10.0).is_allowed
    assert [entry.at for entry in quota.log] == [70.0, 70.0]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        *[({"limit": value}, "a whole number of at least 1") for value in (0, "20", 2.5, True, None)],
        *[({"bucket_s": value}, "a number of at least 0.001") for value in (0, math.nan, math.inf, "60")],
        *[({"starts_at": value}, "a number") for value in (math.nan, "now", None)],
        ({"initial_use": -1}, "a whole number of at least 0"),
        ({"burst": 0}, "a whole number of at least 1"),
    ],
)
def test_a_setting_that_is_not_possible_is_named(settings, wanted):
    """With what it must be."""
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=rf"^{name} must be {wanted}, not {value!r}$"):
        QuotaSettings(**settings)


def test_an_instant_may_be_in_the_past():
    """A bucket may have started long ago, and need no burst of its own."""
    settings = QuotaSettings(starts_at=-1e9, burst=None)
    assert (settings.starts_at, settings.burst) == (-1e9, None)
