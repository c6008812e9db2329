"""What the events of a client are worth in numbers: one table, for whatever keeps the numbers.

| measure | kind | labels |
| --- | --- | --- |
| ``calls`` | counter | endpoint, outcome (``result``, ``cancelled``, or the name of an error) |
| ``call_seconds`` | histogram: from call to result, waiting included | endpoint |
| ``waited_seconds`` | histogram: waiting for budget | endpoint |
| ``blocked_seconds`` | counter: time that the head of the line waited | cause |
| ``budget_left`` | gauge: calls proven to be left | |
| ``rate_limited`` | counter: answers of 429 | endpoint |
| ``retries`` | counter: attempts after the first | endpoint |
| ``cache`` | counter: results of a client with a cache | endpoint, state |
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

if TYPE_CHECKING:
    from apteligent_async import Event

__all__ = ["LABELS", "MOST_ENDPOINTS", "Measures", "Sink"]

MOST_ENDPOINTS = 100
"""Names of endpoints that are told apart; the table has a third of that, callers of their own may add to it."""

LABELS = {
    "calls": ("endpoint", "outcome"),
    "call_seconds": ("endpoint",),
    "waited_seconds": ("endpoint",),
    "blocked_seconds": ("cause",),
    "budget_left": (),
    "rate_limited": ("endpoint",),
    "retries": ("endpoint",),
    "cache": ("endpoint", "state"),
}
"""The labels of each measure; each takes few values, known beforehand."""


class Sink(Protocol):
    """Keeps numbers."""

    def add(self, measure: str, value: float, **labels: str) -> None:
        """Add to a counter."""

    def observe(self, measure: str, value: float, **labels: str) -> None:
        """Put a value into a histogram."""

    def set(self, measure: str, value: float) -> None:
        """Set a gauge."""


@define(eq=False)
class Measures:
    """Turns events into numbers. Its state is why the line is blocked and since when, and the endpoints seen.

    Attributes:
        sink: where the numbers go.
    """

    sink: Sink
    _blocked: tuple[str, float] | None = field(default=None, init=False)
    _endpoints: set[str] = field(factory=set, init=False)

    def __call__(self, event: Event) -> None:
        """Count one event."""
        detail = event.detail
        endpoint = self._endpoint(str(detail.get("label", "")))
        match event.name:
            case "call.done":
                self.sink.add("calls", 1, endpoint=endpoint, outcome=detail["outcome"])
                self.sink.observe("call_seconds", detail["total_s"], endpoint=endpoint)
                self.sink.observe("waited_seconds", detail["waited_s"], endpoint=endpoint)
            case "call.answer":
                if detail["outcome"] == "limited":
                    self.sink.add("rate_limited", 1, endpoint=endpoint)
            case "call.again":
                self.sink.add("retries", 1, endpoint=endpoint)
            case "cache.answer":
                self.sink.add("cache", 1, endpoint=endpoint, state=detail["state"])
            case "line.blocked":
                self._note_blocked(detail["cause"], event.at)
            case "call.start":
                self._note_blocked(None, event.at)
            case _:
                pass
        if event.name in {"call.start", "call.answer"} and math.isfinite(detail["left"]):
            self.sink.set("budget_left", max(detail["left"], 0))

    def _note_blocked(self, cause: str | None, at: float) -> None:
        """Count the time for which the last cause held; it is over when another one, or a start, comes."""
        if self._blocked is not None:
            known, since = self._blocked
            self.sink.add("blocked_seconds", max(at - since, 0.0), cause=known)
        self._blocked = None if cause is None else (cause, at)

    def _endpoint(self, name: str) -> str:
        if len(self._endpoints) < MOST_ENDPOINTS:
            self._endpoints.add(name)
        return name if name in self._endpoints else "other"
