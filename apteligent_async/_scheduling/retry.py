"""Again, when, or never: the whole retry policy, told what happened and one random number."""

from __future__ import annotations

from typing import assert_never

from apteligent_async._scheduling.signals import (
    Again,
    Done,
    GiveUp,
    Job,
    Limited,
    LinkFailed,
    Outcome,
    Overloaded,
    Refused,
    Succeeded,
    Verdict,
)

__all__ = ["judge"]

MOST_DOUBLINGS = 64
"""Beyond this no wait grows any more."""


def judge(job: Job, outcome: Outcome, *, now: float, dice: float) -> Verdict:
    """Say what becomes of a job whose attempt ended; never earlier than the service asked for.

    Args:
        job: the job with its caller's settings, its counters including this attempt.
        outcome: how the attempt ended.
        now: the present instant.
        dice: an even draw from [0, 1), which spreads the wait.
    """
    match outcome:
        case Succeeded() | Refused():
            return Done()
        case Limited():
            is_enough = job.refusals >= job.retry.max_rate_limited
            return GiveUp(why=f"refused with 429 {job.refusals} times") if is_enough else Again(at=now)
        case LinkFailed(was_sent=False):
            return _after_failure(job, now=now, dice=dice, least_s=0.0)
        case Overloaded() | LinkFailed() if not job.is_repeatable:
            return GiveUp(why="it may have reached the service, and sending it twice is not safe")
        case Overloaded() | LinkFailed():
            asked_s = outcome.retry_after_s if isinstance(outcome, Overloaded) else None
            return _after_failure(job, now=now, dice=dice, least_s=asked_s or 0.0)
        case _:
            assert_never(outcome)


def _after_failure(job: Job, *, now: float, dice: float, least_s: float) -> Verdict:
    policy = job.retry
    if job.failures >= policy.max_attempts:
        return GiveUp(why=f"{job.failures} attempts failed")
    cap_s = min(policy.cap_s, policy.base_s * 2.0 ** min(job.failures - 1, MOST_DOUBLINGS))
    at = now + least_s + cap_s * dice
    if at >= job.deadline_at:
        return GiveUp(why="the next attempt would start after the deadline")
    return Again(at=at)
