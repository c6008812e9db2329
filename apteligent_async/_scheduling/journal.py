"""What happened, for whoever watches: the scheduler writes it down, the shell hands it on.

Nothing is written while nobody watches. What the events are called, and what they say, stands in `Event`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from apteligent_async._scheduling.readings import usable
from apteligent_async._scheduling.signals import Event, Limited, LinkFailed, Outcome

if TYPE_CHECKING:
    from apteligent_async._scheduling.budget import Budget
    from apteligent_async._scheduling.signals import Cause, Job

__all__ = ["NOT_SENT", "Journal", "Marks", "tells_of_request"]

NOT_SENT = "not sent"
"""The outcome of an attempt that never reached the service."""


@frozen
class Marks:
    """Those parts of a budget whose change is news."""

    left: float
    is_gated: bool
    others_seen: int
    window: object

    @classmethod
    def of(cls, budget: Budget) -> Marks:
        """Take them from a budget as it is now."""
        window = budget.windows.serial if budget.ends is not None else None
        return cls(budget.left, budget.is_gated, budget.others_seen, window)


@define
class Journal:
    """Events that nobody has fetched yet, and what was last said of the line."""

    _events: list[Event] = field(factory=list)
    _blocked: tuple[Cause, float] | None = None

    def fetch(self) -> list[Event]:
        """Give the events since the last time, oldest first."""
        events, self._events = self._events, []
        return events

    def note(self, name: str, at: float, **detail: Any) -> None:
        """Write down an event."""
        self._events.append(Event(name, at, detail))

    def note_call(self, name: str, job: Job, at: float, **detail: Any) -> None:
        """Write down an event of one call."""
        self.note(f"call.{name}", at, call=job.ticket, label=job.label, **detail)

    def note_start(self, job: Job, budget: Budget, *, was_gated: bool, is_probe: bool, at: float) -> None:
        """Write down that a call may be sent."""
        if was_gated and not budget.is_gated:
            self.note("gate.open", at)
        waited_s = at - job.submitted_at
        self.note_call(
            "start",
            job,
            at,
            attempt=job.attempts,
            cost=job.cost,
            waited_s=waited_s,
            left=budget.left,
            is_probe=is_probe,
        )
        self._blocked = None

    def note_blocked(self, cause: Cause, until: float, *, waiting: int, at: float) -> None:
        """Write down why the head of the line waits, if it is not what was said before."""
        if self._blocked == (cause, until):
            return
        self._blocked = (cause, until)
        self.note(
            "line.blocked", at, cause=cause.value, until=None if until == float("inf") else until, waiting=waiting
        )

    def note_answer(self, job: Job, outcome: Outcome, before: Marks, after: Marks, *, until: float, at: float) -> None:
        """Write down how an attempt ended and what that changed."""
        reading = outcome.reading
        stated = (
            {}
            if reading is None
            else {"limit": reading.limit, "remaining": reading.remaining, "reset_s": reading.reset_s}
        )
        self.note_call("answer", job, at, outcome=_name(outcome), left_before=before.left, left=after.left, **stated)
        if reading is not None and usable(reading) is None and not isinstance(outcome, Limited):
            self.note("headers.invalid", at, call=job.ticket)
        self.note_change(before, after, until=until, at=at)

    def note_change(self, before: Marks, after: Marks, *, until: float, at: float) -> None:
        """Write down what has become of the window, of the gate and of strangers."""
        if after.window != before.window and after.window is not None:
            self.note("window.open", at, left=after.left, ends_at=until)
        if after.others_seen > before.others_seen:
            self.note("others.seen", at, left=after.left)
        if after.is_gated and not before.is_gated:
            self.note("gate.close", at, until=until)


def tells_of_request(event: Event) -> bool:
    """Whether an event tells how a request ended that was sent, and so has cost its tokens."""
    return event.name == "call.answer" and event.detail["outcome"] != NOT_SENT


def _name(outcome: Outcome) -> str:
    if isinstance(outcome, LinkFailed):
        return "link failed" if outcome.was_sent else NOT_SENT
    return type(outcome).__name__.lower()
