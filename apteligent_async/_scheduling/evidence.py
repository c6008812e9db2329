"""What one answer says for and against each way of reading, and against there being nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._scheduling.readings import Unit, is_possible, reset_span, token_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.readings import Span
    from apteligent_async._scheduling.signals import Job, Reading
    from apteligent_async._scheduling.views import View

__all__ = ["weigh"]

PART_RETURNED = 0.5
"""The part of our calls that may return to us within what seems to be one window."""


def weigh(budget: Budget, job: Job, numbers: Reading, ends: Span, *, now: float) -> None:
    """Let every view settle a call, and hear what the service's numbers say against it.

    Args:
        budget: the books; the call is no more under way there, and counted.
        job: the call.
        numbers: what its answer states.
        ends: bounds of the reset that it speaks of.
        now: when it arrived.
    """
    windows, blind, wording = budget.windows, budget.outlay.blind, budget.wording
    surprised: list[View] = []
    is_rising = True
    sharp, most = ends, 0.0
    if not windows.has_stood:  # answers sharpen each other only where they are known to speak of one reset
        sharp = reset_span(numbers.reset_s or 0.0, sent_at=job.granted_at, received_at=now, wording=wording)
    for view in budget.views:
        bounds = token_bounds(numbers, view.hypothesis, job, ends=sharp, received_at=now, wording=wording)
        is_rising = is_rising and (not view.is_alive or view.rises(bounds[0], sent_at=job.granted_at))
        if not is_possible(numbers, view.hypothesis.unit, wording=wording):
            # A broken count is no count at all; a speed may be broken by a reset that is off.
            view.strike() if view.hypothesis.unit is Unit.SPEED else view.rule_out()
        if view.is_alive and bounds[0] - blind < 1:
            windows.forbid(ends.hi)
        most = max(most, bounds[1] if view.is_alive else 0)
        if view.settle(job.cost, bounds, blind=blind, live=budget.live, now=now):
            surprised.append(view)
        elif windows.is_known:
            _count(budget, view, numbers, bounds[1])
    budget.looks.hear(most)
    is_rising = is_rising and now <= ends.lo
    budget.fading.hear(budget, job, most, is_rising=is_rising)
    windows.is_moving = windows.is_moving or is_rising
    if budget.fading.is_seen and budget.seems_alone and windows.refills is None:
        windows.refills = False
    _tell_apart(budget, surprised)
    if not (budget.live or blind or windows.is_moving):
        _rest(budget, now=now)
    if not budget.alive():
        budget.doubt_everything()
    if budget.openings.is_unconfirmed:
        budget.openings.review(budget, numbers)


def _count(budget: Budget, view: View, numbers: Reading, most: float) -> None:
    """Narrow what a whole window holds; where the last one may still weigh, by this answer alone."""
    faded, outlay = budget.openings.faded(budget, numbers), budget.outlay
    view.count(own_lo=outlay.sure, own_hi=outlay.own + budget.live, most=most + faded if faded else view.most)


def _tell_apart(budget: Budget, surprised: Sequence[View]) -> None:
    """Tell a wrong reading from somebody else's calls: the latter surprise every view."""
    alive = budget.alive()
    if alive and all(view in surprised for view in alive):
        budget.others_seen += 1
        used = budget.expected_size - min(view.left for view in surprised)
        budget.company.sense(used=used, own=budget.outlay.own)
    elif budget.is_alone:
        for view in surprised:
            view.forgive()
            view.strike()


def _rest(budget: Budget, *, now: float) -> None:
    """Hold what our calls cost against what was stated, at a moment with nothing under way.

    In windows nothing returns before the reset. Where there may be none, no more does than the limit allows, or than
    half of our calls, under a log of them. A unit by which more has returned is wrong, if the other one fits, and would
    show if it did not: a service need not charge every call.
    """
    own, placed_at = budget.outlay.own, budget.windows.placed_at
    most = 1 + (budget.pace + 1) / 60 * (now - placed_at + budget.trip_s)
    found = [(view, *view.rest(own=own)) for view in budget.alive()]
    fitting = {view.hypothesis.unit for view, cost, returned, doubt in found if 0 <= returned <= most and doubt < cost}
    for view, cost, returned, _ in found:
        if returned > max(most, PART_RETURNED * cost) and fitting - {view.hypothesis.unit}:
            view.contradict(own=own)
