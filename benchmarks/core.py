"""The one place of the proof kit that knows how the scheduler is made and what it says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async._scheduling.learned import Learned, verdicts
from apteligent_async._scheduling.policy import Mode, RatePolicy
from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Unit
from apteligent_async._scheduling.scheduler import Scheduler

if TYPE_CHECKING:
    from benchmarks.player import Brain
    from benchmarks.zoo import Dialect

__all__ = ["Verdicts", "books_of", "new_brain", "verdicts_of"]


@frozen(kw_only=True)
class Verdicts:
    """What a scheduler has made of a server's words; None where it has not made up its mind."""

    is_speed: bool | None = None
    is_before: bool | None = None


def new_brain(
    mode: Mode,
    *,
    share: float | None = None,
    calibrate: bool = False,
    learned: Learned | None = None,
    told: Dialect | None = None,
) -> Scheduler:
    """Return a scheduler that knows what it is told, without a bound on calls in flight that would blur the figures."""
    policy = RatePolicy(mode=mode, share=share, calibrate=calibrate, max_in_flight=1_000_000)
    return Scheduler(policy, learned=learned, hypotheses=ALL_HYPOTHESES if told is None else [_truth(told)])


def _truth(dialect: Dialect) -> Hypothesis:
    return Hypothesis(Unit.SPEED if dialect.is_speed else Unit.COUNT, includes_call=not dialect.is_before)


def verdicts_of(brain: Brain) -> Verdicts:
    """Read the verdicts that a scheduler has reached; one that is not ours reaches none."""
    if not isinstance(brain, Scheduler):
        return Verdicts()
    settled = verdicts(brain.budget)
    return Verdicts(
        is_speed=None if settled.unit is None else settled.unit is Unit.SPEED,
        is_before=None if settled.includes_call is None else not settled.includes_call,
    )


def books_of(brain: Brain, *, now: float) -> str:
    """Say in a few words what a scheduler believes, for a trace."""
    if not isinstance(brain, Scheduler):
        return ""
    snapshot = brain.snapshot(now=now)
    ends = "?" if snapshot.reset_s is None else f"{snapshot.reset_s:.1f}"
    gate = " gated" if snapshot.is_gated else ""
    return f"free {snapshot.left_low} live {snapshot.in_flight} most {snapshot.left_high:g} ends in {ends}{gate}"
