"""Plays tables of instants and decisions: each row says when, what happens, and which jobs start at that instant.

An event is a verb, the jobs that it concerns and the numbers that an answer states, L for the limit, V for what
remains, R for the reset: ``submit a b``, ``ok a L=20 V=19 R=60``, ``refused a L=20 R=42``, ``withdraw b``, ``ask``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import define, field, frozen

from apteligent_async._scheduling.scheduler import Scheduler
from apteligent_async._scheduling.signals import (
    Job,
    Limited,
    LinkFailed,
    Overloaded,
    Reading,
    Refused,
    Stage,
    Succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from apteligent_async._scheduling.policy import RatePolicy
    from apteligent_async._scheduling.signals import Outcome

__all__ = ["Row", "Script", "play", "said"]

_NAMES: Final = {"L": "limit", "V": "remaining", "R": "reset_s", "A": "actual"}
_UNCHECKED: Final = -1.0


@frozen
class Row:
    """One line of a table.

    Attributes:
        at: the instant, in seconds.
        event: what happens.
        starts: names of the jobs that start then, in order.
        wakes: the next instant that the scheduler names, None for none; not checked where left out.
    """

    at: float
    event: str
    starts: str = ""
    wakes: float | None = _UNCHECKED


def said(words: Iterable[str]) -> Reading | None:
    """Make a reading of ``L=20``, ``V=19`` and ``R=60``; none of them is no reading."""
    stated = {_NAMES[word[0]]: float(word[2:]) for word in words if "=" in word}
    return Reading(**stated) if stated else None


_OUTCOMES: Final[dict[str, Callable[[Reading | None], Outcome]]] = {
    "ok": lambda reading: Succeeded(reading=reading),
    "denied": lambda reading: Refused(reading=reading),
    "refused": lambda reading: Limited(reading=reading),
    "broken": lambda reading: Overloaded(reading=reading),
    "lost": lambda reading: LinkFailed(reading=reading),
    "unsent": lambda _: LinkFailed(was_sent=False),
}


@define
class Script:
    """A scheduler and the jobs of one table by name; `likeness` says what all of them are like."""

    scheduler: Scheduler
    likeness: dict[str, dict[str, Any]] = field(factory=dict)
    jobs: dict[str, Job] = field(factory=dict)
    dice: float = 0.0

    def happen(self, event: str, *, now: float) -> str:
        """Let one event happen and return the names of the jobs that start, in order."""
        verb, *words = event.split()
        reading = said(words)
        for name in (word for word in words if "=" not in word):
            self._do(verb, name, reading, now=now)
        names = {job: name for name, job in self.jobs.items()}
        return " ".join(names[job] for job in self.scheduler.due(now=now))

    def _do(self, verb: str, name: str, reading: Reading | None, *, now: float) -> None:
        if verb == "submit":
            self.jobs[name] = Job(**self.likeness.get(name[0], {}))
            self.scheduler.submit(self.jobs[name], now=now)
        elif verb in _OUTCOMES:
            assert self.jobs[name].stage is Stage.STARTED, f"{name} was never started"
            self.scheduler.settle(self.jobs[name], _OUTCOMES[verb](reading), now=now, dice=self.dice)
        elif verb == "withdraw":
            self.scheduler.withdraw(self.jobs[name], now=now)
        else:
            assert verb == "abandon", verb
            self.scheduler.abandon(self.jobs[name], now=now)


def play(policy: RatePolicy, rows: Iterable[Row], **likeness: dict[str, Any]) -> Script:
    """Play a table and hold every row to its word; `likeness` gives jobs their settings by their first letter."""
    script = Script(Scheduler(policy), likeness)
    for row in rows:
        starts = script.happen(row.event, now=row.at)
        assert starts == row.starts, f"{row}: started {starts!r}"
        assert script.scheduler.due(now=row.at) == [], f"{row}: started more when asked again"
        wakes = script.scheduler.wake_at()
        assert row.wakes in (_UNCHECKED, wakes), f"{row}: wakes at {wakes}"
    return script
