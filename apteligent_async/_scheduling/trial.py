"""A call that may be refused, to settle how the service counts: only for those who have asked for it.

Whether the headers count the call that brings them shows nowhere but at a window's last call, unless the window is a
whole minute. Whoever counts cautiously never makes that call, and so loses one call of every window. It is risked just
before the reset, so that a refusal shuts the line for a few seconds only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from attrs import define

from apteligent_async._scheduling.readings import states_nothing

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.signals import Job, Reading

__all__ = ["TRIALS", "Trial"]

TRIALS: Final = 3
"""Calls that may be risked in all. Mostly the first settles it; where others may spend, it takes two refusals."""

MARGIN_S: Final = 4.0
"""How long before the reset a call is risked, and half of it how late it may still be: it must be answered before."""

MARGIN_TRIPS: Final = 4
"""The same in round trips, where these are long."""


@define
class Trial:
    """What may still be risked, and what each way of reading foretells of the call that is.

    Attributes:
        left: calls that may still be risked.
        foretold: for each way of reading, whether it proves that the call under way is allowed, rules it out, or
            neither; empty while none is under way.
        started_at: when that call was started.
    """

    left: int = 0
    foretold: tuple[bool | None, ...] = ()
    started_at: float = math.inf

    def opens_at(self, budget: Budget, cost: int, *, now: float) -> float:
        """Name the instant from which a call may be risked; infinite: not in this window.

        Only where windows are known to begin anew, and where readings differ by it. Dear calls are not risked: a
        service may let the last of them pass that it cannot pay for.
        """
        windows, ends = budget.windows, budget.ends
        if not self.left or cost > 1 or budget.live or ends is None or budget.is_gated or windows.is_disturbed:
            return math.inf
        if not windows.refills or windows.is_moving or budget.is_wary:
            return math.inf
        margin_s = max(MARGIN_S, MARGIN_TRIPS * budget.trip_s)
        if now > ends.lo - margin_s / 2 or {view.left >= cost for view in budget.alive()} != {True, False}:
            return math.inf
        return max(ends.lo - margin_s, budget.gate.opens_at)

    def begin(self, budget: Budget, cost: int, *, now: float) -> None:
        """Risk a call."""
        self.left -= 1
        self.foretold, self.started_at = _foretold(budget, cost), now

    def end(self, budget: Budget, job: Job, numbers: Reading | None, *, is_allowed: bool, now: float) -> bool:
        """Hear how any call ended, and say whether it was the one that was risked.

        It tells something only if it was surely counted in its window.
        """
        if not self.foretold or job.granted_at != self.started_at:
            return False
        if numbers is not None and budget.ends is not None and now < budget.ends.lo:
            self._settle(budget, numbers, is_allowed=is_allowed)
        self.drop()
        return True

    def _settle(self, budget: Budget, numbers: Reading, *, is_allowed: bool) -> None:
        """Rule out each way of reading that foretold something else, or that does not count a call which was the last.

        Where others may have spent that call, it takes two refusals to say so.
        """
        for view, foretold in zip(budget.views, self.foretold, strict=True):
            is_denied = not view.hypothesis.includes_call and states_nothing(numbers, view.hypothesis.unit)
            if foretold is (not is_allowed) or (is_allowed and is_denied):
                view.rule_out() if is_allowed or budget.is_alone else view.strike()
        if not budget.alive():
            budget.doubt_everything()

    def take_back(self, budget: Budget) -> None:
        """Undo a risk: the call never left, and nothing is proven of it."""
        self.left += 1
        for view, foretold in zip(budget.views, self.foretold, strict=True):
            if not foretold:
                view.prove(0)
        self.drop()

    def drop(self) -> None:
        """Expect nothing more of the call that was risked."""
        self.foretold, self.started_at = (), math.inf


def _foretold(budget: Budget, cost: int) -> tuple[bool | None, ...]:
    return tuple(
        None if not view.is_alive else True if view.left >= cost else False if view.most < cost else None
        for view in budget.views
    )
