"""When a call will start: the forecast that admission, progress displays and people read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import field, frozen

from apteligent_async._scheduling.policy import is_whole
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._scheduling.budget import Budget

__all__ = ["BudgetSnapshot", "Eta", "forecast"]

PROBE_S = 2.0
"""What a new window costs at worst before its budget is known: whole-second resets, and a round trip."""

LATE_S = 2.0
"""How long before a reset a call may still be counted after it."""


@frozen
class Eta:
    """Seconds until a call starts: if all goes well, most likely, and at worst if nobody else spends."""

    optimistic: float
    expected: float
    pessimistic: float


def forecast(budget: Budget, position: float, *, now: float) -> Eta:
    """Say when the call starts before which `position` tokens (its own included) must be spent."""
    ends = budget.ends
    if ends is None and not budget.windows.longest_s and not budget.is_gated:
        return Eta(0.0, 0.0, 0.0)
    if ends is None:  # the first answer of a window is awaited
        free, first_lo, first_hi = budget.expected_size - budget.own - budget.live, 0.0, budget.expected_length_s
    else:
        free, first_lo, first_hi = max(budget.left, 0), max(ends.lo - now, 0.0), max(budget.reopens_at - now, 0.0)
    # What starts just before a reset may be charged to the window after it.
    is_late = ends is not None and ends.lo <= now + LATE_S
    late_s = budget.expected_length_s if is_late else 0.0
    if position <= free:
        return Eta(0.0, 0.0, late_s)
    windows = math.ceil((position - free) / budget.expected_size) - 1
    rest_s = windows * budget.expected_length_s
    worst_s = first_hi + rest_s + late_s + PROBE_S * (1 + windows)
    return Eta(first_lo + rest_s, (first_lo + first_hi) / 2 + rest_s, worst_s)


@frozen(kw_only=True)
class BudgetSnapshot:
    """What a client knows of its budget at one instant.

    Attributes:
        mode: the policy's mode.
        limit: calls per minute that the service allows, as last stated; None before its first answer.
        left_low: calls proven to be left now, those under way taken off.
        left_high: calls that can be left at most; infinite while unknown.
        reset_s: seconds to the reset of the present window, or None while unknown.
        is_gated: whether the service has refused a call (429) and the gate is shut until the reset.
        bucket_s: seconds from one reset to the next, or None before two of them were seen.
        bucket_calls: calls that one bucket holds, or None until it was counted exactly.
        unit: ``speed`` or ``count``, what `Rate-Limit-Remaining` turned out to be; None while undecided.
        includes_call: whether the headers already count the call that brings them; None while undecided.
        queued: calls that wait, by lane (``free``, ``token``, ``interactive``, ``bulk``).
        waits_for: why the call at the head of the line waits, such as ``drained``; None if nobody waits.
        waits_s: seconds that it will wait at least, or None if it waits for an answer.
        in_flight: calls under way.
        refusals: answers of 429 so far.
        others_seen: answers that only somebody else's calls explain.
    """

    mode: str
    limit: float | None
    left_low: int
    left_high: float
    reset_s: float | None
    is_gated: bool
    bucket_s: float | None
    bucket_calls: int | None
    unit: str | None
    includes_call: bool | None
    queued: Mapping[str, int]
    in_flight: int
    refusals: int
    others_seen: int
    waits_for: str | None
    waits_s: float | None
    _free: float = field(repr=False, alias="free")
    _opens_s: float = field(repr=False, alias="opens_s")
    _size: float = field(repr=False, alias="size")
    _length_s: float = field(repr=False, alias="length_s")

    def eta(self, n_calls: int = 1) -> float:
        """Estimate the seconds until `n_calls` more calls, behind those that wait already, have started.

        Raises:
            ConfigurationError: it is no whole number, or below 0.
        """
        if not is_whole(n_calls) or n_calls < 0:
            raise ConfigurationError(f"n_calls={n_calls!r} is not possible: it must be a whole number, at least 0.")
        missing = n_calls + sum(self.queued.values()) - self._free
        if missing <= 0:
            return 0.0
        return self._opens_s + (math.ceil(missing / self._size) - 1) * self._length_s
