"""How much has come back of a window into which the one before still weighs, fading evenly with time.

Many services count so: what was used in the last window weighs by the part of it that a window's length from now still
covers. They state the edge of the window as the reset, and hardly anything is left there after a busy one; the rest
comes back until the next edge, and no answer foretells it. Whoever is alone can: all that weighs is our own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define

from apteligent_async._scheduling.openings import promised

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.signals import Job

__all__ = ["Fading"]


OWN_WINDOWS = 3
"""The window from which on the one before is known from its beginning, whoever spent of the first."""


@define
class Fading:
    """Whether the service was seen to count so.

    Attributes:
        is_seen: whether more was left later in a window than before, and its reset had not moved.
        is_refuted: whether an answer of the present window stated less than must have come back.
    """

    is_seen: bool = False
    is_refuted: bool = False

    def opens_at(self, budget: Budget, cost: int) -> float:
        """Name the instant by which so many tokens have come back; infinite: not before the edge."""
        if not self._is_sure(budget):
            return math.inf
        spare, ends = _size(budget) - budget.own - cost, budget.ends
        if spare < 0 or ends is None:
            return math.inf
        before = budget.openings.own_before
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
        stays = budget.windows.stays
        self.is_seen = stays is not False and (self.is_seen or (is_rising and stays is True))
        if self._is_sure(budget) and most + budget.live < math.floor(_left(budget, at=job.granted_at)):
            self.is_refuted = True

    def _is_sure(self, budget: Budget) -> bool:
        """Whether it counts like that, and nobody else spends."""
        windows = budget.windows
        is_fading = self.is_seen and not self.is_refuted and windows.refills is False
        is_known = windows.is_even and windows.serial >= OWN_WINDOWS
        return is_fading and is_known and budget.seems_alone and not budget.is_gated


def _left(budget: Budget, *, at: float) -> float:
    if budget.ends is None:
        return 0.0
    weighs = budget.openings.own_before * max(budget.ends.hi - at, 0.0) / _length_s(budget)
    return _size(budget) - budget.own - weighs


def _length_s(budget: Budget) -> float:
    return max(budget.windows.longest_s - 1, 1.0)


def _size(budget: Budget) -> int:
    return promised(budget.limit, budget.windows.longest_s)
