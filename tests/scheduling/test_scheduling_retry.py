"""Again, when, or never: capped, jittered, never earlier than asked, never twice where twice is not safe."""

from __future__ import annotations

import math

import pytest
from effort import TRIED
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._scheduling.policy import RetryPolicy
from apteligent_async._scheduling.retry import judge
from apteligent_async._scheduling.signals import (
    Again,
    Done,
    GiveUp,
    Job,
    Limited,
    LinkFailed,
    Overloaded,
    Refused,
    Succeeded,
)

NOW = 100.0
POLICY = RetryPolicy(max_attempts=4, base_s=0.5, cap_s=1.5, max_rate_limited=3)
OVERLOADED, LOST, UNSENT = Overloaded(), LinkFailed(), LinkFailed(was_sent=False)


def tried(*, failures=0, refusals=0, **settings):
    """Return a job that has failed and been refused so often, this time included."""
    job = Job(retry=POLICY, **settings)
    job.failures, job.refusals = failures, refusals
    return job


VERDICTS = [
    # with the dice at one half; the waits are half the caps 0.5, 1 and 1.5 s
    ("an answer ends it", tried(), Succeeded(), Done()),
    ("a no ends it", tried(), Refused(), Done()),
    ("first failure", tried(failures=1), OVERLOADED, Again(at=NOW + 0.25)),
    ("the cap doubles", tried(failures=2), OVERLOADED, Again(at=NOW + 0.5)),
    ("until its own cap", tried(failures=3), OVERLOADED, Again(at=NOW + 0.75)),
    ("a lost answer is a failure", tried(failures=1), LOST, Again(at=NOW + 0.25)),
    ("so is a link that would not open", tried(failures=1), UNSENT, Again(at=NOW + 0.25)),
    ("asked to stay away", tried(failures=1), Overloaded(retry_after_s=7.0), Again(at=NOW + 7.25)),
    ("attempts run out", tried(failures=4), OVERLOADED, GiveUp(why="4 attempts failed")),
    ("for the link, too", tried(failures=4), UNSENT, GiveUp(why="4 attempts failed")),
    ("a 429 waits for the budget only", tried(refusals=2), Limited(), Again(at=NOW)),
    ("and spends no attempts", tried(refusals=2, failures=4), Limited(), Again(at=NOW)),
    ("but not for ever", tried(refusals=3), Limited(), GiveUp(why="refused with 429 3 times")),
    ("beyond the deadline", tried(failures=1, deadline_at=NOW + 0.25), OVERLOADED, "the deadline"),
    ("just before it", tried(failures=1, deadline_at=NOW + 0.26), OVERLOADED, Again(at=NOW + 0.25)),
    ("not repeatable, failed there", tried(failures=1, is_repeatable=False), OVERLOADED, "not safe"),
    ("not repeatable, perhaps arrived", tried(failures=1, is_repeatable=False), LOST, "not safe"),
    ("not repeatable, never sent", tried(failures=1, is_repeatable=False), UNSENT, Again(at=NOW + 0.25)),
    ("not repeatable, turned away", tried(refusals=1, is_repeatable=False), Limited(), Again(at=NOW)),
]


@pytest.mark.parametrize(("job", "outcome", "expected"), [case[1:] for case in VERDICTS], ids=[c[0] for c in VERDICTS])
def test_verdict(job, outcome, expected):
    """Each outcome has its one verdict; giving up says why."""
    verdict = judge(job, outcome, now=NOW, dice=0.5)
    if isinstance(expected, str):
        assert isinstance(verdict, GiveUp)
        assert expected in verdict.why
    else:
        assert verdict == expected


DICE = st.floats(0, 1, exclude_max=True)


@TRIED
@given(DICE, st.integers(1, 5000), st.none() | st.floats(0, 1e5), st.floats(0, 100), st.floats(0, 100))
def test_waits_are_capped_and_never_earlier_than_asked(dice, failures, asked_s, base_s, cap_s):
    """However often it failed, the wait lies between what was asked for and the cap more."""
    policy = RetryPolicy(max_attempts=failures + 1, base_s=base_s, cap_s=cap_s)
    job = Job(retry=policy)
    job.failures = failures
    verdict = judge(job, Overloaded(retry_after_s=asked_s), now=NOW, dice=dice)
    assert isinstance(verdict, Again)
    least_at = NOW + (asked_s or 0.0)
    assert least_at <= verdict.at <= least_at + cap_s + 1e-9


@TRIED
@given(st.integers(1, 3), DICE)
def test_jitter_is_full(failures, dice):
    """The wait is the dice's part of the attempt's cap: even over all of it, from nothing on."""
    verdict = judge(tried(failures=failures), OVERLOADED, now=NOW, dice=dice)
    assert verdict.at - NOW == pytest.approx(dice * min(0.5 * 2 ** (failures - 1), 1.5))


@TRIED
@given(st.sampled_from([OVERLOADED, LOST, UNSENT]), DICE, st.floats(0, 100), st.integers(1, 4))
def test_no_attempt_is_promised_beyond_the_deadline(outcome, dice, patience_s, failures):
    """What is to be tried again starts before the caller stops waiting."""
    job = tried(failures=failures, deadline_at=NOW + patience_s)
    verdict = judge(job, outcome, now=NOW, dice=dice)
    assert isinstance(verdict, GiveUp) or verdict.at < job.deadline_at


def test_absurd_counts_of_failures_do_not_overflow():
    """A job that has failed ten thousand times still has a wait of the cap at most."""
    job = Job(retry=RetryPolicy(max_attempts=100_000))
    job.failures = 10_000
    verdict = judge(job, OVERLOADED, now=NOW, dice=0.999)
    assert isinstance(verdict, Again)
    assert math.isfinite(verdict.at)


@pytest.mark.parametrize(
    ("state", "outcome", "why"),
    [
        ({"refusals": 10}, Limited(), "refused with 429 10 times"),
        ({"failures": 4}, Overloaded(), "4 attempts failed"),
        ({"is_repeatable": False}, LinkFailed(), "it may have reached the service, and sending it twice is not safe"),
        ({"deadline_at": 5.0}, Overloaded(retry_after_s=9.0), "the next attempt would start after the deadline"),
    ],
)
def test_giving_up_says_why(state, outcome, why):
    """Word for word, as users read it in errors and events."""
    job = Job()
    for name, value in {"failures": 1, **state}.items():
        setattr(job, name, value)
    assert judge(job, outcome, now=0.0, dice=0.5) == GiveUp(why=why)


def test_something_else_is_no_outcome():
    """A new kind of outcome must be thought of here."""
    with pytest.raises(AssertionError, match="gone"):
        judge(Job(), "gone", now=0.0, dice=0.5)
