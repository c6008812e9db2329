"""How a service words its numbers, as far as its answers have shown.

What it has stated finely once, it is taken to state finely always, until it contradicts the books.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from attrs import define

if TYPE_CHECKING:
    from apteligent_async._scheduling.signals import Reading

__all__ = ["Wording", "doubt_s"]

FINEST: Final = 3
"""Decimals of a reset beyond this many say no more."""


@define
class Wording:
    """How fine its numbers are, and how large: decimals, once stated, and numbers above its limit.

    Attributes:
        reset_doubt_s: how far off any reset may be that it states.
        is_fine: whether it ever stated what remains with decimals, so that its whole numbers are not rounded either.
        is_uncapped: whether it ever stated more than its limit, so that this does not stand in for larger numbers.
        largest: the largest number that it stated under the present limit.
    """

    reset_doubt_s: float = 1.0
    is_fine: bool = False
    is_uncapped: bool = False
    largest: float = -math.inf

    def hear(self, numbers: Reading) -> None:
        """Take in a usable reading of an answer that was not a refusal."""
        remaining = numbers.remaining or 0.0
        self.reset_doubt_s = min(self.reset_doubt_s, doubt_s(numbers.reset_s or 0.0))
        self.is_fine = self.is_fine or not float(remaining).is_integer()
        self.is_uncapped = self.is_uncapped or (numbers.limit is not None and remaining > numbers.limit + 1)
        self.largest = max(self.largest, remaining)

    def may_cap(self, numbers: Reading) -> bool:
        """Whether its limit may stand in for a larger number here, each rounded in its own way: never for a smaller."""
        if numbers.limit is None or self.is_uncapped:
            return False
        remaining = numbers.remaining or 0.0
        return abs(remaining - numbers.limit) <= 1 and remaining >= self.largest

    def doubt_s(self, reset_s: float) -> float:
        """Say how far off a stated reset may be."""
        return min(doubt_s(reset_s), self.reset_doubt_s)


def doubt_s(reset_s: float) -> float:
    """Say how far off a stated reset may be, by its decimals alone: the last of them is rounded in some way."""
    whole = (digits for digits in range(FINEST) if math.isclose(reset_s, round(reset_s, digits), abs_tol=1e-9))
    return 10.0 ** -next(whole, FINEST)
