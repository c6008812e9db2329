"""What our own calls have cost, as far as anybody knows: some were answered, some given up, some may be on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from apteligent_async._scheduling.signals import Job

__all__ = ["Outlay"]


@define
class Outlay:
    """The tokens of calls that are settled.

    Attributes:
        own: what they can have cost in the present window, those that were given up included.
        sure: what they have surely cost in it, where it is known from its beginning.
        blind: those of the stretch that no answer of it need include.
        stragglers: those that were given up and may still reach the service: until when, and how many.
    """

    own: int = 0
    sure: int = 0
    blind: int = 0
    stragglers: list[tuple[float, int]] = field(factory=list)

    def count(self, job: Job, *, opened_at: float | None) -> None:
        """Add a call that was answered, in a window that was opened by us at an instant, or by whoever it was."""
        self.own += job.cost
        if opened_at is not None and job.granted_at >= opened_at:
            self.sure += job.cost

    def lose(self, cost: int, *, until: float) -> None:
        """Add a call that was given up, and that may be counted until an instant."""
        self.own += cost
        self.stragglers.append((until, cost))

    def begin_stretch(self, now: float) -> None:
        """Keep in mind only what may still be on the way."""
        self.blind = 0
        if self.stragglers:
            self.stragglers = [(until, cost) for until, cost in self.stragglers if until > now]
            self.blind = sum(cost for _, cost in self.stragglers)

    def begin_window(self, own: int) -> None:
        """Begin a window to which so much may be charged already."""
        self.own, self.sure = own, 0
