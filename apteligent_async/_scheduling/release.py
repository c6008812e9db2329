"""How much of what is proven may go out now: the modes, the share, the reserve.

The budget says what is allowed; this file says what is wise. Every rule gives the instant from which it has no
objection, provided that nothing happens before: the past for "now", infinity for "not before an answer comes".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from apteligent_async._scheduling.readings import Unit
from apteligent_async._scheduling.signals import Cause, Job, Lane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.policy import RatePolicy

__all__ = ["GROWTH", "PHI", "held_until", "hold_s", "most_jitter_s", "part_under_way", "reserve_ends_at"]

PHI = 0.25
"""The part of the tokens left that `shared` keeps under way: safe for about two peers that do not talk."""

GROWTH = 4
"""How many times what was answered in a window `shared` has under way at most: others show before all is gone. Members
of one store know of each other, and begin at once."""

COURTESY = 1.6
"""Tokens that `polite` leaves to others, once it has seen them: with more, those who are polite miss each other."""

_PAST = -math.inf


def held_until(
    policy: RatePolicy, budget: Budget, job: Job, *, is_last: bool, last_at: float, now: float, phi: float = PHI
) -> tuple[float, Cause]:
    """Name the instant from which the policy lets a job go that is proven to be allowed, and why not before.

    Args:
        policy: the user's settings.
        budget: what the service allows.
        job: the job at the head of the line.
        is_last: whether it would take the last proven token from a line that wants more.
        last_at: when the last call was started.
        now: the present instant.
        phi: the part of the tokens left that `shared` keeps under way.
    """
    at, cause = _PAST, Cause.NOTHING
    for rule_at, rule in _rules(policy, budget, job, is_last=is_last, last_at=last_at, now=now, phi=phi):
        if rule_at > at:
            at, cause = rule_at, rule
    return at, cause


def _rules(
    policy: RatePolicy, budget: Budget, job: Job, *, is_last: bool, last_at: float, now: float, phi: float
) -> Iterator[tuple[float, Cause]]:
    if is_last:
        yield _shows_more_at(budget, job, last_at, now=now), Cause.LATE_LOOK
    if policy.mode == "shared" and budget.live + job.cost > max(job.cost, _room(budget, phi)):
        yield math.inf, Cause.ANSWERS
    is_asking = budget.ends is None and budget.live > 0
    is_holding_back = policy.mode == "polite" or policy.share is not None or (job.lane is Lane.BULK and policy.reserve)
    if is_asking and is_holding_back:
        yield math.inf, Cause.PROBE
    if policy.mode == "polite":
        yield _paced_at(budget, last_at), Cause.PACE
    if policy.share is not None:
        yield _shared_at(budget, job, policy.share, now=now), Cause.SHARE
    if job.lane is Lane.BULK and policy.reserve:
        yield _reserve_at(budget, job, policy.reserve), Cause.RESERVE


def most_jitter_s(length_s: float) -> float:
    """Say by how much those who do not talk put off the opening of a window at most, so as not to meet there."""
    return min(0.5, length_s / 100)


def part_under_way(budget: Budget, phi: float) -> float:
    """Say which part of what is left `shared` keeps under way: all peers' parts together stay within half of it."""
    return min(phi, 1 / (2 * budget.company.peers))


def _room(budget: Budget, phi: float) -> float:
    """Count the tokens that `shared` has under way at most."""
    room = part_under_way(budget, phi) * (budget.left + budget.live)
    return room if phi > PHI else min(room, GROWTH * budget.own)


def _shows_more_at(budget: Budget, job: Job, last_at: float, *, now: float) -> float:
    """Keep the last proven token of a backlog until its answer shows more than is known now, if its call can wait."""
    at = budget.looks.shows_more_at(budget, last_at=last_at, now=now)
    if at > job.deadline_at:
        return _PAST
    return math.inf if budget.live and at > now and job.deadline_at == math.inf else at


def _paced_at(budget: Budget, last_at: float) -> float:
    """Spread the tokens left evenly over what remains of the window: the speed that the service advertises, or less."""
    if budget.ends is None:
        return _PAST
    spare = max(budget.left - min(COURTESY, budget.company.foreign), 0.0)
    return last_at + max(budget.ends.lo - last_at, 0.0) / (spare + 1)


def _shared_at(budget: Budget, job: Job, share: float, *, now: float) -> float:
    """Stop at our part of the window, or at one call where that is less than one."""
    if budget.ends is None or budget.own + budget.live + job.cost <= max(job.cost, share * budget.expected_size):
        return _PAST
    return budget.ends.hi if now < budget.ends.hi or not budget.live else math.inf


def _reserve_at(budget: Budget, job: Job, reserve: float) -> float:
    """Leave the more urgent lanes a part of the window that shrinks with it, down to nothing just before its end.

    Where speed and count are both possible, the one that proves more is asked: what the other leaves in doubt is kept
    by itself, and to keep it twice would waste it.
    """
    if budget.ends is None or budget.windows.is_moving:
        return _PAST
    proven = [[view.left for view in budget.alive() if view.hypothesis.unit is unit] for unit in Unit]
    spare = max(min(left) for left in proven if left) - budget.live - job.cost
    return reserve_ends_at(budget.ends.lo, budget.expected_length_s) - (spare + 1) * hold_s(budget, reserve)


def hold_s(budget: Budget, reserve: float) -> float:
    """Say for how many seconds longer than the one before it each token of the reserve is held."""
    return budget.expected_length_s / (reserve * budget.expected_size) if reserve else 0.0


def reserve_ends_at(ends_at: float, length_s: float) -> float:
    """Name the instant, a little before a window's end, by which the reserve has shrunk to nothing."""
    return ends_at - 0.02 * length_s
