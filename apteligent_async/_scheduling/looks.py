"""When one more answer would show tokens that no answer has shown yet, and when a call for it is proven.

What is left is known from answers alone. Where a speed is rounded, the same tokens show only late in the window; where
tokens come back one by one, more show with every second. So the last proven call of a backlog is worth more a little
later: its answer is a look. It costs nothing, as it is a call like any other, only put off.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, evolve

from apteligent_async._scheduling.readings import Unit, states_nothing
from apteligent_async._scheduling.windows import LATE_S, SHARP_S, STANDING_S, WHOLE_S

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.signals import Job, Reading

__all__ = ["Looks"]

DRIPS = 2
"""How many calls' worth of time a look is put off where tokens come back one by one: one for itself, one more."""

MOST_VAIN = 8
"""After so many looks in vain the next one is put off no further."""

QUIET_PART = 4
"""A window is quiet while no more than one in so many of its calls was used."""

FEW = 2
"""After so many calls in a window, or fewer, it is too early to find out what kind of window it is."""

SURELY_S = 1.0
"""How much later than at the earliest it is looked whether a reset stands, as it may be rounded."""

SPARE_S = 4.0
"""How long before the reset a look must come at least, so that what it shows can still be used."""


@define
class Looks:
    """What was seen of late, and what looking was good for.

    Attributes:
        reached_at: the instant by which every call so far has reached the service.
        quiet_since: the same for the calls of earlier windows.
        first_reset_s: the reset that the first answer of the latest window stated.
        steady: first answers in a row that stated the longest reset of all.
        is_due: whether the present window began with calls left of which its first answer can have shown few, and
            nobody has looked again.
        vain: how many of the last looks that were put off showed nothing new, less those that did where windows fade.
        answered_at: when the last answer came.
        resets_at: the instant by which the reset that it stated has surely passed.
        most: tokens that it leaves at most.
    """

    reached_at: float = -math.inf
    quiet_since: float = -math.inf
    first_reset_s: float = 0.0
    steady: int = 0
    is_due: bool = False
    vain: int = 0
    answered_at: float = -math.inf
    resets_at: float = math.inf
    most: float = math.inf
    _stated: float = 0.0

    def reach(self, until: float) -> None:
        """Note that a call reaches the service by an instant, if it does at all."""
        self.reached_at = max(self.reached_at, until)

    def begin_window(self) -> None:
        """Set apart what was spent before: a reset has passed."""
        self.quiet_since, self.is_due = self.reached_at, False

    def judge(self, budget: Budget, numbers: Reading) -> None:
        """Take in the first answer of a window."""
        reset_s, longest_s = numbers.reset_s or 0.0, budget.windows.longest_s
        is_new = reset_s > self.first_reset_s + WHOLE_S
        self.steady = 0 if reset_s < longest_s - WHOLE_S else 1 if is_new else self.steady + 1
        self.first_reset_s = reset_s
        is_long, is_minute, has_some = longest_s > SHARP_S, longest_s >= SHARP_S - 1, bool(numbers.remaining)
        fills_late = budget.windows.refills is False and is_minute and has_some
        may_hide = fills_late or (is_long and (has_some or _hides_all(budget, numbers)))
        self.is_due = self.steady > 1 and may_hide

    def shows_more_at(self, budget: Budget, *, last_at: float, now: float) -> float:
        """Name the instant at which one more answer would show more than is known now; the past: none would."""
        sharpens_at, drips_at = self.sharpens_at(budget, now=now), self.drips_at(budget, last_at=last_at)
        return max(sharpens_at, drips_at, self.learns_at(budget, last_at=last_at, now=now))

    def sharpens_at(self, budget: Budget, *, now: float) -> float:
        """Name the instant at which one more answer would show tokens that rounding hides; the past: there are none."""
        at = budget.windows.sharpens_at(now=now)
        return at if at is not None and _hides_tokens(budget) else -math.inf

    def learns_at(self, budget: Budget, *, last_at: float, now: float) -> float:
        """Name the instant at which one more answer would show what kind of window this is; the past: it would not.

        Nothing is known yet of how windows begin. A little later an answer shows whether the reset stands; where it
        does, one late in the window shows whether anything has come back.
        """
        windows = budget.windows
        at = windows.sharpens_at(now=now)
        if at is None or windows.refills is not None or not (budget.seems_alone and budget.own > FEW):
            return -math.inf
        if windows.stays is None:
            return min(at, last_at + STANDING_S + SURELY_S + 2 * budget.trip_s)
        return at if windows.stays else -math.inf

    def drips_at(self, budget: Budget, *, last_at: float) -> float:
        """Name the instant by which tokens have come back one by one since a start; the past: they do not.

        After a look in vain it is late in the window, where whoever is alone may see the last one fade, and else never.
        """
        windows, ends = budget.windows, budget.ends
        if not (windows.drips and budget.limit) or ends is None:
            return -math.inf
        wait_s = max(budget.trip_s, DRIPS * 60 / budget.limit)
        if budget.fading.is_seen:
            return min(last_at + wait_s * 2.0**self.vain, ends.lo - SPARE_S)
        if self.vain:
            may_fade = budget.seems_alone and not windows.is_moving and windows.stays is not False
            return ends.lo - LATE_S if may_fade else -math.inf
        return min(last_at + wait_s, self.resets_at)

    def opens_at(self, budget: Budget, cost: int) -> float:
        """Name the instant from which one call is proven in a window that shows none; infinite: not before its reset.

        Under no way of counting is a service used up that was hardly called for the length of a window: neither by
        those few calls, nor by what was spent before them. Rounding may show nothing of that early in a long window.
        """
        windows, ends = budget.windows, budget.ends
        if not self.is_due or ends is None or windows.is_disturbed:
            return math.inf
        if not (windows.is_known or windows.is_moving):
            return math.inf  # what was refused before it may be charged to it
        if not _is_quiet(budget, cost) or budget.is_wary:
            return math.inf
        at = max(ends.lo - LATE_S, self.quiet_since + windows.longest_s + 1)
        return at if at <= ends.lo - SPARE_S else math.inf

    def borne(self, budget: Budget) -> int:
        """Count the calls that a look may bring: as many again as the last window bore, while that is little."""
        again = budget.openings.own_before
        return again if _is_quiet(budget, again) else 0

    def hear(self, most: float) -> None:
        """Take in the most tokens that an answer leaves, by any way to read it."""
        self._stated = most

    def note(self, budget: Budget, job: Job, *, was_last: bool, resets_at: float | None, now: float) -> None:
        """Take in an answer, and whether its call was the last that was proven: then it was a look, if put off.

        It was in vain if the most that can be left went down by as much as the look cost, or if nothing is left.
        """
        if was_last and budget.windows.drips and budget.limit:
            is_less = self._stated <= self.most - job.cost < math.inf
            if job.granted_at - self.answered_at >= 60 / budget.limit:
                if is_less or budget.left < 1:
                    self.vain = min(self.vain + 1, MOST_VAIN)
                else:
                    self.vain = max(self.vain - 1, 0) if budget.fading.is_seen else 0
        self.answered_at, self.resets_at = now, math.inf if resets_at is None else resets_at
        self.most, self._stated = self._stated, 0.0

    def moved(self, by_s: float) -> Looks:
        """Give the same instants as another clock tells them."""
        names = ("reached_at", "quiet_since", "answered_at", "resets_at")
        return evolve(self, **{name: getattr(self, name) + by_s for name in names})


def _hides_all(budget: Budget, numbers: Reading) -> bool:
    """Whether rounding may have made nothing of what is left, and nobody else can have spent it."""
    return budget.seems_alone and not all(states_nothing(numbers, view.hypothesis.unit) for view in budget.alive())


def _is_quiet(budget: Budget, cost: int) -> bool:
    whole = (budget.limit or 0.0) * budget.windows.longest_s / 60
    return QUIET_PART * (budget.own + cost) <= whole


def _hides_tokens(budget: Budget) -> bool:
    known = budget.own if budget.windows.is_known else -math.inf
    return any(
        min(view.most, view.budget_hi - known) > view.left
        for view in budget.alive()
        if view.hypothesis.unit is Unit.SPEED and not view.strikes
    )
