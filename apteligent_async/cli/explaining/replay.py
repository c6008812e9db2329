"""Reads a log of events from its first to its last, and makes a story of it.

The log may come from anywhere: an event that is not as it should be is passed over, and nothing here fails on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from apteligent_async.cli.explaining.story import GIVEN_BACK, REFUSED, Attempt, Call, Story, Stretch, Wait, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apteligent_async import Event

__all__ = ["replay"]

_LARGEST = 1e12
_MOST_TOKENS = 1000


def replay(events: Iterable[Event]) -> Story | None:
    """Tell the story of a log, its events given oldest first; None if there are none."""
    reader: _Reader | None = None
    for event in events:
        reader = reader or _Reader(event.at, event.at)
        reader.take(event)
    return None if reader is None else reader.story()


@define
class _Reader:
    """What was read so far.

    Attributes:
        waiting: since when calls wait, by number.
        pauses: until when those of them rest that have failed.
        blocked: what the head of the line waits for, and until when, as last said.
        answered: the start of the call that was answered last.
    """

    began_at: float
    now: float
    calls: dict[int, Call] = field(factory=dict)
    line: list[Stretch] = field(factory=list)
    windows: list[Window] = field(factory=list)
    waiting: dict[int, float] = field(factory=dict)
    pauses: dict[int, float] = field(factory=dict)
    foreign: list[float] = field(factory=list)
    blocked: tuple[str, float | None] | None = None
    answered: float | None = None

    def take(self, event: Event) -> None:
        """Read the next event."""
        at = max(event.at, self.now)
        if self.blocked is not None and self.waiting and at > self.now:
            self._wait_on(at, *self.blocked)
        self.now = at
        if event.name == "line.blocked":
            self.blocked = str(event.detail.get("cause", "")), _number(event.detail, "until")
        elif event.name == "window.open":
            self._open_window(_number(event.detail, "ends_at"))
        elif event.name == "others.seen":
            self.foreign.append(self.now)
        elif event.name.startswith("call.") and isinstance(event.detail.get("call"), int):
            self._take_call(event.name, self._call(event.detail), event.detail)

    def story(self) -> Story:
        """Deal the starts to their windows, and end."""
        for ticket in tuple(self.waiting):
            self._end_wait(self.calls[ticket], None)
        windows = self.windows or [Window(number=1, began_at=self.began_at)]
        story = Story(
            began_at=self.began_at, ended_at=self.now, calls=self.calls, windows=windows, line=tuple(self.line)
        )
        for attempt in story.attempts:
            if attempt.is_charged:
                _deal(attempt, story.window_at(attempt.started_at))
        for at in self.foreign:
            story.window_at(at).others += 1
        return story

    def _wait_on(self, at: float, cause: str, until: float | None) -> None:
        last = self.line[-1] if self.line else None
        if last is not None and last.cause == cause and last.ended_at == self.now:
            self.line[-1] = Stretch(last.began_at, at, cause, until)
        else:
            self.line.append(Stretch(self.now, at, cause, until))

    def _call(self, detail: Mapping[str, Any]) -> Call:
        ticket: int = detail["call"]
        if ticket not in self.calls:
            self.calls[ticket] = Call(ticket=ticket, label=str(detail.get("label", "")), joined_at=self.now)
        return self.calls[ticket]

    def _take_call(self, name: str, call: Call, detail: Mapping[str, Any]) -> None:
        match name:
            case "call.queued":
                call.lane, call.ahead = str(detail.get("lane", "")), _number(detail, "ahead")
                self.waiting[call.ticket] = self.now
            case "call.start":
                self._start(call, detail)
            case "call.answer":
                self._settle(call, str(detail.get("outcome", "")))
                self.answered = call.attempts[-1].started_at if call.attempts else None
            case "call.abandoned":
                self._settle(call, "abandoned")
                call.end = "abandoned"
            case "call.again":
                self._repeat(call, _number(detail, "start_at"))
            case "call.withdrawn":
                self._settle(call, GIVEN_BACK)
                self._leave(call, "withdrawn")
            case "call.rejected" | "call.shed" | "call.given_up":
                self._leave(call, name.removeprefix("call.").replace("_", " "))
            case _:
                pass

    def _start(self, call: Call, detail: Mapping[str, Any]) -> None:
        self.blocked = None
        if call.ticket not in self.waiting:
            self.waiting[call.ticket] = self._waits_since(call, _number(detail, "waited_s") or 0.0)
        self._end_wait(call, "start")
        cost = int(min(max(_number(detail, "cost") or 0, 0), _MOST_TOKENS))
        left = max(_number(detail, "left") or 0.0, 0.0)
        call.attempts.append(Attempt(started_at=self.now, cost=cost, left=left))
        call.end = None

    def _waits_since(self, call: Call, waited_s: float) -> float:
        """Say since when a call waits that joined before the log began, or came back with a new token."""
        if call.attempts:
            return call.attempts[-1].ended_at or self.now
        call.joined_at = self.now - max(waited_s, 0.0)
        return call.joined_at

    def _settle(self, call: Call, outcome: str) -> None:
        if call.attempts and call.attempts[-1].outcome is None:
            call.attempts[-1].ended_at, call.attempts[-1].outcome = self.now, outcome

    def _repeat(self, call: Call, start_at: float | None) -> None:
        self.waiting[call.ticket] = self.now
        # After a 429 a call is back in line at once: it waits for the reset, as all others do.
        if start_at is not None and not (call.attempts and call.attempts[-1].outcome == REFUSED):
            self.pauses[call.ticket] = start_at

    def _leave(self, call: Call, end: str) -> None:
        call.end = end
        self._end_wait(call, end)

    def _end_wait(self, call: Call, ended_in: str | None) -> None:
        began_at = self.waiting.pop(call.ticket, None)
        rested_until = self.pauses.pop(call.ticket, None)
        if began_at is not None:
            wait = Wait(began_at=began_at, ended_at=self.now, rested_until=rested_until, ended_in=ended_in)
            call.waits.append(wait)

    def _open_window(self, ends_at: float | None) -> None:
        began_at = self.now if self.answered is None else self.answered
        last_at = self.windows[-1].began_at if self.windows else began_at
        number = len(self.windows) + 1
        self.windows.append(Window(number=number, began_at=max(began_at, last_at), ends_at=ends_at))


def _deal(attempt: Attempt, window: Window) -> None:
    window.started += attempt.cost
    window.known = max(window.known, window.started + int(attempt.left))
    window.refused += attempt.outcome == REFUSED


def _number(detail: Mapping[str, Any], name: str) -> float | None:
    found = detail.get(name)
    return found if isinstance(found, int | float) and abs(found) < _LARGEST else None
