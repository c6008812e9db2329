"""How long an answer may be given again: the older the data in it, the longer, as they move less and less."""

from __future__ import annotations

import math

from attrs import field, frozen

from apteligent_async._scheduling.policy import checked, is_number

__all__ = ["FINAL_AFTER_S", "Freshness"]

FINAL_AFTER_S = 72 * 3600.0
"""Seconds after which the service's numbers are taken for final; younger ones may still move (grade D)."""

_SECONDS = checked(lambda value: is_number(value) and 0 <= value < math.inf, "a number of seconds, at least 0")


@frozen(kw_only=True)
class Freshness:
    """How old kept answers may be when they are given again.

    An answer is fresh for `young_s`, and for `growth` of the age that its data had when it came. For as long again it
    is stale: given at once, and renewed behind the caller's back. After that it is given only where a new one cannot
    be had: with the budget used up, or with the service or the link down; and never once it is older than `most_s`.

    Attributes:
        young_s: seconds for which an answer about the present is fresh.
        live_s: the same for live statistics.
        growth: seconds of freshness for each second of the data's age.
        final_s: seconds for which an answer is fresh whose data were at least 72 hours old when it came.
        most_s: seconds after which an answer is given under no circumstances; what is fresh for longer excepted.

    Raises:
        ConfigurationError: a value is no number of seconds.
    """

    young_s: float = field(default=60.0, validator=_SECONDS)
    live_s: float = field(default=10.0, validator=_SECONDS)
    growth: float = field(
        default=0.1, validator=checked(lambda value: is_number(value) and 0 <= value <= 1, "a number from 0 to 1")
    )
    final_s: float = field(default=30 * 86_400.0, validator=_SECONDS)
    most_s: float = field(default=86_400.0, validator=_SECONDS)

    def fresh_s(self, data_age_s: float, *, is_live: bool = False) -> float:
        """Say for how many seconds an answer is fresh.

        Args:
            data_age_s: how long before the answer the period ended that it is about; 0 or less for the present.
            is_live: whether it is about the last minutes.
        """
        if data_age_s >= FINAL_AFTER_S:
            return self.final_s
        return (self.live_s if is_live else self.young_s) + self.growth * max(data_age_s, 0.0)

    def stale_s(self, fresh_s: float) -> float:
        """Say until which age an answer may be given while a new one is fetched behind the caller's back."""
        return max(fresh_s, min(2 * fresh_s, self.most_s))

    def usable_s(self, fresh_s: float) -> float:
        """Say until which age an answer may be given where a new one cannot be had."""
        return max(fresh_s, self.most_s)
