"""What the first answer of a window shows: whether it began whole, and what that proves of this one.

A window's first answer is the one moment at which its whole size may be read. What is concluded there holds for windows
that begin anew; so it is drawn only where one was seen to, but for the single inference of a whole minute.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define

from apteligent_async._scheduling.readings import MINUTE_S, Unit, looks_whole, minute_bounds, states_nothing
from apteligent_async._scheduling.windows import WHOLE_S
from apteligent_async._scheduling.wording import doubt_s

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.signals import Reading

__all__ = ["ASSUMED_LIMIT", "Openings", "begins_short", "promised"]

ASSUMED_LIMIT = 20.0
"""Calls per minute before the service has said anything: the only value ever attested (grade B)."""

TELLING_SIZE = 10
"""In a bucket smaller than this, one call less than the whole may be a coincidence, unless it happens again."""

TELLING_WINDOWS = 2
"""How often it must happen there, in windows next to each other."""

LIFT = 2
"""How many times what was stated is won back at most where others may have spent some of it."""

WHOLE_PART = 0.8
"""A window that begins with less than this part of what the limit promises was not filled anew."""


def promised(limit: float | None, reset_s: float) -> int:
    """Count the calls of a whole window at least: the limit is an average over it, and no reset is longer."""
    return math.floor((limit or 0.0) * max(reset_s - 1, 0.0) / 60)


def begins_short(budget: Budget) -> bool:
    """Whether the first answer of a window leaves less than one that was filled anew, with what our calls cost."""
    most = max(view.most for view in budget.alive()) + budget.own + budget.live
    return most < WHOLE_PART * promised(budget.limit, budget.windows.longest_s)


@define
class Openings:
    """What first answers have shown so far.

    Attributes:
        own_before: tokens that our calls cost in the window before the present one.
        whole_in_a_row: first answers in a row that read like a whole minute's bucket.
        may_infer: whether the inference of a whole minute has not been disproved.
        is_unconfirmed: whether a way of reading was ruled out by that inference, and by nothing else so far.
    """

    own_before: int = 0
    whole_in_a_row: int = 0
    may_infer: bool = True
    is_unconfirmed: bool = False

    def judge(self, budget: Budget, numbers: Reading, *, now: float) -> None:
        """Draw from the first answer of a window what it proves of the books.

        Args:
            budget: the books, that answer taken in.
            numbers: what the answer states.
            now: the present instant.
        """
        windows = budget.windows
        if windows.is_known:
            self._watch_refill(budget, numbers)
        size = promised(budget.limit, windows.whole_s)
        if windows.is_fresh(numbers.reset_s or 0.0):
            is_steady = abs((numbers.reset_s or 0.0) - budget.looks.first_reset_s) <= WHOLE_S
            times = math.inf if budget.is_alone and is_steady else LIFT
            for view in budget.views:
                view.lift(size=size, own_hi=budget.own, times=times)
        is_believed = windows.is_first and not budget.refusals
        if self.may_infer and (is_believed or (windows.is_known and windows.refills)):
            self._infer(budget, numbers, now=now)

    def review(self, budget: Budget, numbers: Reading) -> None:
        """Hold a later answer against what was inferred: one with nothing left confirms it, a moving reset does not."""
        if all(states_nothing(numbers, view.hypothesis.unit) for view in budget.alive()):
            self.is_unconfirmed = False
        elif budget.windows.is_moving:
            budget.doubt_everything()

    def faded(self, budget: Budget, numbers: Reading) -> int:
        """Count the tokens by which the last window may still weigh on what an answer states."""
        if budget.windows.refills:
            return 0
        return math.ceil(self.own_before * ((numbers.reset_s or 0.0) + 1) / (budget.windows.longest_s + 1))

    def _watch_refill(self, budget: Budget, numbers: Reading) -> None:
        """Tell windows that begin anew from a counter into which the last window still weighs, fading with time."""
        windows, alive = budget.windows, budget.alive()
        if windows.longest_s <= WHOLE_S:
            return
        stated = (budget.pace + 1) * (windows.longest_s + 1) / 60
        counted = max(view.budget_hi for view in alive)
        weighs = budget.own + self.own_before * max((numbers.reset_s or 0.0) - 1, 0.0) / (windows.longest_s + 1)
        if budget.is_alone and begins_short(budget):
            windows.refills = False
        elif min(view.fresh for view in alive) > max(min(max(stated - weighs, stated / 2), counted - weighs), 0):
            windows.refills = windows.refills is not False

    def _infer(self, budget: Budget, numbers: Reading, *, now: float) -> None:
        """Draw the one conclusion that needs no second window.

        A first answer that reads like one call off a whole minute's bucket is taken for just that. If it states less
        than a whole bucket, the headers count the call that brings them. Where resets fall short of a minute by so much
        that they leave the size in doubt, nothing is concluded.
        """
        reset_s, size = numbers.reset_s or 0.0, math.floor(numbers.limit or 0.0)
        is_only = budget.own == 1 and budget.live == 0
        if not (is_only and size and budget.windows.is_whole_minute(reset_s, now=now, trip_s=budget.trip_s)):
            return
        if size * (MINUTE_S - budget.windows.longest_s) >= MINUTE_S / 2:
            return  # a bucket as long as its longest reset holds one call less
        whole = [unit for unit in Unit if looks_whole(numbers, unit, size)]
        self.whole_in_a_row = self.whole_in_a_row + 1 if whole else 0
        if size < TELLING_SIZE and self.whole_in_a_row < TELLING_WINDOWS:
            return
        for unit in whole:
            if not any(view.is_wary for view in budget.alive() if view.hypothesis.unit is unit):
                is_counted = (numbers.remaining or 0.0) < minute_bounds(unit, size, reset_s).lo
                self._begin_known_window(budget, unit, size, is_counted=is_counted)

    def _begin_known_window(self, budget: Budget, unit: Unit, size: int, *, is_counted: bool) -> None:
        least = _least_of_minute(size, budget.windows.longest_s) if is_counted else size
        for view in budget.alive():
            if view.hypothesis.unit is unit:
                view.narrow_budget(least, size)
                view.prove(max(view.left, view.budget_lo - 1))
                if is_counted and not view.hypothesis.includes_call:
                    view.rule_out()
                    self.is_unconfirmed = True
        if not budget.alive():
            budget.doubt_everything()


def _least_of_minute(size: int, longest_s: float) -> int:
    """Count the calls of a bucket that passes for a minute's: it is as long as its longest reset, which may be off.

    Where the headers count the call that brings them, the answers to these show for sure whether there are more.
    """
    return math.floor(size * (longest_s - doubt_s(longest_s)) / MINUTE_S)
