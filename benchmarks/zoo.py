"""Servers with every habit and every fault, each with an oracle: what it really allows, and who is to blame for a 429.

A server is a meter (how it counts), a dialect (how it words its numbers) and a temper (what goes wrong). It knows
nothing of clients and networks, and is written apart from the package's own simulator so that the two can contradict
each other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from attrs import define, field, frozen

from benchmarks.meters import Refusals

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from benchmarks.meters import Meter

__all__ = ["ROUNDINGS", "Answer", "Dialect", "Edit", "Server", "Stated", "Temper"]

ROUNDINGS: Final[dict[str, Callable[[float], float]]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "exact": float,
}


class Stated(NamedTuple):
    """The numbers of one answer as they arrive: limit per minute, remaining, seconds to reset, actual (429 only)."""

    limit: float | None
    remaining: float | None
    reset_s: float | None
    actual: float | None = None


class Answer(NamedTuple):
    """One answer: allowed or refused, the numbers (None: not stated), and for a refusal what excuses the client."""

    is_allowed: bool
    stated: Stated | None
    excuses: tuple[str, ...]


@frozen(kw_only=True)
class Dialect:
    """How a server words what is left.

    Attributes:
        is_speed: Remaining is a speed in calls per minute until the reset, not a count.
        is_before: Remaining still includes the call that it answers.
        remaining: rounding of Remaining, a key of `ROUNDINGS`.
        reset: rounding of Reset, a key of `ROUNDINGS`.
        limit: rounding of Limit; "ceil" gives a whole limit back from the budget that was cut from it.
        is_capped: Remaining never exceeds Limit.
        is_clamped: Remaining never falls below 0.
    """

    is_speed: bool = True
    is_before: bool = False
    remaining: str = "floor"
    reset: str = "ceil"
    limit: str = "ceil"
    is_capped: bool = False
    is_clamped: bool = True

    def word(self, *, meter: Meter, now: float, charged: int, is_allowed: bool, skew_s: float) -> Stated:
        """Return the numbers for a call that the meter has just charged; `skew_s` falsifies the reset."""
        left_s = max(0.0, round(meter.reset_at(now) - now, 9))  # sums of floats drift, and roundings would show it
        tokens = meter.left(now) + (charged if self.is_before and is_allowed else 0)
        limit = 60 * meter.budget / meter.window_s
        value = 60 * tokens / max(left_s, 1e-3) if self.is_speed else float(tokens)
        if self.is_capped:
            value = min(value, limit)
        if self.is_clamped:
            value = max(value, 0.0)
        reset_s = ROUNDINGS[self.reset](max(0.0, left_s + skew_s))
        actual = None if is_allowed else 60 * (meter.budget - meter.left(now)) / meter.window_s
        limit = ROUNDINGS[self.limit](round(limit, 9))
        return Stated(limit, ROUNDINGS[self.remaining](value), reset_s, actual)


@frozen(kw_only=True)
class Temper:
    """What goes wrong at the server; chances per answer, times in seconds.

    Attributes:
        missing: numbers left out.
        garbled: numbers replaced by nonsense.
        cached: numbers of an earlier answer repeated.
        spurious: refused although tokens are left.
        skew_s: added to every stated reset.
        bounce_s: the stated reset jumps by up to this much either way.
    """

    missing: float = 0.0
    garbled: float = 0.0
    cached: float = 0.0
    spurious: float = 0.0
    skew_s: float = 0.0
    bounce_s: float = 0.0


@frozen(kw_only=True)
class Edit:
    """A new budget and window length from an instant on; a running window keeps its end."""

    at: float
    budget: int
    window_s: float


@define(kw_only=True)
class Server:
    """One budget, its headers, and the witness for the defence.

    Attributes:
        edits: changes of the limit still to come, in order of time.
        allowed: own calls allowed so far.
        refused: own calls refused so far.
    """

    meter: Meter
    dialect: Dialect
    dice: Random
    temper: Temper = field(factory=Temper)
    edits: list[Edit] = field(factory=list)
    allowed: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    _seen: dict[str, float] = field(factory=dict, init=False)
    _owed_since: float | None = field(default=None, init=False)
    _promised_at: float = field(default=math.inf, init=False)
    _misstated: str = field(default="", init=False)
    _earlier: Stated | None = field(default=None, init=False)

    def left(self, now: float) -> int:
        """Return the truth: how many calls in a row would be allowed at this instant."""
        self._apply_edits(now)
        return self.meter.left(now)

    def call(self, now: float, *, cost: int = 1) -> Answer:
        """Answer one call of the client under test, arriving now; one that cannot be paid in full is refused."""
        if self._owed_since is not None:
            self._collect(now)
        is_first = not self.allowed and not self.refused
        has_tokens = self.left(now) >= cost
        if has_tokens and not (self.temper.spurious and self.dice.random() < self.temper.spurious):
            for _ in range(cost):
                self.meter.count(now)
            self.allowed += 1
            return Answer(is_allowed=True, stated=self._state(now, charged=cost, is_allowed=True), excuses=())
        excuses = ("spurious",) if has_tokens else self._excuses(now, is_first=is_first)
        for _ in range(cost):
            self.meter.count_refused(now)
        self.refused += 1
        return Answer(is_allowed=False, stated=self._state(now, charged=cost, is_allowed=False), excuses=excuses)

    def foreign_call(self, now: float) -> bool:
        """Answer a call of somebody else on the same budget; return whether it was allowed."""
        is_allowed = self.left(now) >= 1
        if is_allowed:
            self.meter.count(now)
        else:
            self.meter.count_refused(now)
            self._owed_since = now
        self._seen["foreign use"] = now
        return is_allowed

    def note(self, cause: str, now: float) -> None:
        """Remember a disturbance that excuses 429s until this window ends."""
        self._seen[cause] = now
        if cause == "lost header":
            self._misstated = cause

    def _collect(self, now: float) -> None:
        """Note that a window began with what strangers' refused calls were charged in advance."""
        opened_at = self.meter.opened_at(now)
        if self._owed_since is not None and opened_at > self._owed_since:
            self._owed_since = None
            if self.meter.refusals is Refusals.NEXT:
                self.note("foreign use", max(opened_at, self._seen.get("foreign use", opened_at)))

    def _apply_edits(self, now: float) -> None:
        # A cut takes effect, and counts as seen, with the first call after it: nobody can know of it earlier.
        while self.edits and self.edits[0].at <= now:
            edit = self.edits.pop(0)
            budget, left = self.meter.budget, self.meter.left(now)
            self.meter.budget, self.meter.window_s = edit.budget, edit.window_s
            if edit.budget < budget or self.meter.left(now) < left:
                self._seen["limit cut"] = now

    def _excuses(self, now: float, *, is_first: bool) -> tuple[str, ...]:
        opened_at = self.meter.opened_at(now)
        if is_first:
            return ("cold start",)
        if self._promised_at <= now and self.left(now) < 1:  # a reset promises one token, until the next answer
            self._seen["false reset"] = now
        elif self._misstated:  # the reset to wait for was stated falsely, or not at all, however long ago
            self._seen[self._misstated] = now
        return tuple(cause for cause, at in self._seen.items() if at >= opened_at)

    def _state(self, now: float, *, charged: int, is_allowed: bool) -> Stated | None:
        temper = self.temper
        skew_s = temper.skew_s
        if temper.bounce_s:
            skew_s += self.dice.uniform(-temper.bounce_s, temper.bounce_s)
        self._misstated = "skew" if skew_s else ""
        if skew_s:
            self._seen["skew"] = now
        self._promised_at = self.meter.reset_at(now)
        stated = self.dialect.word(meter=self.meter, now=now, charged=charged, is_allowed=is_allowed, skew_s=skew_s)
        if temper.missing or temper.garbled or temper.cached:
            return self._lose(stated, now)
        return stated

    def _lose(self, stated: Stated, now: float) -> Stated | None:
        temper, roll = self.temper, self.dice.random()
        earlier, self._earlier = self._earlier, stated
        if roll >= temper.missing + temper.garbled + temper.cached:
            return stated
        self._seen["lost header"], self._misstated = now, "lost header"
        if roll < temper.missing:
            return None
        if roll < temper.missing + temper.garbled:
            return self._garble(stated)
        return earlier or stated

    def _garble(self, stated: Stated) -> Stated:
        nonsense = (None, -1.0, math.nan, math.inf, 1e12, 0.0)
        limit, remaining, reset_s = (
            self.dice.choice(nonsense) if self.dice.random() < 0.5 else value for value in stated[:3]
        )
        return Stated(limit, remaining, reset_s, stated.actual)
