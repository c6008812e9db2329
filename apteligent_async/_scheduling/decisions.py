"""When a call may start, and what its end means for the books: decided here, wherever the books are kept.

The scheduler of one process asks with its own books, a fleet of processes with the ones that they share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from apteligent_async._scheduling.release import PHI, held_until, most_jitter_s
from apteligent_async._scheduling.signals import (
    Cause,
    Job,
    Limited,
    LinkFailed,
    Outcome,
    Overloaded,
    Refused,
    Succeeded,
)

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.policy import RatePolicy

__all__ = ["account", "starts_at"]


def starts_at(
    policy: RatePolicy,
    budget: Budget,
    job: Job,
    *,
    wanted: float,
    last_at: float,
    jitter: float,
    now: float,
    phi: float = PHI,
) -> tuple[float, Cause]:
    """Name the instant from which a job may start, if nothing happens before, and why not earlier.

    Args:
        policy: how the budget is spent.
        budget: the books.
        job: whom it is about; only its lane, its cost and its deadline count.
        wanted: tokens that all who wait want together.
        last_at: when the last call was started.
        jitter: an even draw from [0, 1), which spreads those who do not talk over the opening of a window.
        now: the present instant.
        phi: the part of what is left that `shared` keeps under way.
    """
    proven_at, left = budget.opens_at(job.cost), budget.left
    if proven_at > now:
        proven_at = min(proven_at, budget.risks_at(job.cost, now=now))
    if left >= job.cost and proven_at <= now:
        is_last = left - job.cost < 1 and wanted > left
        return held_until(policy, budget, job, is_last=is_last, last_at=last_at, now=now, phi=phi)
    if left < job.cost and policy.mode != "exclusive" and budget.ends is not None:
        proven_at += jitter * most_jitter_s(budget.expected_length_s)
    return proven_at, budget.obstacle(now=now)


def account(budget: Budget, job: Job, outcome: Outcome, *, now: float) -> None:
    """Write down how a started job's attempt ended."""
    match outcome:
        case Limited(reading=reading):
            budget.refuse(job, reading, now=now)
        case LinkFailed(was_sent=False):
            budget.give_back(job.cost)
        case LinkFailed(reading=None):
            budget.lose(job, now=now)
        case LinkFailed() | Overloaded() | Succeeded() | Refused():
            budget.answer(job, outcome.reading, now=now)
        case _:
            assert_never(outcome)
