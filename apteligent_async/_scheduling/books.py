"""Whose tokens a line spends: its own, by its own books, or those that it was leased (`leases`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from apteligent_async._scheduling.decisions import account, starts_at
from apteligent_async._scheduling.release import PHI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.policy import RatePolicy
    from apteligent_async._scheduling.signals import Cause, Job, Outcome

__all__ = ["Books", "OwnBooks"]


class Books(Protocol):
    """What a line asks before it starts a job, and tells when the job ends. Jobs that cost nothing never come here."""

    @property
    def budget(self) -> Budget:
        """The estimator as it is known here, on the line's own clock."""
        ...

    @property
    def queued_elsewhere(self) -> Mapping[str, int]:
        """Tokens that others wait for, by the names of their lanes, as last heard."""
        ...

    def starts_at(self, policy: RatePolicy, job: Job, *, wanted: float, now: float) -> tuple[float, Cause]:
        """Name the instant from which a job may start, if nothing happens before, and why not earlier."""
        ...

    def start(self, job: Job, *, now: float) -> None:
        """Take the tokens of a job that may start."""
        ...

    def give_back(self, job: Job) -> None:
        """Take a start back: nothing was sent."""
        ...

    def lose(self, job: Job, *, now: float) -> None:
        """Write off a job whose answer will not come."""
        ...

    def settle(self, job: Job, outcome: Outcome, *, now: float, dice: float) -> None:
        """Write down how a job's attempt ended."""
        ...


@define
class OwnBooks:
    """The books of a line that shares its tokens with nobody who talks.

    Attributes:
        budget: the estimator.
        phi: the part of what is left that `shared` keeps under way.
        queued_elsewhere: nothing, as nobody tells.
    """

    budget: Budget
    phi: float = PHI
    queued_elsewhere: Mapping[str, int] = field(factory=dict[str, int], init=False)
    _last_at: float = field(default=-math.inf, init=False)
    _jitter: float = field(default=0.0, init=False)

    def starts_at(self, policy: RatePolicy, job: Job, *, wanted: float, now: float) -> tuple[float, Cause]:
        """Name the instant from which a job may start, if nothing happens before, and why not earlier."""
        return starts_at(
            policy,
            self.budget,
            job,
            wanted=wanted,
            last_at=self._last_at,
            jitter=self._jitter,
            now=now,
            phi=self.phi,
        )

    def start(self, job: Job, *, now: float) -> None:
        """Take the tokens of a job that may start."""
        self.budget.take(job.cost, now=now)
        self._last_at = now

    def give_back(self, job: Job) -> None:
        """Take a start back: nothing was sent."""
        self.budget.give_back(job.cost)

    def lose(self, job: Job, *, now: float) -> None:
        """Write off a job whose answer will not come."""
        self.budget.lose(job, now=now)

    def settle(self, job: Job, outcome: Outcome, *, now: float, dice: float) -> None:
        """Write down how a job's attempt ended."""
        self._jitter = dice
        account(self.budget, job, outcome, now=now)
