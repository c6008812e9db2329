"""Userflows: what users set out to do, how it ended, how long it took, and the money it was about.

Every userflow is begun by a fixed share of the app loads of any window, and each beginning has exactly one outcome.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import frozen

from apteligent_async.simulator.world.dice import dice
from apteligent_async.simulator.world.series import deal

if TYPE_CHECKING:
    from datetime import datetime

    from apteligent_async.simulator.world.profile import AppProfile
    from apteligent_async.simulator.world.series import Series

__all__ = ["Outcome", "Tally", "Userflow", "Userflows"]

# No slash, question mark or number sign: the vendor's Splunk integration puts names into paths as they are.
_NAMES = (
    "Checkout & Pay",
    "Login",
    "Sign up & Register",
    "Search",
    "Add to cart",
    "Watch video",
    "50% off",
    "Share (1)",
    "Book a table",
    "Überweisung",
    "Upload photo",
    "Refund",
)


class Outcome(StrEnum):
    """How a userflow ended."""

    SUCCEEDED = "succeeded"
    CRASHED = "crashed"
    TIMED_OUT = "timedOut"
    USER_FAILED = "userFailed"


@frozen(kw_only=True)
class Userflow:
    """One userflow: its name, how often app loads begin it, how each outcome weighs, mean seconds, value in cents."""

    name: str
    share: float
    outcome_weights: tuple[float, ...]
    seconds: float
    value_cents: int


@frozen
class Tally:
    """How many times a userflow ended in each way in a window."""

    counts: dict[Outcome, int]

    @property
    def started(self) -> int:
        """All beginnings."""
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        """All that did not succeed."""
        return self.started - self.counts[Outcome.SUCCEEDED]


class Userflows:
    """The userflows of one app, by name."""

    def __init__(self, profile: AppProfile, series: Series) -> None:
        self._profile = profile
        self._series = series

    @cached_property
    def by_name(self) -> dict[str, Userflow]:
        """Every userflow; none where nobody uses the app."""
        if not self._profile.versions:
            return {}
        throw = dice("userflows", self._profile.seed)
        return {
            name: Userflow(
                name=name,
                share=throw.uniform(0.01, 0.3),
                outcome_weights=(
                    throw.uniform(80, 99),
                    throw.uniform(0.2, 2),
                    throw.uniform(0.2, 4),
                    throw.uniform(0, 3),
                ),
                seconds=throw.uniform(4, 140),
                value_cents=throw.randrange(0, 9_900, 99),
            )
            for name in _NAMES
        }

    def tally(self, userflow: Userflow, start: datetime, end: datetime) -> Tally:
        """Count a userflow's outcomes between two local instants, `end` not after now."""
        started = int(self._series.arrived(self._series.loads, start, end) * userflow.share)
        return Tally(dict(zip(Outcome, deal(started, userflow.outcome_weights), strict=True)))
