"""A service small enough to be believed: windows of tokens, and four ways to say what is left of them.

It shares nothing with the scheduler but the value in which an answer's numbers travel, and it knows the truth.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from apteligent_async._scheduling.signals import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ROUNDINGS", "Answer", "Service", "Words"]

ROUNDINGS: Final[dict[str, Callable[[float], float]]] = {
    "down": math.floor,
    "up": math.ceil,
    "nearest": round,
    "not": float,
}


@frozen(kw_only=True)
class Words:
    """How a service words what is left: as a speed or a count, before or after the call, rounded somehow."""

    is_speed: bool = True
    is_before: bool = False
    remaining: str = "down"
    reset: str = "up"


@frozen
class Answer:
    """What became of one call, and the true instant of the reset that it states."""

    is_allowed: bool
    reading: Reading
    reset_at: float


@define(kw_only=True)
class Service:
    """So many tokens a window; the next window starts where the last one ended, or lazily with the next call.

    Attributes:
        ends_at: the end of the present window.
        used: tokens spent in it.
        is_harsh: whether refused calls are counted as well.
    """

    budget: int
    window_s: float
    ends_at: float
    used: int = 0
    is_lazy: bool = False
    is_harsh: bool = False
    words: Words = field(factory=Words)

    def left(self, now: float) -> int:
        """Tell the truth: tokens that could be spent at this instant."""
        if now < self.ends_at:
            return self.budget - self.used
        return self.budget

    def call(self, cost: int, *, now: float) -> Answer:
        """Count one call."""
        self._roll(now)
        is_allowed = self.left(now) >= cost
        if is_allowed or self.is_harsh:
            self.used += cost
        return Answer(is_allowed, self._state(cost if is_allowed else 0, now=now), self.ends_at)

    def _roll(self, now: float) -> None:
        if now < self.ends_at:
            return
        passed = 0 if self.is_lazy else math.floor((now - self.ends_at) / self.window_s)
        self.ends_at = (now if self.is_lazy else self.ends_at + passed * self.window_s) + self.window_s
        self.used = 0

    def _state(self, cost: int, *, now: float) -> Reading:
        words, left_s = self.words, self.ends_at - now
        tokens = max(self.left(now), 0) + (cost if words.is_before else 0)
        value = 60 * tokens / max(left_s, 1e-3) if words.is_speed else float(tokens)
        return Reading(
            limit=round(60 * self.budget / self.window_s, 3),
            remaining=ROUNDINGS[words.remaining](value) if words.is_speed else value,
            reset_s=ROUNDINGS[words.reset](left_s),
        )
