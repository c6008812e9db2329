"""The one place of the proof kit that knows how the scheduler is made and what it says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._scheduling.scheduler import Scheduler
from attrs import frozen

from apteligent_async._scheduling.policy import Mode, RatePolicy

if TYPE_CHECKING:
    from benchmarks.player import Brain

__all__ = ["Verdicts", "new_brain", "verdicts_of"]


@frozen(kw_only=True)
class Verdicts:
    """What a scheduler has made of a server's words; None where it has not made up its mind."""

    is_speed: bool | None = None
    is_before: bool | None = None


def new_brain(mode: Mode, *, share: float | None = None) -> Scheduler:
    """Return a scheduler that knows nothing yet, without a bound on calls in flight that would blur the measurement."""
    return Scheduler(RatePolicy(mode=mode, share=share, max_in_flight=1_000_000))


def verdicts_of(brain: Brain) -> Verdicts:
    """Read the verdicts that a scheduler has reached."""
    raise NotImplementedError
