"""A call that may be refused, to settle how the service counts: only for those who have asked for it.

Whether the headers count the call that brings them shows nowhere but at a window's last call, unless the window is a
whole minute. Whoever counts cautiously never makes that call, and so loses one call of every window. One refusal can be
worth more than that. It is risked just before the reset, where it costs a few seconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from attrs import define

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget

__all__ = ["TRIALS", "Trial"]

TRIALS: Final = 3
"""Calls that may be risked in all: one settles a question, and there are no more questions than that."""

MARGIN_S: Final = 4.0
"""How long before the reset a call is risked: it must surely be counted before."""


@define
class Trial:
    """What may still be risked, and what each way of reading foretells of the call that is.

    Attributes:
        left: calls that may still be risked.
        foretold: for each way of reading, whether it proves that the call under way is allowed, rules it out, or
            neither; empty while none is under way.
    """

    left: int = 0
    foretold: tuple[bool | None, ...] = ()

    def opens_at(self, budget: Budget, cost: int) -> float:
        """Name the instant from which a call may be risked; infinite: it would settle nothing."""
        windows, ends = budget.windows, budget.ends
        if not self.left or ends is None or budget.is_gated or windows.is_disturbed:
            return math.inf
        stands = (windows.has_stood or windows.refills) and not windows.drips
        foretold = _foretold(budget, cost)
        if not stands or any(view.is_wary for view in budget.alive()) or not {True, False} <= set(foretold):
            return math.inf
        return ends.lo - max(MARGIN_S, 2 * budget.trip_s)

    def begin(self, budget: Budget, cost: int) -> None:
        """Risk a call."""
        self.left -= 1
        self.foretold = _foretold(budget, cost)

    def end(self, budget: Budget, *, is_allowed: bool) -> None:
        """Take in how a call ended: if it was risked, each way of reading that foretold something else is wrong.

        Where others may have spent it, it takes two refusals to say so.
        """
        for view, foretold in zip(budget.views, self.foretold, strict=bool(self.foretold)):
            if foretold is (not is_allowed):
                view.rule_out() if is_allowed or budget.is_alone else view.strike()
        self.foretold = ()


def _foretold(budget: Budget, cost: int) -> tuple[bool | None, ...]:
    return tuple(
        None if not view.is_alive else True if view.left >= cost else False if view.most < cost else None
        for view in budget.views
    )
