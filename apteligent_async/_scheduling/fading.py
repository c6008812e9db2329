"""How much has come back of a window into which the one before still weighs, fading evenly with time.

Many services count so: what was used in the last window weighs by the part of it that a window's length from now still
covers. They state the edge of the window as the reset, and hardly anything is left there after a busy one; the rest
comes back until the next edge, and no answer foretells it. Whoever is alone can: all that weighs is our own. That it is
counted so shows where more is left late in a window, or where windows begin with just as much less as was spent before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define

from apteligent_async._scheduling.openings import begins_short, promised

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.signals import Job

__all__ = ["Fading"]


OWN_WINDOWS = 3
"""The window from which on the one before is known from its beginning, whoever spent of the first."""

EVEN_S = 30.0
"""In windows shorter than this nothing is seen: they may be as long as each other by chance."""

TELLING_PART = 4
"""What was spent before tells something if it is at least one in so many of a window's calls."""

MISSING = 2
"""First answers in a row that must lack just what was spent in the window before."""

NEARLY = 10
"""By one in so many of those calls, or by two, it may be more or less."""


@define
class Fading:
    """Whether the service was seen to count so.

    Attributes:
        is_seen: whether more was left later in a window than before, or just what was spent before was missing at the
            beginning of several, and their resets had not moved.
        is_refuted: whether an answer of the present window stated less than must have come back.
        missing: first answers in a row that lacked just what was spent in the window before.
    """

    is_seen: bool = False
    is_refuted: bool = False
    missing: int = 0

    def opens_at(self, budget: Budget, cost: int) -> float:
        """Name the instant by which so many tokens have come back; infinite: not before the edge."""
        if not self._is_sure(budget):
            return math.inf
        spare, ends = _size(budget) - budget.own - cost, budget.ends
        if spare < 0 or ends is None:
            return math.inf
        before = _before(budget)
        at = ends.hi - spare * _length_s(budget) / before if before else -math.inf
        return at if at < ends.lo else math.inf

    def come_back(self, budget: Budget, *, now: float) -> int:
        """Count the tokens that have come back by an instant, with nothing under way."""
        return max(math.floor(_left(budget, at=now)), 0) if self._is_sure(budget) else 0

    def hear(self, budget: Budget, job: Job, most: float, *, is_rising: bool) -> None:
        """Hold an answer against what must have been left once its call was counted.

        Args:
            budget: the books, that answer taken in.
            job: the call.
            most: tokens that the answer leaves at most.
            is_rising: whether it leaves more than any before it in this window could.
        """
        stays, is_shown = budget.windows.stays, is_rising or self.missing >= MISSING
        may_be = stays is not False and budget.windows.longest_s >= EVEN_S
        self.is_seen = may_be and (self.is_seen or (stays is True and is_shown))
        if self._is_sure(budget) and most + budget.live < math.floor(_left(budget, at=job.granted_at)):
            self.is_refuted = True

    def judge(self, budget: Budget, job: Job, *, now: float) -> None:
        """Take in the first answer of a window: whether just that is missing which was spent in the one before."""
        before = budget.openings.own_before
        if not budget.seems_alone or before * TELLING_PART < _size(budget):
            return
        nearly = max(before / NEARLY, 2)
        least, most = _left(budget, at=job.granted_at) - budget.live - nearly, _left(budget, at=now) + nearly
        is_just = any(least <= view.fresh and view.most <= most for view in budget.alive())
        self.missing = self.missing + 1 if is_just and begins_short(budget) and budget.windows.is_even else 0

    def _is_sure(self, budget: Budget) -> bool:
        """Whether it counts like that, and nobody else spends."""
        windows = budget.windows
        is_fading = self.is_seen and not self.is_refuted and windows.refills is False
        is_known = windows.is_even if windows.serial >= OWN_WINDOWS else windows.serial > 1 and windows.is_full_length
        return is_fading and is_known and budget.seems_alone and not budget.is_gated


def _left(budget: Budget, *, at: float) -> float:
    if budget.ends is None:
        return 0.0
    weighs = _before(budget) * max(budget.ends.hi - at, 0.0) / _length_s(budget)
    return _size(budget) - budget.own - weighs


def _before(budget: Budget) -> int:
    """Count what was spent in the window before: all that it holds, where it is not known from its beginning."""
    return budget.openings.own_before if budget.windows.serial >= OWN_WINDOWS else _size(budget)


def _length_s(budget: Budget) -> float:
    return max(budget.windows.longest_s - 1, 1.0)


def _size(budget: Budget) -> int:
    return promised(budget.limit, budget.windows.longest_s)
