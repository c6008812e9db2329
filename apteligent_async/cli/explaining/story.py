"""What a log of events tells: which calls there were, for what they waited, and in which windows they were sent."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from apteligent_async._scheduling.journal import NOT_SENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BACKOFF",
    "GIVEN_BACK",
    "REFUSED",
    "UNKNOWN",
    "Attempt",
    "Call",
    "Story",
    "Stretch",
    "Wait",
    "Window",
]

BACKOFF = "backoff"
"""The cause of a wait after a failure, which is the call's own and not the line's."""
UNKNOWN = "unknown"
"""The cause of a wait of which the log says nothing."""

REFUSED = "limited"
GIVEN_BACK = "given back"

_SHORTEST_S = 0.001


@frozen
class Stretch:
    """A time of waiting for one thing.

    Attributes:
        cause: a value of the scheduler's causes, such as ``drained``; or `BACKOFF`, or `UNKNOWN`.
        until: the instant that it was expected to end at; None where an answer was waited for.
    """

    began_at: float
    ended_at: float
    cause: str
    until: float | None = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.began_at


@frozen(kw_only=True)
class Wait:
    """One wait of one call.

    Attributes:
        rested_until: the end of the pause after a failure; None if there was none.
        ended_in: ``start``, how else the call left the line, or None if the log ends before.
    """

    began_at: float
    ended_at: float
    rested_until: float | None
    ended_in: str | None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.began_at


@define(kw_only=True)
class Attempt:
    """One start of a call; the state is what came of it.

    Attributes:
        started_at: when it could be sent.
        cost: tokens that the service charges for it.
        left: tokens that were proven to remain after it.
        ended_at: when it was answered or given up; None if the log ends before.
        outcome: what came of it, as the log names it; None if the log ends before.
    """

    started_at: float
    cost: int
    left: float
    ended_at: float | None = None
    outcome: str | None = None

    @property
    def is_charged(self) -> bool:
        """Whether the service has counted it, so far as this side can know."""
        return self.cost > 0 and self.outcome not in {GIVEN_BACK, NOT_SENT}


@define(kw_only=True)
class Call:
    """One call; the state is what has become of it so far.

    Attributes:
        ticket: its number in the order of joining the line.
        ahead: tokens that were to be spent before it when it joined; None if it joined before the log began.
        end: how it left early: ``withdrawn``, ``shed``, ``rejected``, ``given up`` or ``abandoned``; else None.
    """

    ticket: int
    label: str
    lane: str = ""
    joined_at: float
    ahead: float | None = None
    end: str | None = None
    waits: list[Wait] = field(factory=list)
    attempts: list[Attempt] = field(factory=list)


@define(kw_only=True)
class Window:
    """One window of the service's budget, as this client saw it; the state is what it saw.

    Attributes:
        began_at: the start of the call whose answer showed it.
        ends_at: when its reset would surely have passed, by that answer; None if none came.
        started: tokens of the calls that were started in it.
        known: tokens that it was known to hold for this client, those of the started calls included.
        refused: answers of 429 to them.
        others: answers that only somebody else's calls explain.
    """

    number: int
    began_at: float
    ends_at: float | None = None
    started: int = 0
    known: int = 0
    refused: int = 0
    others: int = 0


@define(kw_only=True)
class Story:
    """A whole log, read; it does not change.

    Attributes:
        calls: by number.
        windows: at least one, oldest first.
        line: the times in which calls waited in line, and the first of them for what.
    """

    began_at: float
    ended_at: float
    calls: Mapping[int, Call]
    windows: Sequence[Window]
    line: Sequence[Stretch]

    @cached_property
    def attempts(self) -> Sequence[Attempt]:
        """All attempts, in the order of their starts."""
        return sorted((one for call in self.calls.values() for one in call.attempts), key=lambda one: one.started_at)

    @property
    def charges(self) -> Sequence[float]:
        """The instant of every start that the service has counted, once per token."""
        return [one.started_at for one in self.attempts if one.is_charged for _ in range(one.cost)]

    @property
    def refusals(self) -> int:
        """Answers of 429."""
        return sum(one.outcome == REFUSED for one in self.attempts)

    @property
    def waited(self) -> Mapping[str, float]:
        """Seconds that the line waited, by cause, the longest first."""
        seconds: defaultdict[str, float] = defaultdict(float)
        for stretch in self.line:
            seconds[stretch.cause] += stretch.seconds
        return dict(sorted(seconds.items(), key=lambda pair: -pair[1]))

    def window_at(self, at: float) -> Window:
        """Give the window that was open at an instant."""
        return self.windows[max(bisect_right(self.windows, at, key=lambda one: one.began_at) - 1, 0)]

    def end_of(self, window: Window) -> float:
        """Give the instant at which a window ended: when the next one began, or the log did."""
        following = self.windows[window.number : window.number + 1]
        return following[0].began_at if following else self.ended_at

    def line_between(self, began_at: float, ended_at: float) -> Sequence[Stretch]:
        """Give the stretches of the line that lie in a time, or reach into it."""
        first = bisect_right(self.line, began_at, key=lambda one: one.ended_at)
        last = bisect_right(self.line, ended_at, key=lambda one: one.began_at)
        return self.line[first:last]

    def attempts_in(self, window: Window) -> Sequence[Attempt]:
        """Give the attempts that were started before the next window began, and not before this one."""
        following = self.windows[window.number : window.number + 1]
        first = bisect_left(self.attempts, window.began_at, key=lambda one: one.started_at)
        last = bisect_left(self.attempts, following[0].began_at, key=lambda one: one.started_at) if following else None
        return self.attempts[first:last]

    def reasons(self, wait: Wait) -> Sequence[Stretch]:
        """Say what a call waited for, in the order of time: first its own pause, then what the line waited for."""
        rested_until = min(max(wait.rested_until or wait.began_at, wait.began_at), wait.ended_at)
        parts = [Stretch(wait.began_at, rested_until, BACKOFF, wait.rested_until)]
        at = rested_until
        for stretch in self.line_between(at, wait.ended_at):
            began_at, ended_at = max(stretch.began_at, at), min(stretch.ended_at, wait.ended_at)
            parts += [Stretch(at, began_at, UNKNOWN), Stretch(began_at, ended_at, stretch.cause, stretch.until)]
            at = ended_at
        parts.append(Stretch(at, wait.ended_at, UNKNOWN))
        return [part for part in parts if part.seconds >= _SHORTEST_S]
