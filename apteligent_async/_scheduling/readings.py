"""From numbers as stated to numbers that are proven: what one answer says of tokens and of the reset.

A header may be rounded down, up, to nearest or not at all, and nobody says which. So every whole number n stands for
the open interval (n - 1, n + 1), and all that follows is interval arithmetic: a lower bound that holds whatever the
rounding, and an upper one.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from apteligent_async._scheduling.wording import Wording, doubt_s

if TYPE_CHECKING:
    from apteligent_async._scheduling.signals import Job, Reading

__all__ = [
    "ALL_HYPOTHESES",
    "MINUTE_S",
    "PLAIN",
    "Hypothesis",
    "Span",
    "Unit",
    "is_possible",
    "looks_whole",
    "minute_bounds",
    "reset_span",
    "states_nothing",
    "token_bounds",
    "usable",
]

LONGEST_RESET_S = 86_400.0
"""A reset further away than a day is taken for garbage."""

MOST_CALLS = 1e9
"""So is a number of calls beyond this."""

MINUTE_S = 60.0
"""The one bucket length for which a limit in calls per minute is the bucket's size, whatever its rounding."""

PLAIN = Wording()
"""A wording of which nothing is known: everything may be rounded to whole numbers, and cut to the limit."""

_FINE_SPEED = 0.01
"""How far off a stated speed with decimals may be, in calls per minute."""


class Unit(Enum):
    """What `remaining` counts."""

    SPEED = "speed"
    """Calls per minute that can be kept up until the reset: tokens = remaining * reset / 60."""

    COUNT = "count"
    """Calls that are left in the bucket."""


@frozen
class Hypothesis:
    """One way to read the numbers.

    Attributes:
        unit: what `remaining` counts.
        includes_call: whether the call that brought the numbers is already taken off.
        is_likely: whether it is held from the start; if not, only once a refusal has contradicted the likely ones.
    """

    unit: Unit
    includes_call: bool
    is_likely: bool = True


ALL_HYPOTHESES = tuple(Hypothesis(unit, includes_call) for unit in Unit for includes_call in (True, False))


@frozen
class Span:
    """An interval of instants, in seconds on the caller's clock."""

    lo: float
    hi: float

    def meets(self, other: Span) -> bool:
        """Whether both can hold the same instant."""
        return self.lo <= other.hi and other.lo <= self.hi

    def moved(self, by_s: float) -> Span:
        """Give the same interval as another clock tells it."""
        return Span(self.lo + by_s, self.hi + by_s)

    def both(self, other: Span) -> Span:
        """Give the instants that both hold."""
        return Span(max(self.lo, other.lo), min(self.hi, other.hi))


def usable(reading: Reading | None) -> Reading | None:
    """Give the reading as far as its numbers can be true, else None: negative, endless and absurd ones cannot."""
    if reading is None or reading.reset_s is None or reading.remaining is None:
        return None
    if not (0 <= reading.reset_s <= LONGEST_RESET_S and abs(reading.remaining) <= MOST_CALLS):
        return None
    if reading.limit is not None and not 0 <= reading.limit <= MOST_CALLS:
        return evolve(reading, limit=None)
    return reading


def reset_span(reset_s: float, *, sent_at: float, received_at: float, wording: Wording = PLAIN) -> Span:
    """Bound the instant of a reset that was `reset_s` away when the service answered."""
    doubt = wording.doubt_s(reset_s)
    return Span(sent_at + reset_s - doubt, received_at + reset_s + doubt)


def token_bounds(
    reading: Reading, hypothesis: Hypothesis, job: Job, *, ends: Span, received_at: float, wording: Wording = PLAIN
) -> tuple[float, float]:
    """Bound the tokens that were left once the call that brought the reading had been counted.

    Args:
        reading: a usable reading of an answer that was not a refusal.
        hypothesis: the way to read it.
        job: the call.
        ends: what is known of the bucket's end, this reading included.
        received_at: when its answer arrived.
        wording: what is known of how the service states its numbers.

    Returns:
        The least and the most tokens, whole numbers; the most may be infinite.
    """
    remaining = max(reading.remaining or 0.0, 0.0)
    if hypothesis.unit is Unit.COUNT:
        least, most = math.floor(remaining), float(math.ceil(remaining))
    else:
        reset_s = reading.reset_s or 0.0
        doubt = wording.doubt_s(reset_s)
        shortest_s = max(ends.lo - received_at, reset_s - doubt)
        longest_s = min(ends.hi - job.granted_at, reset_s + doubt)
        least, most = _from_speed(remaining, shortest_s=shortest_s, longest_s=longest_s, is_fine=wording.is_fine)
    if wording.may_cap(reading):
        most = math.inf
    most = max(least, most)
    if hypothesis.includes_call:
        return least, most
    return max(least - job.cost, 0), max(most - job.cost, 0)


def looks_whole(reading: Reading, unit: Unit, size: int) -> bool:
    """Whether a reading near the beginning of a minute's bucket states all of it, or all but the call itself."""
    remaining, reset_s = reading.remaining or 0.0, reading.reset_s or 0.0
    if unit is Unit.SPEED and not float(remaining).is_integer():
        doubt = doubt_s(reset_s)
        least, most = _from_speed(remaining, shortest_s=reset_s - doubt, longest_s=reset_s + doubt)
        return least <= size and size - 1 <= most
    stated = (minute_bounds(unit, left, reset_s) for left in (size, size - 1))
    return any(span.lo <= remaining <= span.hi for span in stated)


def minute_bounds(unit: Unit, left: int, reset_s: float) -> Span:
    """Bound how `left` tokens are stated near the beginning of a minute's bucket, however rounded."""
    if unit is Unit.COUNT:
        return Span(left, left)
    return Span(math.floor(60 * left / MINUTE_S), math.ceil(60 * left / (reset_s - 1)))


def is_possible(reading: Reading, unit: Unit, *, wording: Wording = PLAIN) -> bool:
    """Whether a usable reading can be true at all: what is left must come to a whole number of tokens."""
    remaining, reset_s = reading.remaining or 0.0, reading.reset_s or 0.0
    if remaining <= 0 or wording.may_cap(reading):
        return True
    if unit is Unit.COUNT:
        return reading.limit is None or float(remaining).is_integer()
    doubt = doubt_s(reset_s)
    least, most = _from_speed(remaining, shortest_s=reset_s - doubt, longest_s=reset_s + doubt)
    return least <= most


def states_nothing(reading: Reading, unit: Unit) -> bool:
    """Whether a usable reading leaves room for no call at all: a single one is a speed of one in the last minute."""
    is_sharp = unit is Unit.COUNT or (reading.reset_s or 0.0) <= MINUTE_S - 1
    return is_sharp and (reading.remaining or 0.0) <= 0


def _from_speed(speed: float, *, shortest_s: float, longest_s: float, is_fine: bool = False) -> tuple[int, float]:
    shortest_s, longest_s = max(shortest_s, 0.0), max(longest_s, 0.0)
    if speed == 0:
        return 0, max(math.ceil(longest_s / 60) - 1, 0)
    if is_fine or not float(speed).is_integer():
        least = max(math.ceil((speed - _FINE_SPEED) * shortest_s / 60), 1)
        return least, math.floor((speed + _FINE_SPEED) * longest_s / 60)
    least = math.floor((speed - 1) * shortest_s / 60) + 1
    return least, math.ceil((speed + 1) * longest_s / 60) - 1
