"""What one way to read the numbers has proven so far: a lower bound of the tokens left, kept sound.

A view knows no clock and no queue. Its invariant, as long as its hypothesis is the true one and nobody else spends:
after all settled calls at least `left` tokens remain at the service. Calls under way are not taken off; whoever asks
takes them off.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apteligent_async._scheduling.readings import Hypothesis

__all__ = ["View", "views_of"]

_STRIKES = 2
"""Windows that must contradict a hypothesis before it is ruled out."""

_WARY_WINDOWS = 3
"""Windows for which our own books are not believed after somebody else was seen to spend."""


@define
class View:
    """The books of one hypothesis; the state is what it believes of the present window and of windows in general.

    Attributes:
        hypothesis: the way of reading that these books assume.
        is_alive: whether nothing has ruled the hypothesis out.
        left: tokens proven to remain after every settled call.
        fresh: the smallest lower bound stated in the present stretch.
        most: tokens that can remain at most, as stated in the present window.
        budget_lo: calls that a whole window has been proven to hold.
        budget_hi: calls that a whole window can hold at most.
        strikes: windows in which the service contradicted the hypothesis.
    """

    hypothesis: Hypothesis
    is_alive: bool = True
    left: float = 1
    fresh: float = math.inf
    most: float = math.inf
    budget_lo: float = 0
    budget_hi: float = math.inf
    strikes: int = 0
    _heard_at: float = field(default=-math.inf, alias="heard_at")
    _is_struck: bool = field(default=False, alias="is_struck")
    _wary: int = field(default=0, alias="wary")
    _rested_least: float = field(default=0.0, alias="rested_least")
    _rested_most: float = field(default=math.inf, alias="rested_most")
    _rested_own: int | None = field(default=None, alias="rested_own")

    @property
    def is_wary(self) -> bool:
        """Whether somebody else was seen to spend, so that only what is stated counts."""
        return self._wary > 0

    def begin_stretch(self) -> None:
        """Forget what was stated while other calls were under way: none of them can still speak."""
        self.fresh = math.inf

    def begin_window(self) -> None:
        """Drop the upper bound: a reset has passed."""
        self.most = math.inf
        self._rested_own = None
        self._is_struck = False
        self._wary = max(self._wary - 1, 0)

    def prove(self, left: float) -> None:
        """Start from a number of tokens that something other than an answer proves."""
        self.left = left

    def charge(self, cost: int) -> None:
        """Take off a call whose answer says nothing of this window: what it costs, if anything, is not known."""
        self.left = max(self.left - cost, 0)
        self._rested_own = None

    def refuse(self) -> None:
        """Note an answer of 429: nothing is left."""
        self.left = self.fresh = self.most = 0

    def settle(self, cost: int, bounds: tuple[float, float], *, blind: int, live: int, now: float) -> bool:
        """Take in what one answer of the present window proves; say whether our own calls do not explain it.

        Args:
            cost: tokens that the call was charged.
            bounds: least and most tokens left after it, under this hypothesis.
            blind: settled calls that no answer of this stretch need include.
            live: tokens of the calls still under way.
            now: when the answer arrived.
        """
        least, most = bounds
        self._heard_at = now
        self.fresh = min(self.fresh, least)
        self.most = min(self.most, most)
        books, stated = self.left - cost, self.fresh - blind
        is_surprised = most + live < books
        if is_surprised:
            self._wary = _WARY_WINDOWS
        self.left = max(stated if self._wary else max(books, stated), 0)
        return is_surprised

    def forgive(self) -> None:
        """Believe our own books again at once: the client is promised to be alone."""
        self._wary = 0

    def rises(self, least: float, *, sent_at: float) -> bool:
        """Say whether a call sent later than all that was heard found more than could be left: windows never refill."""
        return sent_at > self._heard_at and least > self.most

    def rest(self, *, own: int) -> tuple[int, float, float]:
        """Note a moment with nothing under way, and hold it against the window's first such one.

        Returns:
            What our calls have cost in between; how many tokens must have returned all the same, fewer than none if
            somebody else must have spent some; and how many more or less it may be.
        """
        if self._rested_own is None or self._rested_most == math.inf:
            self._rested_least, self._rested_most, self._rested_own = self.fresh, self.most, own
        cost = own - self._rested_own
        doubt = self._rested_most - self._rested_least + self.most - self.fresh
        if self.most + cost < self._rested_least:
            return cost, self.most + cost - self._rested_least, doubt
        return cost, max(self.fresh + cost - self._rested_most, 0.0), doubt

    def contradict(self, *, own: int) -> None:
        """Count a contradiction between what our calls cost and what was stated, and look from here on."""
        self._rested_least, self._rested_most, self._rested_own = self.fresh, self.fresh, own
        self._contradict()

    def strike(self) -> None:
        """Count a contradiction, once per window; enough of them rule the hypothesis out."""
        if not self._is_struck:
            self._is_struck = True
            self._contradict()

    def _contradict(self) -> None:
        self.strikes += 1
        self.is_alive = self.is_alive and self.strikes < _STRIKES

    def rule_out(self) -> None:
        """Note an answer that could not be if the hypothesis were true."""
        self.is_alive = False

    def revive(self) -> None:
        """Take the hypothesis for possible again, and trust nothing that was learned under it."""
        self.is_alive, self.strikes = True, 0
        self.forget_budget()

    def count(self, *, own_lo: int, own_hi: int, most: float) -> None:
        """Narrow what a whole window holds, in a window that is known from its beginning.

        Args:
            own_lo: tokens that our own calls have surely cost in it.
            own_hi: tokens that they can have cost in it.
            most: tokens that can remain of it, with what the last window may still take away.
        """
        self.budget_lo = max(self.budget_lo, self.left + own_lo)
        if not self._wary:
            self.budget_hi = min(self.budget_hi, most + own_hi)
        if self.budget_hi < self.budget_lo:
            self.forget_budget()

    def lift(self, *, size: int, own_hi: int, times: float) -> None:
        """Win back what rounding hides in a window known from its beginning, if what it stated allows it.

        Args:
            size: calls that a whole window holds at least, by the stated limit.
            own_hi: tokens that our own calls can have cost in it.
            times: how many times what was stated may be won back at most.
        """
        known = max(self.budget_lo, size) - own_hi
        if known > self.most:
            self.forget_budget()
        elif self.left > 0 and known <= times * self.left and not self._wary:
            self.left = max(self.left, known)

    def narrow_budget(self, least: float, most: float) -> None:
        """Take over bounds of a window's size; what was counted and lies outside them was something else."""
        if self.budget_lo > most or self.budget_hi < least:
            self.forget_budget()
        self.budget_lo, self.budget_hi = max(self.budget_lo, least), min(self.budget_hi, most)

    def forget_budget(self) -> None:
        """Drop what earlier windows taught: it does not fit any more."""
        self.budget_lo, self.budget_hi = 0, math.inf
        self._rested_own = None


def views_of(hypotheses: Iterable[Hypothesis]) -> tuple[View, ...]:
    """Open the books of each way of reading; the unlikely ones are kept closed until a refusal opens them."""
    return tuple(View(each, is_alive=each.is_likely) for each in hypotheses)
